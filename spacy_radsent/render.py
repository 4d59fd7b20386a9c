"""A page of labelled reports: self-contained HTML, every character of a report kept and escaped."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader
from spacy.tokens import Doc

from .errors import RadsentError
from .labels import LABELS, SPANS_KEY


def render(
    docs: Sequence[Doc],
    titles: Sequence[str] | None = None,
    *,
    title: str = "Labelled reports",
    spans_key: str = SPANS_KEY,
) -> str:
    """Render reports with their sentences coloured by label, probabilities on hover.

    docs (Sequence[Doc]): Documents with `doc.spans[spans_key]`.
    titles (Optional[Sequence[str]]): A heading for each; numbers by default.
    title (str): The title of the page.
    spans_key (str): Key of the span group.
    RETURNS (str): An HTML page that loads nothing.
    """
    titles = titles or [f"Report {i}" for i in range(1, len(docs) + 1)]
    reports = [{"title": name, "parts": _parts(doc, spans_key)} for doc, name in zip(docs, titles, strict=True)]
    environment = Environment(loader=PackageLoader("spacy_radsent"), autoescape=True)
    return environment.get_template("reports.html").render(title=title, labels=LABELS, reports=reports)


def _parts(doc: Doc, spans_key: str) -> list[dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): The text in pieces, the labelled ones with a colour."""
    text, end = doc.text, 0
    parts: list[dict[str, Any]] = []
    if spans_key not in doc.spans:
        raise RadsentError(f"A Doc has no doc.spans[{spans_key!r}]: run a pipeline with 'radsent' on it first.")
    group = doc.spans[spans_key]
    all_scores = group.attrs.get("scores") or [None] * len(group)
    statuses = group.attrs.get("status") or [None] * len(group)
    for span, scores, status in zip(group, all_scores, statuses, strict=True):
        parts.append({"text": text[end : span.start_char]})
        hover = ", ".join(f"{label} {score:.2f}" for label, score in zip(LABELS, scores or [], strict=False))
        failed = "error" if status == "error" else "unlabelled"
        code = LABELS.index(span.label_) if span.label_ else failed
        parts.append({"text": span.text, "css": span.label_ or failed, "code": code, "hover": hover or "no label"})
        end = span.end_char
    return [*parts, {"text": text[end:]}]
