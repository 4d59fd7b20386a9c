"""The corpus record: one report as one line of JSON, sentences as character offsets into an untouched text."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import RadsentError, shown
from ..files import atomic_writer, text_lines
from ..labels import LABELS

# What a pipeline writes into `meta` of a report that it labels: of these labels, not of others.
WRITTEN = ("prediction", "findings")
# Escapes are the only way for half of a surrogate pair to enter a UTF-8 file.
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class Sentence(BaseModel):
    """A sentence of a report.

    start, end (int): Character offsets into the text of the record, without surrounding white space.
    label (Optional[str]): One of `labels.LABELS`; None where nobody has labelled the sentence yet.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    start: int = Field(ge=0)
    end: int
    label: str | None = None


class Record(BaseModel):
    """A report and what is known of it.

    id (str): Unique within its corpus.
    text (str): The findings section, as it was written.
    sentences (List[Sentence]): In order, not overlapping, covering all but white space; empty where unknown.
    meta (Dict[str, Any]): institution, modality, source ("synthetic" or "real"), provenance and the like.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    id: str = Field(min_length=1)
    text: str
    sentences: list[Sentence] = []
    meta: dict[str, Any] = {}

    @property
    def sentence_texts(self) -> list[str]:
        return [self.text[sentence.start : sentence.end] for sentence in self.sentences]


def parse_record(line: str, where: str = "record", *, labelled: bool = False) -> Record:
    """Parse and check one line of a corpus.

    line (str): JSON of a record.
    where (str): Named in errors, e.g. "corpus.jsonl, line 3". Errors never quote the report.
    labelled (bool): Every sentence must carry a label, and there must be sentences where there is text.
    RETURNS (Record): The record.
    """
    try:
        record = Record.model_validate(load_json(line, where))
    except ValidationError as error:
        _raise_for_field(error, where)
    _check_sentences(record, where, labelled)
    return record


def load_json(line: str, where: str) -> Any:
    """Parse JSON that can be written again as UTF-8 and read by other programs.

    line (str): The JSON.
    where (str): Named in errors.
    RETURNS (Any): What it holds.
    """
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
        if SURROGATE_ESCAPE.search(line):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise RadsentError(
            f"{where}: not valid JSON at column {error.colno} ({error.msg}): write one JSON object per line."
        ) from None
    except RecursionError:
        raise RadsentError(f"{where}: the JSON is nested too deeply: write one record per line.") from None
    except UnicodeEncodeError:
        raise RadsentError(
            f"{where}: holds half of a surrogate pair (an escape from \\ud800 to \\udfff), which is no character: "
            f"decode the report anew, e.g. with errors='replace'."
        ) from None
    except ValueError:  # from int(): Python reads at most 4,300 digits
        raise RadsentError(
            f"{where}: holds a number that is out of range (NaN, Infinity, endless): use null."
        ) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _raise_for_field(error: ValidationError, where: str) -> NoReturn:
    first = error.errors(include_url=False)[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    if not field:
        raise RadsentError(f"{where}: expected a JSON object with id, text, sentences and meta.") from None
    if first["type"] == "missing":
        raise RadsentError(f"{where}: field '{field}' is missing: add it (see docs/data.md).") from None
    if first["type"] == "extra_forbidden":
        raise RadsentError(
            f"{where}: field {shown(field)} is not part of a record: remove it or move it into 'meta'."
        ) from None
    value = first["input"]
    seen = repr(value) if isinstance(value, (int, float, bool, type(None))) else f"a {type(value).__name__}"
    raise RadsentError(f"{where}: field '{field}' is {seen}: {first['msg'][0].lower()}{first['msg'][1:]}.") from None


def _check_sentences(record: Record, where: str, labelled: bool) -> None:
    text, covered = record.text, 0
    where = f"{where} (id {record.id!r})"
    for i, sentence in enumerate(record.sentences):
        field = f"sentences[{i}]"
        if sentence.label is None and labelled:
            raise RadsentError(f"{where}: {field}.label is missing: label every sentence with one of {LABELS}.")
        if sentence.label is not None and sentence.label not in LABELS:
            raise RadsentError(f"{where}: {field}.label is {shown(sentence.label)}: use one of {', '.join(LABELS)}.")
        if sentence.end > len(text):
            raise RadsentError(
                f"{where}: {field}.end is {sentence.end}, past the {len(text)} characters of the text: "
                f"count offsets in characters (code points), not bytes."
            )
        if sentence.start >= sentence.end:
            raise RadsentError(
                f"{where}: {field} runs from {sentence.start} to {sentence.end}: end must be greater than start."
            )
        if sentence.start < covered:
            raise RadsentError(
                f"{where}: {field}.start is {sentence.start}, inside the sentence before it, which ends at {covered}: "
                f"sentences must be in order and must not overlap."
            )
        _check_gap(text, covered, sentence.start, where)
        if text[sentence.start].isspace() or text[sentence.end - 1].isspace():
            raise RadsentError(
                f"{where}: {field} runs from {sentence.start} to {sentence.end} with white space at its edge: "
                f"set offsets so that the sentence neither starts nor ends with white space."
            )
        covered = sentence.end
    if record.sentences or labelled:
        _check_gap(text, covered, len(text), where)


def _check_gap(text: str, start: int, end: int, where: str) -> None:
    if text[start:end].strip():
        raise RadsentError(
            f"{where}: characters {start} to {end} belong to no sentence: sentences must cover all but white space."
        )


def read_records(path: str | Path, *, labelled: bool = False) -> Iterator[Record]:
    """Read a corpus.

    path (Union[str, Path]): A JSONL file, UTF-8.
    labelled (bool): Refuse sentences without a label.
    YIELDS (Record): The records, in order; empty lines are skipped, ids must be unique.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(text_lines(path), 1):
        if line.strip():
            record = parse_record(line, f"{path}, line {number}", labelled=labelled)
            if record.id in seen:
                raise RadsentError(
                    f"{path}, line {number}: field 'id' is {record.id!r}, as on line {seen[record.id]}: "
                    f"give every report an id of its own."
                )
            seen[record.id] = number
            yield record
    if not seen:
        raise RadsentError(f"{path}: the corpus is empty: it needs at least one record.")


def record_line(record: Record) -> str:
    """RETURNS (str): A record as a line of a corpus."""
    return json.dumps(record.model_dump(), ensure_ascii=False) + "\n"


def write_records(records: Iterable[Record], path: str | Path) -> int:
    """Write a corpus as JSONL, whole or not at all.

    RETURNS (int): The number of records written.
    """
    count = 0
    with atomic_writer(path) as file:
        for record in records:
            count += 1
            file.write(record_line(record))
    return count
