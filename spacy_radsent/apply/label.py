"""Labelling a part of an archive."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.rows import Row
from ..files import atomic_writer
from ..labels import SPANS_KEY
from ..pipelines import Unlabelled, label_stream
from .writer import ENDINGS, write_part

COMPONENT_FAILED = "a component failed on it"
NO_LABEL = "sentences have no label"


class Counts(NamedTuple):
    """What became of rows: labelled, of these with a sentence that has no label, and rejected."""

    labelled: int = 0
    with_errors: int = 0
    rejected: int = 0

    def __add__(self, other: Any) -> "Counts":
        return Counts(*(one + more for one, more in zip(self, other, strict=True)))


class Part(NamedTuple):
    """Some rows of the input, one after the other.

    number (int): Which part.
    rows (List[Row]): The rows.
    """

    number: int
    rows: list[Row]

    def path(self, output: Path, format: str) -> Path:
        """RETURNS (Path): Where its labelled reports go."""
        return output / f"part-{self.number:06}.{ENDINGS[format]}"

    def rejects(self, output: Path) -> Path:
        """RETURNS (Path): Where its rows that cannot be labelled go."""
        return output / f"rejects-{self.number:06}.jsonl"

    def errors(self, output: Path) -> Path:
        """RETURNS (Path): Which of its reports have sentences without a label."""
        return output / f"errors-{self.number:06}.jsonl"

    def outcome(self, output: Path) -> tuple[Counts, int]:
        """RETURNS (Tuple[Counts, int]): Of a part that is done: what became of its rows, and on how many a component
        failed, where another try may do better.
        """
        errors, rejects = _rows_of(self.errors(output)), _rows_of(self.rejects(output))
        failed = sum(row["reason"] == COMPONENT_FAILED or row["reason"].endswith(NO_LABEL) for row in errors + rejects)
        return Counts(len(self.rows) - len(rejects), len(errors), len(rejects)), failed


def _rows_of(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    return [json.loads(line) for line in lines if line]


def label_part(nlp: Language, part: Part, output: Path, format: str, batch_size: int) -> Counts:
    """Label a part and write it: its rejects and errors, at last its reports, by whose file it counts as done.

    nlp (Language): See `load_labeller`.
    part (Part): The part.
    output (Path): The folder.
    format (str): A key of `writer.ENDINGS`.
    batch_size (int): Reports to label at once.
    RETURNS (Counts): What became of its rows.
    """
    with nlp.memory_zone():
        rows, docs, rejects = _label(nlp, part.rows, batch_size)
        errors = [
            row._replace(reason=f"{count} of {len(doc.spans[SPANS_KEY])} {NO_LABEL}")
            for row, doc in zip(rows, docs, strict=True)
            if (count := (doc.spans[SPANS_KEY].attrs.get("status") or []).count("error"))
        ]
        counts = Counts(len(docs), len(errors), len(rejects))
        path = part.path(output, format)
        failures = len(errors) + sum(row.reason == COMPONENT_FAILED for row in rejects)
        if path.exists() and failures >= part.outcome(output)[1]:
            return counts  # tried again, and no better
        # In this order: what a try before has left is gone before the part counts as done.
        path.unlink(missing_ok=True)
        _write_reasons(part.rejects(output), rejects)
        _write_reasons(part.errors(output), errors)
        write_part(path, format, rows, docs)
    return counts


def _write_reasons(path: Path, rows: Sequence[Row]) -> None:
    path.unlink(missing_ok=True)
    if rows:
        with atomic_writer(path) as file:
            for row in rows:
                line = {"row": row.number, "id": row.id, "reason": row.reason}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _label(nlp: Language, rows: Sequence[Row], batch_size: int) -> tuple[list[Row], list[Doc], list[Row]]:
    """RETURNS (Tuple[List[Row], List[Doc], List[Row]]): Rows and their labelled reports, and rows that have none."""
    checked = [row if row.reason else _checked(row, nlp.max_length) for row in rows]
    good = [row for row in checked if not row.reason]
    rejects = [row for row in checked if row.reason]
    done, docs = [], []
    for doc, row in label_stream(nlp, (Unlabelled(row.text, row.meta, row) for row in good), batch_size):
        if SPANS_KEY in doc.spans:
            done.append(row)
            docs.append(doc)
    kept = {row.number for row in done}
    rejects += [row._replace(reason=COMPONENT_FAILED) for row in good if row.number not in kept]
    return done, docs, sorted(rejects, key=lambda row: row.number)


def _checked(row: Row, max_length: int) -> Row:
    if len(row.text) > max_length:
        return row._replace(reason=f"text of {len(row.text):,} characters is longer than {max_length:,}")
    return row
