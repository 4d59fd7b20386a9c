"""The commands with no more installed than the workflow of the CPU pipeline needs."""

import os
import subprocess

import pytest
from processes import EXTRAS, LIGHT_PYTHON, RUN, command_line, python_without

# In "train", not in the core.
TRAIN = ("sklearn", "scipy", "matplotlib", "ginza")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def test_commands_start_and_the_core_ones_work(tmp_path):
    core = python_without(*EXTRAS, *TRAIN)
    done = run(*command_line("--help", python=core))
    assert done.returncode == 0, done.stderr
    (tmp_path / "reports.csv").write_text("id,text\nR1,胸水なし。\n", encoding="utf-8")
    done = run(*command_line("convert", tmp_path / "reports.csv", tmp_path / "reports.jsonl", python=core))
    assert done.returncode == 0, done.stderr


def test_what_the_workflow_of_the_cpu_pipeline_uses_needs_the_extra_train_alone():
    modules = ("evaluate", "paper", "shift", "operating_point")
    imports = "\n".join(f"import spacy_radsent.evaluation.{name}" for name in modules)
    done = run(*LIGHT_PYTHON, "-c", f"{imports}\nimport spacy_radsent.augment.style")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command",
    [["-c", RUN], ["-m", "spacy", "radsent"]],
    ids=["radsent", "spacy"],
)
def test_a_terminal_that_lacks_a_character_of_a_name(command, tmp_path):
    (tmp_path / "胸部.csv").write_text("id,text\nR1,胸水なし。\n", encoding="utf-8")
    arguments = [*LIGHT_PYTHON, *command, "convert", "胸部.csv", "肺–胸.jsonl"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp932"}
    done = subprocess.run(arguments, capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("cp932") == "肺\\u2013胸.jsonl: 1 reports, 1 sentences (without label 1)\n"
