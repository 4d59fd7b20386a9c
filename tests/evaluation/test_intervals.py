"""Intervals and tests: against scikit-learn and scipy at single points, and by what they must be by construction."""

import numpy
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from spacy_radsent.evaluation.intervals import (
    MIN_REPORTS,
    compare_accuracy,
    difference_intervals,
    holm,
    method_of,
    metric_intervals,
)
from spacy_radsent.metrics import confusion


def simulate(reports=60, sentences=12, seed=0, share_of_bad=0.2):
    """Sentences whose errors come in clusters: in some reports one in two is wrong, in the others hardly any."""
    rng = numpy.random.default_rng(seed)
    gold = rng.integers(0, 4, (reports, sentences))
    wrong = rng.random((reports, sentences)) < numpy.where(rng.random((reports, 1)) < share_of_bad, 0.5, 0.01)
    predicted = numpy.where(wrong, (gold + rng.integers(1, 4, gold.shape)) % 4, gold)
    report = numpy.repeat(numpy.arange(reports), sentences)
    return gold.ravel(), predicted.ravel(), report


def test_interval_holds_the_value_that_scikit_learn_gives():
    gold, predicted, report = simulate()
    intervals = metric_intervals(confusion(gold, predicted, report, 60))
    assert intervals["accuracy"].value == pytest.approx((gold == predicted).mean())
    assert intervals["macro_f1"].value == pytest.approx(f1_score(gold, predicted, average="macro"))
    for name, interval in intervals.items():
        assert interval.low < interval.value < interval.high, name
        assert interval.undefined == 0


def test_interval_over_reports_is_wider_where_errors_come_in_clusters():
    gold, predicted, report = simulate()
    by_report = metric_intervals(confusion(gold, predicted, report, 60))["accuracy"]
    by_sentence = metric_intervals(confusion(gold, predicted, numpy.arange(720), 720))["accuracy"]
    assert by_report.high - by_report.low > 1.5 * (by_sentence.high - by_sentence.low)
    # Independent sentences: the bootstrap must be near the exact interval of a share.
    exact = stats.binomtest(int((gold == predicted).sum()), 720).proportion_ci(method="wilson")
    assert by_sentence.low == pytest.approx(exact.low, abs=0.006)
    assert by_sentence.high == pytest.approx(exact.high, abs=0.006)


def test_same_seed_same_interval():
    matrices = confusion(*simulate(), 60)
    assert metric_intervals(matrices, seed=1) == metric_intervals(matrices, seed=1)
    assert metric_intervals(matrices, seed=1) != metric_intervals(matrices, seed=2)


