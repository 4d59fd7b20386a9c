"""The trainable pipe: it learns, keeps what it learned, and gives one label per sentence whatever comes in."""

import copy
import json

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vectors import Vectors
from thinc.api import Config, Model
from tiny import (
    GOLD,
    REPORTS,
    SMALL,
    assert_knows_reports,
    gold_doc,
    labels_of,
    make_examples,
    make_pipeline,
    scores_of,
    train_tiny,
)

from spacy_radsent.batching import batch_by_tokens
from spacy_radsent.classifier.component import RadsentClassifier
from spacy_radsent.classifier.factory import DEFAULT_MODEL
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc
from spacy_radsent.corpus.records import read_records
from spacy_radsent.errors import RadsentError
from spacy_radsent.labels import LABELS


@pytest.fixture(scope="module")
def trained():
    return train_tiny()


def wrap_model(pipe, look):
    """Let `look` see the inputs of the pipe's model first."""

    def forward(model, inputs, is_train):
        look(inputs)
        return model.layers[0](inputs, is_train)

    pipe.model = Model("wrapped", forward, layers=[pipe.model])


def test_overfits_and_keeps_it_on_disk_and_in_bytes(trained, tmp_path):
    assert_knows_reports(trained)
    trained.to_disk(tmp_path)
    from_disk = spacy.load(tmp_path)
    from_bytes = make_pipeline().from_bytes(trained.to_bytes())
    for nlp in (from_disk, from_bytes):
        assert_knows_reports(nlp)
        for text in REPORTS:
            assert numpy.allclose(scores_of(nlp(text)), scores_of(trained(text)), atol=1e-6)
    assert not list(tmp_path.rglob("*.pkl"))


def test_annotations_keep_the_contract(trained):
    text = "\n  " + REPORTS[0] + "\r\n\r\n"
    doc = trained(text)
    group = doc.spans["radsent"]
    assert doc.text == text
    assert [span.text for span in group] == [sent.text.strip() for sent in doc.sents]
    assert group.attrs["source"] == "radsent"
    assert group.attrs["status"] == ["ok"] * len(group)
    assert numpy.allclose(scores_of(doc).sum(axis=1), 1.0, atol=1e-5)
    assert [LABELS[i] for i in scores_of(doc).argmax(axis=1)] == labels_of(doc)
    assert not doc.ents
    assert not doc.cats
    assert list(doc.spans) == ["radsent"]
    assert not doc.user_data.keys() - {"sub_tokens"}
    json.dumps(dict(group.attrs))  # plain lists: they survive msgpack and JSON alike


