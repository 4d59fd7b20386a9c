"""Reports as they come, one by one, however many: from JSON lines, tables, or a folder of text files."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import RadsentError, needs_extra, shown
from ..files import file_id, sha256_of
from .csv_rows import csv_header, csv_rows
from .rows import Row, make_row, rejected

TEXT, ID = "text", "id"


class Source(NamedTuple):
    """An input.

    path (Path): Where it is.
    rows (Callable[[], Iterator[Row]]): Reads it from the beginning.
    total (Optional[int]): Rows; None where that is not known before.
    text_column, id_column (str): Names of the columns or fields with the reports and their ids.
    """

    path: Path
    rows: Callable[[], Iterator[Row]]
    total: int | None
    text_column: str = TEXT
    id_column: str = ID

    def read(self) -> Iterator[Row]:
        """YIELDS (Row): All rows, from the beginning."""
        try:
            yield from self.rows()
        except (OSError, EOFError) as error:  # pyarrow's errors of damaged files are OSErrors
            raise RadsentError(
                f"{self.path}: cannot be read to its end ({type(error).__name__}): give a readable file that is whole."
            ) from None

    def fingerprint(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What tells it from another input: name, hash, and which columns are read."""
        columns = {"text_column": self.text_column, "id_column": self.id_column}
        if self.path.is_dir():
            files = text_files(self.path)
            return {"name": self.path.name, "sha256": sha256_of(files, below=self.path)}
        return {"name": self.path.name, "sha256": sha256_of([self.path]), **columns}


def open_source(path: Path, text_column: str = TEXT, id_column: str = ID) -> Source:
    """Find out how to read an input.

    path (Path): A .jsonl, .csv, .tsv or .parquet file, or a folder of .txt files.
    text_column, id_column (str): Names of the columns or fields with the reports and their ids.
    RETURNS (Source): The input.
    """
    check_readable(path)
    if path.is_dir():
        files = text_files(path)
        return Source(path, lambda: _from_folder(path, files), len(files))
    suffix = path.suffix.lower()
    if suffix not in SOURCES:
        raise RadsentError(
            f"{path}: cannot read {suffix or 'this'}: give .jsonl, .csv, .tsv, .parquet, or a folder of .txt."
        )
    return SOURCES[suffix](path, text_column, id_column)


def check_readable(path: Path) -> None:
    """Say so where a file or folder is not there, or may not be read."""
    if not path.exists():
        raise RadsentError(f"{path}: no such file or folder: check the path.")
    if not os.access(path, os.R_OK):
        raise RadsentError(f"{path}: may not be read: ask for the permission.")


def jsonl_source(path: Path, text_column: str = TEXT, id_column: str = ID) -> Source:
    """RETURNS (Source): A file with a JSON object a line, of any fields."""
    return Source(path, lambda: _from_jsonl(path, text_column, id_column), _count_lines(path), text_column, id_column)


def csv_source(path: Path, text_column: str = TEXT, id_column: str = ID) -> Source:
    """RETURNS (Source): A table whose first line names its columns."""
    delimiter, names = csv_header(path, text_column)
    _check_columns(path, names, text_column, id_column)
    return Source(path, lambda: csv_rows(path, delimiter, text_column, id_column), None, text_column, id_column)


def parquet_source(path: Path, text_column: str = TEXT, id_column: str = ID) -> Source:
    """RETURNS (Source): A Parquet file."""
    file = open_parquet(path)
    _check_columns(path, file.schema_arrow.names, text_column, id_column)
    rows = file.metadata.num_rows
    return Source(path, lambda: _from_parquet(path, text_column, id_column), rows, text_column, id_column)


def open_parquet(path: Path) -> Any:
    """RETURNS (pyarrow.parquet.ParquetFile): The file."""
    with needs_extra("tables"):
        from pyarrow import ArrowException, parquet
    try:
        return parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise RadsentError(f"{path}: is no Parquet file ({type(error).__name__}): give one that is whole.") from None


SOURCES = {".jsonl": jsonl_source, ".csv": csv_source, ".tsv": csv_source, ".parquet": parquet_source}


def _check_columns(path: Path, columns: list[str], text_column: str, id_column: str) -> None:
    for column, option, is_needed in ((text_column, "text", True), (id_column, "id", id_column != ID)):
        if is_needed and column not in columns:
            names = ", ".join(map(shown, columns))
            raise RadsentError(f"{path}: no column {column!r} among {names or 'none'}: name it with --{option}-column.")
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise RadsentError(f"{path}: two columns are named {shown(twice[0])}: give each a name of its own.")


def _from_jsonl(path: Path, text_column: str, id_column: str) -> Iterator[Row]:
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
                yield make_row(number, values, text_column, id_column)


def _count_lines(path: Path) -> int:
    """RETURNS (int): Lines, about as many as rows."""
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 22), b""))


def _from_parquet(path: Path, text_column: str, id_column: str) -> Iterator[Row]:
    rows = chain.from_iterable(batch.to_pylist() for batch in open_parquet(path).iter_batches(batch_size=256))
    for number, values in enumerate(rows, 1):
        yield make_row(number, values, text_column, id_column)


def text_files(folder: Path) -> list[Path]:
    """RETURNS (List[Path]): Those of a folder and the folders in it, one at least."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".txt" and file.is_file())
    if not files:
        raise RadsentError(f"{folder}: the folder holds no .txt file: give a folder of reports, or one file.")
    return files


def _from_folder(folder: Path, files: list[Path]) -> Iterator[Row]:
    for number, file in enumerate(files, 1):
        id = file_id(file.relative_to(folder))
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            yield Row(number, id, "", {}, "is not UTF-8")
        except OSError as error:
            yield Row(number, id, "", {}, f"cannot be read ({error.strerror})")
        else:
            yield Row(number, id, text, {})
