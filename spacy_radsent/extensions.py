"""Read-only views of the annotations: `Span._.radsent_label`, `._.radsent_scores`, `._.radsent_status`, and
`Doc._.radsent_findings`, the findings of a report.

Those of spans read the labelled sentence that holds the first token of the span, so they serve entities as well:
`ent._.radsent_label == "NEGATIVE"`. The span group with the key `labels.SPANS_KEY` is what they read.
"""

from bisect import bisect_right
from typing import Any

from spacy.tokens import Doc, Span

from .findings.finding import read_findings
from .labels import LABELS, SPANS_KEY


def _sentence_index(span: Span) -> int | None:
    if SPANS_KEY not in span.doc.spans:
        return None
    group = span.doc.spans[SPANS_KEY]
    index = bisect_right(group, span.start, key=lambda sentence: sentence.start) - 1
    return index if index >= 0 and span.start < group[index].end else None


def _attribute(span: Span, name: str) -> Any:
    index = _sentence_index(span)
    values = span.doc.spans[SPANS_KEY].attrs.get(name) if index is not None else None
    return values[index] if values else None


def get_label(span: Span) -> str | None:
    """RETURNS (Optional[str]): The label of the sentence, None where there is none (no sentence, status "error")."""
    index = _sentence_index(span)
    return (span.doc.spans[SPANS_KEY][index].label_ or None) if index is not None else None


def get_scores(span: Span) -> dict[str, float] | None:
    """RETURNS (Optional[Dict[str, float]]): Label name -> probability; None where nothing was predicted."""
    scores = _attribute(span, "scores")
    return dict(zip(LABELS, scores, strict=False)) if scores else None


def get_status(span: Span) -> str | None:
    """RETURNS (Optional[str]): "ok", "review" or "error"; None outside of labelled sentences."""
    return _attribute(span, "status")


def install_extensions() -> None:
    """Register the extensions, once; those that somebody else has registered are left alone."""
    getters = {"radsent_label": get_label, "radsent_scores": get_scores, "radsent_status": get_status}
    for name, getter in getters.items():
        if not Span.has_extension(name):
            Span.set_extension(name, getter=getter)
    if not Doc.has_extension("radsent_findings"):
        Doc.set_extension("radsent_findings", getter=read_findings)
    if not Doc.has_extension("radsent_source"):
        Doc.set_extension("radsent_source", default=None)
