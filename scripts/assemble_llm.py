"""Assemble a pipeline of a language model and its adapter that can be used from any folder."""

import os
import subprocess
import sys


def main(config: str, output: str, llm: str, adapter: str) -> None:
    paths = ["--paths.llm", _located(llm), "--paths.adapter", _located(adapter)]
    sys.exit(subprocess.run([sys.executable, "-m", "spacy", "assemble", config, output, *paths]).returncode)


def _located(name: str) -> str:
    """RETURNS (str): The absolute path of a folder that is there; any other name, as on the hub, as it is."""
    folder = os.path.expanduser(name)
    return os.path.abspath(folder) if os.path.isdir(folder) else name


if __name__ == "__main__":
    main(*sys.argv[1:])
