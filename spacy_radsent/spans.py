"""The sentences of a Doc as spans without white space around them: what the span group "radsent" holds."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from spacy.attrs import SENT_START
from spacy.tokens import Doc, Span, SpanGroup

from .errors import RadsentError


def trimmed_sentences(doc: Doc) -> list[Span]:
    """RETURNS (List[Span]): One span per sentence of `doc.sents`, white space tokens cut off at both ends.

    A sentence of white space alone (a Doc that holds nothing else) gets no span.
    """
    spans = []
    for sent in doc.sents:
        start, end = sent.start, sent.end
        while start < end and doc[start].is_space:
            start += 1
        while end > start and doc[end - 1].is_space:
            end -= 1
        if start < end:
            spans.append(doc[start:end])
    return spans


def set_sentence_starts(doc: Doc, starts: Iterable[int]) -> None:
    """Decide for every token whether a sentence starts there, so that a parser placed later keeps the boundaries.

    doc (Doc): A document without dependency parse.
    starts (Iterable[int]): Indices of the tokens that start a sentence; the first token always does.
    """
    # All at once: setting `Token.is_sent_start` takes a pass over the whole document each time.
    values: Any = numpy.full(len(doc), -1)
    values[list(starts)] = 1
    values[:1] = 1
    doc.from_array([SENT_START], values.astype("uint64"))


def write_sentences(doc: Doc, spans: Sequence[Span], key: str) -> None:
    """Write gold-standard sentences: their boundaries, and the span group.

    doc (Doc): A document without dependency parse.
    spans (Sequence[Span]): All of its sentences, in order, with their labels.
    key (str): Key of the span group.
    """
    set_sentence_starts(doc, [span.start for span in spans[1:]])  # white space before the first belongs to it
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans)


def join_sentences(text: str, offsets: Sequence[tuple[int, int]]) -> str:
    """RETURNS (str): Sentences of a text, verbatim; one space where white space or other sentences stand between."""
    pieces = []
    for (start, end), before in zip(offsets, [None, *(end for _, end in offsets)], strict=False):
        pieces.append(text[start:end] if before in (None, start) else f" {text[start:end]}")
    return "".join(pieces)


def covering_span(doc: Doc, start: int, end: int, label: str = "") -> Span:
    """RETURNS (Span): The tokens that hold the characters from `start` to `end`, labelled."""
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is None:
        raise RadsentError(f"Characters {start} to {end} lie outside of a text of {len(doc.text)}: pair equal texts.")
    return span


def text_offsets(span: Span) -> tuple[int, int]:
    """RETURNS (Tuple[int, int]): Start and end in characters, without the white space that some tokens hold at their
    edge ("。" with a line separator).
    """
    return span.end_char - len(span.text.lstrip()), span.start_char + len(span.text.rstrip())


def character_offsets(spans: list[Span]) -> list[tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): Start and end of each span in characters, to compare across tokenizations."""
    return [(span.start_char, span.end_char) for span in spans]
