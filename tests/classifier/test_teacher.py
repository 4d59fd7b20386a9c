"""Knowledge distillation: a pipeline learns what a trained one says, beside its labels and where there are none."""

import shutil

import numpy
import pytest
import spacy
from spacy.tokens import Span
from spacy.training import Example
from spacy.vectors import Vectors
from tiny import (
    GOLD,
    NO_FINDINGS,
    REPORTS,
    labels_of,
    learn_reports,
    make_examples,
    make_pipeline,
    scores_of,
    train_tiny,
)

from spacy_radsent.errors import RadsentError


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    train_tiny().to_disk(folder)
    return str(folder)


def pipeline_with(**settings):
    nlp = make_pipeline()
    nlp.config["initialize"]["components"]["radsent"] = settings
    return nlp


def train_with(examples_of, **settings):
    nlp = pipeline_with(**settings)
    learn_reports(nlp, learn_rate=0.01, drop=0.1, seed=1, examples=examples_of(nlp))
    return nlp


def without_findings(nlp):
    return make_examples(nlp, NO_FINDINGS)


def without_labels(nlp):
    examples = make_examples(nlp)
    for eg in examples:
        eg.reference.spans["radsent"] = [Span(s.doc, s.start, s.end) for s in eg.reference.spans["radsent"]]
    return examples


def said_by(nlp):
    return [" ".join(labels_of(nlp(text))) for text in REPORTS]


@pytest.mark.parametrize(("share", "learned"), [(0.0, NO_FINDINGS), (1.0, GOLD)])
def test_learns_from_labels_or_from_the_teacher_as_its_share_says(teacher, share, learned):
    assert said_by(train_with(without_findings, teacher=teacher, teacher_share=share)) == learned


def test_learns_sentences_without_label_from_the_teacher_whatever_its_share(teacher):
    assert said_by(train_with(without_labels, teacher=teacher, teacher_share=0.1)) == GOLD


def test_the_gradient_is_probability_minus_the_mean_of_both_targets(teacher):
    nlp = pipeline_with(teacher=teacher, teacher_share=0.25)
    examples = without_findings(nlp)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe("radsent")
    sentences = [pipe.gold_sentences(eg) for eg in examples]
    scores = numpy.full((14, 4), 0.25, dtype="f")
    _, gradient = pipe.get_loss(examples, (sentences, scores))
    taught = numpy.concatenate([scores_of(doc) for doc in spacy.load(teacher).pipe(REPORTS)])
    smoothed = 0.95 * numpy.array([1.0, 0.0, 0.0, 0.0]) + 0.05 / 4
    assert numpy.allclose(gradient, scores - (0.75 * smoothed + 0.25 * taught), atol=1e-5)


def test_what_was_taught_is_saved_and_the_teacher_is_not(teacher, tmp_path):
    shutil.copytree(teacher, tmp_path / "teacher")
    nlp = train_with(without_findings, teacher=str(tmp_path / "teacher"), teacher_share=1.0)
    nlp.to_disk(tmp_path / "taught")
    shutil.rmtree(tmp_path / "teacher")
    assert said_by(spacy.load(tmp_path / "taught")) == GOLD
    assert len(nlp.get_pipe("radsent").to_bytes()) == len(spacy.load(teacher).get_pipe("radsent").to_bytes())


def test_a_new_training_forgets_the_teacher(teacher):
    nlp = train_with(without_findings, teacher=teacher, teacher_share=1.0)
    nlp.config["initialize"]["components"]["radsent"] = {}
    nlp.initialize(lambda: without_findings(nlp))
    examples = without_labels(nlp)
    sentences = [nlp.get_pipe("radsent").gold_sentences(eg) for eg in examples]
    loss, gradient = nlp.get_pipe("radsent").get_loss(examples, (sentences, numpy.full((14, 4), 0.25, dtype="f")))
    assert (loss, gradient.any()) == (0.0, False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher": "none"}, "none: cannot be loaded"),
        ({"teacher": "blank"}, "blank: holds no trained component 'radsent': give a pipeline that has one"),
        ({"teacher": "blank", "teacher_share": 1.5}, "teacher_share is 1.5: give a number from 0 to 1"),
    ],
)
def test_refuses_a_teacher_that_cannot_teach(settings, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spacy.blank("ja").to_disk("blank")
    nlp = pipeline_with(**settings)
    with pytest.raises(RadsentError, match=message):
        nlp.initialize(lambda: make_examples(nlp))


def test_refuses_a_teacher_that_was_not_trained(tmp_path):
    make_pipeline().to_disk(tmp_path)
    nlp = pipeline_with(teacher=str(tmp_path))
    with pytest.raises(RadsentError, match=r"'radsent of .*' is not trained"):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_teacher_reads_with_its_own_tokenizer_and_its_own_word_vectors(tmp_path):
    other = spacy.blank("zh")  # each character a token
    words = sorted({token.text for text in REPORTS for token in other.make_doc(text)})
    data = numpy.random.default_rng(0).normal(size=(len(words), 8)).astype("f")
    other.vocab.vectors = Vectors(data=data, keys=[other.vocab.strings.add(word) for word in words], name="eight")
    other.add_pipe("radsent_sentencizer")
    model = make_pipeline().config["components"]["radsent"]["model"]
    model["member"]["tok2vec"]["embed"]["embed"]["include_static_vectors"] = True
    other.add_pipe("radsent", config={"model": model})
    learn_reports(other, learn_rate=0.01)
    other.to_disk(tmp_path)

    nlp = pipeline_with(teacher=str(tmp_path), teacher_share=1.0)
    examples = without_findings(nlp)
    examples.insert(1, Example(nlp.make_doc("所見"), nlp.make_doc("所見")))  # nobody said what its sentences are
    nlp.initialize(lambda: examples)
    assert len(nlp.make_doc(REPORTS[0])) < len(other.make_doc(REPORTS[0]))
    pipe = nlp.get_pipe("radsent")
    sentences = [pipe.gold_sentences(eg) for eg in examples]
    scores = numpy.full((14, 4), 0.25, dtype="f")
    _, gradient = pipe.get_loss(examples, (sentences, scores))
    taught = numpy.concatenate([scores_of(doc) for doc in other.pipe(REPORTS)])
    assert numpy.allclose(gradient, scores - taught, atol=1e-5)
