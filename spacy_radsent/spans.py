"""The sentences of a Doc as spans without white space around them: what the span group "radsent" holds."""

from spacy.tokens import Doc, Span

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


def covering_span(doc: Doc, start: int, end: int, label: str = "") -> Span:
    """RETURNS (Span): The tokens that hold the characters from `start` to `end`, labelled."""
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is None:
        raise RadsentError(f"Characters {start} to {end} lie outside of a text of {len(doc.text)}: pair equal texts.")
    return span


def character_offsets(spans: list[Span]) -> list[tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): Start and end of each span in characters, to compare across tokenizations."""
    return [(span.start_char, span.end_char) for span in spans]
