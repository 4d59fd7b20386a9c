"""Generate mode: what a model writes is parsed strictly, and what it does not write is counted."""

import pytest
import torch
from llms import KINDS, make_llm_pipeline, memorize_reports, save_llm
from tiny import GOLD, REPORTS, labels_of

from spacy_radsent.errors import RadsentError


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    folder = save_llm(
        request.param, tmp_path_factory.mktemp("llm") / request.param, hidden_size=64, initializer_range=0.02
    )
    memorize_reports(folder)
    return folder


def test_both_modes_know_what_the_model_learned(trained):
    for mode in ("generate", "score"):
        for doc, gold in zip(make_llm_pipeline(trained, mode=mode).pipe(REPORTS), GOLD, strict=True):
            assert labels_of(doc) == gold.split()
            assert set(doc.spans["radsent"].attrs["status"]) == {"ok"}


def test_generated_labels_have_no_probabilities(trained):
    doc = make_llm_pipeline(trained, mode="generate")(REPORTS[0])
    span = doc.spans["radsent"][1]
    assert doc.spans["radsent"].attrs["scores"] == [None] * 5
    assert (span._.radsent_label, span._.radsent_scores, span._.radsent_status) == ("POSITIVE", None, "ok")


def test_what_is_not_answered_is_an_error_and_counted(trained):
    nlp = make_llm_pipeline(trained, mode="generate", attempts=2)
    doc = nlp("この模型の知らない報告。全く別の文。")
    assert labels_of(doc) == ["", ""]
    assert doc.spans["radsent"].attrs["status"] == ["error", "error"]
    known, _ = nlp.pipe([REPORTS[0], ""])
    assert labels_of(known) == GOLD[0].split()
    counts = nlp.get_pipe("radsent_llm").reader.counts
    assert (counts.reports, counts.failed_reports, counts.sentences, counts.failed_sentences) == (2, 1, 7, 2)


def test_report_that_is_too_long_is_not_asked_about(trained):
    nlp = make_llm_pipeline(trained, mode="generate", max_length=64)
    assert nlp(REPORTS[0]).spans["radsent"].attrs["status"] == ["error"] * 5


def test_a_model_that_never_learned_to_write_labels_is_told(trained, tmp_path, recwarn):
    texts = REPORTS * 8
    list(make_llm_pipeline(trained).pipe(texts))
    assert not recwarn.list
    untrained = make_llm_pipeline(save_llm("qwen3", tmp_path))
    with pytest.warns(UserWarning, match=r"gives its labels 0\.\d\d of the probability, .*radsent train-lora") as told:
        list(untrained.pipe(texts, batch_size=2))
    assert len(told) == 1


@pytest.mark.parametrize("mode", ["score", "generate"])
def test_batch_that_is_too_large_is_halved(trained, mode):
    nlp = make_llm_pipeline(trained, mode=mode)
    reader = nlp.get_pipe("radsent_llm").reader
    limit_memory(reader, rows=2)
    with pytest.warns(UserWarning, match=r"too much for the memory: batches are of (\d+) tokens now, set max_batch"):
        docs = list(nlp.pipe(REPORTS * 2))
    assert [labels_of(doc) for doc in docs] == [gold.split() for gold in GOLD * 2]
    limit_memory(reader, rows=0)
    with pytest.raises(RadsentError, match=r"A report of \d+ tokens alone is too much for the memory: set a smaller"):
        nlp(REPORTS[0])


def limit_memory(reader, rows):
    """Let the model run out of memory as a GPU does, with more reports at once than so many."""
    model = reader.decoder.decoder if hasattr(reader, "decoder") else reader.model

    def refuse(module, args, kwargs):
        if len(kwargs["input_ids"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    model.register_forward_pre_hook(refuse, with_kwargs=True)
