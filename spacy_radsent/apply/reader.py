"""Reading reports one by one, however many: a bad row becomes a reason, not the end of the run."""

import csv
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from ..corpus.records import WRITTEN
from ..errors import RadsentError, needs_extra, shown
from ..files import file_id, sha256_of

TEXT, ID = "text", "id"
NOT_UTF8 = "not UTF-8, or holds half of a surrogate pair"
LINES_OF_A_CELL = 500  # no report has more, by which a quote that closes its cell would follow
REST_OF_A_CELL = "is the rest of a cell of a row before it that is no valid CSV"
MAX_CELL = 10_000_000  # characters: an unclosed quote must not take the rest of an archive into one cell


class Row(NamedTuple):
    """A row of the input.

    number (int): Which, from 1.
    id (str): The report's id; by default "row-" and its number.
    text (str): The report; "" for a row that cannot be used.
    meta (Dict[str, Any]): All other columns.
    reason (str): Why it cannot be used; "" otherwise. Quotes nothing of it.
    """

    number: int
    id: str
    text: str
    meta: dict[str, Any]
    reason: str = ""


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
            files = _text_files(self.path)
            return {"name": self.path.name, "sha256": sha256_of(files, below=self.path)}
        return {"name": self.path.name, "sha256": sha256_of([self.path]), **columns}


def open_source(path: Path, text_column: str = TEXT, id_column: str = ID) -> Source:
    """Find out how to read an input.

    path (Path): A .jsonl, .csv, .tsv or .parquet file, or a folder of .txt files.
    text_column, id_column (str): Names of the columns or fields with the reports and their ids.
    RETURNS (Source): The input.
    """
    if not path.exists():
        raise RadsentError(f"{path}: no such file or folder: check the path.")
    if not os.access(path, os.R_OK):
        raise RadsentError(f"{path}: may not be read: ask for the permission.")
    suffix, columns = path.suffix.lower(), (text_column, id_column)
    if path.is_dir():
        files = _text_files(path)
        if not files:
            raise RadsentError(f"{path}: the folder holds no .txt file: give a folder of reports, or one file.")
        return Source(path, lambda: _from_folder(path, files), len(files))
    if suffix == ".jsonl":
        return Source(path, lambda: _from_jsonl(path, *columns), _count_lines(path), *columns)
    if suffix in (".csv", ".tsv"):
        delimiter = "\t" if suffix == ".tsv" else ","
        _check_columns(path, _csv_columns(path, delimiter), text_column, id_column)
        return Source(path, lambda: _from_csv(path, delimiter, *columns), None, *columns)
    if suffix == ".parquet":
        with needs_extra("tables"):
            from pyarrow import ArrowException, parquet
        try:
            file = parquet.ParquetFile(path)
        except (ArrowException, OSError) as error:
            raise RadsentError(
                f"{path}: is no Parquet file ({type(error).__name__}): give one that is whole."
            ) from None
        _check_columns(path, file.schema_arrow.names, text_column, id_column)
        return Source(path, lambda: _from_parquet(path, *columns), file.metadata.num_rows, *columns)
    raise RadsentError(
        f"{path}: cannot read {suffix or 'this'}: give .jsonl, .csv, .tsv, .parquet, or a folder of .txt."
    )


def make_row(number: int, values: Any, text_column: str, id_column: str) -> Row:
    """RETURNS (Row): Of the values of a row by column. What an earlier run of ours wrote into `meta` is left out."""
    if not isinstance(values, dict):
        return _rejected(number, "is no JSON object")
    values = dict(values)
    text, id = _decoded(values.pop(text_column, None)), _plain(_decoded(values.pop(id_column, None)))
    id = _default_id(number) if id in (None, "") else str(id)
    values = _plain(values)
    meta = _meta(values.pop("meta", {}))
    sentences = values.get("sentences")
    if isinstance(sentences, list) and all(isinstance(one, dict) and "label" in one for one in sentences):
        # A record, or a row of a part: both are found anew.
        values = {key: value for key, value in values.items() if key not in ("sentences", "findings", "source")}
    meta |= {f"input_{key}" if key in WRITTEN else key: value for key, value in values.items()}  # what is ours
    if reason := _bad_text(text):
        return Row(number, id if _is_utf8(id) else _default_id(number), "", {}, reason)
    if not _is_utf8([id, meta]):
        return _rejected(number, f"a field is {NOT_UTF8}")
    return Row(number, id, text, meta)


