"""From other formats to records: the paper's JSONL, plain text files, tables of texts."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..boundaries import SentenceRules, sentence_offsets
from ..errors import RadsentError
from ..files import read_text
from ..labels import Label
from .records import Record, Sentence, read_records

PathLike = str | Path


def import_records(path: PathLike, source: str = "auto", rules: SentenceRules = SentenceRules()) -> Iterator[Record]:
    """Read reports in any known format.

    path (PathLike): A file, or for "text" also a folder of .txt files.
    source (str): A key of `IMPORTERS`, or "auto" to tell the format by the file's ending and first line.
    rules (SentenceRules): How to split reports that come without sentences.
    YIELDS (Record): The records.
    """
    path = Path(path)
    if source == "auto":
        source = _detect(path)
    if source not in IMPORTERS:
        raise RadsentError(f"Unknown format {source!r}: use one of auto, {', '.join(IMPORTERS)}.")
    return IMPORTERS[source](path, rules)


def _detect(path: Path) -> str:
    if path.is_dir() or path.suffix == ".txt":
        return "text"
    if path.suffix in (".csv", ".tsv"):
        return "csv"
    if path.suffix == ".jsonl":
        first = next((line for line in read_text(path).split("\n") if line.strip()), "")
        return "paper" if '"finding_lines"' in first else "records"
    if not path.exists():
        raise RadsentError(f"{path}: no such file or folder: check the path.")
    raise RadsentError(f"{path}: cannot tell the format by the ending {path.suffix!r}: name it with --from.")


def _import_canonical(path: Path, rules: SentenceRules) -> Iterator[Record]:
    for record in read_records(path):
        yield record if record.sentences else _unlabelled(record.id, record.text, rules, record.meta)


def _unlabelled(id: str, text: str, rules: SentenceRules, meta: dict[str, Any] | None = None) -> Record:
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
    try:
        row = json.loads(line)
        lines, classes = row["finding_lines"], row["sentence_class"]
        classes = json.loads(classes) if isinstance(classes, str) else classes
        codes = [int(classes[sentence]) for sentence in lines]
        labels = [Label(code).name for code in codes]
    except json.JSONDecodeError as error:
        raise RadsentError(f"{where}: not valid JSON ({error.msg}): write one JSON object per line.") from None
    except KeyError as error:
        missing = error.args[0] if error.args[0] in ("finding_lines", "sentence_class") else "sentence_class"
        raise RadsentError(
            f"{where}: field {missing!r} is missing or lacks a sentence of finding_lines: every sentence needs a code."
        ) from None
    except (TypeError, ValueError):
        raise RadsentError(
            f"{where}: field 'sentence_class' holds a value that is no label code: use 0, 1, 2 or 3."
        ) from None
    text, sentences = "", []
    for sentence, label in zip(lines, labels, strict=False):
        start = len(text) + len(sentence) - len(sentence.lstrip())
        text += sentence
        if sentence.strip():
            sentences.append(Sentence(start=start, end=start + len(sentence.strip()), label=label))
        text += "\n"
    return Record(id=id, text=text[:-1], sentences=sentences)


def _import_text(path: Path, rules: SentenceRules) -> Iterator[Record]:
    """Read one report a file; the id is the file's name without its ending, with the folders below `path`."""
    files: list[Path] = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise RadsentError(f"{path}: the folder holds no .txt file: give a folder of reports.")
    for file in files:
        name = file.relative_to(path) if path.is_dir() else Path(file.name)
        yield _unlabelled(name.with_suffix("").as_posix(), read_text(file), rules)


def _import_csv(path: Path, rules: SentenceRules) -> Iterator[Record]:
    """Read a table with a column "text", an optional "id", and further columns, which go to `meta`."""
    delimiter = "\t" if path.suffix == ".tsv" else ","
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=delimiter)
    columns = rows.fieldnames or []
    if "text" not in columns:
        raise RadsentError(
            f"{path}: no column 'text' among {', '.join(columns) or 'none'}: rename the one with reports."
        )
    try:
        for number, row in enumerate(rows, 1):
            if row.pop(None, None) or row["text"] is None:  # type: ignore[call-overload]
                raise RadsentError(
                    f"{path}, row {number}: expected {len(columns)} cells: quote cells with a {delimiter!r}."
                )
            text, id = row.pop("text"), row.pop("id", None) or f"{path.stem}-{number:05d}"
            yield _unlabelled(id, text, rules, row)
    except csv.Error as error:
        raise RadsentError(f"{path}, line {rows.line_num}: not valid CSV ({error}): check the quotes.") from None


IMPORTERS: dict[str, Callable[[Path, SentenceRules], Iterator[Record]]] = {
    "records": _import_canonical,
    "paper": _import_paper,
    "text": _import_text,
    "csv": _import_csv,
}