def test_annotations_survive_docbin_without_user_data(trained):
    doc = trained(REPORTS[1])
    (back,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(spacy.blank("ja").vocab)
    assert labels_of(back) == labels_of(doc)
    assert back.spans["radsent"].attrs == doc.spans["radsent"].attrs
    assert list(back.sents)[1]._.radsent_label == "POSITIVE"


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_pipe_equals_call(trained, batch_size):
    texts = [*REPORTS, "", " \n　", "異常なし"]
    piped = list(trained.pipe(iter(texts), batch_size=batch_size))
    for doc, text in zip(piped, texts, strict=True):
        alone = trained(text)
        assert doc.text == text
        assert labels_of(doc) == labels_of(alone)
        assert numpy.allclose(scores_of(doc), scores_of(alone), atol=1e-5)


def test_several_processes_give_the_same_in_the_same_order(trained):
    texts = [f"{text}\n{i}回目。" for i in range(4) for text in REPORTS]
    alone = [labels_of(doc) for doc in trained.pipe(texts)]
    docs = list(trained.pipe(texts, n_process=2, batch_size=3))
    assert [doc.text for doc in docs] == texts
    assert [labels_of(doc) for doc in docs] == alone
    assert docs[0][0:1]._.radsent_status == "ok"


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t　", "\u200b", "。", "。\n。"], ids=repr)
def test_text_without_content(trained, text):
    doc = trained(text)
    assert doc.text == text
    assert len(doc.spans["radsent"]) == len([sent for sent in doc.sents if sent.text.strip()] if len(doc) else [])


def test_repeated_sentences_and_a_long_report(trained):
    doc = trained("著変なし。" * 500)
    assert len(labels_of(doc)) == 500
    assert len(scores_of(doc)) == 500


def test_context_changes_the_label():
    """The same words mean another thing after a lesion than alone: the mixer must let the model learn that."""
    spacy.util.fix_random_seed(0)
    nlp = make_pipeline()
    pairs = [
        ("肝に腫瘤あり。\n著変なし。", ["POSITIVE", "CONTINUATION"]),
        ("肝。\n著変なし。", ["BACKGROUND", "NEGATIVE"]),
    ]
    examples = [Example(nlp.make_doc(text), gold_doc(nlp, text, labels)) for text, labels in pairs]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    for text, labels in pairs:
        assert labels_of(nlp(text)) == labels


def test_trains_on_gold_boundaries_even_where_the_predicted_ones_differ():
    """Predicted documents split after every token must not change what is learned from."""
    nlp = make_pipeline()
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for eg in examples:
        for token in eg.predicted:
            token.is_sent_start = True
    seen = []
    wrap_model(nlp.get_pipe("radsent"), lambda inputs: seen.append(inputs[1].lengths.tolist()))
    nlp.get_pipe("radsent").update(examples, sgd=optimizer)
    assert seen == [[5, 5, 4]]


def test_unlabelled_sentences_are_context_without_gradient():
    nlp = make_pipeline()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe("radsent")
    for eg in examples:
        for i, span in enumerate(eg.reference.spans["radsent"]):
            eg.reference.spans["radsent"][i] = Span(eg.reference, span.start, span.end, label=span.label_ if i else "")
    sentences = [pipe.gold_sentences(eg) for eg in examples]
    _, scores = pipe.predict_sentences([eg.predicted for eg in examples], sentences)
    loss, gradient = pipe.get_loss(examples, (sentences, scores))
    assert loss > 0
    assert [i for i, row in enumerate(gradient) if not row.any()] == [0, 5, 10]


def test_rehearsal_pulls_back_to_the_model_that_training_resumed_from(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    examples = make_examples(nlp)
    optimizer = nlp.resume_training()
    pipe = nlp.get_pipe("radsent")
    before = numpy.concatenate([scores_of(nlp(text)) for text in REPORTS])
    swapped = [Example(eg.predicted, eg.reference.copy()) for eg in examples]
    for eg in swapped:
        spans = [Span(s.doc, s.start, s.end, label="NEGATIVE") for s in eg.reference.spans["radsent"]]
        eg.reference.spans["radsent"] = spans
    optimizer.learn_rate = 0.005
    for _ in range(5):
        nlp.update(swapped, sgd=optimizer)

    def distance():
        after = numpy.concatenate([scores_of(nlp(text)) for text in REPORTS])
        return float(numpy.abs(after - before).sum())

    drifted = distance()
    for _ in range(15):
        pipe.rehearse(examples, sgd=optimizer)
    assert distance() < 0.7 * drifted


def test_texts_without_labels_are_rehearsed(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    optimizer = nlp.resume_training()
    nlp.update(make_examples(nlp), sgd=optimizer)
    losses = nlp.rehearse([Example.from_dict(nlp.make_doc(text), {}) for text in REPORTS], sgd=optimizer)
    assert losses["radsent"] > 0


def test_rehearsal_does_nothing_in_a_first_training():
    nlp = make_pipeline()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("radsent").rehearse(examples) == {}


@Language.factory("recorder")
class Recorder:
    """A component that is trained after `radsent`, and remembers what it got to see."""

    def __init__(self, nlp, name):
        self.seen = []

    def __call__(self, doc):
        return doc

    def update(self, examples, **kwargs):
        self.seen += [labels_of(eg.predicted) for eg in examples]


def test_frozen_component_keeps_its_weights_and_annotates_for_others(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    before = nlp.get_pipe("radsent").model.to_bytes()
    recorder = nlp.add_pipe("recorder")
    nlp.update(make_examples(nlp), exclude=["radsent"], annotates=["radsent_sentencizer", "radsent"])
    assert nlp.get_pipe("radsent").model.to_bytes() == before
    assert recorder.seen == [gold.split() for gold in GOLD]


def test_only_the_failing_report_reaches_the_error_handler(trained):
    bad = Doc(trained.vocab, words=["境界", "なし"], spaces=[False, False])
    docs = [*(trained.get_pipe("radsent_sentencizer")(trained.make_doc(text)) for text in REPORTS)]
    docs.insert(1, bad)
    pipe = trained.get_pipe("radsent")
    caught = []
    pipe.set_error_handler(lambda name, proc, failed, error: caught.append((name, failed, str(error))))
    try:
        out = list(pipe.pipe(docs, batch_size=10))
    finally:
        pipe.set_error_handler(spacy.util.raise_error)
    assert out == docs
    ((name, failed, message),) = caught
    assert (name, failed) == ("radsent", [bad])
    assert "radsent_sentencizer" in message and "境界" not in message
    assert [labels_of(doc) for doc in (docs[0], *docs[2:])] == [gold.split() for gold in GOLD]


def test_a_report_that_fails_in_the_model_gets_no_invented_label(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())

    def fail_on_liver(inputs):
        if any("肝" in doc.text for doc in inputs[0]):
            raise MemoryError

    wrap_model(nlp.get_pipe("radsent"), fail_on_liver)
    nlp.set_error_handler(lambda *args: None)
    docs = list(nlp.pipe(REPORTS))
    assert labels_of(docs[0]) == GOLD[0].split()
    assert labels_of(docs[1]) == [""] * 5
    assert docs[1].spans["radsent"].attrs["status"] == ["error"] * 5
    assert docs[1][0:1]._.radsent_label is None
    assert labels_of(docs[2]) == GOLD[2].split()


def test_a_failed_report_without_sentences_says_so_too(trained):
    bad = Doc(trained.vocab, words=["境界", "なし"], spaces=[False, False])
    pipe = trained.get_pipe("radsent")
    pipe.set_error_handler(lambda *args: None)
    try:
        (out,) = pipe.pipe([bad])
    finally:
        pipe.set_error_handler(spacy.util.raise_error)
    group = out.spans["radsent"]
    assert [(span.text, span.label_) for span in group] == [("境界なし", "")]
    assert group.attrs["status"] == ["error"]
    assert group.attrs["scores"] == [None]


@pytest.mark.parametrize("handled", ["nlp()", "nlp.pipe()"])
def test_the_error_handler_is_called_once(trained, handled):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    nlp.remove_pipe("radsent_sentencizer")
    caught = []
    nlp.set_error_handler(lambda name, proc, docs, error: caught.append(name))
    doc = nlp(REPORTS[0]) if handled == "nlp()" else next(nlp.pipe([REPORTS[0]]))
    assert caught == ["radsent"]
    assert doc.spans["radsent"].attrs["status"] == ["error"]


def test_batches_keep_to_documents_and_tokens(nlp):
    docs = [nlp(text) for text in ("肝。", "脾。", "腎。" * 6, "膵。", "", "胆。")]
    assert [len(doc) for doc in docs] == [2, 2, 12, 2, 0, 2]
    batches = [[docs.index(doc) for doc in batch] for batch in batch_by_tokens(docs, batch_size=2, max_tokens=5)]
    assert batches == [[0, 1], [2], [3, 4], [5]]


def test_other_word_vectors_are_refused():
    config = {"model": {"member": {"tok2vec": {"embed": {"embed": {"include_static_vectors": True}}}}}}
    nlp = blank_pipeline()
    nlp.vocab.vectors = Vectors(data=numpy.ones((1, 8), dtype="f"), keys=["肝"])
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config=config)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp("肝に腫瘤。")
    nlp.vocab.vectors = Vectors(shape=(0, 0))
    with pytest.raises(RadsentError, match="word vectors of width 8, this pipeline's have 0"):
        nlp("肝に腫瘤。")


def test_vectors_of_another_pipeline_that_it_is_sourced_into():
    config = {"model": {"member": {"tok2vec": {"embed": {"embed": {"include_static_vectors": True}}}}}}
    nlp, other = blank_pipeline(), blank_pipeline()
    nlp.vocab.vectors = Vectors(data=numpy.ones((1, 8), dtype="f"), keys=["肝"])
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config=config)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    other.add_pipe("radsent_sentencizer")
    with pytest.warns(UserWarning, match="W113"):  # spaCy's, of vectors that differ
        other.add_pipe("radsent", source=nlp)
    with pytest.raises(RadsentError, match="word vectors of width 8, this pipeline's have 0"):
        other("肝に腫瘤。")


def test_settings_may_be_given_when_it_is_loaded(trained, tmp_path):
    trained.to_disk(tmp_path)
    settings = {"spans_key": "mine", "label_smoothing": 0.2}
    nlp = spacy.load(tmp_path, config={"components": {"radsent": settings}})
    assert list(nlp(REPORTS[0]).spans) == ["mine"]
    assert nlp.get_pipe("radsent").targets.label_smoothing == 0.2


def test_settings_of_the_config_stand_against_bytes(trained):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config={**SMALL, "spans_key": "mine"})
    assert list(nlp.from_bytes(trained.to_bytes())(REPORTS[0]).spans) == ["mine"]


def test_an_untrained_pipe_says_so():
    for run in (lambda nlp: nlp("肝。"), lambda nlp: list(nlp.pipe(["肝。"]))):
        with pytest.raises(RadsentError, match="not trained"):
            run(make_pipeline())


def test_set_annotations_writes_what_it_is_given(trained):
    doc = trained.get_pipe("radsent_sentencizer")(trained.make_doc("肝に腫瘤。\n脾は正常。"))
    pipe = trained.get_pipe("radsent")
    scores = pipe.model.ops.asarray2f([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]])
    pipe.set_annotations([doc], ([list(doc.sents)], scores))
    assert labels_of(doc) == ["CONTINUATION", "BACKGROUND"]
    assert doc[0:1]._.radsent_scores == pytest.approx(dict(zip(LABELS, [0.1, 0.2, 0.3, 0.4], strict=True)))


