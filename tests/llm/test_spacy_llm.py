"""The task for spacy-llm's own pipe, with its NoOp model and with one that follows a script."""

from typing import Iterable  # noqa: UP035  # spacy-llm compares these types by name

import pytest
import spacy
from llm.test_endpoint import knows_reports
from tiny import GOLD, REPORTS, labels_of

from spacy_radsent.corpus.docbin import blank_pipeline

spacy_llm = pytest.importorskip("spacy_llm")
TASK = {"@llm_tasks": "spacy_radsent.SentenceLabels.v1"}


@spacy_llm.registry.registry.llm_models("tests.Scripted.v1")
def scripted():
    def answer(prompts: Iterable[Iterable[str]]) -> Iterable[Iterable[str]]:
        for (prompt,) in prompts:
            yield [knows_reports({"messages": [{}, {"content": prompt.rpartition("所見: ")[2]}]})]

    return answer


def make_pipeline(model, before="radsent_sentencizer"):
    nlp = blank_pipeline()
    if before:
        nlp.add_pipe(before)
    nlp.add_pipe("llm", config={"task": TASK, "model": {"@llm_models": model}, "save_io": True})
    return nlp


def test_labels_what_the_model_answers(tmp_path):
    nlp = make_pipeline("tests.Scripted.v1")
    blank = list(nlp.pipe([" \n", "", REPORTS[0]]))
    assert [len(doc.spans["radsent"]) for doc in blank] == [0, 0, 5]
    for doc, text, gold in zip(nlp.pipe(REPORTS), REPORTS, GOLD, strict=True):
        assert (doc.text, labels_of(doc)) == (text, gold.split())
        assert doc.spans["radsent"].attrs["source"] == "spacy_radsent.SentenceLabels.v1"
        assert doc.spans["radsent"][1]._.radsent_label == "POSITIVE"
    assert nlp(REPORTS[0]).user_data["llm_io"]["llm"]["prompt"].endswith("s4: 左肺に結節なし。\ns5: 胸水なし。")
    nlp.to_disk(tmp_path)
    assert labels_of(spacy.load(tmp_path)(REPORTS[0])) == GOLD[0].split()


def test_model_that_answers_nothing():
    doc = make_pipeline("spacy.NoOp.v1")(REPORTS[0])
    assert labels_of(doc) == [""] * 5
    assert doc.spans["radsent"].attrs["status"] == ["error"] * 5


def test_sentences_must_be_there():
    with pytest.raises(ValueError, match="found a Doc without sentence boundaries: put a component that sets them"):
        make_pipeline("tests.Scripted.v1", before=None)(REPORTS[0])
