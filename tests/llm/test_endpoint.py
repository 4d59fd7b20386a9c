"""Endpoint mode over real HTTP: labels by number, and every way in which a server can fail costs that report alone."""

import json
import logging
import re
import socket
import threading
import time
from email.utils import formatdate

import pytest
from stub_server import Reply, serve
from tiny import GOLD, REPORTS, labels_of

from spacy_radsent.apply.label import Part, label_part
from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.corpus.records import Record
from spacy_radsent.corpus.rows import Row
from spacy_radsent.endpoint import Endpoint, EndpointError
from spacy_radsent.endpoint_settings import EndpointSettings
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.predictions import predict
from spacy_radsent.labels import Label

REMOTE = "https://api.example.org/v1"


def make_pipeline(url, *, attempts=1, adapter=None, **endpoint):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    settings = {"base_url": url, "max_retries": 2, "timeout": 5, **endpoint}
    config = {"model": "m", "mode": "endpoint", "attempts": attempts, "adapter": adapter, "endpoint": settings}
    nlp.add_pipe("radsent_llm", config=config)
    return nlp


def knows_reports(request):
    """What a server that labels the tiny reports right answers."""
    asked = request["messages"][1]["content"]
    gold = next((gold for text, gold in zip(REPORTS, GOLD, strict=True) if text in asked), None)
    count = len(re.findall(r"^s\d+: ", asked, re.MULTILINE))
    codes = [Label[name] for name in gold.split()] if gold else [0] * count
    return json.dumps({f"s{i}": code for i, code in enumerate(codes, 1)})


def collect_errors(nlp):
    """RETURNS (List[str]): Filled with what the error handler is told."""
    told = []
    nlp.set_error_handler(lambda name, pipe, docs, error: told.extend(f"{doc.text[:4]}: {error}" for doc in docs))
    return told


def statuses(docs):
    return ["/".join(sorted(set(doc.spans["radsent"].attrs["status"]))) for doc in docs]


def test_labels_by_number_in_order():
    with serve(knows_reports) as (stub, url):
        nlp = make_pipeline(url)
        docs = list(nlp.pipe([*REPORTS, "", *REPORTS]))
        assert [labels_of(doc) for doc in docs if len(doc)] == [gold.split() for gold in GOLD * 2]
        assert len(stub.requests) == 6
        usage = nlp.get_pipe("radsent_llm").reader.endpoint.usage
        assert (usage.answers, usage.prompt_tokens, usage.completion_tokens) == (6, 600, 60)
    request = next(request for request in stub.requests if REPORTS[0] in request["messages"][1]["content"])
    assert request["temperature"] == 0
    assert request["messages"][1]["content"].endswith(
        "文:\ns1: 胸部単純CT。\ns2: 右肺S1に8mm大の結節を認めます。\n"
        "s3: 辺縁は不整です。\ns4: 左肺に結節なし。\ns5: 胸水なし。"
    )
    form = request["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["s1", "s2", "s3", "s4", "s5"]
    assert form["schema"]["properties"]["s5"] == {"type": "integer", "enum": [0, 1, 2, 3]}


def test_workers_do_not_read_each_others_answers():
    """They are forked from a process that has a connection open."""
    with serve(knows_reports) as (_, url):
        nlp = make_pipeline(url)
        nlp(REPORTS[0])
        docs = nlp.pipe(REPORTS * 20, n_process=2, batch_size=5)
        assert [labels_of(doc) for doc in docs] == [gold.split() for gold in GOLD * 20]


def test_second_answer_that_is_worse_is_not_taken():
    answers = ['{"s1": 0, "s2": 1, "s3": 3, "s4": 2}', "no JSON"]
    with serve(lambda request: answers.pop(0)) as (_, url):
        assert labels_of(make_pipeline(url, attempts=2)(REPORTS[0])) == [*GOLD[0].split()[:4], ""]


def test_first_answer_stays_where_the_second_does_not_come():
    answers = ['{"s1": 0, "s2": 1, "s3": 3, "s4": 2}', Reply.error(400)]
    with serve(lambda request: answers.pop(0)) as (_, url):
        assert labels_of(make_pipeline(url, attempts=2)(REPORTS[0])) == [*GOLD[0].split()[:4], ""]


def test_error_of_a_second_question_is_told_where_the_first_labelled_nothing():
    answers = ["no JSON", Reply.error(400)]
    with serve(lambda request: answers.pop(0)) as (_, url):
        nlp = make_pipeline(url, attempts=2)
        told = collect_errors(nlp)
        assert statuses(nlp.pipe(REPORTS[:1])) == ["error"]
    assert len(told) == 1 and "HTTP 400" in told[0]


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"prompt_tokens": 100, "total_tokens": 100},
        {"prompt_tokens": 100, "completion_tokens": None},
        {"prompt_tokens": 100, "completion_tokens": 10**400},
        {"prompt_tokens": 100, "completion_tokens": "10"},
        None,
    ],
)
def test_answer_whose_tokens_are_not_counted(usage):
    def answer(request):
        body = json.loads(Reply.completion(knows_reports(request)).body)
        return Reply(200, json.dumps({**body, "usage": usage}))

    with serve(answer) as (_, url):
        nlp = make_pipeline(url)
        assert labels_of(nlp(REPORTS[0])) == GOLD[0].split()
        counted = nlp.get_pipe("radsent_llm").reader.endpoint.usage
        assert (counted.answers, counted.prompt_tokens, counted.completion_tokens) == (1, 100 if usage else 0, 0)