def test_predict_changes_nothing(trained):
    doc = trained.get_pipe("radsent_sentencizer")(trained.make_doc(REPORTS[0]))
    before = doc.to_bytes()
    trained.get_pipe("radsent").predict([doc])
    assert doc.to_bytes() == before


def test_config_round_trip(trained):
    config = spacy.util.load_config_from_str(trained.config.to_str())
    nlp = spacy.util.load_model_from_config(config)
    nlp.from_bytes(trained.to_bytes())
    assert_knows_reports(nlp)


def test_add_label_is_refused_with_the_reason(trained):
    with pytest.raises(RadsentError, match="'UNCERTAIN'.*fixed to BACKGROUND, POSITIVE, NEGATIVE, CONTINUATION"):
        trained.get_pipe("radsent").add_label("UNCERTAIN")


def test_other_labels_in_the_training_data_are_refused():
    nlp = make_pipeline()
    examples = make_examples(nlp)
    doc = examples[0].reference
    doc.spans["radsent"][0] = Span(doc, 0, 2, label="MAYBE")
    with pytest.raises(RadsentError, match="'MAYBE'.*knows BACKGROUND"):
        nlp.initialize(lambda: examples)


def test_other_labels_in_what_it_is_tested_on_are_refused(trained):
    examples = make_examples(trained)
    doc = examples[0].reference
    doc.spans["radsent"][0] = Span(doc, 0, 2, label="MAYBE")
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    optimizer = nlp.resume_training()
    for run in (lambda: nlp.evaluate(examples), lambda: nlp.update(examples, sgd=optimizer)):
        with pytest.raises(RadsentError, match="'MAYBE'.*knows BACKGROUND"):
            run()


