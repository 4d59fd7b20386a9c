"""Predictions beside a reference: same and other boundaries, missing labels, mistakes in the files."""

import numpy
import pytest
from tiny import make_examples, make_pipeline

from spacy_radsent.corpus.records import Record, Sentence
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.corpus import GoldCorpus, fields_of
from spacy_radsent.evaluation.errors import find_errors
from spacy_radsent.evaluation.outcome import Outcome
from spacy_radsent.evaluation.predictions import predict
from spacy_radsent.metrics import NO_LABEL

TEXT = "胸部CT。右肺S1に8mm結節あり。辺縁不整。胸水なし。"
CUTS = [(0, 5), (5, 18), (18, 23), (23, 28)]
GOLD = ["BACKGROUND", "POSITIVE", "CONTINUATION", "NEGATIVE"]


def record(id="r1", labels=GOLD, cuts=CUTS, text=TEXT, **meta):
    sentences = [Sentence(start=start, end=end, label=label) for (start, end), label in zip(cuts, labels, strict=True)]
    return Record(id=id, text=text, sentences=sentences, meta=meta)


def corpus(*records):
    return GoldCorpus("corpus", list(records or [record()]))


def outcome(prediction, gold=None):
    return Outcome.of("model", gold or corpus(), [prediction])


def test_same_boundaries():
    scores = [[0.7, 0.1, 0.1, 0.1]] * 4
    result = outcome(record(labels=["BACKGROUND", "POSITIVE", "NEGATIVE", None], prediction={"scores": scores}))
    assert result.predicted.tolist() == [0, 1, 2, NO_LABEL]
    assert result.scores[0].tolist() == pytest.approx([0.7, 0.1, 0.1, 0.1])
    assert result.wrong.tolist() == [2, 3]
    assert result.boundaries.tolist() == [[3, 3, 3]]
    assert result.split_exactly.tolist() == [True]
    assert result.exact[0].sum(0).tolist() == [2, 4, 4]
    assert result.matrices[0].sum() == 4
    assert result.projected == 0


@pytest.mark.parametrize(
    ("cuts", "labels", "predicted", "boundaries"),
    [
        ([(0, 5), (5, 23), (23, 28)], ["BACKGROUND", "POSITIVE", "NEGATIVE"], [0, 1, 1, 2], [2, 2, 3]),
        ([(0, 28)], ["POSITIVE"], [1, 1, 1, 1], [0, 0, 3]),
        ([(0, 3), (3, 5), *CUTS[1:]], ["POSITIVE", *GOLD], [1, 1, 3, 2], [3, 4, 3]),
        ([(0, 4), (4, 28)], ["BACKGROUND", None], [0, NO_LABEL, NO_LABEL, NO_LABEL], [0, 1, 3]),
        ([], [], [NO_LABEL] * 4, [0, 0, 3]),
    ],
    ids=["two in one", "all in one", "one too many", "shifted, without label", "the report failed"],
)
def test_boundaries_that_differ(cuts, labels, predicted, boundaries):
    result = outcome(record(labels=labels, cuts=cuts))
    assert result.predicted.tolist() == predicted
    assert result.boundaries.tolist() == [boundaries]
    assert result.split_exactly.tolist() == [False]
    assert result.projected == bool(cuts)


def test_a_report_that_nobody_labelled_is_not_counted_as_split_otherwise():
    bare = record(labels=[None] * 4)
    bare.id = "bare"
    found = [record(), bare.model_copy(update={"sentences": record(labels=["POSITIVE"], cuts=[(0, 28)]).sentences})]
    assert Outcome.of("model", GoldCorpus("gold", [record(), bare]), found).projected == 0


def test_labels_given_to_the_reference_sentences_replace_the_projection():
    scores = [[0.1, 0.7, 0.1, 0.1]] * 4
    prediction = {"scores": [[0.9, 0, 0, 0.1]], "on_gold": {"labels": GOLD, "scores": scores}}
    result = outcome(record(labels=["BACKGROUND"], cuts=[(0, 28)], prediction=prediction))
    assert result.predicted.tolist() == [0, 1, 3, 2]
    assert result.scores[3].tolist() == pytest.approx(scores[3])
    assert result.projected == 0
    assert result.exact[0].sum(0).tolist() == [0, 1, 4]


