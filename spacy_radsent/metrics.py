"""Metrics of sentence labels, from confusion matrices: one for `spacy train`, `spacy evaluate` and `radsent evaluate`.

A matrix has a row for each label of the reference and a column for each predicted one, and a fifth column for sentences
that were given no label (a parse error, a report that failed). All functions take stacks of matrices, so that a
bootstrap computes thousands of them at once; tests hold them against scikit-learn.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from numpy.typing import ArrayLike

from .labels import LABELS, Label

NO_LABEL = len(LABELS)
SHAPE = (len(LABELS), len(LABELS) + 1)

# A sentence by its first character, the one after its last, and its label (None where it has none).
Sentence = tuple[int, int, str | None]


def code_of(label: str | None) -> int:
    """RETURNS (int): The code of a label; `NO_LABEL` for none."""
    return Label[label].value if label else NO_LABEL


def confusion(gold: ArrayLike, predicted: ArrayLike, unit: ArrayLike = 0, units: int = 1) -> Any:
    """Count sentences.

    gold, predicted (Sequence[int]): Codes of the labels, (n,); predicted may be `NO_LABEL`.
    unit (Sequence[int]): The report of each sentence, (n,), if they are to be counted by report.
    units (int): How many reports.
    RETURNS (ndarray): Counts, (units, 4, 5).
    """
    gold = numpy.asarray(gold, dtype="int64")
    cells = (numpy.asarray(unit) * SHAPE[0] + gold) * SHAPE[1] + numpy.asarray(predicted, dtype="int64")
    return numpy.bincount(cells, minlength=units * SHAPE[0] * SHAPE[1]).reshape(units, *SHAPE)


def measure(matrices: Any, *, missing_is_wrong: bool = True, labels: Any = None) -> dict[str, Any]:
    """Compute metrics.

    matrices (ndarray): Confusion matrices, (..., 4, 5).
    missing_is_wrong (bool): Count sentences without a label as wrong; else leave them out, as Kikuchi et al. 2026 do.
    labels (Optional[ndarray]): Which labels macro F1 is over, (4,) of bool; by default those that occur. A resample
        that lacks one of them has no macro F1: without the label it would be another figure.
    RETURNS (Dict[str, ndarray]): Each (...): accuracy; macro_f1, over the labels; kappa (Cohen 1960); mcc
        (Gorodkin 2004); and for each code of a label precision_0, recall_0, f1_0 and so on: precision_1 is the paper's
        PPV_1. NaN where a metric is not defined (0 / 0), never 0.
    """
    counts = numpy.array(matrices, dtype="float64")
    if not missing_is_wrong:
        counts[..., NO_LABEL] = 0
    total = counts.sum((-2, -1))
    right = counts[..., range(NO_LABEL), range(NO_LABEL)]
    support = counts.sum(-1)
    predicted = counts.sum(-2)
    by_chance = (support * predicted[..., :NO_LABEL]).sum(-1)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        precision = right / predicted[..., :NO_LABEL]
        recall = right / support
        f1 = 2 * right / (predicted[..., :NO_LABEL] + support)
        agreed = total * right.sum(-1)
        spread = (total**2 - (predicted**2).sum(-1)) * (total**2 - (support**2).sum(-1))
        metrics = {
            "accuracy": right.sum(-1) / total,
            "macro_f1": mean_of_defined(f1) if labels is None or not labels.any() else f1[..., labels].mean(-1),
            "kappa": (agreed - by_chance) / (total**2 - by_chance),
            "mcc": (agreed - by_chance) / numpy.sqrt(spread),
        }
    for code in range(NO_LABEL):
        metrics[f"precision_{code}"] = precision[..., code]
        metrics[f"recall_{code}"] = recall[..., code]
        metrics[f"f1_{code}"] = f1[..., code]
    return metrics


def number_or_none(value: Any) -> float | None:
    """RETURNS (Optional[float]): A metric as JSON can hold it: None where it is not defined."""
    return None if numpy.isnan(value) else float(value)


def mean_of_defined(values: Any) -> Any:
    """RETURNS (ndarray): Mean over the last axis of all that is not NaN; NaN where all is."""
    with numpy.errstate(invalid="ignore"):
        return numpy.nansum(values, -1) / (~numpy.isnan(values)).sum(-1)


def exact_matches(gold: Iterable[Sentence], predicted: Iterable[Sentence]) -> Any:
    """Compare sentences whose boundaries and label must both be right.

    gold, predicted (Iterable[Tuple[int, int, Optional[str]]]): The sentences of a report.
    RETURNS (ndarray): How many were found, predicted and are in the reference, for each label and for none, (5, 3).
    """
    gold, predicted = set(gold), set(predicted)
    counts = numpy.zeros((NO_LABEL + 1, 3), dtype="int64")
    for column, sentences in enumerate((gold & predicted, predicted, gold)):
        for _, _, label in sentences:
            counts[code_of(label), column] += 1
    return counts


def precision_recall_f1(found: Any, predicted: Any, expected: Any) -> tuple[Any, Any, Any]:
    """RETURNS (Tuple[ndarray, ndarray, ndarray]): Of counts, in any shape; NaN where not defined."""
    with numpy.errstate(divide="ignore", invalid="ignore"):
        found, predicted, expected = (numpy.asarray(count, dtype="float64") for count in (found, predicted, expected))
        return found / predicted, found / expected, 2 * found / (predicted + expected)


def project(starts: Sequence[int], predicted: Sequence[Sentence]) -> list[int | None]:
    """Find the predicted sentence that each sentence of the reference begins in.

    starts (Sequence[int]): First characters of the sentences of the reference, in order.
    predicted (Sequence[Tuple[int, int, Optional[str]]]): Predicted sentences, in order.
    RETURNS (List[Optional[int]]): Index of the one that holds the character; None where none does.
    """
    indices: list[int | None] = []
    at = 0
    for start in starts:
        while at < len(predicted) and predicted[at][1] <= start:
            at += 1
        indices.append(at if at < len(predicted) and predicted[at][0] <= start else None)
    return indices