def test_intervals_cover_the_truth_as_often_as_they_say():
    """300 corpora of independent sentences with accuracy 0.8: about 95 % of the intervals hold it."""
    rng = numpy.random.default_rng(3)
    held = 0
    for _ in range(300):
        gold = rng.integers(0, 4, 400)
        predicted = numpy.where(rng.random(400) < 0.2, (gold + 1) % 4, gold)
        matrices = confusion(gold, predicted, numpy.arange(400) // 10, 40)
        interval = metric_intervals(matrices, resamples=400)["accuracy"]
        held += interval.low <= 0.8 <= interval.high
    assert 0.90 <= held / 300 <= 0.98


def test_a_metric_that_is_undefined_in_some_resamples_says_so():
    gold = numpy.array([2] * 119 + [1])
    matrices = confusion(gold, gold, numpy.arange(120) // 10, 12)
    recall = metric_intervals(matrices)["recall_1"]
    assert (recall.value, recall.low, recall.high) == (1, None, None)  # of no error nothing can be learned
    # A resample of 12 reports misses the one with POSITIVE with probability (11 / 12) ** 12 = 0.35.
    assert recall.undefined / 2000 == pytest.approx(0.35, abs=0.04)
    assert metric_intervals(matrices)["precision_0"].value is None


def test_no_interval_for_few_reports_or_when_none_is_wanted():
    matrices = confusion(*simulate(MIN_REPORTS - 1), MIN_REPORTS - 1)
    assert {interval.low for interval in metric_intervals(matrices).values()} == {None}
    assert "9 are too few" in method_of(MIN_REPORTS - 1, 2000)
    matrices = confusion(*simulate(), 60)
    assert {interval.low for interval in metric_intervals(matrices, resamples=0).values()} == {None}
    assert "BCa" in method_of(60, 2000)
    assert "percentile" in method_of(60_000, 2000)


def test_sentences_without_label_count_by_both_rules():
    gold, predicted, report = simulate()
    predicted = numpy.where(numpy.arange(720) % 20 == 0, 4, predicted)
    matrices = confusion(gold, predicted, report, 60)
    wrong, excluded = (metric_intervals(matrices, missing_is_wrong=rule)["accuracy"].value for rule in (True, False))
    kept = predicted != 4
    assert wrong == pytest.approx((gold == predicted).mean())
    assert excluded == pytest.approx((gold == predicted)[kept].mean())
    assert excluded > wrong


def test_differences_of_two_models_on_the_same_reports():
    gold, predicted, report = simulate()
    better = numpy.where(numpy.arange(720) % 3 == 0, gold, predicted)  # a third of the errors mended
    one, other = (confusion(gold, labels, report, 60) for labels in (better, predicted))
    difference = difference_intervals(one, other)["accuracy"]
    assert difference.value == pytest.approx((better == gold).mean() - (predicted == gold).mean())
    assert 0 < difference.low < difference.value < difference.high
    unpaired = metric_intervals(one)["accuracy"]
    assert difference.high - difference.low < unpaired.high - unpaired.low
    assert {interval.value for interval in difference_intervals(one, one).values()} == {0}


def test_accuracy_test_by_hand():
    # 12 reports with one sentence each; the one model is right in all, the other wrong in the first six.
    one, other = numpy.ones(12, dtype=bool), numpy.arange(12) >= 6
    test = compare_accuracy(one, other, numpy.arange(12))
    assert (test.only_one, test.only_other) == (6, 0)
    assert test.mcnemar_p == pytest.approx(2 / 2**6)
    assert test.permutation_p == pytest.approx(2 / 2**6)
    clustered = compare_accuracy(one, other, numpy.repeat(numpy.arange(2), 6))
    assert clustered.permutation_p is None  # two reports say nothing
    assert compare_accuracy(one, one, numpy.arange(12)) == type(test)(0, 0, 1.0, 1.0)


def test_clusters_make_a_difference_less_certain():
    report = numpy.repeat(numpy.arange(20), 10)
    one = numpy.ones(200, dtype=bool)
    other = ~numpy.isin(report, [0, 1, 2])  # wrong in all sentences of three reports
    test = compare_accuracy(one, other, report)
    assert test.mcnemar_p < 1e-6
    assert test.permutation_p == pytest.approx(0.25)  # of 3 signs, all of one kind: 2 / 2 ** 3


def test_models_that_differ_in_one_report():
    one, other = numpy.ones(12, dtype=bool), numpy.arange(12) > 0
    test = compare_accuracy(one, other, numpy.arange(12))
    assert (test.only_one, test.permutation_p) == (1, 1.0)


def test_reports_without_a_labelled_sentence_do_not_count_as_reports():
    right = numpy.ones(6, dtype=bool)
    assert compare_accuracy(right, right, numpy.array([0, 5, 9, 20, 31, 40])).permutation_p is None


def test_a_resample_without_a_rare_label_has_no_macro_f1():
    """One wrong CONTINUATION in 13 reports: without it the figure would be another, and never above this one."""
    gold = numpy.array([0, 1, 2] * 20 + [3])
    predicted = numpy.where(gold == 3, 2, gold)
    macro = metric_intervals(confusion(gold, predicted, numpy.arange(61) // 5, 13))["macro_f1"]
    assert macro.value == pytest.approx((1 + 1 + 40 / 41 + 0) / 4)
    assert macro.high < 0.76
    assert macro.undefined / 2000 == pytest.approx((12 / 13) ** 13, abs=0.04)


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
