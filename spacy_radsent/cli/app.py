"""The application that the commands register with, and what they share."""

import functools
import io
import sys
from collections.abc import Callable
from typing import Any

import typer

from ..errors import RadsentError
from ..files import UTF8

ENCODING: str = typer.Option(UTF8, help="Of .csv, .tsv and .txt: e.g. cp932, as Excel saves in Japan.")

app = typer.Typer(
    name="radsent",
    help="Sentence labels for Japanese radiology reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and those hold reports
)


@app.callback()
def main() -> None:
    """Sentence labels for Japanese radiology reports."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr is: a terminal that lacks a character must not make fail what is done already.
        sys.stdout.reconfigure(errors="backslashreplace")


def command(name: str, **settings: Any) -> Callable[[Callable], Callable]:
    """Register a command, with settings of typer; bad input becomes one line on stderr and exit code 1."""

    def register(function: Callable) -> Callable:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except RadsentError as error:
                print(f"Error: {error}", file=sys.stderr)
                raise typer.Exit(1) from None

        return app.command(name, **settings)(run)

    return register
