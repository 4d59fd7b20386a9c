"""From other formats to records: the paper's JSONL, plain text files, tables of texts, what `radsent apply` wrote."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..boundaries import SentenceRules, sentence_offsets
from ..errors import RadsentError
from ..files import GIVE_ENCODING, file_id, read_text, text_lines
from ..labels import Label
from .parts import is_part, part_files, read_parts
from .records import Record, Sentence, load_json, read_records
from .rows import ID, TEXT, Layout
from .sources import (
    Source,
    check_encoding,
    check_readable,
    csv_source,
    jsonl_source,
    parquet_source,
    text_files,
)

PathLike = str | Path


class Reading(NamedTuple):
    """How to read what does not tell itself.

    rules (SentenceRules): How to split reports that come without sentences.
    layout (Layout): Columns and encoding.
    corpus (bool): Whether a corpus is to come of it: no two reports of a table may have the same id, as addenda have,
        and no labels may be lost.
    """

    rules: SentenceRules = SentenceRules()
    layout: Layout = Layout()
    corpus: bool = True


def import_records(path: PathLike, format: str = "auto", reading: Reading = Reading()) -> Iterator[Record]:
    """Read reports in any known format.

    path (PathLike): A file; a folder of .txt files ("text"), or one that `radsent apply` wrote ("parts").
    format (str): A key of `IMPORTERS`, or "auto" to tell the format by the file's ending and first line.
    reading (Reading): Columns, encoding and rules.
    YIELDS (Record): The records.
    """
    path = Path(path)
    check_encoding(path, reading.layout.encoding)
    if format == "auto":
        format = _detect(path, reading)
    if format not in IMPORTERS:
        raise RadsentError(f"Unknown format {format!r}: use one of auto, {', '.join(IMPORTERS)}.")
    return _checked(IMPORTERS[format](path, reading), path, reading.corpus)


def _checked(records: Iterator[Record], path: Path, distinct: bool) -> Iterator[Record]:
    """Make sure that what is written can be read again: at least one record, ids of their own."""
    seen = set()
    for record in records:
        if distinct and record.id in seen:
            raise RadsentError(f"{path}: the id {record.id!r} stands twice: give every report an id of its own.")
        seen.add(record.id)
        yield record
    if not seen:
        raise RadsentError(f"{path}: holds no report: it needs at least one.")


def _detect(path: Path, reading: Reading) -> str:
    suffix = path.suffix.lower()
    if path.is_dir():
        return "parts" if part_files(path) else "text"
    if suffix == ".txt":
        return "text"
    if suffix in (".csv", ".tsv"):
        return "csv"
    if suffix == ".parquet":
        return "parts" if is_part(path) else "parquet"
    if suffix == ".jsonl":
        if (reading.layout.text_column, reading.layout.id_column) != (TEXT, ID):
            return "objects"
        first = next(filter(str.strip, text_lines(path)), "")
        if '"finding_lines"' in first:
            return "paper"
        # A corpus, or one to look at; objects have fields of their own.
        return "records" if reading.corpus or '"sentences"' in first else "objects"
    check_readable(path)
    raise RadsentError(
        f"{path}: cannot tell the format by the ending {path.suffix!r}: give .jsonl, .csv, .tsv, .parquet or "
        f".txt, or name it with --from."
    )


def _import_canonical(path: Path, reading: Reading) -> Iterator[Record]:
    return _split(read_records(path), reading)


def _import_parts(path: Path, reading: Reading) -> Iterator[Record]:
    return _split(read_parts(path), reading)


def _split(records: Iterator[Record], reading: Reading) -> Iterator[Record]:
    for record in records:
        yield record if record.sentences else unlabelled_record(record.id, record.text, reading.rules, record.meta)


def unlabelled_record(
    id: str, text: str, rules: SentenceRules = SentenceRules(), meta: dict[str, Any] | None = None
) -> Record:
    """RETURNS (Record): A report with its sentences, found by rule."""
    sentences = [Sentence(start=start, end=end) for start, end in sentence_offsets(text, rules)]
    return Record(id=id, text=text, sentences=sentences, meta=meta or {})


def _import_paper(path: Path, reading: Reading) -> Iterator[Record]:
    """Read `finding_lines` (sentences) with `sentence_class` (a JSON object: sentence -> code), one report a line.

    The released files give sentences only: they are put on lines of their own.
    """
    for number, line in enumerate(text_lines(path), 1):
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


def _import_text(path: Path, reading: Reading) -> Iterator[Record]:
    """Read one report a file; the id is the file's name without its ending, with the folders below `path`."""
    check_readable(path)
    for file in text_files(path) if path.is_dir() else [path]:
        name = file.relative_to(path) if path.is_dir() else Path(file.name)
        yield unlabelled_record(file_id(name), read_text(file, reading.layout.encoding), reading.rules)


def _import_rows(open_rows: Callable[[Path, Layout], Source], path: Path, reading: Reading) -> Iterator[Record]:
    """Read a report a row or JSON object, its other columns as `meta`; here, other than in `radsent apply`, each row
    must be good.
    """
    check_readable(path)
    for row in open_rows(path, reading.layout).read():
        if row.reason:
            fix = GIVE_ENCODING if "UTF-8" in row.reason else "correct it"
            raise RadsentError(f"{path}, row {row.number}: {row.reason}: {fix}.")
        if row.labelled and reading.corpus:
            raise RadsentError(
                f"{path}, row {row.number}: 'sentences' holds labels, which would be lost: give records (.jsonl with "
                f"id, text, sentences and meta), or take 'sentences' out."
            )
        yield unlabelled_record(row.id, row.text, reading.rules, row.meta)


IMPORTERS: dict[str, Callable[[Path, Reading], Iterator[Record]]] = {
    "records": _import_canonical,
    "paper": _import_paper,
    "text": _import_text,
    "csv": partial(_import_rows, csv_source),
    "parquet": partial(_import_rows, parquet_source),
    "objects": partial(_import_rows, jsonl_source),
    "parts": _import_parts,
}
