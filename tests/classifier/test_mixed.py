"""A transformer and the CPU model in one pipeline: their mean is what is labelled, saved, and made int8."""

import numpy
import pytest
import spacy
from corpus.nasty_texts import NASTY_TEXTS
from encoders import make_mixed_pipeline, run_without_torch
from tiny import GOLD, REPORTS, assert_knows_reports, labels_of, learn_reports, scores_of
from typer.testing import CliRunner

from spacy_radsent.classifier.never_negative import without_negative
from spacy_radsent.classifier.texts import ragged_offsets
from spacy_radsent.cli import app
from spacy_radsent.errors import RadsentError


@pytest.fixture(scope="module")
def trained(checkpoint):
    nlp = make_mixed_pipeline(checkpoint("bert"))
    learn_reports(nlp, learn_rate=0.003)
    return nlp


def test_both_members_learn_and_their_mean_is_given(trained):
    assert_knows_reports(trained)
    docs = [trained(text) for text in REPORTS]
    sentences = [list(doc.spans["radsent"]) for doc in docs]
    model = trained.get_pipe("radsent").model
    members = [member.predict((docs, ragged_offsets(sentences, model.ops))) for member in model.layers]
    gold = [label for labels in GOLD for label in labels.split()]
    labels = trained.get_pipe("radsent").labels
    for scores in members:
        assert [labels[place] for place in scores.argmax(axis=1)] == gold
    assert not numpy.allclose(members[0], members[1], atol=1e-3)
    given = numpy.concatenate([scores_of(doc) for doc in docs])
    mean = without_negative((members[0] + members[1]) / 2, (span.text for spans in sentences for span in spans))
    assert numpy.allclose(given, mean, atol=1e-5)


def test_is_kept_on_disk_and_in_bytes(trained, tmp_path):
    trained.to_disk(tmp_path)
    for other in (spacy.load(tmp_path), make_mixed_pipeline("no/such-model").from_bytes(trained.to_bytes())):
        for text in REPORTS:
            assert numpy.allclose(scores_of(other(text)), scores_of(trained(text)), atol=1e-5)


def test_int8_needs_no_torch(trained, tmp_path):
    trained.to_disk(tmp_path / "trained")
    done = CliRunner().invoke(app, ["optimize", str(tmp_path / "trained"), str(tmp_path / "int8")])
    assert done.exit_code == 0, done.output
    assert_knows_reports(spacy.load(tmp_path / "int8"))
    done = run_without_torch(tmp_path / "int8")
    assert done.stdout.strip() == str(GOLD[0].split()), done.stderr


def test_one_label_per_sentence_of_nasty_texts_alone_and_in_a_stream(trained):
    texts = list(NASTY_TEXTS.values())
    for doc, text in zip(trained.pipe(texts, batch_size=7), texts, strict=True):
        assert doc.text == text
        assert len(doc.spans["radsent"]) == sum(not sent.text.isspace() for sent in doc.sents)
        assert labels_of(doc) == labels_of(trained(text))


def test_class_weights_are_refused(checkpoint):
    with pytest.raises(RadsentError, match="cannot be used with an ensemble"):
        make_mixed_pipeline(checkpoint("bert"), class_weights={"POSITIVE": 2.0})
