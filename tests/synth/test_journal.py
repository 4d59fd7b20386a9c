"""The journal: what was answered is on disk, whatever happened to the process, its file, or the disk."""

import json
import subprocess
import sys

import pytest

from spacy_radsent.endpoint import Answer
from spacy_radsent.errors import RadsentError
from spacy_radsent.synth.journal import Entry, Journal, key_of, wrote

ENTRY = Entry(Answer('{"findings": "右肺に結節。\ud800"}', None, 100, 10), "2026-11-26")
REFUSED = Entry(Answer("", "refusal"), "2026-11-27")


@pytest.fixture
def path(tmp_path):
    """A journal of two answers."""
    path = tmp_path / "x.jsonl.journal"
    with Journal(path) as journal:
        journal.add("a", ENTRY)
        journal.add("b", REFUSED)
        journal.add_batch("batch-1", done=False)
    return path


def test_answers_come_back_as_they_were(path):
    with Journal(path) as journal:
        assert (journal.entries.get("a"), journal.entries.get("b"), journal.entries.get("c")) == (ENTRY, REFUSED, None)
        assert "a" in journal
        assert journal.batches == {"batch-1": False}
        journal.add_batch("batch-1", done=True)
    with Journal(path) as journal:
        assert journal.batches == {"batch-1": True}
    assert path.stat().st_mode & 0o077 == 0


def test_output_is_known_until_it_is_changed(path):
    output, content = path.with_name("x.jsonl"), '{"id": "r", "text": "胸水なし。"}\n'.encode()
    with Journal(path) as journal:
        journal.add_output(content)
    output.write_bytes(content)
    for cut, known in ((None, True), (-1, True), (-3, False)):  # the line end, and what a crash left of the row
        path.write_bytes(path.read_bytes()[:cut])
        assert wrote(path, output) is known
    output.write_bytes(content + b"\n")
    assert not wrote(path, output)
    with Journal(path) as journal:
        assert journal.entries.keys() == {"a", "b"}
    assert not wrote(path.with_name("none"), output)


def test_line_that_was_cut_off_is_dropped(path):
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[-1]) + 1):
        path.write_bytes(whole[:-cut])
        with Journal(path) as journal:
            assert (journal.entries.get("a"), journal.entries.get("b"), journal.batches) == (ENTRY, REFUSED, {})
            journal.add("c", ENTRY)
        with Journal(path) as journal:
            assert journal.entries.get("c") == ENTRY


@pytest.mark.parametrize(
    "line", [b"{}\n", b"[]\n", b"\n", b"\xff\n", b'{"key": "x", "date": "", "text": "x", "y": 1}\n']
)
def test_line_that_is_none(path, line):
    damaged = line + path.read_bytes()
    path.write_bytes(damaged)
    with pytest.raises(RadsentError, match=r"x.jsonl.journal, line 1: is not of this journal: restore the file, or"):
        Journal(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("content", [b'{"precious": "data"}', b"notes", b"{"])
def test_file_without_a_line_end_that_is_none(tmp_path, content):
    (tmp_path / "mine.json").write_bytes(content)
    if content == b"{":  # half a row, as far as one can see
        return Journal(tmp_path / "mine.json").close()
    with pytest.raises(RadsentError, match=r"mine.json, line 1: is not of this journal"):
        Journal(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_bytes() == content


def test_second_process_is_refused(path):
    with Journal(path), pytest.raises(RadsentError, match="another process writes to it: wait until it is done"):
        Journal(path)
    with Journal(path) as journal:
        assert "a" in journal


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RadsentError, match="cannot be written .*: choose a writable folder"):
        Journal(tmp_path / "file" / "x.journal")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from spacy_radsent.endpoint import Answer
from spacy_radsent.errors import RadsentError
from spacy_radsent.synth.journal import Entry, Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
with Journal(path) as journal:
    size = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, size + 40))  # in the middle of the next line
    try:
        journal.add("c", Entry(Answer("x" * 200, None), "2026-11-26"))
    except RadsentError as error:
        print(error)
    assert "c" not in journal and path.stat().st_size == size
    try:
        journal.add("d", Entry(Answer("y" * 2000, None), "2026-11-26"))
    except RadsentError as error:
        print(error)
"""


def test_full_disk_costs_the_answer_alone(path):
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    errors = done.stdout.splitlines()
    assert len(errors) == 2
    assert all(error.startswith(f"{path}: cannot be written (") for error in errors)
    assert all(error.endswith("free some space, then go on with --resume.") for error in errors)
    assert path.read_bytes() == before


def test_key_tells_apart_all_that_is_asked():
    body = {"model": "m", "messages": [{"role": "user", "content": "右肺に結節あり。左肺に異常なし。"}], "seed": 1}
    swapped = {"model": "m", "messages": [{"role": "user", "content": "左肺に結節あり。右肺に異常なし。"}], "seed": 1}
    keys = [key_of(one) for one in (body, swapped, {**body, "seed": 2}, {**body, "model": "n"}, {**body, "t": 0})]
    assert len(set(keys)) == 5
    assert key_of(json.loads(json.dumps(dict(reversed(body.items()))))) == keys[0]
