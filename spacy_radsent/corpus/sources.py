"""Reports as they come, one by one, however many: from JSON lines, tables, or a folder of text files."""

import json
import os
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import TEXT_HEADER, RadsentError, needs_extra, shown
from ..files import UTF8, codec, file_id, sha256_of
from .csv_rows import csv_header, csv_rows
from .rows import ID, Layout, Row, make_row, rejected


class Source(NamedTuple):
    """An input.

    path (Path): Where it is.
    rows (Callable[[], Iterator[Row]]): Reads it from the beginning.
    total (Optional[int]): Rows; None where that is not known before.
    layout (Layout): How it is read.
    """

    path: Path
    rows: Callable[[], Iterator[Row]]
    total: int | None
    layout: Layout = Layout()

    def read(self) -> Iterator[Row]:
        """YIELDS (Row): All rows, from the beginning. One without an id has its file's name and its number for it."""
        name = file_id(Path(self.path.name))
        try:
            yield from (row if row.id else row._replace(id=f"{name}-{row.number:05}") for row in self.rows())
        except (OSError, EOFError, UnicodeError) as error:  # pyarrow's errors of damaged files are OSErrors
            raise RadsentError(
                f"{self.path}: cannot be read to its end ({type(error).__name__}): give a readable file that is whole."
            ) from None

    def fingerprint(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What tells it from another input: name, hash, and how it is read."""
        layout = self.layout._asdict()
        if self.path.is_dir():
            sha256 = sha256_of(text_files(self.path), below=self.path)
            return {"name": self.path.name, "sha256": sha256, "encoding": layout["encoding"]}
        return {"name": self.path.name, "sha256": sha256_of([self.path]), **layout}


def open_source(path: Path, layout: Layout = Layout()) -> Source:
    """Find out how to read an input.

    path (Path): A .jsonl, .csv, .tsv or .parquet file, or a folder of .txt files.
    layout (Layout): How it holds the reports.
    RETURNS (Source): The input.
    """
    check_readable(path)
    check_encoding(path, layout.encoding)
    if path.is_dir():
        files = text_files(path)
        return Source(path, lambda: _from_folder(path, files, layout.encoding), len(files), layout)
    suffix = path.suffix.lower()
    if suffix not in SOURCES:
        raise RadsentError(
            f"{path}: cannot read {suffix or 'this'}: give .jsonl, .csv, .tsv, .parquet, or a folder of .txt."
        )
    return SOURCES[suffix](path, layout)


def check_readable(path: Path) -> None:
    """Say so where a file or folder is not there, or may not be read."""
    if not path.exists():
        raise RadsentError(f"{path}: no such file or folder: check the path.")
    if not os.access(path, os.R_OK):
        raise RadsentError(f"{path}: may not be read: ask for the permission.")


def check_encoding(path: Path, encoding: str) -> None:
    """Say so where there is no such encoding, or a file cannot have it."""
    try:
        b"  ".decode(encoding, "replace")
    except (LookupError, UnicodeError):
        raise RadsentError(f"--encoding {shown(encoding)}: is none that Python knows: give e.g. cp932.") from None
    if codec(encoding) != codec(UTF8) and path.suffix.lower() in (".jsonl", ".parquet"):
        raise RadsentError(f"{path}: is read as UTF-8: leave out --encoding, which is for .csv, .tsv and .txt.")


def jsonl_source(path: Path, layout: Layout = Layout()) -> Source:
    """RETURNS (Source): A file with a JSON object a line, of any fields."""
    return Source(path, lambda: _from_jsonl(path, layout), _count_lines(path), layout)


def csv_source(path: Path, layout: Layout = Layout()) -> Source:
    """RETURNS (Source): A table whose first line names its columns."""
    delimiter, names = csv_header(path, layout)
    _check_columns(path, names, layout)
    return Source(path, lambda: csv_rows(path, delimiter, layout), None, layout)


def parquet_source(path: Path, layout: Layout = Layout()) -> Source:
    """RETURNS (Source): A Parquet file."""
    file = open_parquet(path)
    _check_columns(path, file.schema_arrow.names, layout)
    return Source(path, lambda: _from_parquet(path, layout), file.metadata.num_rows, layout)


def open_parquet(path: Path) -> Any:
    """RETURNS (pyarrow.parquet.ParquetFile): The file."""
    with needs_extra("tables"):
        from pyarrow import ArrowException, parquet
    try:
        return parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise RadsentError(f"{path}: is no Parquet file ({type(error).__name__}): give one that is whole.") from None


SOURCES = {".jsonl": jsonl_source, ".csv": csv_source, ".tsv": csv_source, ".parquet": parquet_source}


def _check_columns(path: Path, columns: list[str], layout: Layout) -> None:
    if not any(name.strip() for name in columns):
        raise RadsentError(f"{path}: is empty, or its first line is: give a table whose first line names its columns.")
    text, id = layout.text_column, layout.id_column
    for column, option, is_needed in ((text, "text", True), (id, "id", id != ID)):
        if is_needed and column not in columns:
            names = ", ".join(map(shown, columns))
            # One that is nearly what was asked for cannot be a patient's name.
            nearly = get_close_matches(column, columns, n=1)
            if column == text:
                nearly = nearly or [name for name in columns if TEXT_HEADER.fullmatch(name)][:1]
            meant = "".join(f" (is {name!r} meant?)" for name in nearly)
            raise RadsentError(f"{path}: no column {column!r} among {names}{meant}: name it with --{option}-column.")
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise RadsentError(f"{path}: two columns are named {shown(twice[0])}: give each a name of its own.")


def _from_jsonl(path: Path, layout: Layout) -> Iterator[Row]:
    with open(path, "rb") as file:
        number = 0
        for line in file:
            if not line.strip():
                continue
            number += 1
            try:
                values = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                yield rejected(number, "is not UTF-8")
            except (ValueError, RecursionError):
                yield rejected(number, "is no valid JSON")
            else:
                yield make_row(number, values, layout)


def _count_lines(path: Path) -> int:
    """RETURNS (int): Lines, about as many as rows."""
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 22), b""))


def _from_parquet(path: Path, layout: Layout) -> Iterator[Row]:
    rows = chain.from_iterable(batch.to_pylist() for batch in open_parquet(path).iter_batches(batch_size=256))
    for number, values in enumerate(rows, 1):
        yield make_row(number, values, layout)


def text_files(folder: Path) -> list[Path]:
    """RETURNS (List[Path]): Those of a folder and the folders in it, one at least."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".txt" and file.is_file())
    if not files:
        raise RadsentError(f"{folder}: the folder holds no .txt file: give a folder of reports, or one file.")
    return files


def _from_folder(folder: Path, files: list[Path], encoding: str) -> Iterator[Row]:
    for number, file in enumerate(files, 1):
        id = file_id(file.relative_to(folder))
        try:
            text = file.read_bytes().decode(codec(encoding))
        except UnicodeError:
            yield Row(number, id, "", {}, f"is not {encoding}")
        except OSError as error:
            yield Row(number, id, "", {}, f"cannot be read ({error.strerror})")
        else:
            yield Row(number, id, text, {})
