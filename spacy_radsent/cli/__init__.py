"""The commands: `radsent COMMAND`, or `python -m spacy radsent COMMAND`."""

from . import annotate, convert, corpus_stats, generate, optimize, split, train_lora  # noqa: F401  # registers the commands
from .app import app

__all__ = ["app"]