def test_server_without_structured_output():
    with serve(knows_reports) as (stub, url):
        assert labels_of(make_pipeline(url, structured_output=False)(REPORTS[0])) == GOLD[0].split()
        assert "response_format" not in stub.requests[0]


def test_as_many_questions_at_once_as_are_allowed():
    barrier = threading.Barrier(3, timeout=60)

    def together(request):
        barrier.wait()
        return knows_reports(request)

    with serve(together) as (stub, url):
        docs = list(make_pipeline(url, concurrency=3, timeout=60).pipe(REPORTS * 2))
        assert statuses(docs) == ["ok"] * 6
        assert stub.most_at_once == 3


@pytest.mark.parametrize(
    "failures",
    [
        [Reply.error(429, retry_after="0")],
        [Reply.error(500, retry_after="0"), Reply.error(503, retry_after="0")],
        [Reply(200, knows_reports({"messages": [{}, {"content": "s1: "}]}), {"retry-after": "0"}, cut=True)],
    ],
)
def test_what_passes_is_asked_again(failures):
    left = list(failures)
    with serve(lambda request: left.pop(0) if left else knows_reports(request)) as (stub, url):
        assert labels_of(make_pipeline(url)(REPORTS[0])) == GOLD[0].split()
        assert len(stub.requests) == len(failures) + 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply.error(429, retry_after="0"), "HTTP 429: lower the concurrency"),
        (Reply.error(503, retry_after="0"), "HTTP 503: check that the server runs"),
        (Reply.error(400), "HTTP 400: raise the context that the server allows"),
        (Reply.error(307, location=REMOTE), "HTTP 307"),
        (Reply(200, "<html>右肺に結節</html>", {"Content-Type": "text/html"}), "an answer that is not of OpenAI's"),
        (Reply(200, "{右肺"), "an answer that is not of OpenAI's protocol"),
        (Reply(200, "{}"), "an answer that is not of OpenAI's protocol: check the address"),
        (Reply(200, '{"choices": []}'), "an answer that is not of OpenAI's protocol"),
        (Reply.completion(["x"]), "an answer that is not of OpenAI's protocol"),
    ],
)
def test_one_report_without_an_answer(reply, message, caplog):
    def fails_for_the_second(request):
        return reply if REPORTS[1] in request["messages"][1]["content"] else knows_reports(request)

    with serve(fails_for_the_second) as (_, url), caplog.at_level(logging.INFO):
        nlp = make_pipeline(url)
        told = collect_errors(nlp)
        docs = list(nlp.pipe(REPORTS))
    assert statuses(docs) == ["ok", "error", "ok"]
    assert len(told) == 1
    assert told[0].startswith(f"＜肝＞: {url}: ") or told[0].startswith("＜肝＞")
    assert message in told[0]
    assert "右肺" not in told[0].partition(": ")[2]
    assert "右肺" not in caplog.text


