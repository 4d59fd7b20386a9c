"""`radsent apply --engine ray` on a cluster of this machine: the same files, also where an actor is killed."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from archives import has_parts, parts, write_rows
from processes import FULL_PYTHON, command_line, wait_until
from tiny import REPORTS
from typer.testing import CliRunner

from spacy_radsent.cli import app

pytest.importorskip("ray")


def actors() -> list[int]:
    """RETURNS (List[int]): Processes that are actors with a pipeline."""
    found = subprocess.run(["pgrep", "-f", "^ray::Labeller"], capture_output=True, text=True).stdout
    return [int(line) for line in found.split()]


@pytest.mark.skipif(not shutil.which("pgrep"), reason="pgrep is not installed")
def test_two_actors_of_which_one_is_killed_give_what_one_process_gives(pipeline, tmp_path):
    rows = [{"id": f"R{i:04}", "text": f"{REPORTS[i % 3]}\n{i}。"} for i in range(300)]
    source = write_rows(tmp_path / "rows.jsonl", [*rows, {"text": None}])
    command = command_line("apply", pipeline, source, tmp_path / "ray", "--part-size", 5, python=FULL_PYTHON)
    with subprocess.Popen(
        [*command, "--engine", "ray", "--n-process", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # On a slow machine the first actor may write parts before the second is up.
        wait_until(lambda: has_parts(tmp_path / "ray", 3) and len(actors()) >= 2, process)
        assert process.poll() is None, process.stderr.read()
        os.kill(actors()[0], signal.SIGKILL)
        output, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert "300 reports labelled" in output and "1 rejected" in output
    done = CliRunner().invoke(app, ["apply", str(pipeline), str(source), str(tmp_path / "one"), "--part-size", "5"])
    assert done.exit_code == 0
    assert [row["id"] for row in parts(tmp_path / "ray")] == [row["id"] for row in rows]
    for file in sorted((tmp_path / "one").glob("*-*.jsonl")):
        assert file.read_bytes() == (tmp_path / "ray" / file.name).read_bytes()


def test_without_the_extra(pipeline, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    source = write_rows(tmp_path / "rows.jsonl", [{"text": "胸水なし。"}])
    done = CliRunner().invoke(app, ["apply", str(pipeline), str(source), str(tmp_path / "out"), "--engine", "ray"])
    assert done.exit_code == 1
    assert 'ray is not installed: pip install "spacy-radsent[ray]".' in done.output


def test_a_model_that_does_not_load_is_told_in_one_sentence(tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", [{"text": "胸水なし。"}])
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.cfg").write_text("[nlp]\n")
    command = command_line("apply", tmp_path / "model", source, tmp_path / "out", "--engine", "ray", python=FULL_PYTHON)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr
