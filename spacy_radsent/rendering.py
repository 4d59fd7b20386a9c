"""A page of labelled reports: self-contained HTML, every character of a report kept and escaped."""

import functools
from collections.abc import Sequence
from html import escape
from typing import Any

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from spacy.tokens import Doc

from .corpus.docbin import doc_to_record
from .corpus.records import Record
from .errors import RadsentError
from .findings.export import findings_of
from .findings.finding import FINDINGS_KEY
from .labels import LABELS, SPANS_KEY
from .marks import FigureMark, find_marks


class Page(str):
    """A page of HTML; a notebook shows it in a frame of its own, so that its style stays there."""

    def _repr_html_(self) -> str:
        frame = "width: 100%; height: 28rem; border: 0; resize: vertical"
        return f'<iframe srcdoc="{escape(self)}" sandbox style="{frame}"></iframe>'


def render(
    reports: Doc | Record | Sequence[Doc | Record],
    titles: Sequence[str] | None = None,
    *,
    title: str = "Labelled reports",
    note: str = "",
    spans_key: str = SPANS_KEY,
) -> Page:
    """Render reports with their sentences coloured by label and numbered by finding, figure marks framed.

    reports (Union[Doc, Record, Sequence[Union[Doc, Record]]]): One or several: documents with `doc.spans[spans_key]`,
        or labelled records.
    titles (Optional[Sequence[str]]): A heading for each; by default the id of a record, and numbers.
    title (str): The title of the page.
    note (str): What else to say at its top.
    spans_key (str): Key of the span group.
    RETURNS (Page): An HTML page that loads nothing. Probabilities show on hover; so do the sentences of a finding. The
        code of a label that is to be reviewed has a question mark.
    """
    several = [reports] if isinstance(reports, (Doc, Record)) else list(reports)
    if titles and len(titles) != len(several):
        raise RadsentError(f"{len(titles)} titles for {len(several)} reports: give one for each.")
    titles = titles or [
        report.id if isinstance(report, Record) else f"Report {i}" for i, report in enumerate(several, 1)
    ]
    records = [report if isinstance(report, Record) else _record(report, spans_key) for report in several]
    parts = [_parts(record) for record in records]
    shown = [{"title": name, "parts": pieces} for name, pieces in zip(titles, parts, strict=True)]
    findings = max((part.get("finding") or 0 for pieces in parts for part in pieces), default=0)
    review = any(part.get("review") for pieces in parts for part in pieces)
    page = template("reports.html")
    return Page(page.render(title=title, note=note, labels=LABELS, reports=shown, findings=findings, review=review))


@functools.cache
def template(name: str) -> Template:
    """RETURNS (Template): One of the package's, compiled once. In .html, every string is escaped."""
    return Environment(loader=PackageLoader("spacy_radsent"), autoescape=select_autoescape()).get_template(name)


def _record(doc: Doc, spans_key: str) -> Record:
    if spans_key not in doc.spans:
        raise RadsentError(f"A Doc has no doc.spans[{spans_key!r}]: run a pipeline with 'radsent' on it first.")
    record = doc_to_record(doc, "Doc", {}, spans_key)
    if FINDINGS_KEY in doc.spans and spans_key == SPANS_KEY:
        record.meta["findings"] = doc.spans[FINDINGS_KEY].attrs.get("findings", [])
    return record


def _parts(record: Record) -> list[dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): The text in parts, the labelled ones with a colour."""
    numbers = {i: number for number, finding in enumerate(findings_of(record), 1) for i in finding.sentences}
    marks = find_marks(record.text)
    prediction = record.meta.get("prediction") or {}
    nothing = [None] * len(record.sentences)
    all_scores, statuses = prediction.get("scores") or nothing, prediction.get("status") or nothing
    parts: list[dict[str, Any]] = []
    end = 0
    for i, (sentence, scores, status) in enumerate(zip(record.sentences, all_scores, statuses, strict=True)):
        parts.append({"pieces": _pieces(record.text, end, sentence.start, marks)})
        hover = ", ".join(f"{label} {score:.2f}" for label, score in zip(LABELS, scores or [], strict=False))
        failed = "error" if status == "error" else "unlabelled"
        review = status == "review"
        parts.append(
            {
                "pieces": _pieces(record.text, sentence.start, sentence.end, marks),
                "css": sentence.label or failed,
                "code": f"{LABELS.index(sentence.label)}{'?' if review else ''}" if sentence.label else failed,
                "review": review,
                "hover": ("to review: " if review else "") + (hover or "no label"),
                "finding": numbers.get(i),
            }
        )
        end = sentence.end
    return [*parts, {"pieces": _pieces(record.text, end, len(record.text), marks)}]


def _pieces(text: str, start: int, end: int, marks: list[FigureMark]) -> list[tuple[str, bool]]:
    """RETURNS (List[Tuple[str, bool]]): A part of the text, cut at its figure marks; whether each is one."""
    pieces = []
    for mark in marks:
        if start <= mark.start and mark.end <= end:
            pieces += [(text[start : mark.start], False), (mark.text, True)]
            start = mark.end
    return [*pieces, (text[start:end], False)]
