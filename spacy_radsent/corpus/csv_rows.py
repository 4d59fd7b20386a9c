"""Rows of CSV files, as hospitals export them: a quote that was not doubled costs the rows that it may have reached."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TextIO

from ..errors import RadsentError
from ..files import GIVE_ENCODING, codec
from .rows import Layout, Row, make_row, rejected

DELIMITERS = (",", ";", "\t")
LINES_OF_A_CELL = 500  # no report has more, by which a quote that closes its cell would follow
REST_OF_A_CELL = "is the rest of a cell of a row before it that is no valid CSV"
MAX_CELL = 10_000_000  # characters: an unclosed quote must not take the rest of an archive into one cell


def csv_header(path: Path, layout: Layout) -> tuple[str, list[str]]:
    """RETURNS (Tuple[str, List[str]]): What separates cells, and the names of the columns."""
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    for delimiter in (usual, *DELIMITERS):
        with suppress(RadsentError):
            columns = _columns(path, delimiter, layout.encoding)
            if layout.text_column in columns:
                return delimiter, columns
    return usual, _columns(path, usual, layout.encoding)


def _columns(path: Path, delimiter: str, encoding: str) -> list[str]:
    with _open(path, encoding) as file:
        try:
            columns = next(csv.reader(file, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise RadsentError(f"{path}, line 1: not valid CSV ({error}): check the quotes.") from None
        except UnicodeError:  # an encoding that cannot pass over what it does not know
            raise RadsentError(f"{path}: not {encoding}: {GIVE_ENCODING}.") from None
    if any("\udc80" <= character <= "\udcff" for name in columns for character in name):
        raise RadsentError(f"{path}, line 1: not {encoding}: {GIVE_ENCODING}.")
    return columns


def _open(path: Path, encoding: str) -> TextIO:
    csv.field_size_limit(MAX_CELL)
    return open(path, encoding=codec(encoding), errors="surrogateescape", newline="")


def csv_rows(path: Path, delimiter: str, layout: Layout) -> Iterator[Row]:
    """YIELDS (Row): Those of a file whose first line names the columns."""
    with _open(path, layout.encoding) as file:
        lines: list[str] = []  # of the row
        rows = csv.DictReader(_kept(file, lines), delimiter=delimiter, strict=True)  # tells of an unclosed quote
        columns = len(rows.fieldnames or [])
        suspects: list[Row] | None = None  # behind a row that is no valid CSV
        for number in count(1):
            lines.clear()
            reason = ""
            try:
                values = next(rows, None)
            except csv.Error as error:
                values, reason = {}, f"is no valid CSV ({error})"
                if len(lines) > LINES_OF_A_CELL or (columns > 1 and "end of data" in str(error)):
                    # A quote that nothing closes took the rows behind it, too.
                    rows.reader = csv.reader(_kept(chain(lines[1:], file), lines), delimiter=delimiter, strict=True)
            if values is None:
                break
            if values.pop(None, None) or None in values.values():  # type: ignore[call-overload]  # surplus cells
                reason = f"has not as many cells as the {columns} columns"
            row = rejected(number, reason) if reason else make_row(number, values, layout)
            # The rest of a broken cell looks like rows, until a quote that closes it: those before that one are none.
            if suspects is not None and (not values or "".join(lines).count('"') % 2):
                yield from (rejected(suspect.number, REST_OF_A_CELL) for suspect in suspects)
                suspects = None
                row = row if not values else rejected(number, REST_OF_A_CELL)
            elif suspects is not None and (_quotes_cells(lines, delimiter) or len(suspects) == LINES_OF_A_CELL):
                yield from suspects
                suspects = None
            if suspects is None:
                yield row
            else:
                suspects.append(row)
            if not values:
                suspects = []
        yield from suspects or []


def _kept(file: Iterable[str], lines: list[str]) -> Iterator[str]:
    """YIELDS (str): The lines of a file, which are put into `lines`, too."""
    for line in file:
        lines.append(line)
        yield line


def _quotes_cells(lines: list[str], delimiter: str) -> bool:
    """RETURNS (bool): Whether a row has cells in quotes."""
    row = "".join(lines)
    return row.startswith('"') or f'{delimiter}"' in row
