"""Commands of the product in processes of their own, with no more installed than they need."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

RUN = "from spacy_radsent.cli import app; app()"
# What only extras bring, but for "train".
EXTRAS = (
    *("torch", "safetensors", "transformers", "tokenizers", "peft", "accelerate", "spacy_transformers", "spacy_llm"),
    *("onnxruntime", "openai", "tenacity", "yaml", "pyarrow", "pandas", "datasets", "ray", "huggingface_hub"),
)


def python_without(*packages: str) -> list[str]:
    """RETURNS (List[str]): This Python as if these packages, as they are imported, were not installed."""
    folder = Path(__file__).parent / "bare"
    return ["env", f"PYTHONPATH={folder}", f"NOT_INSTALLED={' '.join(packages)}", sys.executable]


FULL_PYTHON = [sys.executable]
# As whoever installed "train" has it. It starts in one second: with torch it takes six.
LIGHT_PYTHON = python_without(*EXTRAS)


def command_line(*arguments: object, python: Sequence[str] = LIGHT_PYTHON) -> list[str]:
    """RETURNS (List[str]): `radsent` in a process."""
    return [*python, "-c", RUN, *map(str, arguments)]


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen, seconds: float = 180) -> None:
    """Wait for what a process does, or for its end, and leave the cores to others meanwhile."""
    deadline = time.monotonic() + seconds
    while not is_so() and process.poll() is None:
        assert time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
