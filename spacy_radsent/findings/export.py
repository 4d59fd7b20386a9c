"""Findings as rows for training vision-language models: one finding, its text, and the images that it points to."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..corpus.records import WRITTEN, Record
from ..errors import RadsentError
from ..labels import Label
from ..spans import join_sentences
from ..version import __version__
from .finding import Finding, find_findings

# In the order of the columns. Lists of numbers and strings, and strings: what every loader reads.
COLUMNS = (
    *("id", "report_id", "study_id", "series_id", "text", "sentence", "polarity", "heading", "figures", "images"),
    *("start", "end", "offsets", "scores", "score", "status", "source", "version", "meta"),
)
WITHOUT = "reports without a finding"
CONTINUATION = Label.CONTINUATION.name
STATED = (Label.POSITIVE.name, Label.NEGATIVE.name)


@dataclass(frozen=True)
class Filters:
    """Which findings to take.

    polarities (Tuple[str, ...]): "POSITIVE", "NEGATIVE", or both.
    min_score (float): The least probability that each of its sentences' labels must have; where there are none, 0 alone
        takes it.
    with_mark (bool): Only findings that point to an image.
    with_review (bool): Findings to be reviewed, too.
    """

    polarities: tuple[str, ...] = ("POSITIVE",)
    min_score: float = 0.0
    with_mark: bool = False
    with_review: bool = False

    def reason(self, finding: Finding) -> str:
        """RETURNS (str): Why a finding is dropped; "" for one that is taken."""
        if finding.polarity is None:
            return "continuation without a finding"
        if finding.polarity not in self.polarities:
            return f"polarity {finding.polarity}"
        if finding.status != "ok" and not self.with_review:
            return "to be reviewed"
        if self.min_score and (finding.score is None or finding.score < self.min_score):
            return f"probability below {self.min_score}"
        if self.with_mark and not (finding.figures or finding.images):
            return "no figure mark"
        return ""


class Prediction(BaseModel):
    """What is used of `meta.prediction`."""

    scores: list[list[float] | None] | None = None
    status: list[str] | None = None
    source: str | None = None


@dataclass(frozen=True)
class Carried:
    """Which fields of `meta` come with a finding.

    study (str): The study's id.
    series (str): The series' id.
    others (bool): Whether all others do.
    """

    study: str = "study_id"
    series: str = "series_id"
    others: bool = True


def findings_of(record: Record) -> list[Finding]:
    """RETURNS (List[Finding]): Those that the pipeline found (`meta.findings`), else by the default policies."""
    try:
        prediction = Prediction.model_validate(record.meta.get("prediction") or _of_annotation(record))
        for values in (prediction.scores, prediction.status):
            if values is not None and len(values) != len(record.sentences):
                raise ValueError
        if "findings" in record.meta:
            findings = [_checked(Finding.from_dict(row), record) for row in record.meta["findings"]]
            first = [finding.sentences[0] for finding in findings if finding.polarity]
            expected = {finding.sentences[0] for finding in _found(record, prediction) if finding.polarity}
            if len({*first}) < len(first) or not expected.issubset(first):
                raise ValueError
            if any(record.sentences[i].label not in STATED for i in first):
                raise ValueError
            return findings
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise RadsentError(
            f"report {record.id!r}: its meta.findings, meta.prediction or meta.annotation is not what radsent writes, "
            f"or of other labels: label it anew, or take them out."
        ) from None
    return _found(record, prediction)


def _found(record: Record, prediction: Prediction) -> list[Finding]:
    return find_findings(
        record.text,
        [(sentence.start, sentence.end) for sentence in record.sentences],
        [sentence.label for sentence in record.sentences],
        prediction.scores,
        prediction.status,
    )


def _of_annotation(record: Record) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): Which labels are to be reviewed, as `radsent annotate` tells it."""
    annotation = record.meta.get("annotation")
    status = annotation.get("status") if isinstance(annotation, dict) else None
    return {"status": status} if isinstance(status, list) else {}


def _checked(finding: Finding, record: Record) -> Finding:
    """RETURNS (Finding): The same; ValueError or another error where it cannot be of this report."""
    spans = [(record.sentences[i].start, record.sentences[i].end) for i in finding.sentences]
    if not spans or list(finding.offsets) != spans or len(finding.scores) != len(spans):
        raise ValueError
    first, *rest = (record.sentences[i].label for i in finding.sentences)
    if finding.polarity != (None if first == CONTINUATION else first) or any(label != CONTINUATION for label in rest):
        raise ValueError
    if finding.text != join_sentences(record.text, spans) or not isinstance(finding.heading, str):
        raise ValueError
    if not all(score is None or isinstance(score, (int, float)) for score in finding.scores):
        raise ValueError
    return finding


def pair_rows(
    records: Iterable[Record], filters: Filters, carried: Carried, dropped: Counter
) -> Iterator[dict[str, Any]]:
    """Make the rows.

    records (Iterable[Record]): Labelled reports.
    filters (Filters): Which findings to take.
    carried (Carried): Fields of `meta` to make columns of.
    dropped (Counter): Counts what is left out, by reason; "reports", "findings" and `WITHOUT` count what came in.
    YIELDS (Dict[str, Any]): A row for each finding that is taken, with `COLUMNS`.
    """
    for record in records:
        findings = findings_of(record)
        dropped["reports"] += 1
        dropped["findings"] += len(findings)
        if not findings:
            dropped[WITHOUT] += 1
        for number, finding in enumerate(findings):
            if reason := filters.reason(finding):
                dropped[reason] += 1
            else:
                yield _row(record, number, finding, carried)


def _row(record: Record, number: int, finding: Finding, carried: Carried) -> dict[str, Any]:
    left_out = (*WRITTEN, carried.study, carried.series)
    meta = {key: value for key, value in record.meta.items() if carried.others and key not in left_out}
    start, end = finding.offsets[0]
    images = ["/".join("" if number is None else str(number) for number in image) for image in finding.images]
    values = {
        "id": f"{record.id}#{number}",
        "report_id": record.id,
        "study_id": _text(record.meta.get(carried.study)),
        "series_id": _text(record.meta.get(carried.series)),
        "text": finding.text,
        "sentence": record.text[start:end],
        "polarity": finding.polarity,
        "heading": finding.heading,
        "figures": list(finding.figures),
        "images": images,
        "start": finding.start,
        "end": finding.end,
        "offsets": [list(pair) for pair in finding.offsets],
        # Not a list without a number: readers of JSON (pyarrow 26) fail on columns of these.
        "scores": list(finding.scores) if any(score is not None for score in finding.scores) else None,
        "score": finding.score,
        "status": finding.status,
        "source": (record.meta.get("prediction") or {}).get("source") or "given labels",
        "version": __version__,
        "meta": json.dumps(meta, ensure_ascii=False, default=str),
    }
    return {name: values[name] for name in COLUMNS}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
