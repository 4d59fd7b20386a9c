"""OpenAI's Batch API: the same result as asking at once, and no batch handed in twice."""

import json

import pytest
from stub_server import Reply, serve
from synth_answers import report, right, rows, run

from spacy_radsent.synth import batch


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look again at once."""
    monkeypatch.setattr(batch.time, "sleep", lambda seconds: None)


def generate(output, url, *options, count=5):
    return run("generate", output, "--count", count, "--base-url", url, "--max-retries", 0, "--batch", *options)


def test_same_corpus_as_without(tmp_path):
    batched, single = tmp_path / "batched.jsonl", tmp_path / "single.jsonl"
    with serve(report) as (stub, url):
        stub.batches.looks = 3
        done = generate(batched, url, "--price", "2,8")
        assert done.exit_code == 0, done.output
        assert len(stub.batches.batches) == 1
        run("generate", single, "--count", 5, "--base-url", url)
    assert batched.read_bytes() == single.read_bytes()
    assert "5 answers, 500 + 50 tokens, $0.0007" in done.output  # (500 x 2 + 50 x 8) / 1e6, halved


def test_answers_with_line_separators(tmp_path):
    """JSON holds them as they are: they end no line of a batch's output."""
    with serve(lambda request: report(request)[:-2] + '\u2028脾腫なし。\x85胸水なし。"}') as (_, url):
        done = generate(tmp_path / "out.jsonl", url)
    assert done.exit_code == 0, done.output
    assert [row["text"][-12:] for row in rows(tmp_path / "out.jsonl")] == ["\u2028脾腫なし。\x85胸水なし。"] * 5


def test_annotators_each_have_a_batch(tmp_path):
    output = tmp_path / "labelled.jsonl"
    with serve(right) as (stub, url):
        generate(tmp_path / "reports.jsonl", url, count=3)
        options = ["--base-url", url, "--batch", "--second-model", "other", "--votes", 2]
        done = run("annotate", tmp_path / "reports.jsonl", output, *options)
        assert done.exit_code == 0, done.output
        models = [
            {json.loads(line)["body"]["model"] for line in stub.batches.files[one["input_file_id"]].splitlines()}
            for one in stub.batches.batches.values()
        ]
    assert models == [{"gpt-4.1"}, {"gpt-4.1-mini"}, {"other"}]
    assert all(sentence["label"] for row in rows(output) for sentence in row["sentences"])


def test_unusable_answers_go_into_a_second_batch(tmp_path):
    left = [Reply.completion("no JSON")]
    with serve(lambda request: left.pop() if left else report(request)) as (stub, url):
        done = generate(tmp_path / "out.jsonl", url)
        assert done.exit_code == 0, done.output
        files = [stub.batches.files[one["input_file_id"]] for one in stub.batches.batches.values()]
    assert [len(file.splitlines()) for file in files] == [5, 1]
    assert len(rows(tmp_path / "out.jsonl")) == 5


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def be_killed_while_it_waits(output, url, monkeypatch):
    def killed(seconds):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(batch.time, "sleep", killed)
        with pytest.raises(Killed):
            generate(output, url)


@pytest.mark.parametrize(
    ("moment", "options"),
    [
        ("before it stands in the journal", ["--resume"]),
        ("before it stands in the journal", []),
        ("while it waits", ["--resume"]),
        ("while answers come in", ["--resume"]),
    ],
)
def test_run_that_is_killed_hands_in_nothing_twice(tmp_path, monkeypatch, moment, options):
    output = tmp_path / "out.jsonl"

    def killed(*args, **kwargs):
        raise Killed

    with serve(report) as (stub, url):
        with monkeypatch.context() as patch:
            if moment == "before it stands in the journal":
                patch.setattr(batch.Journal, "add_batch", killed)
            elif moment == "while it waits":
                patch.setattr(batch.time, "sleep", killed)
            else:
                add, added = batch.Journal.add, []
                patch.setattr(batch.Journal, "add", lambda *args: added.append(add(*args)) or (added[2:] and killed()))
            with pytest.raises(Killed):
                generate(output, url)
        assert not output.exists()
        done = generate(output, url, *options)
        assert done.exit_code == 0, done.output
        assert len(stub.batches.batches) == 1
        assert len(rows(output)) == 5


@pytest.mark.parametrize("status", ["expired", "failed", "cancelled"])
def test_batch_that_ends_early(tmp_path, status):
    output = tmp_path / "out.jsonl"
    with serve(report) as (stub, url):
        stub.batches.status, stub.batches.lines = status, lambda lines: lines[:2]
        done = generate(output, url)
        assert done.exit_code == 1
        assert (
            f"3 of 5 requests got no answer; run again with --resume. The first: {url}: its batch ended" in done.output
        )
        assert len(rows(output)) == 2
        stub.batches.status, stub.batches.lines = "completed", lambda lines: lines
        assert generate(output, url, "--resume").exit_code == 0
        assert len(rows(output)) == 5
        assert len(stub.requests) == 5 + 3


