"""Generate mode: what a model writes is parsed strictly, and what it does not write is counted."""

import pytest
from llms import KINDS, memorize_reports, save_llm
from tiny import GOLD, REPORTS, labels_of

from spacy_radsent.corpus.docbin import blank_pipeline


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    folder = save_llm(
        request.param, tmp_path_factory.mktemp("llm") / request.param, hidden_size=64, initializer_range=0.02
    )
    memorize_reports(folder)
    return folder


def make_pipeline(folder, **settings):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent_llm", config={"model": str(folder), **settings})
    return nlp


def test_both_modes_know_what_the_model_learned(trained):
    for mode in ("generate", "score"):
        for doc, gold in zip(make_pipeline(trained, mode=mode).pipe(REPORTS), GOLD, strict=True):
            assert labels_of(doc) == gold.split()
            assert set(doc.spans["radsent"].attrs["status"]) == {"ok"}


def test_generated_labels_have_no_probabilities(trained):
    doc = make_pipeline(trained, mode="generate")(REPORTS[0])
    span = doc.spans["radsent"][1]
    assert doc.spans["radsent"].attrs["scores"] == [None] * 5
    assert (span._.radsent_label, span._.radsent_scores, span._.radsent_status) == ("POSITIVE", None, "ok")


def test_what_is_not_answered_is_an_error_and_counted(trained):
    nlp = make_pipeline(trained, mode="generate", attempts=2)
    doc = nlp("この模型の知らない報告。全く別の文。")
    assert labels_of(doc) == ["", ""]
    assert doc.spans["radsent"].attrs["status"] == ["error", "error"]
    known, _ = nlp.pipe([REPORTS[0], ""])
    assert labels_of(known) == GOLD[0].split()
    counts = nlp.get_pipe("radsent_llm").reader.counts
    assert (counts.reports, counts.failed_reports, counts.sentences, counts.failed_sentences) == (2, 1, 7, 2)
