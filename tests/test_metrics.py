"""Metrics against scikit-learn, and against what the paper publishes."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from spacy_radsent.evaluation.paper import Published
from spacy_radsent.labels import LABELS
from spacy_radsent.metrics import NO_LABEL, confusion, exact_matches, mean_of_defined, measure, project

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=60)


def same(value: float, expected: float) -> bool:
    return bool(numpy.isclose(value, expected, equal_nan=True))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@given(pairs, st.booleans())
def test_metrics_are_those_of_scikit_learn(rows, missing_is_wrong):
    metrics = measure(confusion(*zip(*rows, strict=True))[0], missing_is_wrong=missing_is_wrong)
    if not missing_is_wrong:
        rows = [row for row in rows if row[1] != NO_LABEL]
    if not rows:
        assert all(numpy.isnan(value) for value in metrics.values())
        return
    gold, predicted = zip(*rows, strict=True)
    assert same(metrics["accuracy"], accuracy_score(gold, predicted))
    labels = [0, 1, 2, 3]
    kappa = cohen_kappa_score(gold, predicted, labels=[*labels, NO_LABEL], replace_undefined_by=numpy.nan)
    assert same(metrics["kappa"], kappa)
    if not numpy.isnan(metrics["mcc"]):  # where it is not defined, scikit-learn says 0
        assert same(metrics["mcc"], matthews_corrcoef(gold, predicted))
    occurring = sorted(set(gold) | set(predicted) - {NO_LABEL})
    assert same(metrics["macro_f1"], f1_score(gold, predicted, labels=occurring, average="macro", zero_division=0))
    columns = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=numpy.nan)[:3]
    for name, column in zip(("precision", "recall", "f1"), columns, strict=True):
        for code, expected in enumerate(column):
            if name == "f1" and code in occurring:
                expected = numpy.nan_to_num(expected)
            assert same(metrics[f"{name}_{code}"], expected), (name, code)


def test_a_stack_of_matrices_is_measured_at_once():
    matrices = confusion([0, 1, 2, 3, 1, 1], [0, 1, 2, 0, 2, 4], [0, 0, 0, 1, 1, 1], 2)
    assert matrices.sum((1, 2)).tolist() == [3, 3]
    stacked = measure(matrices)
    for i, matrix in enumerate(matrices):
        for name, value in measure(matrix).items():
            assert same(stacked[name][i], value), name


def test_what_is_not_defined_is_nan_and_never_zero():
    metrics = measure(confusion([2, 2, 0], [2, 2, 2])[0])
    assert numpy.isnan(metrics["precision_1"])  # POSITIVE is neither there nor predicted
    assert numpy.isnan(metrics["recall_1"])
    assert metrics["recall_0"] == 0
    assert numpy.isnan(metrics["precision_0"])
    assert metrics["macro_f1"] == pytest.approx((0 + 0.8) / 2)  # over the two labels that occur
    assert numpy.isnan(mean_of_defined(numpy.array([numpy.nan, numpy.nan])))


def errors_with_margins(rows, columns):
    """Some matrix of counts with these margins and nothing on its diagonal."""
    size = len(rows)
    by_row, by_column = numpy.kron(numpy.eye(size), numpy.ones(size)), numpy.kron(numpy.ones(size), numpy.eye(size))
    done = linprog(
        numpy.zeros(size**2),
        A_eq=numpy.vstack([by_row, by_column]),
        b_eq=numpy.concatenate([rows, columns]),
        bounds=[(0, 0) if i == j else (0, None) for i in range(size) for j in range(size)],
        integrality=1,
    )
    assert done.success
    return numpy.rint(done.x).astype(int).reshape(size, size)


def test_published_figures_of_the_annotator_agree_with_each_other():
    """From its supports, precision and recall: margins, then accuracy, macro F1 and kappa of any matrix with them."""
    published = Published.read()
    result = next(result for result in published.results if "GPT-4.1-mini" in result.model)
    support = numpy.array([published.corpora[result.corpus].labels[label] for label in LABELS])
    assert support.tolist() == [214, 225, 511, 174]
    right = numpy.rint(support * [result.recall[label] for label in LABELS]).astype(int)
    predicted = numpy.rint(right / [result.precision[label] for label in LABELS]).astype(int)
    assert predicted.sum() == support.sum() == 1124
    matrix = numpy.diag(right) + errors_with_margins(support - right, predicted - right)
    assert (matrix.sum(1) == support).all()
    assert (matrix.sum(0) == predicted).all()
    metrics = measure(numpy.pad(matrix, ((0, 0), (0, 1))))
    for name in ("accuracy", "macro_f1", "kappa"):
        assert metrics[name] == pytest.approx(getattr(result, name), abs=0.0005), name
    for code, label in enumerate(LABELS):
        assert metrics[f"precision_{code}"] == pytest.approx(result.precision[label], abs=0.003)
        assert metrics[f"recall_{code}"] == pytest.approx(result.recall[label], abs=0.003)


def test_exact_matches_by_label():
    gold = [(0, 4, "POSITIVE"), (4, 9, "NEGATIVE"), (9, 12, None)]
    predicted = [(0, 4, "POSITIVE"), (4, 8, "NEGATIVE"), (9, 12, "NEGATIVE")]
    assert exact_matches(gold, predicted).tolist() == [[0, 0, 0], [1, 1, 1], [0, 2, 1], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("starts", "predicted", "expected"),
    [
        ([0, 5], [(0, 5, "P"), (5, 9, "N")], [0, 1]),
        ([0, 5], [(0, 9, "P")], [0, 0]),
        ([0], [(0, 2, "P"), (2, 9, "N")], [0]),
        ([1, 5], [(2, 4, "P"), (6, 9, "N")], [None, None]),
        ([0, 5], [], [None, None]),
        ([], [(0, 9, "P")], []),
    ],
    ids=["same", "too long", "too short", "in gaps", "nothing predicted", "nothing to find"],
)
def test_project(starts, predicted, expected):
    assert project(starts, predicted) == expected