def test_an_ensemble_cannot_share_an_encoder():
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "tok2vec"}
    nlp = blank_pipeline()
    nlp.add_pipe("tok2vec")
    with pytest.raises(RadsentError, match="An ensemble of 2 cannot listen to a component that all share"):
        nlp.add_pipe("radsent", config={"model": {"size": 2, "member": {"tok2vec": listener}}})


def test_training_data_without_labels_are_refused():
    nlp = make_pipeline()
    with pytest.raises(RadsentError, match="no labelled sentence.*radsent convert"):
        nlp.initialize(lambda: [Example(nlp.make_doc("肝。"), nlp.make_doc("肝。"))])


def test_a_pipeline_of_another_scheme_is_refused(trained, tmp_path):
    trained.to_disk(tmp_path)
    path = tmp_path / "radsent" / "cfg"
    cfg = json.loads(path.read_text())
    cfg["labels"] = ["NEGATIVE", "POSITIVE"]
    path.write_text(json.dumps(cfg))
    with pytest.raises(RadsentError, match="scheme .* does not match"):
        spacy.load(tmp_path)


def test_other_initialization_labels_are_refused():
    nlp = make_pipeline()
    nlp.config["initialize"]["components"]["radsent"] = {"labels": ["A", "B"]}
    examples = make_examples(nlp)
    with pytest.raises(RadsentError, match="scheme"):
        nlp.initialize(lambda: examples)