def test_a_slow_server_is_given_up():
    release = threading.Event()

    def slow(request):
        if REPORTS[1] in request["messages"][1]["content"]:
            release.wait(60)
        return knows_reports(request)

    with serve(slow) as (_, url):
        nlp = make_pipeline(url, timeout=0.5, max_retries=0)
        told = collect_errors(nlp)
        docs = list(nlp.pipe(REPORTS))
        release.set()
    assert statuses(docs) == ["ok", "error", "ok"]
    assert "no answer in 0.5 seconds" in told[0]


ANSWERS = {
    "no JSON": "1, 2, 3",
    "cut off": '{"s1": 0, "s2": 1, "s',
    "a list": "[0, 1, 3, 2, 2]",
    "words around": '答え: {"s1": 0, "s2": 1, "s3": 3, "s4": 2, "s5": 2}',
    "a key too many": '{"s1": 0, "s2": 1, "s3": 3, "s4": 2, "s5": 2, "s6": 2}',
    "a key twice": '{"s1": 0, "s1": 1, "s2": 1, "s3": 3, "s4": 2, "s5": 2}',
    "keys of sentences": '{"胸部単純CT。": 0}',
    "nothing": "",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_that_cannot_be_trusted(name):
    with serve(lambda request: ANSWERS[name]) as (_, url):
        nlp = make_pipeline(url)
        doc = nlp(REPORTS[0])
        counts = nlp.get_pipe("radsent_llm").reader.counts
    assert labels_of(doc) == [""] * 5
    assert statuses([doc]) == ["error"]
    assert (counts.failed_reports, counts.failed_sentences, counts.sentences) == (1, 5, 5)


def test_codes_that_are_none_cost_their_sentence():
    answer = '{"s1": 0, "s2": 7, "s3": "3", "s5": true}'
    with serve(lambda request: answer) as (_, url):
        doc = make_pipeline(url)(REPORTS[0])
    assert labels_of(doc) == ["BACKGROUND", "", "", "", ""]
    assert doc.spans["radsent"].attrs["status"] == ["ok", "error", "error", "error", "error"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply.completion('{"s1": 0, "s2": 1, "s3": 3, "s4": 2, "s5": 2}', finish_reason="length"),
        Reply.completion('{"s1": 0, "s2": 1, "s3": 3, "s4": 2, "s5": 2}', finish_reason="content_filter"),
        Reply.completion(None, refusal="いいえ"),
    ],
)
def test_answer_that_is_not_whole_is_asked_for_again(reply):
    left = [reply]
    with serve(lambda request: left.pop() if left else knows_reports(request)) as (stub, url):
        nlp = make_pipeline(url, attempts=2)
        assert labels_of(nlp(REPORTS[0])) == GOLD[0].split()
        assert [request["temperature"] for request in stub.requests] == [0, 1]
        left.append(reply)
        assert statuses([make_pipeline(url)(REPORTS[0])]) == ["error"]


@pytest.mark.parametrize("status", [401, 404])
def test_wrong_key_or_model_is_not_tried_for_every_report(status):
    with serve(lambda request: Reply.error(status)) as (stub, url):
        nlp = make_pipeline(url, concurrency=1)
        told = collect_errors(nlp)
        docs = list(nlp.pipe(REPORTS * 5))
        assert statuses(docs) == ["error"] * 15
        assert len(stub.requests) == 3
        with pytest.raises(RadsentError, match=f"HTTP {status}: check the model's name, the key in OPENAI_API_KEY"):
            make_pipeline(url)(REPORTS[0])
    assert len(told) == 15
    assert f"{url} refuses the model 'm' (HTTP {status}): check the model's name, the address, and the key" in told[2]


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("refused", [0, 1])
def test_report_that_is_refused_takes_no_other_with_it(status, refused):
    """As by a filter of contents, be it the first."""

    def answer(request):
        filtered = REPORTS[refused] in request["messages"][1]["content"]
        return Reply.error(status) if filtered else knows_reports(request)

    with serve(answer) as (stub, url):
        nlp = make_pipeline(url, concurrency=1)
        told = collect_errors(nlp)
        expected = ["error" if i == refused else "ok" for i in range(len(REPORTS))] * 2
        assert statuses(nlp.pipe(REPORTS * 2)) == expected
        assert len(stub.requests) == 6
    assert len(told) == 2
    assert f"{url}: HTTP {status}: check the model's name, the key in OPENAI_API_KEY, and whether" in told[0]


