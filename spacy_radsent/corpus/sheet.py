"""Labelling by hand in a spreadsheet: a row a sentence, and the labels back from it."""

import csv
import io
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import RadsentError, shown
from ..files import atomic_writer, read_bytes
from ..labels import LABELS
from .csv_rows import DELIMITERS, MAX_CELL
from .records import WRITTEN, Record

COLUMNS = ("key", "report", "sentence", "label", "status")
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what a spreadsheet may compute


def write_sheet(records: Iterable[Record], path: Path) -> None:
    """Write a row for each sentence: its key, its report, its text, its label where it has one, and its status.

    records (Iterable[Record]): The reports.
    path (Path): A .csv file. It has a byte order mark, by which Excel knows that it is UTF-8.
    """
    with atomic_writer(path) as file:
        rows = csv.writer(file)
        file.write("\ufeff")
        rows.writerow(COLUMNS)
        for number, record in enumerate(records, 1):
            columns = _keys(number, record), record.sentence_texts, record.sentences, _statuses(record)
            for key, text, sentence, status in zip(*columns, strict=True):
                rows.writerow([key, _cell(record.id), _cell(text), sentence.label, status])


def with_labels_of(records: Iterable[Record], path: Path) -> Iterator[Record]:
    """Take labels from a sheet.

    records (Iterable[Record]): The reports that it was written of.
    path (Path): The sheet, also as Excel saves it: in any order, in CP932, with semicolons. Labels are names or codes;
        an empty cell is a sentence that nobody has labelled.
    YIELDS (Record): Reports whose sentences have these labels and no others, without what a pipeline had said of them.
    """
    labels = _read(path)
    for number, record in enumerate(records, 1):
        for key, sentence in zip(_keys(number, record), record.sentences, strict=True):
            if key not in labels:
                raise RadsentError(
                    f"{path}: has no row with the key {key!r}, a sentence of report {shown(record.id)}: give the sheet "
                    f"that was made of these reports, with all of its rows."
                )
            sentence.label = labels.pop(key)
        for field in WRITTEN:
            record.meta.pop(field, None)
        yield record
    if labels:
        raise RadsentError(
            f"{path}: the key {shown(next(iter(labels)))} is no sentence of these reports: give those that it was made "
            f"of."
        )


def _keys(number: int, record: Record) -> list[str]:
    """RETURNS (List[str]): A name for each sentence of a report, which no spreadsheet takes for a number or a date, and
    which the sentences of another report in its place have not.
    """
    report = zlib.crc32(f"{record.id}\0{record.text}".encode())
    return [f"r{number}s{i}x{report:08x}" for i in range(1, len(record.sentences) + 1)]


def _statuses(record: Record) -> list[str]:
    """RETURNS (List[str]): What a pipeline said of each sentence; "" where none did."""
    prediction = record.meta.get("prediction")
    statuses = prediction.get("status") if isinstance(prediction, dict) else None
    fits = isinstance(statuses, list) and len(statuses) == len(record.sentences)
    return statuses if fits else [""] * len(record.sentences)  # type: ignore[return-value]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _read(path: Path) -> dict[str, str | None]:
    data = read_bytes(path)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:  # as Excel saves it in Japan; what CP932 lacks is in no key and no label
        content = data.decode("cp932", errors="replace")
    first = content.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    labels: dict[str, str | None] = {}
    csv.field_size_limit(MAX_CELL)
    try:
        rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        if missing := {"key", "label"} - set(rows.fieldnames or []):
            raise RadsentError(f"{path}: has no column {min(missing)!r}: give a sheet that radsent convert wrote.")
        for row in rows:
            key = (row["key"] or "").strip()
            if not key and not (row["label"] or "").strip():
                continue  # an empty row of a spreadsheet
            if key in labels:
                raise RadsentError(f"{path}: the key {shown(key)} stands twice: remove one.")
            labels[key] = _label(row["label"] or "", f"{path}, key {shown(key)}")
    except csv.Error as error:
        raise RadsentError(f"{path}: not valid CSV ({error}): save it as CSV again.") from None
    return labels


def _label(cell: str, where: str) -> str | None:
    """RETURNS (Optional[str]): The label that a name or a code in a cell means."""
    value = unicodedata.normalize("NFKC", cell).strip().upper()
    if not value:
        return None
    codes = {str(code): label for code, label in enumerate(LABELS)}
    value = codes.get(value.removesuffix(".0"), value)
    if value not in LABELS:
        raise RadsentError(f"{where}: label is {shown(value)}: use {', '.join(LABELS)}, or 0, 1, 2, 3.")
    return value
