"""Fitting temperature, threshold and abstention: on simulated models of known faults."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_radsent.classifier.decision import Decision
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.operating_point import (
    Aims,
    ScoredSentences,
    choose_threshold,
    cross_fitted_quality,
    fit_decision,
    fit_label_weights,
    fit_temperature,
    quality_of,
)


def simulated(reports, overconfident=1.0, seed=0, per_report=12):
    """Labels drawn from the probabilities of a model, which then says them sharpened by a factor."""
    rng = numpy.random.default_rng(seed)
    logits = rng.normal(0, 2, (reports * per_report, 4))
    powers = numpy.exp(logits)
    true = powers / powers.sum(axis=1, keepdims=True)
    gold = (true.cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)
    said = numpy.exp(logits * overconfident)
    return ScoredSentences(
        gold, said / said.sum(axis=1, keepdims=True), numpy.repeat(numpy.arange(reports), per_report)
    )


@pytest.mark.parametrize("overconfident", [0.5, 1.0, 3.0])
def test_temperature_undoes_overconfidence(overconfident):
    assert fit_temperature(simulated(400, overconfident)) == pytest.approx(overconfident, rel=0.1)


def test_temperature_leaves_out_what_a_rule_excludes():
    """As `never_negative` does; people may still label it so."""
    sentences = simulated(200, 3.0)
    excluded = sentences.scores.copy()
    excluded[:40] = numpy.roll(numpy.eye(4)[sentences.gold[:40]], 1, axis=1)
    temperature = fit_temperature(ScoredSentences(sentences.gold, excluded, sentences.report))
    assert temperature == pytest.approx(fit_temperature(sentences), rel=0.1)


def test_calibration_holds_on_reports_it_was_not_fitted_on():
    decision = fit_decision(simulated(200, 3.0), Aims(ppv=None))
    other = simulated(200, 3.0, seed=1)
    before, after = quality_of(other, Decision()), quality_of(other, decision)
    assert before.ece > 0.1 and after.ece < 0.03
    assert after.accuracy == before.accuracy


def shifted(sentences, weights, seed=1):
    """Sentences drawn so that each label is so much more frequent."""
    rng = numpy.random.default_rng(seed)
    chance = numpy.array(weights)[sentences.gold]
    return sentences[rng.choice(len(chance), len(chance), p=chance / chance.sum())]


@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.5, 0.5, 0.3], [0.5, 0.3, 2.0, 1.0]], ids=str)
def test_label_weights_are_found_without_labels(weights):
    other = shifted(simulated(800), weights)
    frequencies = numpy.full(4, 0.25)
    expected = numpy.bincount(other.gold, minlength=4) / len(other.gold) / frequencies
    assert fit_label_weights(other.scores, frequencies) == pytest.approx(expected, rel=0.15)


def test_label_that_never_occurred_keeps_its_weight():
    weights = fit_label_weights(simulated(20).scores, numpy.array([0.4, 0.4, 0.2, 0.0]))
    assert weights[3] == 1.0 and (weights > 0).all()


def test_decision_for_reports_with_other_frequencies():
    labelled, target = simulated(400, 2.0), shifted(simulated(400, 2.0, seed=2), [1.0, 4.0, 0.5, 0.3])
    aims = Aims(ppv=0.8, review=0.1)
    plain, fitted = fit_decision(labelled, aims), fit_decision(labelled, aims, target.scores)
    before, after = quality_of(target, plain), quality_of(target, fitted)
    assert after.accuracy > before.accuracy + 0.03
    assert after.ece < before.ece
    assert after.ppv_1 == pytest.approx(0.8, abs=0.04) and before.ppv_1 > 0.88
    assert after.recall_1 > before.recall_1 + 0.1
    assert after.review == pytest.approx(0.1, abs=0.01)


def test_precision_is_reached_and_recall_is_traded_for_it():
    labelled, other = simulated(400), simulated(400, seed=1)
    lenient, strict = (fit_decision(labelled, Aims(ppv=ppv)) for ppv in (0.7, 0.9))
    for decision, ppv in ((lenient, 0.7), (strict, 0.9)):
        assert quality_of(labelled, decision).ppv_1 >= ppv
        assert quality_of(other, decision).ppv_1 == pytest.approx(ppv, abs=0.04)
    assert quality_of(other, lenient).recall_1 > quality_of(other, strict).recall_1 + 0.1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=30), st.floats(0.05, 1))
def test_no_other_threshold_has_more_recall_at_that_precision(sentences, ppv):
    is_positive = numpy.array([positive for positive, _ in sentences])
    probability = numpy.array([tenths / 10 for _, tenths in sentences])

    def found(threshold):
        taken = probability >= threshold
        right = (taken & is_positive).sum()
        return right if taken.any() and right / taken.sum() >= ppv else -1

    best = max(found(threshold) for threshold in numpy.unique(probability))
    if best < 0:
        with pytest.raises(RadsentError, match="No threshold gives POSITIVE a precision of"):
            choose_threshold(is_positive, probability, ppv)
    else:
        assert found(choose_threshold(is_positive, probability, ppv)) == best


def test_the_least_certain_are_set_aside():
    quality = quality_of(simulated(300, seed=1), fit_decision(simulated(300), Aims(ppv=None, review=0.2)))
    assert quality.review == pytest.approx(0.2, abs=0.03)
    assert quality.accuracy_of_ok > quality.accuracy + 0.03


def test_cross_fitted_figures_do_not_flatter():
    """On 20 reports of a model that knows nothing, what is fitted is chance: its own figures hide that."""
    rng = numpy.random.default_rng(1)
    scores = rng.dirichlet(numpy.ones(4) * 5, 200)
    labelled = ScoredSentences(rng.integers(0, 4, 200), scores, numpy.repeat(numpy.arange(20), 10))
    aims = Aims(ppv=0.29)  # a quarter are POSITIVE
    assert quality_of(labelled, fit_decision(labelled, aims)).ppv_1 >= 0.29
    assert cross_fitted_quality(labelled, aims).ppv_1 < 0.27


def test_too_few_to_fit_on_four_fifths_of_them():
    """All that is POSITIVE stands in one report."""
    sentences = simulated(12)
    gold = numpy.where(sentences.report == 0, 1, 2)
    few = ScoredSentences(gold, sentences.scores, sentences.report)
    aims = Aims(ppv=0.05)
    assert fit_decision(few, aims).positive_threshold is not None
    assert cross_fitted_quality(few, aims) is None
