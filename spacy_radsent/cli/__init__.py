"""The commands: `radsent COMMAND`, or `python -m spacy radsent COMMAND`."""

from . import (  # noqa: F401  # registers the commands
    agreement,
    annotate,
    apply,
    calibrate,
    convert,
    corpus_stats,
    evaluate,
    generate,
    optimize,
    pairs,
    reproduce,
    shift,
    split,
    train_lora,
    vectors,
    view,
)
from .app import app

__all__ = ["app"]