def test_sentences_without_label_in_the_reference_do_not_count():
    gold = corpus(record(labels=["BACKGROUND", None, "CONTINUATION", "NEGATIVE"]))
    result = outcome(record(labels=["POSITIVE"] * 4), gold)
    assert result.matrices.sum() == 3
    assert result.exact.sum() == 0  # end to end only reports labelled throughout
    assert result.wrong.tolist() == [0, 2, 3]


def test_wrong_sentences_come_with_their_context():
    prediction = {"scores": [[0.1, 0.2, 0.3, 0.4]] * 4}
    result = outcome(record(labels=["POSITIVE", "POSITIVE", "CONTINUATION", None], prediction=prediction))
    first, last = find_errors(result)
    assert (first.gold, first.predicted, first.sentence, first.text) == ("BACKGROUND", "POSITIVE", 0, "胸部CT。")
    assert first.probabilities == [0.1, 0.2, 0.3, 0.4]
    assert first.before == []
    assert [neighbour.text for neighbour in first.after] == ["右肺S1に8mm結節あり。", "辺縁不整。"]
    assert last.predicted is None
    assert [(n.gold, n.predicted) for n in last.before] == [("POSITIVE", "POSITIVE"), ("CONTINUATION", "CONTINUATION")]
    assert set(first.to_dict(with_text=False)) & {"text", "before", "after"} == set()


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ([record("r2")], "model: holds report 'r2', which corpus does not: give a file of the same reports."),
        ([record(text=TEXT.replace("8", "9"))], "model: report 'r1' has another text in corpus"),
        ([record(), record()], "model: report 'r1' stands twice"),
        ([], "model: lacks 1 of the 1 reports of corpus, e.g. 'r1'"),
    ],
    ids=["another id", "another text", "twice", "missing"],
)
def test_predictions_that_do_not_fit(predictions, message):
    with pytest.raises(RadsentError, match=message) as error:
        Outcome.of("model", corpus(), predictions)
    assert "結節" not in str(error.value)


def test_gold_without_labels():
    with pytest.raises(RadsentError, match="corpus: no sentence has a label"):
        corpus(record(labels=[None] * 4))


def test_groups(capsys):
    gold = corpus(*(record(str(i), institution=name) for i, name in enumerate(["B", "A", "", ["C", "D"]])))
    groups = gold.groups("institution")
    assert list(groups) == ["A", "B", "C, D", "(not given)"]
    assert groups["A"].tolist() == [False, True, False, False]
    assert gold.groups("modality") == {}
    assert fields_of([gold], ["modality", "institution"]) == ["institution"]
    assert capsys.readouterr().out == "Not grouped by modality: no report has it in its meta, which holds institution\n"


class Half:
    """Fails on reports of the right lung."""

    def __call__(self, doc):
        if "右肺" in doc.text:
            raise ValueError("右肺")
        return doc


def test_a_pipeline_is_given_the_sentences_of_the_reference(monkeypatch):
    """It splits at the full stop; the reference does not. Both ways are predicted; a report that fails is no label."""
    nlp = make_pipeline()
    nlp.initialize(lambda: make_examples(nlp))
    nlp.set_error_handler(lambda *args: None)
    other = "両肺に異常なし。胸水なし。"
    records = [
        record("long", ["NEGATIVE"], [(0, len(other))], other),
        record("failed"),
        record("too long", ["NEGATIVE"], [(0, 2)], "肺。" + " " * 20_000),
        record("same", ["NEGATIVE", "NEGATIVE"], [(0, 8), (8, 13)], other),
    ]
    nlp.max_length = 10_000
    monkeypatch.setattr(nlp, "_components", [("half", Half()), *nlp._components])
    predictions = list(predict(nlp, records))
    assert [prediction.id for prediction in predictions] == ["long", "failed", "too long", "same"]
    long, failed, too_long, same = (prediction.meta["prediction"] for prediction in predictions)
    assert len(long["on_gold"]["labels"]) == 1
    assert numpy.sum(long["on_gold"]["scores"][0]) == pytest.approx(1)
    assert failed == too_long == {"status": "error"}
    assert "on_gold" not in same
    result = Outcome.of("model", GoldCorpus("corpus", records), predictions)
    assert (result.predicted == NO_LABEL).tolist() == [False, True, True, True, True, True, False, False]


def test_a_pipeline_without_labels(nlp):
    with pytest.raises(RadsentError, match='writes no doc.spans\\["radsent"\\]'):
        list(predict(nlp, [record()]))
