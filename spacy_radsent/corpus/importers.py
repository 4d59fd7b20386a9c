"""From other formats to records: the paper's JSONL, plain text files, tables of texts."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..boundaries import SentenceRules, sentence_offsets
from ..errors import RadsentError
from ..files import file_id, read_text
from ..labels import Label
from .records import Record, Sentence, load_json, read_records

PathLike = str | Path


def import_records(path: PathLike, format: str = "auto", rules: SentenceRules = SentenceRules()) -> Iterator[Record]:
    """Read reports in any known format.

    path (PathLike): A file, or for "text" also a folder of .txt files.
    format (str): A key of `IMPORTERS`, or "auto" to tell the format by the file's ending and first line.
    rules (SentenceRules): How to split reports that come without sentences.
    YIELDS (Record): The records.
    """
    path = Path(path)
    if format == "auto":
        format = _detect(path)
    if format not in IMPORTERS:
        raise RadsentError(f"Unknown format {format!r}: use one of auto, {', '.join(IMPORTERS)}.")
    return _checked(IMPORTERS[format](path, rules), path)


def _checked(records: Iterator[Record], path: Path) -> Iterator[Record]:
    """Make sure that what is written can be read again: at least one record, ids of their own."""
    seen = set()
    for record in records:
        if record.id in seen:
            raise RadsentError(f"{path}: the id {record.id!r} stands twice: give every report an id of its own.")
        seen.add(record.id)
        yield record
    if not seen:
        raise RadsentError(f"{path}: holds no report: it needs at least one.")


def _detect(path: Path) -> str:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".txt":
        return "text"
    if suffix in (".csv", ".tsv"):
        return "csv"
    if suffix == ".jsonl":
        first = next((line for line in read_text(path).split("\n") if line.strip()), "")
        return "paper" if '"finding_lines"' in first else "records"
    if not path.exists():
        raise RadsentError(f"{path}: no such file or folder: check the path.")
    raise RadsentError(f"{path}: cannot tell the format by the ending {path.suffix!r}: name it with --from.")


def _import_canonical(path: Path, rules: SentenceRules) -> Iterator[Record]:
    for record in read_records(path):
        yield record if record.sentences else unlabelled_record(record.id, record.text, rules, record.meta)


def unlabelled_record(
    id: str, text: str, rules: SentenceRules = SentenceRules(), meta: dict[str, Any] | None = None
) -> Record:
    """RETURNS (Record): A report with its sentences, found by rule."""
    sentences = [Sentence(start=start, end=end) for start, end in sentence_offsets(text, rules)]
    return Record(id=id, text=text, sentences=sentences, meta=meta or {})


def _import_paper(path: Path, rules: SentenceRules) -> Iterator[Record]:
    """Read `finding_lines` (sentences) with `sentence_class` (a JSON object: sentence -> code), one report a line.

    The released files give sentences only: they are put on lines of their own.
    """
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield _paper_record(line, f"{path.stem}-{number:05d}", f"{path}, line {number}")


def _paper_record(line: str, id: str, where: str) -> Record:
    row = load_json(line, where)
    for field in ("finding_lines", "sentence_class"):
        if not isinstance(row, dict) or field not in row:
            raise RadsentError(f"{where}: field {field!r} is missing: write finding_lines and sentence_class.")
    lines, classes = row["finding_lines"], row["sentence_class"]
    if isinstance(classes, str):
        classes = load_json(classes, f"{where}, field 'sentence_class'")
    if not (isinstance(lines, list) and all(isinstance(sentence, str) for sentence in lines)):
        raise RadsentError(f"{where}: field 'finding_lines' is no list of strings: write one sentence a string.")
    if not isinstance(classes, dict):
        raise RadsentError(f"{where}: field 'sentence_class' is no JSON object: write the code of every sentence.")
    if missing := [i for i, sentence in enumerate(lines) if sentence not in classes]:
        raise RadsentError(f"{where}: finding_lines[{missing[0]}] has no code in 'sentence_class': add it.")
    try:
        labels = [Label(int(code) if isinstance(code, str) else code).name for code in map(classes.__getitem__, lines)]
    except ValueError:
        raise RadsentError(
            f"{where}: field 'sentence_class' holds a value that is no label code: use 0, 1, 2 or 3."
        ) from None
    text, sentences = "", []
    for sentence, label in zip(lines, labels, strict=True):
        start = len(text) + len(sentence) - len(sentence.lstrip())
        text += sentence
        if sentence.strip():
            sentences.append(Sentence(start=start, end=start + len(sentence.strip()), label=label))
        text += "\n"
    return Record(id=id, text=text[:-1], sentences=sentences)


def _import_text(path: Path, rules: SentenceRules) -> Iterator[Record]:
    """Read one report a file; the id is the file's name without its ending, with the folders below `path`."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".txt")
    if not files:
        raise RadsentError(f"{path}: the folder holds no .txt file: give a folder of reports, or one .jsonl file.")
    for file in files:
        name = file.relative_to(path) if path.is_dir() else Path(file.name)
        yield unlabelled_record(file_id(name), read_text(file), rules)


def _import_csv(path: Path, rules: SentenceRules) -> Iterator[Record]:
    """Read a table with a column "text", an optional "id", and further columns, which go to `meta`."""
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    csv.field_size_limit(sys.maxsize)  # a cell is a report, of any length; strict tells of an unclosed quote
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        columns = rows.fieldnames or []
        if "text" not in columns:
            raise RadsentError(
                f"{path}: no column 'text' among {', '.join(map(_column, columns)) or 'none'}: "
                f"rename the one with reports, or add a row of column names."
            )
        for number, row in enumerate(rows, 1):
            if row.pop(None, None) or row["text"] is None:  # type: ignore[call-overload]
                raise RadsentError(
                    f"{path}, row {number}: expected {len(columns)} cells: quote cells with a {delimiter!r}."
                )
            text, id = row.pop("text"), row.pop("id", None) or f"{path.stem}-{number:05d}"
            yield unlabelled_record(id, text, rules, row)
    except csv.Error as error:
        raise RadsentError(f"{path}, line {rows.line_num}: not valid CSV ({error}): check the quotes.") from None


def _column(name: str) -> str:
    """RETURNS (str): The name of a column, unless it may be a report: a table without names starts with one."""
    return name if name.isidentifier() and len(name) <= 16 else f"({len(name)} characters)"


IMPORTERS: dict[str, Callable[[Path, SentenceRules], Iterator[Record]]] = {
    "records": _import_canonical,
    "paper": _import_paper,
    "text": _import_text,
    "csv": _import_csv,
}
