"""Whether probabilities can be trusted: calibration, and what is gained by leaving uncertain sentences to a reader."""

from dataclasses import dataclass
from typing import Any

import numpy
from sklearn.calibration import calibration_curve

from ..labels import Label

BINS = 15
POINTS = 50


@dataclass(frozen=True)
class Bin:
    """Sentences of like confidence.

    confidence (float): Mean probability of their label.
    right (float): Share that is labelled right.
    sentences (int): How many.
    """

    confidence: float
    right: float
    sentences: int


@dataclass(frozen=True)
class CoveragePoint:
    """What is left when the least certain sentences are set aside.

    threshold (float): Lowest probability that is kept.
    coverage (float): Share of the sentences that is kept.
    error (float): Share of the kept ones that is wrong.
    """

    threshold: float
    coverage: float
    error: float


@dataclass(frozen=True)
class PositivePoint:
    """POSITIVE at a threshold: only sentences with at least this probability of POSITIVE count as POSITIVE.

    threshold (float): The probability.
    precision (Optional[float]): PPV_1; None where no sentence reaches it.
    recall (Optional[float]): Recall_1.
    """

    threshold: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Calibration:
    """How far confidence and accuracy agree, over sentences that have probabilities.

    sentences (int): How many.
    ece (float): Expected calibration error of the predicted label, 15 bins of equal width (Guo et al. 2017).
    brier (float): Mean squared distance of the probabilities from the label, 0 to 2 (Brier 1950).
    bins (List[Bin]): The reliability curve.
    aurc (float): Area under the curve of error over coverage; lower is better (Geifman and El-Yaniv 2017).
    coverage (List[CoveragePoint]): That curve, most certain first.
    positive (List[PositivePoint]): Precision and recall of POSITIVE over thresholds.
    """

    sentences: int
    ece: float
    brier: float
    bins: list[Bin]
    aurc: float
    coverage: list[CoveragePoint]
    positive: list[PositivePoint]

    @classmethod
    def of(cls, gold: Any, predicted: Any, scores: Any) -> "Calibration | None":
        """Compute it.

        gold, predicted (ndarray): Codes of the labels, (sentences,).
        scores (ndarray): Probabilities, (sentences, 4); NaN where there are none.
        RETURNS (Optional[Calibration]): None where no sentence has probabilities.
        """
        keep = ~numpy.isnan(scores).any(1) & (predicted < scores.shape[1])
        gold, predicted, scores = gold[keep].astype(int), predicted[keep].astype(int), scores[keep].astype("float64")
        if not len(gold):
            return None
        right = gold == predicted
        confidence = numpy.clip(scores[numpy.arange(len(predicted)), predicted], 0, 1)
        bins = _bins(right, confidence)
        one_hot = numpy.eye(scores.shape[1])[gold]
        coverage, aurc = _coverage(right, confidence)
        return cls(
            sentences=len(gold),
            ece=sum(bin.sentences * abs(bin.right - bin.confidence) for bin in bins) / len(gold),
            brier=float(((scores - one_hot) ** 2).sum(1).mean()),
            bins=bins,
            aurc=aurc,
            coverage=coverage,
            positive=_positive(gold == Label.POSITIVE, scores[:, Label.POSITIVE]),
        )


def _bins(right: Any, confidence: Any) -> list[Bin]:
    shares, means = calibration_curve(right, confidence, n_bins=BINS)
    # As calibration_curve assigns them.
    edges = numpy.linspace(0, 1, BINS + 1)
    counts = numpy.bincount(numpy.searchsorted(edges[1:-1], confidence), minlength=BINS)
    full = counts[counts > 0]
    return [Bin(float(mean), float(share), int(n)) for mean, share, n in zip(means, shares, full, strict=True)]


def _coverage(right: Any, confidence: Any) -> tuple[list[CoveragePoint], float]:
    order = numpy.argsort(-confidence, kind="stable")
    kept = numpy.arange(1, len(right) + 1)
    error = numpy.cumsum(~right[order]) / kept
    at = numpy.unique(numpy.linspace(0, len(right) - 1, POINTS).astype(int))
    points = [CoveragePoint(float(confidence[order[i]]), float(kept[i] / len(right)), float(error[i])) for i in at]
    return points, float(error.mean())


def _positive(is_positive: Any, probability: Any) -> list[PositivePoint]:
    points = []
    for threshold in numpy.linspace(0, 1, POINTS + 1)[:-1]:
        taken = probability >= threshold
        found = int((taken & is_positive).sum())
        precision = found / int(taken.sum()) if taken.any() else None
        recall = found / int(is_positive.sum()) if is_positive.any() else None
        points.append(PositivePoint(float(threshold), precision, recall))
    return points
