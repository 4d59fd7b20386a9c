"""A report as its sentences and the white space between them: labels and offsets stay right by construction."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..boundaries import FIGURE_MARK
from ..headings import find_heading
from ..labels import SPANS_KEY
from ..spans import covering_span, write_sentences
from .lexicon import Lexicon

# A full stop of the sentence, not that of "n.p."; marks may stand on both sides of it.
CLOSING = re.compile(rf"(?:[。｡．]|(?<![A-Za-z.])\.|[ \u3000]*(?:{FIGURE_MARK.pattern}))*[ \u3000]*$", re.IGNORECASE)
LONGEST_CLOSING = 200  # characters: the time grows with their square
# A bullet, or a number with what sets it apart: "20" of "2023/04/18" is none.
NUMBERED = re.compile(
    r"\s*(?:[・･○●◯*＊‐–—]\s*|-\s+|[①-⑳]\s*|[(（]\d{1,2}[)）]\s*|\d{1,2}(?:[.．](?!\d)|[)）、])\s*|(?=\S))"
)
SPACE = re.compile(r"\s*")
STOPS = re.compile(r"[。｡．.]+")


@dataclass(frozen=True)
class Piece:
    """A sentence in its place.

    before (str): White space between it and the sentence before; ignored in the first.
    opening (str): Its bullet or number, and its heading.
    body (str): What it says; empty in a heading alone.
    closing (str): Its full stop and figure marks.
    label (str): Its label.
    """

    before: str
    opening: str
    body: str
    closing: str
    label: str

    @property
    def text(self) -> str:
        return self.opening + self.body + self.closing

    @property
    def heading(self) -> str:
        """RETURNS (str): The name of its heading; "" for none."""
        heading = find_heading(self.opening + self.body[:1])
        return heading.name if heading and heading.end <= len(self.opening) else ""

    @property
    def heading_alone(self) -> bool:
        return bool(self.opening) and not self.body

    @property
    def starts_line(self) -> bool:
        return "\n" in self.before


# What a family does to the sentences of a report.
Change = Callable[[Sequence[Piece], Random, Lexicon], list[Piece]]


def bullet_of(opening: str) -> int:
    """RETURNS (int): Where the bullet or number of a sentence ends; 0 where it has none."""
    match = NUMBERED.match(opening)
    return match.end() if match else 0


def piece_of(before: str, sentence: str, label: str) -> Piece:
    """RETURNS (Piece): A sentence, taken apart."""
    heading = find_heading(sentence)
    if heading and heading.alone and label != "BACKGROUND":
        heading = None  # "■海馬 萎縮あり"
    opened = SPACE.match(sentence, heading.end if heading else bullet_of(sentence)).end()  # type: ignore[union-attr]
    from_here = max(opened, len(sentence) - LONGEST_CLOSING)
    closed = CLOSING.search(sentence, from_here).start()  # type: ignore[union-attr]  # may be empty
    return Piece(before, sentence[:opened], sentence[opened:closed], sentence[closed:], label)


def pieces_of(doc: Doc, spans_key: str = SPANS_KEY) -> list[Piece]:
    """Take a report apart.

    doc (Doc): A gold-standard report.
    RETURNS (List[Piece]): Its sentences in order; white space before the first and behind the last is left out.
    """
    pieces: list[Piece] = []
    text, end = doc.text, 0
    for span in doc.spans.get(spans_key, []):
        sentence = span.text.strip()
        if not sentence:
            continue
        start = span.start_char + span.text.index(sentence)
        pieces.append(piece_of(text[end:start], sentence, span.label_))
        end = start + len(sentence)
    return pieces


def example_of(pieces: Sequence[Piece], nlp: Language, spans_key: str = SPANS_KEY) -> Example | None:
    """Put a report together again.

    pieces (Sequence[Piece]): Its sentences.
    nlp (Language): Whose tokenizer to use.
    RETURNS (Optional[Example]): A training example; None where the tokenizer joins two sentences in one token, or
        nothing is left.
    """
    text, offsets = "", []
    for piece in pieces:
        text += piece.before if text else ""
        offsets.append((len(text), len(text) + len(piece.text)))
        text += piece.text
    if not text:
        return None
    predicted = nlp.make_doc(text)
    predicted.user_data.clear()  # nothing that training needs, and slow to copy
    doc = predicted.copy()
    spans = [covering_span(doc, start, end, piece.label) for (start, end), piece in zip(offsets, pieces, strict=True)]
    if any(left.end > right.start for left, right in pairwise(spans)):
        return None
    write_sentences(doc, spans, spans_key)
    return Example(predicted, doc)


def on_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """RETURNS (List[Piece]): Each sentence on a line of its own."""
    return [piece if piece.starts_line else replace(piece, before="\n") for piece in pieces]
