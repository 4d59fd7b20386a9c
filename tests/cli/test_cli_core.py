"""The commands with no more installed than the workflow of the CPU pipeline needs."""

import os
import subprocess
import sys

import pytest

# What only extras bring, but for "train".
EXTRAS = (
    *("torch", "safetensors", "transformers", "tokenizers", "peft", "accelerate", "spacy_transformers", "spacy_llm"),
    *("onnxruntime", "openai", "tenacity", "yaml", "pyarrow", "pandas", "datasets", "ray", "huggingface_hub"),
)
# In "train", not in the core.
TRAIN = ("sklearn", "scipy", "matplotlib", "ginza")


# As if not installed: None in sys.modules is something else to libraries that look there (scipy does).
BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


def run(blocked, code, *arguments):
    command = [sys.executable, "-c", BLOCK.format(blocked=blocked) + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_commands_start_and_the_core_ones_work(tmp_path):
    app = "from spacy_radsent.cli import app; app()"
    done = run((*EXTRAS, *TRAIN), app, "--help")
    assert done.returncode == 0, done.stderr
    (tmp_path / "reports.csv").write_text("id,text\nR1,胸水なし。\n", encoding="utf-8")
    done = run((*EXTRAS, *TRAIN), app, "convert", tmp_path / "reports.csv", tmp_path / "reports.jsonl")
    assert done.returncode == 0, done.stderr


def test_what_the_workflow_of_the_cpu_pipeline_uses_needs_the_extra_train_alone():
    modules = ("evaluate", "paper", "shift", "operating_point")
    imports = "\n".join(f"import spacy_radsent.evaluation.{name}" for name in modules)
    done = run(EXTRAS, f"{imports}\nimport spacy_radsent.augment.style")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command",
    [["-c", "from spacy_radsent.cli import app; app()"], ["-m", "spacy", "radsent"]],
    ids=["radsent", "spacy"],
)
def test_a_terminal_that_lacks_a_character_of_a_name(command, tmp_path):
    (tmp_path / "胸部.csv").write_text("id,text\nR1,胸水なし。\n", encoding="utf-8")
    arguments = [sys.executable, *command, "convert", "胸部.csv", "肺–胸.jsonl"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp932"}
    done = subprocess.run(arguments, capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("cp932") == "肺\\u2013胸.jsonl: 1 reports, 1 sentences (without label 1)\n"
