"""kill -9 in the middle of a run: nothing paid for is lost or asked for twice, and the end is the same."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest
from stub_server import Reply, serve
from synth_answers import is_for_report, labels, report, rows, run

from spacy_radsent.synth.journal import Journal, key_of

REPORTS, CONCURRENCY, KILLS = 60, 4, 3
# A background job of a shell, as tests may be, ignores Ctrl-C, and so would what it starts.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from spacy_radsent.cli import app
app(sys.argv[1:])
"""


class Killer:
    """Answers, and kills whom it is told to when so many more requests have come; the last one gets no answer."""

    def __init__(self):
        self.process, self.left = None, None

    def __call__(self, request):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return report(request) if is_for_report(request) else labels(request)


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Reports of an uninterrupted run."""
    path = tmp_path_factory.mktemp("whole") / "reports.jsonl"
    with serve(report) as (_, url):
        assert run("generate", path, "--count", REPORTS, "--base-url", url).exit_code == 0
    return path


@pytest.mark.parametrize("command", ["generate", "annotate"])
def test_run_that_is_killed_again_and_again(tmp_path, reports, command):
    output = tmp_path / "out.jsonl"
    whole, killer, moments = reports, Killer(), random.Random(0)
    arguments = ["generate", output, "--count", REPORTS]
    with serve(killer) as (stub, url):
        server = ["--base-url", url, "--concurrency", CONCURRENCY]
        if command == "annotate":
            whole = tmp_path / "whole.jsonl"
            assert run("annotate", reports, whole, *server).exit_code == 0
            stub.requests.clear()
            arguments = ["annotate", reports, output]
        answered = 0
        for kill in range(KILLS):
            killer.left = moments.randint(CONCURRENCY + 1, REPORTS // KILLS)
            killer.process = start(*arguments, *server, *(["--resume"] if kill else []))
            killer.process.communicate(timeout=120)
            assert killer.process.returncode == -signal.SIGKILL
            assert not output.exists()
            with Journal(output.with_name("out.jsonl.journal")) as journal:
                assert len(journal.entries) > answered
                answered = len(journal.entries)
        killer.left = None
        last = start(*arguments, *server, "--resume")
        assert "Error" not in last.communicate(timeout=120)[0]
        assert last.returncode == 0
    assert output.read_bytes() == whole.read_bytes()
    assert len({row["id"] for row in rows(output)}) == REPORTS
    times = Counter(key_of(request) for request in stub.requests)
    assert len(times) == REPORTS
    # What was on its way at a kill was not yet here, and only that is asked for again.
    assert sum(times.values()) - REPORTS <= KILLS * CONCURRENCY


def test_interrupt_waits_for_no_server_that_fails(tmp_path):
    """Ctrl-C while requests wait to be tried again, for as long as the server said."""
    interrupted = threading.Event()

    def answer(request):
        if not interrupted.is_set():
            interrupted.set()
            os.kill(process.pid, signal.SIGINT)
        return Reply.error(429, retry_after="100")

    with serve(answer) as (_, url):
        process = start("generate", tmp_path / "out.jsonl", "--count", 20, "--base-url", url)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted: go on with --resume." in output
