"""Errors that a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager


class RadsentError(ValueError):
    """Bad input, told in one sentence that names the value and the fix. Commands print it and exit with 1."""


def shown(value: str) -> str:
    """RETURNS (str): A name or code to show in an error, or only its length where it may be a report's text."""
    return repr(value) if value.isascii() and len(value) <= 32 else f"a text of {len(value)} characters"


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Say which extra of the package to install where an import inside fails.

    extra (str): Its name in pyproject.toml.
    """
    try:
        yield
    except ImportError as error:
        # transformers does not always tell
        name = error.name.partition(".")[0] if error.name else "A package of the encoder's tokenizer"
        raise RadsentError(f'{name} is not installed: pip install "spacy-radsent[{extra}]".') from error