def test_damaged_weights_never_predict(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    output = [node for node in nlp.get_pipe("radsent").model.walk() if node.name == "softmax"][-1]
    output.set_param("b", output.get_param("b") * numpy.float32("nan"))
    with pytest.raises(RadsentError, match="weights are damaged"):
        nlp("肝に腫瘤。")


def test_a_pipeline_without_sentence_boundaries_says_what_to_add(trained):
    nlp = make_pipeline().from_bytes(trained.to_bytes())
    nlp.remove_pipe("radsent_sentencizer")
    with pytest.raises(RadsentError, match=r"nlp.add_pipe\('radsent_sentencizer', before='radsent'\)"):
        nlp("肝に腫瘤。脾は正常。")
    nlp.add_pipe("radsent_sentencizer", last=True)  # behind radsent: as bad as none
    with pytest.raises(RadsentError, match="without sentence boundaries"):
        nlp("肝に腫瘤。脾は正常。")


def test_analyze_pipes_reports_a_missing_sentencizer():
    nlp = blank_pipeline()
    nlp.add_pipe("radsent")
    assert nlp.analyze_pipes()["problems"]["radsent"] == ["doc.sents"]


def test_bad_label_smoothing_is_refused():
    with pytest.raises(RadsentError, match=r"label_smoothing is 1\.5"):
        blank_pipeline().add_pipe("radsent", config={"label_smoothing": 1.5})


def test_another_key_leaves_the_default_one_alone():
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    pipe = nlp.add_pipe("radsent", config={**SMALL, "spans_key": "mine"})
    assert isinstance(pipe, RadsentClassifier)
    examples = make_examples(nlp)
    for eg in examples:
        eg.reference.spans["mine"] = list(eg.reference.spans.pop("radsent"))
    nlp.initialize(lambda: examples)
    assert list(nlp(REPORTS[0]).spans) == ["mine"]


def test_bundled_reports_fit_tokens_and_train(tmp_path):
    """A few real corpus reports run through initialize and update without a special case."""
    nlp = make_pipeline()
    records = list(read_records("assets/external_dev.jsonl", labelled=True))[:4]
    docs = [record_to_doc(record, nlp, Alignment()) for record in records]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    optimizer = nlp.initialize(lambda: examples)
    first = nlp.update(examples, sgd=optimizer)["radsent"]
    for _ in range(10):
        last = nlp.update(examples, sgd=optimizer)["radsent"]
    assert last < first


def test_the_default_model_is_that_of_the_project_but_for_word_vectors():
    config = spacy.util.load_config("configs/cpu.cfg", interpolate=True)["components"]["radsent"]["model"]
    assert config["member"]["tok2vec"]["embed"]["embed"].pop("include_static_vectors") is True
    default = copy.deepcopy(DEFAULT_MODEL)
    assert default["member"]["tok2vec"]["embed"]["embed"].pop("include_static_vectors") is False
    assert config == default


def one_member_pipeline(**settings):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    model = Config(DEFAULT_MODEL["member"]).merge(SMALL["model"]["member"])
    nlp.add_pipe("radsent", config={"model": model, **settings})
    return nlp


def test_class_weights_scale_loss_and_gradient():
    nlp = one_member_pipeline(class_weights={"POSITIVE": 3.0, "BACKGROUND": 0.0})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    plain = one_member_pipeline().get_pipe("radsent")
    pipe = nlp.get_pipe("radsent")
    scores = numpy.full((14, 4), 0.25, dtype="f")
    loss, gradient = pipe.get_loss(examples, ([], scores))
    plain_loss, plain_gradient = plain.get_loss(examples, ([], scores))
    weights = numpy.array([{"POSITIVE": 3.0, "BACKGROUND": 0.0}.get(x, 1.0) for gold in GOLD for x in gold.split()])
    assert numpy.allclose(gradient, plain_gradient * weights[:, None])
    assert loss == pytest.approx(plain_loss / 14 * weights.sum(), rel=1e-4)


@pytest.mark.parametrize("weights", [{"POS": 2.0}, {"POSITIVE": -1.0}])
def test_class_weights_that_cannot_be(weights):
    with pytest.raises(RadsentError, match="class_weights has"):
        one_member_pipeline(class_weights=weights)


def test_class_weights_are_refused_where_they_cannot_act():
    nlp = blank_pipeline()
    with pytest.raises(RadsentError, match="cannot be used with an ensemble"):
        nlp.add_pipe("radsent", config={**SMALL, "class_weights": {"POSITIVE": 2.0}})


def test_training_goes_on_from_the_weights_of_a_trained_pipeline(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = make_pipeline()
    nlp.config["initialize"]["components"]["radsent"] = {"weights": str(tmp_path)}
    nlp.initialize(lambda: make_examples(nlp))
    assert_knows_reports(nlp)
    before = scores_of(nlp(REPORTS[0]))
    nlp.update(make_examples(nlp))
    assert not numpy.allclose(scores_of(nlp(REPORTS[0])), before, atol=1e-7)


def test_weights_that_do_not_fit_are_refused(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = one_member_pipeline()
    for folder, message in [(tmp_path / "none", "holds no component 'radsent'"), (tmp_path, "another architecture")]:
        nlp.config["initialize"]["components"]["radsent"] = {"weights": str(folder)}
        with pytest.raises(RadsentError, match=message):
            nlp.initialize(lambda: make_examples(nlp))
