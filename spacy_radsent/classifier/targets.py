"""What a model is to learn of labelled sentences, and how much each of them counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
from thinc.api import Ops
from thinc.types import Floats2d

from ..errors import RadsentError
from ..labels import LABELS


@dataclass(frozen=True)
class Targets:
    """How labels become what is to be learned.

    label_smoothing (float): Share of the target probability spread evenly over the labels, [0, 1).
    class_weights (Mapping[str, float]): What a sentence of a label counts; 1 for those not named. More for POSITIVE:
        fewer findings are missed, more are false.
    """

    label_smoothing: float = 0.0
    class_weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.label_smoothing < 1.0:
            raise RadsentError(
                f"label_smoothing is {self.label_smoothing}: give a number of at least 0 and less than 1."
            )
        for label, weight in self.class_weights.items():
            if label not in LABELS or not 0.0 <= weight < math.inf:
                raise RadsentError(
                    f"class_weights has {label!r}: {weight}: give numbers of at least 0 for {', '.join(LABELS)}."
                )

    def of(self, golds: Sequence[str]) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Make what is to be learned of sentences.

        golds (Sequence[str]): The label of each, "" for one without.
        RETURNS (Tuple[numpy.ndarray, numpy.ndarray]): Probabilities (n, 4) and what each sentence counts (n,): zeros
            without a label.
        """
        target = numpy.zeros((len(golds), len(LABELS)), dtype="f")
        for row, gold in zip(target, golds, strict=True):
            if gold:
                row[:] = self.label_smoothing / len(LABELS)
                row[LABELS.index(gold)] += 1.0 - self.label_smoothing
        return target, numpy.array([self.class_weights.get(gold, 1.0) if gold else 0.0 for gold in golds])


def cross_entropy(ops: Ops, scores: Floats2d, target: Any, counts: Any) -> tuple[float, Floats2d]:
    """Compute the cross-entropy of probabilities.

    ops (Ops): Of the model that gave them.
    scores (Floats2d): What the model says of the sentences, (n, 4).
    target, counts (ndarray): What it is to learn of each, (n, 4), and what each counts, (n,); see `Targets.of`.
    RETURNS (Tuple[float, Floats2d]): The loss summed over sentences, and its gradient with respect to the logits.
    """
    target, weight = ops.asarray2f(target), ops.asarray2f(counts.astype("f")[:, None])
    loss = -(target * weight * ops.xp.log(scores + 1e-12)).sum()
    return float(loss), (scores - target) * weight
