"""Calibration and coverage against numbers by hand, and by construction."""

import numpy
import pytest

from spacy_radsent.evaluation.calibration import Calibration


def rows(*pairs):
    """Scores whose label POSITIVE has the given probability; the rest goes to NEGATIVE."""
    return numpy.array([[0, p, 1 - p, 0] for p in pairs], dtype="float32")


def test_by_hand():
    scores = rows(0.9, 0.9, 0.6, 0.6)
    calibration = Calibration.of(numpy.array([1, 1, 1, 2]), numpy.array([1, 1, 1, 1]), scores)
    # two bins: confidence 0.9 with all right, confidence 0.6 with half right
    assert [(bin.sentences, bin.right) for bin in calibration.bins] == [(2, 0.5), (2, 1.0)]
    assert calibration.ece == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)
    assert calibration.brier == pytest.approx((2 * (0.01 + 0.01) + (0.16 + 0.16) + (0.36 + 0.36)) / 4)
    assert calibration.aurc == pytest.approx((0 + 0 + 0 + 0.25) / 4)
    assert [(p.coverage, p.error) for p in calibration.coverage] == [(0.25, 0), (0.5, 0), (0.75, 0), (1, 0.25)]
    at = {round(point.threshold, 2): point for point in calibration.positive}
    assert (at[0.5].precision, at[0.5].recall) == (0.75, 1.0)
    assert (at[0.8].precision, at[0.8].recall) == (1.0, pytest.approx(2 / 3))
    assert (at[0.98].precision, at[0.98].recall) == (None, 0)


def test_honest_probabilities_are_calibrated_and_boastful_ones_are_not():
    rng = numpy.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    gold = numpy.where(rng.random(20_000) < confidence, 1, 2)
    predicted = numpy.ones(20_000, dtype=int)
    assert Calibration.of(gold, predicted, rows(*confidence)).ece < 0.01
    boastful = numpy.full(20_000, 0.99)
    assert Calibration.of(gold, predicted, rows(*boastful)).ece == pytest.approx(0.99 - 0.75, abs=0.01)


def test_setting_aside_the_least_certain_lowers_the_error():
    rng = numpy.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 5_000)
    gold = numpy.where(rng.random(5_000) < confidence, 1, 2)
    errors = [point.error for point in Calibration.of(gold, numpy.ones(5_000, int), rows(*confidence)).coverage[5:]]
    assert errors[0] < 0.05 < 0.2 < errors[-1]


def test_without_probabilities_there_is_none():
    nothing = numpy.full((3, 4), numpy.nan)
    assert Calibration.of(numpy.array([1, 2, 3]), numpy.array([1, 2, 3]), nothing) is None
    # and sentences without label, or without probabilities, are left out
    scores = rows(0.9, 0.9, 0.9)
    scores[1] = numpy.nan
    calibration = Calibration.of(numpy.array([1, 1, 1]), numpy.array([1, 1, 4]), scores)
    assert calibration.sentences == 1


def test_probabilities_at_the_edges_of_bins():
    scores = rows(1.0, 0.0, 1 / 3, 0.2)
    predicted = numpy.array([1, 2, 2, 2])
    calibration = Calibration.of(predicted, predicted, scores)
    assert sum(bin.sentences for bin in calibration.bins) == 4
    assert calibration.bins[-1].confidence == 1
