"""From probabilities to labels: temperature, the threshold of POSITIVE, abstention."""

import re
import subprocess

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from processes import LIGHT_PYTHON
from spacy.tokens import DocBin
from tiny import GOLD, REPORTS, labels_of, make_examples, train_tiny

from spacy_radsent.classifier.decision import Decision
from spacy_radsent.errors import RadsentError
from spacy_radsent.labels import LABELS, Label

LOGITS = arrays("float64", (5, 4), elements=st.floats(-6, 6))


@pytest.fixture(scope="module")
def trained():
    return train_tiny()


def softmax(logits):
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@given(LOGITS, st.floats(0.2, 5))
def test_temperature_divides_the_logits(logits, temperature):
    probabilities = Decision(temperature).probabilities(softmax(logits))
    numpy.testing.assert_allclose(probabilities, softmax(logits / temperature), atol=1e-6)


@given(LOGITS, st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
def test_label_weights_multiply_the_odds(logits, weights):
    before = softmax(logits)
    after = Decision(label_weights=weights).probabilities(before)
    numpy.testing.assert_allclose(after.sum(axis=1), 1.0)
    odds = (after[:, 1:] / after[:, :1]) / (before[:, 1:] / before[:, :1])
    numpy.testing.assert_allclose(odds, numpy.tile(numpy.array(weights[1:]) / weights[0], (5, 1)), rtol=1e-6)


@given(LOGITS, st.floats(0, 1))
def test_the_threshold_alone_says_what_is_positive(logits, threshold):
    probabilities = softmax(logits)
    codes = Decision(positive_threshold=threshold).codes(probabilities)
    assert ((codes == Label.POSITIVE) == (probabilities[:, 1] >= threshold)).all()
    others = probabilities[:, [0, 2, 3]]
    rest = codes != Label.POSITIVE
    assert (codes[rest] == numpy.array([0, 2, 3])[others.argmax(axis=1)][rest]).all()
    assert (Decision().codes(probabilities) == probabilities.argmax(axis=1)).all()


def test_uncertain_sentences_are_to_be_reviewed():
    scores = numpy.array([[0.1, 0.8, 0.05, 0.05], [0.4, 0.35, 0.15, 0.1], [0.0, 0.5, 0.5, 0.0]])
    decided = Decision(review_below=0.45).decide(scores)
    assert [(label, status) for label, _, status in decided] == [
        ("POSITIVE", "ok"),
        ("BACKGROUND", "review"),
        ("POSITIVE", "ok"),
    ]
    # What counts is the probability of the label that is given, not the highest.
    ((label, _, status),) = Decision(positive_threshold=0.3, review_below=0.45).decide(scores[1:2])
    assert (label, status) == ("POSITIVE", "review")
    assert Decision().decide(numpy.zeros((0, 4))) == []


def test_a_pipeline_decides_so_and_keeps_it(trained, tmp_path):
    raw = [span._.radsent_scores for doc in trained.pipe(REPORTS) for span in doc.spans["radsent"]]
    trained.to_disk(tmp_path / "trained")
    settings = {"temperature": 2.0, "positive_threshold": 0.999, "review_below": 1.0}
    settings |= {"label_weights": [3.0, 3.0, 1.0, 0.5]}
    spacy.load(tmp_path / "trained", config={"components": {"radsent": settings}}).to_disk(tmp_path / "calibrated")
    again = spacy.load(tmp_path / "calibrated")
    assert again.get_pipe("radsent").decision == Decision(**settings)
    docs = list(again.pipe(REPORTS))
    assert "POSITIVE" not in {label for doc in docs for label in labels_of(doc)}
    assert {span._.radsent_status for doc in docs for span in doc.spans["radsent"]} == {"review"}
    for before, after in zip(
        raw, (span._.radsent_scores for doc in docs for span in doc.spans["radsent"]), strict=True
    ):
        odds = [scores["POSITIVE"] / scores["BACKGROUND"] for scores in (before, after)]
        assert odds[1] == pytest.approx(odds[0] ** 0.5, rel=1e-3)
    # One that was saved before there were these settings.
    path = tmp_path / "trained/config.cfg"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if line.split(" = ")[0] not in settings), encoding="utf-8")
    old = spacy.load(tmp_path / "trained")
    assert [labels_of(doc) for doc in old.pipe(REPORTS)] == [gold.split() for gold in GOLD]


def test_spacy_find_threshold_works(trained, tmp_path):
    trained.to_disk(tmp_path / "trained")
    DocBin(docs=[example.reference for example in make_examples(trained)]).to_disk(tmp_path / "dev.spacy")
    files = [str(tmp_path / "trained"), str(tmp_path / "dev.spacy")]
    command = [*LIGHT_PYTHON, "-m", "spacy", "find-threshold", *files, "radsent", "positive_threshold"]
    done = subprocess.run([*command, "radsent_f_1", "--n_trials", "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Best threshold: 0.5" in done.stdout


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0: give a number above 0."),
        ({"positive_threshold": 1.5}, "positive_threshold is 1.5: give a number from 0 to 1."),
        ({"label_weights": [1.0, 2.0]}, "label_weights is [1.0, 2.0]: give a number above 0 for each of BACKGROUND, "),
        ({"label_weights": [1.0, 0.0, 1.0, 1.0]}, "label_weights is [1.0, 0.0, 1.0, 1.0]: give a number above 0"),
        ({"review_below": -0.1}, "review_below is -0.1: give a number from 0 to 1."),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(RadsentError, match=re.escape(message)):
        Decision(**settings)
    with pytest.raises(RadsentError, match=re.escape(message)):
        spacy.blank("ja").add_pipe("radsent", config=settings)


def test_labels_are_those_of_the_scheme():
    scores = numpy.eye(4)
    assert [label for label, _, _ in Decision().decide(scores)] == list(LABELS)