def test_batch_that_is_under_way_is_not_asked_for_again(tmp_path, monkeypatch):
    with serve(report) as (stub, url):
        be_killed_while_it_waits(tmp_path / "out.jsonl", url, monkeypatch)
        done = run("generate", tmp_path / "out.jsonl", "--count", 5, "--base-url", url, "--resume")
        assert done.exit_code == 1
        assert "waits for a batch: go on with --batch, or start anew with --force" in done.output
        assert not stub.requests


def test_batch_that_failed_as_a_whole_is_handed_in_anew(tmp_path):
    with serve(lambda request: Reply.error(500) if len(stub.batches.batches) == 1 else report(request)) as (stub, url):
        done = generate(tmp_path / "out.jsonl", url)
        assert f"5 of 5 requests got no answer; run again with --resume. The first: {url}: HTTP 500" in done.output
        assert not (tmp_path / "out.jsonl").exists()
        assert generate(tmp_path / "out.jsonl", url, "--resume").exit_code == 0
        assert len(stub.batches.batches) == 2
    assert len(rows(tmp_path / "out.jsonl")) == 5


def test_force_starts_anew(tmp_path):
    with serve(report) as (stub, url):
        assert generate(tmp_path / "out.jsonl", url).exit_code == 0
        assert generate(tmp_path / "out.jsonl", url, "--force").exit_code == 0
        assert len(stub.batches.batches) == 2


def test_answers_that_hold_more_or_less_than_the_client_knows(tmp_path):
    def odd(lines):
        for line in lines:
            line["response"]["body"]["service_tier"] = "of tomorrow"
            del line["response"]["body"]["created"]
        return lines

    with serve(report) as (stub, url):
        stub.batches.lines = odd
        assert generate(tmp_path / "out.jsonl", url).exit_code == 0
    assert len(rows(tmp_path / "out.jsonl")) == 5


def test_damaged_lines_cost_themselves(tmp_path):
    def damaged(lines):
        del lines[0]["response"]
        return [lines[0], ["no row"], {"custom_id": lines[1]["custom_id"], "response": {}}, *lines[2:]]

    with serve(report) as (stub, url):
        stub.batches.lines = damaged
        done = generate(tmp_path / "out.jsonl", url)
        assert "2 of 5 requests got no answer; run again with --resume" in done.output
        assert len(rows(tmp_path / "out.jsonl")) == 3
        stub.batches.lines = lambda lines: lines
        assert generate(tmp_path / "out.jsonl", url, "--resume").exit_code == 0
        assert len(stub.requests) == 5 + 2


def test_batch_that_the_server_would_not_take(tmp_path):
    with serve(report) as (stub, url):
        stub.batches.status, stub.batches.lines = "failed", lambda lines: []
        stub.batches.errors = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "右肺"}]}
        done = generate(tmp_path / "out.jsonl", url)
    assert "its batch ended without an answer (token_limit_exceeded)." in done.output
    assert "右肺" not in done.output


@pytest.mark.parametrize("gone", ["its answers", "the batch"])
def test_batch_that_is_gone(tmp_path, monkeypatch, gone):
    with serve(report) as (stub, url):
        be_killed_while_it_waits(tmp_path / "out.jsonl", url, monkeypatch)
        if gone == "the batch":
            stub.batches.batches.clear()
        else:
            (one,) = stub.batches.batches.values()
            one.update(status="completed", output_file_id="file-of-last-month")
        done = generate(tmp_path / "out.jsonl", url, "--resume")
        if gone == "the batch":
            assert f"{url} knows nothing of the batch batch-0: give the address and key" in done.output
            assert generate(tmp_path / "out.jsonl", url, "--force").exit_code == 0
        else:
            assert done.exit_code == 0, done.output  # asked for again
    assert len(rows(tmp_path / "out.jsonl")) == 5


def test_line_that_is_no_answer_costs_itself(tmp_path):
    def damaged(lines):
        lines[1]["response"]["body"] = {"choices": []}
        return lines

    with serve(report) as (stub, url):
        stub.batches.lines = damaged
        done = generate(tmp_path / "out.jsonl", url)
    assert "1 of 5 requests got no answer" in done.output
    assert len(rows(tmp_path / "out.jsonl")) == 4


def test_request_that_fails_in_a_batch(tmp_path):
    with serve(lambda request: Reply.error(500) if request["seed"] == 16 else report(request)) as (_, url):
        done = generate(tmp_path / "out.jsonl", url)
    assert done.exit_code == 1
    assert "1 of 5 requests got no answer" in done.output
    assert len(rows(tmp_path / "out.jsonl")) == 4


def test_server_without_batches(tmp_path, monkeypatch):
    with serve(report) as (stub, url):
        for name in ("get", "post"):
            monkeypatch.setattr(stub.batches, name, lambda *args: Reply.error(404))
        done = generate(tmp_path / "out.jsonl", url)
    assert done.exit_code == 1
    assert f"{url} takes no batches: run without --batch." in done.output


def test_large_runs_take_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "REQUESTS_PER_BATCH", 2)
    with serve(report) as (stub, url):
        assert generate(tmp_path / "out.jsonl", url).exit_code == 0
        assert len(stub.batches.batches) == 3
    assert len(rows(tmp_path / "out.jsonl")) == 5