def test_answer_that_comes_after_a_refusal_ends_it(monkeypatch):
    """Two questions at once: the one is refused, as the last that may be, before the other is answered."""
    monkeypatch.setattr("spacy_radsent.endpoint.REFUSALS", 1)
    both, refused = threading.Barrier(2, timeout=60), threading.Event()
    refuse = Endpoint._refuse

    def told(endpoint, why):
        error = refuse(endpoint, why)
        refused.set()
        return error

    monkeypatch.setattr(Endpoint, "_refuse", told)

    def answer(request):
        if not refused.is_set():
            both.wait()
        if REPORTS[0] in request["messages"][1]["content"]:
            return Reply.error(404)
        refused.wait(60)
        return knows_reports(request)

    with serve(answer) as (_, url):
        nlp = make_pipeline(url, concurrency=2, timeout=60)
        collect_errors(nlp)
        assert statuses(nlp.pipe(REPORTS[:2])) == ["error", "ok"]
        assert nlp.get_pipe("radsent_llm").reader.endpoint.refused is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.5", 0.5), ("0", None), ("-3", None), ("nan", None), ("inf", None), ("soon", None), ("", None)],
)
def test_how_long_a_server_asks_to_wait(header, seconds):
    with serve(lambda request: Reply.error(429, retry_after=header)) as (_, url):
        assert _retry_after(url) == seconds


def test_date_until_which_a_server_asks_to_wait():
    with serve(lambda request: Reply.error(429, retry_after=formatdate(time.time() + 100, usegmt=True))) as (_, url):
        assert 90 < _retry_after(url) <= 100


def _retry_after(url):
    endpoint = Endpoint(EndpointSettings(base_url=url, max_retries=0), "m")
    endpoint.connect()
    with pytest.raises(EndpointError, match="HTTP 429: lower the concurrency") as raised:
        endpoint.ask(endpoint.body([], {}))
    return raised.value.retry_after


def test_no_server():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RadsentError, match=r"no connection, or one that broke off: check that"):
        make_pipeline(f"http://127.0.0.1:{port}/v1", max_retries=0)(REPORTS[0])


def test_real_reports_stay_on_this_machine(monkeypatch, no_network):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for url in (
        REMOTE,
        "http://10.0.0.5:8000/v1",
        "http://localhost.example.org/v1",
    ):
        nlp = make_pipeline(url, max_retries=0)
        told = collect_errors(nlp)
        unknown, real = nlp.make_doc(REPORTS[0]), nlp.make_doc(REPORTS[1])
        real._.radsent_source = "real"
        assert statuses(nlp.pipe([unknown, real])) == ["error", "error"]
        assert all(f"{url} is not on this machine: set doc._.radsent_source" in message for message in told)
        assert len(told) == 2


def test_what_is_marked_or_allowed_is_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    with serve(knows_reports) as (stub, url):
        # Of this machine, but by a name that is not loopback's.
        monkeypatch.setattr("spacy_radsent.endpoint_settings.EndpointSettings.is_local", False)
        nlp = make_pipeline(url)
        synthetic = nlp.make_doc(REPORTS[0])
        synthetic._.radsent_source = "synthetic"
        assert labels_of(nlp(synthetic)) == GOLD[0].split()
        assert labels_of(make_pipeline(url, allow_remote_phi=True)(REPORTS[1])) == GOLD[1].split()
        assert stub.headers[0]["authorization"] == "Bearer secret-key"


