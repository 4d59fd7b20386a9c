"""Confidence intervals and tests: the bootstrap over reports, since the sentences of a report are not independent."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.random import default_rng
from scipy import stats

from ..metrics import NO_LABEL, measure, number_or_none

RESAMPLES = 2000
# With fewer reports, resamples are too much alike to say anything.
MIN_REPORTS = 10
# BCa (Efron 1987) corrects for bias and skewness, at a cost that grows with the square of the number of reports, while
# its correction shrinks with the square root.
MAX_BCA = 2000
BATCH_CELLS = 5_000_000


@dataclass(frozen=True)
class Interval:
    """A metric.

    value (Optional[float]): Its value; None where it is not defined.
    low, high (Optional[float]): 95 % confidence interval; None where there is none: too few reports, or one value in
        all resamples (no error was seen), from which a bootstrap learns nothing.
    undefined (int): Resamples in which it is not defined; the interval is that of the others.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    undefined: int = 0


def metric_intervals(
    matrices: Any, *, missing_is_wrong: bool = True, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """Compute metrics with confidence intervals.

    matrices (ndarray): A confusion matrix for each unit that is drawn: for each report, (reports, 4, 5).
    missing_is_wrong (bool): See `metrics.measure`.
    resamples (int): How many; 0 for no intervals.
    seed (int): Same seed, same intervals.
    RETURNS (Dict[str, Interval]): By the names of `metrics.measure`. No interval for fewer than `MIN_REPORTS` units.
    """

    labels = occurring(matrices.sum(0), missing_is_wrong)

    def statistic(totals: Any) -> Any:
        return numpy.stack(list(measure(totals, missing_is_wrong=missing_is_wrong, labels=labels).values()))

    names = list(measure(matrices.sum(0)))
    return dict(zip(names, _bootstrap(matrices, statistic, resamples, seed), strict=True))


def occurring(matrix: Any, missing_is_wrong: bool) -> Any:
    """RETURNS (ndarray): Which labels the reference or the predictions hold, (4,) of bool."""
    counts = matrix if missing_is_wrong else matrix[:, :NO_LABEL]
    return (counts.sum(1) + matrix[:, :NO_LABEL].sum(0)) > 0


def difference_intervals(
    one: Any, other: Any, *, resamples: int = RESAMPLES, seed: int = 0, missing_is_wrong: bool = True
) -> dict[str, Interval]:
    """Compute by how much the metrics of one model exceed another's, on the same reports.

    one, other (ndarray): Confusion matrices of each, report by report, (reports, 4, 5).
    resamples, seed, missing_is_wrong: See `metric_intervals`.
    RETURNS (Dict[str, Interval]): Of the differences; each resample draws the same reports for both.
    """

    labels = [occurring(matrices.sum(0), missing_is_wrong) for matrices in (one, other)]

    def statistic(totals: Any) -> Any:
        first, second = (
            measure(totals[..., i, :, :], missing_is_wrong=missing_is_wrong, labels=labels[i]) for i in range(2)
        )
        return numpy.stack([first[name] - second[name] for name in first])

    both = numpy.stack([one, other], axis=1)
    names = list(measure(one.sum(0)))
    return dict(zip(names, _bootstrap(both, statistic, resamples, seed), strict=True))


def _bootstrap(counts: Any, of_totals: Callable[[Any], Any], resamples: int, seed: int) -> list[Interval]:
    """Bootstrap a function of sums over units.

    counts (ndarray): Of each unit, (units, ...).
    of_totals (Callable[[ndarray], ndarray]): From sums (resamples, ...) to metrics (metrics, resamples).
    RETURNS (List[Interval]): One for each metric.
    """
    units = len(counts)
    values = of_totals(counts.sum(0, keepdims=True))[:, 0]
    if units < MIN_REPORTS or not resamples:
        return [Interval(number_or_none(value)) for value in values]
    flat = counts.reshape(units, -1).astype("float64")

    def statistic(drawn: Any, axis: int = -1) -> Any:
        rows = drawn.reshape(-1, drawn.shape[-1])
        times = numpy.empty((len(rows), units))
        for i, row in enumerate(rows):
            times[i] = numpy.bincount(row, minlength=units)
        totals = times @ flat
        return of_totals(totals.reshape(-1, *counts.shape[1:])).reshape(len(values), *drawn.shape[:-1])

    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a metric that is the same in all resamples
        result = stats.bootstrap(
            (numpy.arange(units),),
            statistic,
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, BATCH_CELLS // units),
            method="BCa" if units <= MAX_BCA else "percentile",
            rng=default_rng(seed),
        )
        low, high = result.confidence_interval
        drawn = result.bootstrap_distribution
        # Where a metric is not defined in some resamples, or does not vary, BCa has no answer.
        plain = numpy.nanpercentile(drawn, [2.5, 97.5], axis=-1)
    low, high = (numpy.where(numpy.isnan(bca), simple, bca) for bca, simple in zip((low, high), plain, strict=True))
    undefined = numpy.isnan(drawn).sum(-1)
    return [
        Interval(number_or_none(value), number_or_none(a), number_or_none(b), int(count))
        if b > a
        else Interval(number_or_none(value), None, None, int(count))
        for value, a, b, count in zip(values, low, high, undefined, strict=True)
    ]


def method_of(units: int, resamples: int) -> str:
    """RETURNS (str): How the interval of so many units was made, in words."""
    if not resamples:
        return "none"
    if units < MIN_REPORTS:
        return f"none: {units} are too few, at least {MIN_REPORTS} are needed"
    return f"bootstrap, {'BCa' if units <= MAX_BCA else 'percentile'}, {resamples} resamples"


@dataclass(frozen=True)
class AccuracyTest:
    """Whether two models differ in accuracy.

    only_one, only_other (int): Sentences that only one of them labels right.
    mcnemar_p (float): Exact McNemar test, two-sided; takes sentences for independent, which they are not.
    permutation_p (Optional[float]): Sign-flip permutation test over reports, two-sided; None for too few reports.
    """

    only_one: int
    only_other: int
    mcnemar_p: float
    permutation_p: float | None


def compare_accuracy(
    one_right: Any, other_right: Any, report: Any, *, resamples: int = RESAMPLES, seed: int = 0
) -> AccuracyTest:
    """Test two models on the same sentences.

    one_right, other_right (ndarray): Whether each labels a sentence right, (sentences,) of bool.
    report (ndarray): The report of each sentence, (sentences,).
    resamples, seed (int): Of the permutations.
    RETURNS (AccuracyTest): The result.
    """
    only_one, only_other = int((one_right & ~other_right).sum()), int((~one_right & other_right).sum())
    mcnemar = stats.binomtest(only_one, only_one + only_other).pvalue if only_one + only_other else 1.0
    _, rows = numpy.unique(report, return_inverse=True)
    by_report = numpy.bincount(rows, weights=one_right.astype(int) - other_right.astype(int))
    differing = by_report[by_report != 0]
    permutation = None
    if len(by_report) >= MIN_REPORTS and resamples:
        permutation = 1.0
        if len(differing) > 1:  # a single report can be flipped either way
            permutation = stats.permutation_test(
                (differing,),
                lambda values, axis: values.sum(axis),
                permutation_type="samples",
                vectorized=True,
                n_resamples=resamples,
                batch=max(1, BATCH_CELLS // len(differing)),
                rng=default_rng(seed),
            ).pvalue
    return AccuracyTest(only_one, only_other, float(mcnemar), None if permutation is None else float(permutation))


def holm(p_values: list[float]) -> list[float]:
    """RETURNS (List[float]): Adjusted for as many comparisons (Holm 1979)."""
    order = numpy.argsort(p_values)
    factors = numpy.arange(len(p_values), 0, -1)
    adjusted = numpy.minimum(1, numpy.maximum.accumulate(numpy.asarray(p_values)[order] * factors))
    result = numpy.empty(len(p_values))
    result[order] = adjusted
    return result.tolist()
