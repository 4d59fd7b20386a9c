"""Whatever goes wrong, in both commands: no text and no key in what is told."""

import json

import pytest
from stub_server import Reply, serve
from synth_answers import report, run
from tiny import REPORTS

from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import write_records

CANARY = "カナリア結節"
FAULTS = {
    "400": Reply.error(400),
    "503": Reply.error(503, retry_after="0"),
    "429 for longer than it is waited": Reply.error(429, retry_after="300"),
    "no protocol": Reply(200, json.dumps({"canary": CANARY})),
    "no JSON": Reply(200, f"{{{CANARY}"),
    "cut": Reply(200, Reply.completion(CANARY).body, {"retry-after": "0"}, cut=True),
    "an answer that is none": Reply.completion(CANARY),
    "refused": Reply.completion(None, refusal=CANARY),
    "401": Reply.error(401),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_quoted(tmp_path, caplog, monkeypatch, fault):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    caplog.set_level("DEBUG")
    record = unlabelled_record("r", f"{REPORTS[0]}{CANARY}あり。", meta={"source": "real"})
    write_records([record], tmp_path / "in.jsonl")
    with serve(lambda request: FAULTS[fault]) as (_, url):
        options = ["--base-url", url, "--max-retries", 1]
        done = [
            run("annotate", tmp_path / "in.jsonl", tmp_path / "out.jsonl", *options),
            run("generate", tmp_path / "reports.jsonl", "--count", 2, *options),
        ]
    told = caplog.text + "".join(one.output + str(one.exception) for one in done)
    assert CANARY not in told
    assert json.dumps(CANARY)[1:-1] not in told
    assert "sk-secret" not in told
    if fault not in ("an answer that is none", "refused"):
        assert done[0].exit_code == 1
        assert "Error: " in done[0].output


def test_retry_after_that_is_too_long_is_left_for_the_next_run(tmp_path):
    def answer(request):
        return Reply.error(429, retry_after="300") if request["seed"] == 0 else report(request)

    with serve(answer) as (_, url):
        done = run("generate", tmp_path / "out.jsonl", "--count", 3, "--base-url", url)
    assert done.exit_code == 1
    assert "1 of 3 requests got no answer; run again with --resume" in done.output
    assert "HTTP 429" in done.output and "lower the concurrency" in done.output
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.jsonl").mkdir()
    with serve(report) as (stub, url):
        done = run("generate", tmp_path / "folder.jsonl", "--count", 2, "--base-url", url, "--resume")
        assert done.exit_code == 1
        assert "folder.jsonl: is a folder: name a file to write to" in done.output
        assert len(stub.requests) == 0