def test_evaluate_and_apply_tell_the_source_of_a_report(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with serve(knows_reports) as (stub, url):
        monkeypatch.setattr("spacy_radsent.endpoint_settings.EndpointSettings.is_local", False)
        nlp = make_pipeline(url)
        told = collect_errors(nlp)
        metas = [{"source": "synthetic"}, {"source": "real"}, {}]
        records = [Record(id=str(i), text=REPORTS[i], meta=meta) for i, meta in enumerate(metas)]
        said = [record.meta["prediction"]["status"] for record in predict(nlp, records)]
        rows = [Row(i, record.id, record.text, record.meta) for i, record in enumerate(records)]
        counts = label_part(nlp, Part(0, rows), tmp_path, "jsonl", 64)
    assert [set(status) for status in said] == [{"ok"}, {"error"}, {"error"}]
    assert counts == (3, 2, 0)
    assert len(stub.requests) == 2 and len(told) == 4


def test_local_server_is_asked_without_a_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with serve(knows_reports) as (_, url):
        assert labels_of(make_pipeline(url, max_retries=0)(REPORTS[0])) == GOLD[0].split()


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"base_url": "127.0.0.1:8000"}, "endpoint.base_url is '127.0.0.1:8000': give a whole address"),
        ({"base_url": "http://127.0.0.1:80a/v1"}, "80a/v1': give a whole address"),
        ({"base_url": "http://[::1/v1"}, "endpoint.base_url is .*: give a whole address"),
        ({"base_url": "http://127.0.0.1@example.org/v1"}, r"holds a user's name or password \(not shown\): leave them"),
        ({"base_url": 1}, "endpoint.base_url: Input should be a valid string"),
        ({}, "endpoint.base_url: Field required"),
        ({"base_url": REMOTE, "concurrency": 0}, "endpoint.concurrency: Input should be greater than or equal to 1"),
        ({"base_url": REMOTE, "retries": 3}, "endpoint.retries: Extra inputs are not permitted; settings are base_url"),
    ],
)
def test_settings_that_cannot_be(endpoint, message):
    with pytest.raises(RadsentError, match=message):
        blank_pipeline().add_pipe("radsent_llm", config={"model": "m", "mode": "endpoint", "endpoint": endpoint})


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"base_url": REMOTE, "api_key_env": "sk-SECRET123"}, "endpoint.api_key_env is no name of an environment"),
        ({"base_url": REMOTE, "api_key_env": "SECRET\n"}, "endpoint.api_key_env is no name of an environment"),
        ({"base_url": REMOTE, "api_key_env": "鍵SECRET"}, "endpoint.api_key_env is no name of an environment"),
        ({"base_url": f"{REMOTE}?api-key=SECRET"}, "endpoint.base_url holds a query or a fragment"),
        ({"base_url": f"{REMOTE}#SECRET"}, "endpoint.base_url holds a query or a fragment"),
        ({"base_url": "api.example.org/v1?api-key=SECRET"}, "endpoint.base_url holds a query or a fragment"),
        ({"base_url": "https://[::1/v1?api-key=SECRET"}, "endpoint.base_url holds a query or a fragment"),
        ({"base_url": "https://SECRET@api.example.org/v1"}, "endpoint.base_url holds a user's name or password"),
    ],
)
def test_key_in_a_wrong_place_is_not_shown(endpoint, message):
    nlp = blank_pipeline()
    with pytest.raises(RadsentError, match=message) as raised:
        nlp.add_pipe("radsent_llm", config={"model": "m", "mode": "endpoint", "endpoint": endpoint})
    assert "SECRET" not in str(raised.value)
    assert "SECRET" not in nlp.config.to_str()


def test_what_is_missing(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(RadsentError, match=f"variable OPENAI_API_KEY is not set: put the key of {REMOTE} there"):
        make_pipeline(REMOTE)(REPORTS[0])
    nlp = blank_pipeline()
    with pytest.raises(RadsentError, match="An endpoint is given, but mode is 'score': set mode = 'endpoint'"):
        nlp.add_pipe("radsent_llm", config={"model": "m", "endpoint": {"base_url": REMOTE}})
    with pytest.raises(RadsentError, match="An adapter is given, but mode is 'endpoint': load it on the server, and"):
        make_pipeline(REMOTE, adapter="training/lora")
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent_llm", config={"model": "m", "mode": "endpoint"})
    with pytest.raises(RadsentError, match="mode is 'endpoint', but none is given: set endpoint.base_url"):
        nlp(REPORTS[0])
