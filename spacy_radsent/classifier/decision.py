"""From probabilities to labels: temperature, how frequent labels are, the threshold of POSITIVE, what to review."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from ..errors import RadsentError
from ..labels import LABELS, Label

TINY = 1e-12  # the least probability that a logarithm is taken of


@dataclass(frozen=True)
class Decision:
    """How probabilities become labels. `radsent calibrate` finds the settings on labelled reports.

    temperature (float): Probabilities become p ** (1 / temperature), normalised: more than 1 makes a model less
        certain, less than 1 more (Guo et al. 2017; there of logits, which is the same).
    positive_threshold (Optional[float]): A sentence is POSITIVE if its probability of that is at least this, else the
        most probable of the other labels. None: the most probable of all.
    review_below (float): A sentence whose label has a smaller probability gets the status "review".
    label_weights (Optional[Sequence[float]]): What the probability of each label is multiplied by, in the order of
        `LABELS`, before all are normalised: how much more frequent it is in the reports at hand than in training.
    """

    temperature: float = 1.0
    positive_threshold: float | None = None
    review_below: float = 0.0
    label_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise RadsentError(f"temperature is {self.temperature}: give a number above 0.")
        for name in ("positive_threshold", "review_below"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise RadsentError(f"{name} is {value}: give a number from 0 to 1.")
        weights = self.label_weights
        if weights is not None and not (len(weights) == len(LABELS) and all(0 < w < math.inf for w in weights)):
            raise RadsentError(f"label_weights is {weights}: give a number above 0 for each of {', '.join(LABELS)}.")

    def probabilities(self, scores: Any) -> Any:
        """RETURNS (ndarray): The model's probabilities (n, 4) at this temperature, with these weights."""
        if self.temperature == 1.0 and self.label_weights is None:
            return scores
        logits = numpy.log(numpy.clip(scores, TINY, None)) / self.temperature
        if self.label_weights is not None:
            logits = logits + numpy.log(self.label_weights)
        powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def codes(self, probabilities: Any) -> Any:
        """RETURNS (ndarray): The code of each sentence's label, (n,)."""
        if self.positive_threshold is None:
            return probabilities.argmax(axis=1)
        others = numpy.array(probabilities, copy=True)
        others[:, Label.POSITIVE] = -1.0
        is_positive = probabilities[:, Label.POSITIVE] >= self.positive_threshold
        return numpy.where(is_positive, int(Label.POSITIVE), others.argmax(axis=1))

    def decide(self, scores: Any) -> list[tuple[str, list[float], str]]:
        """Label sentences.

        scores (ndarray): The model's probabilities, (n, 4).
        RETURNS (List[Tuple[str, List[float], str]]): Label, probabilities and status of each.
        """
        if not len(scores):
            return []
        probabilities = self.probabilities(scores)
        codes = self.codes(probabilities)
        confidence = confidence_of(probabilities, codes)
        statuses = ["review" if unsure else "ok" for unsure in (confidence < self.review_below).tolist()]
        labels = [LABELS[code] for code in codes.tolist()]
        return list(zip(labels, probabilities.tolist(), statuses, strict=True))


def confidence_of(probabilities: Any, codes: Any) -> Any:
    """RETURNS (ndarray): The probability of the label that each sentence is given, (n,)."""
    return probabilities[numpy.arange(len(codes)), codes]
