"""`radsent generate` over real HTTP: what comes out, and what every fault of a server costs."""

import json
import threading
import time

import pytest
from stub_server import Reply, serve
from synth_answers import report, rows, run

from spacy_radsent.corpus.records import read_records
from spacy_radsent.synth.attributes import read_attributes

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "reports.jsonl"


def generate(output, url, *options, count=5):
    return run("generate", output, "--count", count, "--base-url", url, "--max-retries", 2, *options)


def by_index(answers, otherwise=report):
    """RETURNS (Callable): Answers the requests of a report, told by their seeds, in that order."""
    left = {index: list(replies) for index, replies in answers.items()}

    def answer(request):
        replies = left.get(request["seed"] // 16)
        return replies.pop(0) if replies else otherwise(request)

    return answer


def test_records_with_all_that_is_known_of_them(output):
    with serve(report) as (stub, url):
        done = generate(output, url, "--seed", 0, "--temperature", 0.7)
    assert done.exit_code == 0, done.output
    records = list(read_records(output))
    assert [record.id for record in records] == [f"synth-0-{i:05d}" for i in range(5)]
    table = read_attributes()
    for i, record in enumerate(records):
        drawn = table.draw(0, i)
        assert record.sentences and record.text == record.text.strip()
        assert record.meta["source"] == "synthetic"
        assert record.meta["institution"] == drawn.style_name
        assert all(record.meta[name] == value for name, value in drawn.values.items())
        provenance = record.meta["provenance"]
        assert {name: provenance[name] for name in ("model", "temperature", "seed", "index", "attempt")} == {
            **{"model": "gpt-4.1", "temperature": 0.7, "seed": 0, "index": i, "attempt": 0}
        }
        assert provenance["attributes_sha256"] == table.sha256
        assert len(provenance["template_sha256"]) == 64
    form = stub.requests[0]["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["findings"]
    assert {request["temperature"] for request in stub.requests} == {0.7}
    assert f"{output}: 5 reports" in done.output
    assert "5 answers, 500 + 50 tokens, $0.00" in done.output
    assert not output.with_name("reports.jsonl.rejects").exists()


def test_server_decides_on_the_temperature_by_default(output):
    with serve(report) as (stub, url):
        assert generate(output, url, "--no-structured-output", count=1).exit_code == 0
    assert not {"temperature", "response_format"} & set(stub.requests[0])


@pytest.mark.parametrize(
    "fault",
    [
        Reply.error(429, retry_after="0"),
        Reply.error(500, retry_after="0"),
        Reply.error(503, retry_after="0"),
        Reply(200, report({"seed": 1}), {"retry-after": "0"}, cut=True),
    ],
)
def test_what_passes_costs_nothing(output, fault):
    with serve(by_index({2: [fault, fault]})) as (stub, url):
        done = generate(output, url)
    assert done.exit_code == 0, done.output
    assert len(rows(output)) == 5
    assert len(stub.requests) == 7


def test_server_that_never_answers_for_one_report(output):
    """The others are there, the run says what is missing, and goes on where it was."""
    down = {2: [Reply.error(503, retry_after="0")] * 3}
    with serve(by_index(down)) as (stub, url):
        done = generate(output, url)
        assert done.exit_code == 1
        assert f"1 of 5 requests got no answer; run again with --resume. The first: {url}: HTTP 503" in done.output
        assert [row["id"] for row in rows(output)] == [f"synth-0-{i:05d}" for i in (0, 1, 3, 4)]
        asked = len(stub.requests)
        done = generate(output, url, "--resume")
        assert done.exit_code == 0, done.output
        assert len(rows(output)) == 5
        assert len(stub.requests) == asked + 1


def test_answer_that_hangs_or_drips(output):
    release = threading.Event()
    slow = Reply(200, Reply.completion(report({"seed": 3})).body, drip=lambda: release.wait(0.05))

    def hang(request):
        release.wait(60)
        return report(request)

    def answer(request):
        index = request["seed"] // 16
        return slow if index == 1 else hang(request) if index == 3 else report(request)

    with serve(answer) as (_, url):
        done = generate(output, url, "--timeout", 0.5, "--max-retries", 0)
        release.set()
    assert done.exit_code == 1
    assert "2 of 5 requests got no answer" in done.output
    assert [row["id"][-1] for row in rows(output)] == ["0", "2", "4"]


GOOD = json.loads(report({"seed": 99}))["findings"]
UNUSABLE = {
    "length": Reply.completion(json.dumps({"findings": GOOD}), finish_reason="length"),
    "content_filter": Reply.completion(json.dumps({"findings": GOOD}), finish_reason="content_filter"),
    "refusal": Reply.completion(None, refusal="書けません"),
    "not_json": Reply.completion('{"findings": "右肺に結節'),
    "markup": Reply.completion(json.dumps({"findings": "```\n" + GOOD})),
    "identifier": Reply.completion(json.dumps({"findings": GOOD + "\n患者氏名：山田花子"})),
    "control_characters": Reply.completion(json.dumps({"findings": GOOD + "\ud800"})),
}


@pytest.mark.parametrize("reason", UNUSABLE)
def test_answer_that_cannot_be_used_is_asked_for_again_once(output, reason):
    reply = UNUSABLE[reason]
    with serve(by_index({1: [reply], 3: [reply, reply]})) as (stub, url):
        done = generate(output, url)
        assert done.exit_code == 0, done.output
        assert len(stub.requests) == 7
        records = {row["id"]: row["meta"]["provenance"]["attempt"] for row in rows(output)}
        assert records == {"synth-0-00000": 0, "synth-0-00001": 1, "synth-0-00002": 0, "synth-0-00004": 0}
        (reject,) = rows(output.with_name("reports.jsonl.rejects"))
        assert (reject["id"], reject["reason"]) == ("synth-0-00003", reason)
        assert f"1 answers that cannot be used ({reason} 1)" in done.output
        generate(output, url, "--resume")
        assert len(stub.requests) == 7


def test_near_duplicates_are_rejected(output):
    def same(request):
        return json.dumps({"findings": GOOD + "\n" + "脾腫なし。" * (request["seed"] // 16)})

    with serve(same) as (_, url):
        done = generate(output, url, count=2)
    assert done.exit_code == 0, done.output
    assert len(rows(output)) == 1
    (reject,) = rows(output.with_name("reports.jsonl.rejects"))
    assert (reject["reason"], reject["of"]) == ("near_duplicate", "synth-0-00000")
    assert 0.8 < reject["similarity"] < 1


def test_model_that_never_writes_a_report(output):
    with serve(lambda request: "I am sorry.") as (_, url):
        done = generate(output, url, count=3)
    assert done.exit_code == 1
    assert f"{output}: not written, no report could be used, see" in done.output
    assert not output.exists()


def test_second_attempt_without_an_answer_is_no_reject(output):
    with serve(by_index({1: [UNUSABLE["not_json"], Reply.error(400)]})) as (_, url):
        done = generate(output, url)
        assert done.exit_code == 1
        assert "1 of 5 requests got no answer; run again with --resume" in done.output
        assert generate(output, url, "--resume").exit_code == 0
    assert len(rows(output)) == 5


def test_server_that_answers_nothing_is_given_up(output):
    for reply, most in ((Reply.error(503), 20), (Reply.error(400), 60), (Reply.error(403), 60)):
        with serve(lambda request: reply) as (stub, url):  # noqa: B023
            done = generate(output, url, "--concurrency", 2, "--max-retries", 0, "--resume", count=500)
        assert done.exit_code == 1
        assert "requests got an answer. The last: " in done.output
        assert len(stub.requests) < most
        assert not output.exists()


def test_server_that_refuses_some_is_not_given_up(output):
    """Be they the first, or all that an earlier run left."""
    order = []

    def refuses(request, few):
        order.append(request["seed"])
        return Reply.error(400) if few(len(order)) else report(request)

    with serve(lambda request: refuses(request, lambda number: number <= 8)) as (stub, url):
        assert "8 of 20 requests got no answer" in generate(output, url, "--concurrency", 1, count=20).output
        assert len(rows(output)) == 12
        output.unlink()
        stub.answer = lambda request: refuses(request, lambda number: True)
        done = generate(output, url, "--concurrency", 1, "--resume", count=20)
    assert "8 of 20 requests got no answer" in done.output
    assert len(rows(output)) == 12


def test_force_sets_answers_aside(output):
    """And a run that gets none leaves the output of the one before."""
    with serve(report) as (stub, url):
        assert generate(output, url).exit_code == 0
        before, journal = output.read_bytes(), output.with_name("reports.jsonl.journal").read_bytes()
        stub.answer = lambda request: Reply.error(400)
        assert generate(output, url, "--force").exit_code == 1
        stub.answer = report
        assert generate(output, url, "--force").exit_code == 0
    assert output.read_bytes() == before
    assert output.with_name("reports.jsonl.journal.old").read_bytes() == journal
    assert output.with_name("reports.jsonl.journal.old1").exists()


@pytest.mark.parametrize("damage", [b"{}\n", b"\xff"])
def test_force_helps_where_the_journal_is_damaged(output, damage):
    output.with_name("reports.jsonl.journal").write_bytes(damage + b"{}\n")
    with serve(report) as (_, url):
        assert "start anew with --force" in generate(output, url, "--resume").output
        assert generate(output, url, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--seed", 7], "seed 0"),
        (["--model", "m"], "model 'gpt-4.1'"),
        (["--temperature", 0.5], "temperature None"),
        (["--no-structured-output"], "structured_output True"),
    ],
)
def test_another_run_does_not_go_on_with_it(output, options, what):
    with serve(report) as (stub, url):
        generate(output, url)
        before = output.read_bytes()
        done = generate(output, url, "--resume", *options)
        assert done.exit_code == 1
        assert f"is of a run with {what}, and this one has" in done.output
        assert len(stub.requests) == 5
    assert output.read_bytes() == before


def test_outputs_can_share_answers(output):
    cache = output.with_name("answers")
    with serve(report) as (stub, url):
        for name in ("a.jsonl", "b.jsonl"):
            assert generate(output.with_name(name), url, "--cache", cache).exit_code == 0
        assert len(stub.requests) == 5
        generate(output.with_name("c.jsonl"), url, "--cache", cache, "--seed", 1)
        assert len(stub.requests) == 10
    assert output.with_name("a.jsonl").read_bytes() == output.with_name("b.jsonl").read_bytes()


def test_rate_that_is_limited_is_limited_for_all(output):
    """After one 429 nothing is asked until the server may be asked again."""
    times = []

    def answer(request):
        times.append(time.monotonic())
        return Reply.error(429, retry_after="1") if len(times) == 1 else report(request)

    with serve(answer) as (_, url):
        assert generate(output, url, "--concurrency", 1, count=4).exit_code == 0
    assert times[1] - times[0] >= 1


def test_dry_run_knows_what_is_paid(output):
    with serve(report) as (_, url):
        generate(output, url, count=2)
        done = generate(output, url, "--resume", "--dry-run")
    assert "3 requests, nothing sent" in done.output


def test_run_that_got_nothing_leaves_nothing_in_the_way(output):
    with serve(lambda request: Reply.error(401)) as (stub, url):
        assert generate(output, url).exit_code == 1
        stub.answer = report
        assert generate(output, url, "--seed", 3).exit_code == 0


@pytest.mark.parametrize("status", [401, 404])
def test_wrong_key_or_model_stops_at_once(output, status):
    with serve(lambda request: Reply.error(status)) as (stub, url):
        done = generate(output, url, "--concurrency", 2, "--model", "gpt-9", count=50)
    assert done.exit_code == 1
    assert f"{url} refuses the model 'gpt-9' (HTTP {status}): check the model's name, the address, and" in done.output
    assert len(stub.requests) <= 4
    assert not output.exists()


def test_account_without_credit_stops_at_once(output):
    body = json.dumps({"error": {"message": "You exceeded", "type": "x", "code": "insufficient_quota"}})
    with serve(lambda request: Reply(429, body, {"retry-after": "0"})) as (_, url):
        done = generate(output, url, "--max-retries", 0, count=50)
    assert "says that the account has no credit left: add some, then go on." in done.output


def test_as_many_at_once_as_allowed(output):
    barrier = threading.Barrier(4, timeout=60)

    def together(request):
        barrier.wait()
        return report(request)

    with serve(together) as (stub, url):
        assert generate(output, url, "--concurrency", 4, count=8).exit_code == 0
    assert stub.most_at_once == 4


def test_dry_run_sends_and_writes_nothing(output, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with serve(report) as (stub, _):
        done = run("generate", output, "--count", 3200, "--dry-run")
        assert done.exit_code == 0, done.output
        assert not stub.requests
    assert "報告書の条件" in done.output
    assert "3200 requests, nothing sent. Estimated:" in done.output
    assert "gpt-4.1: 2,4" in done.output and "+ 960,000 tokens, $12." in done.output
    assert not list(output.parent.iterdir())


def test_limit_asks_for_the_first(output):
    with serve(report) as (stub, url):
        generate(output, url, "--limit", 2)
        assert [row["id"][-1] for row in rows(output)] == ["0", "1"]
        generate(output, url, "--resume")
        assert len(stub.requests) == 5
    assert len(rows(output)) == 5


def test_what_is_there_is_not_lost_by_mistake(output):
    with serve(report) as (stub, url):
        assert generate(output, url).exit_code == 0
        before = output.read_bytes()
        done = generate(output, url)
        assert done.exit_code == 1
        assert f"{output}: is there already: go on with --resume, or start anew with --force" in done.output
        output.unlink()
        done = generate(output, url)
        assert f"{output}.journal: is there already" in done.output
        assert "give one of them" in generate(output, url, "--resume", "--force").output
        assert len(stub.requests) == 5
        assert generate(output, url, "--resume").exit_code == 0
        assert output.read_bytes() == before
        assert generate(output, url, "--force").exit_code == 0
        assert len(stub.requests) == 10


@pytest.mark.parametrize("option", ["--force", "--resume", "--cache"])
@pytest.mark.parametrize("content", ["labelled", "of others", "no corpus"])
def test_what_others_wrote_is_not_replaced(output, option, content):
    """Nor what was generated and labelled since."""
    cache = ["--cache", output.with_name("answers")]
    with serve(report) as (stub, url):
        assert generate(output, url, *(cache if option == "--cache" else [])).exit_code == 0
        changed = rows(output)
        for row in changed:
            row["sentences"][0]["label"] = "POSITIVE" if content == "labelled" else None
            row["meta"] = row["meta"] if content == "labelled" else {"source": "real"}
        lines = ["所見,右肺に結節。"] if content == "no corpus" else map(json.dumps, changed)
        output.write_text("\n".join(lines), encoding="utf-8")
        before = {path: path.read_bytes() for path in output.parent.iterdir()}
        done = generate(output, url, *(["--force", *cache] if option == "--cache" else [option]))
        assert len(stub.requests) == 5
    assert done.exit_code == 1
    journal = cache[1] if option == "--cache" else f"{output}.journal"
    assert f"Error: {output}: was not written with the answers of {journal}, or was changed since: name" in done.output
    assert {path: path.read_bytes() for path in output.parent.iterdir()} == before


@pytest.mark.parametrize("option", ["--force", "--resume"])
def test_reports_are_not_lost_to_a_smaller_run(output, option):
    with serve(report) as (stub, url):
        assert generate(output, url).exit_code == 0
        before = {path: path.read_bytes() for path in output.parent.iterdir()}
        for options, count in ((["--limit", 2], 5), ([], 2)):
            done = generate(output, url, option, *options, count=count)
            assert done.exit_code == 1
            assert f"{output}: holds 5 reports, and this run is for 2: name another file, or move" in done.output
        assert len(stub.requests) == 5
    assert {path: path.read_bytes() for path in output.parent.iterdir()} == before


def test_output_without_its_journal_is_not_replaced(output):
    with serve(report) as (stub, url):
        assert generate(output, url).exit_code == 0
        output.with_name("reports.jsonl.journal").unlink()
        for option in ("--resume", "--force"):
            assert f"was not written with the answers of {output}.journal" in generate(output, url, option).output
        assert len(stub.requests) == 5


@pytest.mark.parametrize("name", ["reports.jsonl", "reports.jsonl.rejects"])
def test_cache_is_not_what_is_written(output, name):
    with serve(report) as (stub, url):
        done = generate(output, url, "--cache", output.with_name(name))
    assert (done.exit_code, len(stub.requests)) == (1, 0)
    assert f"{name}: is read or written by this run already: name a file for answers alone." in done.output
    assert not list(output.parent.iterdir())


def test_output_is_a_jsonl_file(output):
    for name in ("reports.csv", "reports"):
        done = generate(output.with_name(name), "http://127.0.0.1:9/v1")
        assert done.exit_code == 1
        assert f"{name}: is to hold records: name a .jsonl file." in done.output
    assert not list(output.parent.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", 0], "--count 0: give at least 1"),
        (["--count", 2, "--concurrency", 0], "endpoint.concurrency: Input should be greater than or equal to 1"),
        (["--count", 2, "--base-url", "example.org"], "endpoint.base_url is 'example.org': give a whole address"),
        (["--count", 2, "--attributes", "none.yaml"], "none.yaml: no such file"),
        (["--count", 2, "--template", "none.jinja"], "none.jinja: no such file"),
        (["--count", 2, "--price", "cheap"], "--price 'cheap': give two numbers"),
        (["--count", 2, "--price", "nan,-1"], "--price 'nan,-1': give two numbers"),
        (["--count", 2, "--temperature", "nan"], "--temperature nan: give a number from 0 to 2"),
        (["--count", 2, "--timeout", "inf"], "endpoint.timeout: Input should be less than or equal to 86400"),
        (["--count", 2, "--api-key-env", "NO_SUCH_KEY"], "The environment variable NO_SUCH_KEY is not set"),
    ],
)
def test_bad_input(output, options, message):
    done = run("generate", output, *options)
    assert done.exit_code == 1
    assert message in done.output
    assert not list(output.parent.iterdir())


def test_key_is_written_nowhere(output, caplog):
    caplog.set_level("DEBUG")
    faults = {1: [Reply.error(500, retry_after="0")] * 9, 2: [UNUSABLE["not_json"]] * 9}
    with serve(by_index(faults)) as (stub, url):
        done = generate(output, url)
        assert stub.headers[0]["authorization"] == f"Bearer {KEY}"
    written = [path for path in output.parent.rglob("*") if path.is_file()]
    assert len(written) == 4  # output, journal, its lock, rejects
    for path in written:
        assert KEY not in path.read_text(encoding="utf-8")
    assert KEY not in done.output + caplog.text + str(done.exception)