def _meta(meta: Any) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): `meta` of a record, or, as JSON, of a row of a Parquet part, without what we wrote."""
    if isinstance(meta, str):
        try:
            parsed = json.loads(meta)
        except (ValueError, RecursionError):
            parsed = None
        meta = _plain(parsed) if isinstance(parsed, dict) else meta
    return {key: meta[key] for key in meta if key not in WRITTEN} if isinstance(meta, dict) else {"meta": meta}


def _plain(value: Any) -> Any:
    """RETURNS (Any): What JSON can hold: null for numbers that are none, names as strings, strings for all else."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _decoded(value: Any) -> Any:
    """RETURNS (Any): A string where Parquet holds its UTF-8 without saying so; half pairs, refused below, if not UTF-8.
    None for the number that pandas writes where there is no string.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if isinstance(value, float) and math.isnan(value) else value


def _is_utf8(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _bad_text(text: Any) -> str:
    if text is None:
        return "has no text"
    if not isinstance(text, str):
        return f"text is a {type(text).__name__}, not a string"
    return "" if _is_utf8(text) else f"text is {NOT_UTF8}"


def _default_id(number: int) -> str:
    return f"row-{number:08}"


def _rejected(number: int, reason: str) -> Row:
    return Row(number, _default_id(number), "", {}, reason)


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
                yield _rejected(number, "is not UTF-8")
            except (ValueError, RecursionError):
                yield _rejected(number, "is no valid JSON")
            else:
                yield make_row(number, values, text_column, id_column)


def _count_lines(path: Path) -> int:
    """RETURNS (int): Lines, about as many as rows."""
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 22), b""))


def _csv_columns(path: Path, delimiter: str) -> list[str]:
    csv.field_size_limit(MAX_CELL)
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        try:
            return next(csv.reader(file, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise RadsentError(f"{path}, line 1: not valid CSV ({error}): check the quotes.") from None


def _check_columns(path: Path, columns: list[str], text_column: str, id_column: str) -> None:
    for column, option, is_needed in ((text_column, "text", True), (id_column, "id", id_column != ID)):
        if is_needed and column not in columns:
            names = ", ".join(map(shown, columns))
            raise RadsentError(f"{path}: no column {column!r} among {names or 'none'}: name it with --{option}-column.")
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise RadsentError(f"{path}: two columns are named {shown(twice[0])}: give each a name of its own.")


def _from_csv(path: Path, delimiter: str, text_column: str, id_column: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL)
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
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
            if values is None:
                break
            if values.pop(None, None) or None in values.values():  # type: ignore[call-overload]  # surplus cells
                reason = f"has not as many cells as the {columns} columns"
            row = _rejected(number, reason) if reason else make_row(number, values, text_column, id_column)
            # The rest of a broken cell looks like rows, until a quote that closes it: those before that one are none.
            if suspects is not None and (not values or "".join(lines).count('"') % 2):
                yield from (_rejected(suspect.number, REST_OF_A_CELL) for suspect in suspects)
                suspects = None
                row = row if not values else _rejected(number, REST_OF_A_CELL)
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


def _from_parquet(path: Path, text_column: str, id_column: str) -> Iterator[Row]:
    from pyarrow import parquet

    number = 0
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=256):
        for values in batch.to_pylist():
            number += 1
            yield make_row(number, values, text_column, id_column)


def _text_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".txt" and file.is_file())


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
