"""A finding: a unit of text to pair with images."""

from dataclasses import asdict, dataclass, field
from typing import Any

from spacy.tokens import Doc, Span

from ..labels import LABELS, SPANS_KEY
from ..spans import join_sentences
from .marks import FigureMark, ImageReference

FINDINGS_KEY = "radsent_findings"


@dataclass(frozen=True)
class Finding:
    """A finding of a report.

    text (str): Its sentences, verbatim; where they do not stand together, with a space between.
    sentences (Tuple[int, ...]): Which sentences of `doc.spans["radsent"]`.
    offsets (Tuple[Tuple[int, int], ...]): Start and end of each in the report, in characters.
    polarity (Optional[str]): "POSITIVE" or "NEGATIVE"; None for continuations without a finding.
    scores (Tuple[Optional[float], ...]): Probability of the label of each sentence; None where there is none.
    heading (str): The heading in force, e.g. "胸部"; "" for none.
    marks (Tuple[FigureMark, ...]): The figure marks in its sentences.
    status (str): "ok", or "review" where one of its labels is to be reviewed or it is of continuations alone.
    """

    text: str
    sentences: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    polarity: str | None
    scores: tuple[float | None, ...]
    heading: str = ""
    marks: tuple[FigureMark, ...] = field(default=())
    status: str = "ok"

    @property
    def start(self) -> int:
        """RETURNS (int): Its first character in the report."""
        return self.offsets[0][0]

    @property
    def end(self) -> int:
        """RETURNS (int): The character after its last one."""
        return self.offsets[-1][1]

    @property
    def score(self) -> float | None:
        """RETURNS (Optional[float]): The least of the probabilities; None where one is missing."""
        known = [score for score in self.scores if score is not None]
        return min(known) if len(known) == len(self.scores) else None

    @property
    def is_contiguous(self) -> bool:
        """RETURNS (bool): Whether no other sentence stands between its sentences."""
        return self.sentences == tuple(range(self.sentences[0], self.sentences[-1] + 1))

    @property
    def figures(self) -> tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): Numbers of the figures that it points to, each once."""
        return tuple(dict.fromkeys(number for mark in self.marks for number in mark.figures))

    @property
    def images(self) -> tuple[ImageReference, ...]:
        """RETURNS (Tuple[ImageReference, ...]): The images that it points to, each once."""
        return tuple(dict.fromkeys(image for mark in self.marks for image in mark.images))

    def as_dict(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON; see docs/findings.md."""
        marks = [mark._asdict() | {"images": [image._asdict() for image in mark.images]} for mark in self.marks]
        return {**asdict(self), "marks": marks, "start": self.start, "end": self.end, "score": self.score}


def read_findings(doc: Doc) -> tuple[Finding, ...]:
    """Read the findings of a report: what `doc._.radsent_findings` gives.

    doc (Doc): With what the component wrote.
    RETURNS (Tuple[Finding, ...]): In order; empty where the component did not run.
    """
    if FINDINGS_KEY not in doc.spans:
        return ()
    rows = doc.spans[FINDINGS_KEY].attrs.get("findings", [])
    sentences = list(doc.spans[SPANS_KEY])
    scores = doc.spans[SPANS_KEY].attrs.get("scores") or [None] * len(sentences)
    return tuple(_finding(doc, row, sentences, scores) for row in rows)


def _finding(doc: Doc, row: dict[str, Any], sentences: list[Span], scores: list[Any]) -> Finding:
    members = [sentences[i] for i in row["sentences"]]
    return Finding(
        text=join_sentences(doc.text, [(span.start_char, span.end_char) for span in members]),
        sentences=tuple(row["sentences"]),
        offsets=tuple((span.start_char, span.end_char) for span in members),
        polarity=row["polarity"],
        scores=tuple(
            scores[i][LABELS.index(span.label_)] if scores[i] and span.label_ else None
            for i, span in zip(row["sentences"], members, strict=True)
        ),
        heading=row["heading"],
        marks=tuple(_mark(doc.text, mark) for mark in row["marks"]),
        status=row["status"],
    )


def mark_to_row(mark: FigureMark) -> list[Any]:
    """RETURNS (List[Any]): A mark as plain lists, for the attributes of a span group."""
    return [mark.start, mark.end, list(mark.figures), [list(image) for image in mark.images]]


def _mark(text: str, row: list[Any]) -> FigureMark:
    start, end, figures, images = row
    return FigureMark(start, end, text[start:end], tuple(figures), tuple(ImageReference(*image) for image in images))


def to_dataframe(doc: Doc) -> Any:
    """RETURNS (pandas.DataFrame): A row for each finding of a report, columns as `Finding.as_dict`."""
    from ..errors import needs_extra

    with needs_extra("tables"):
        import pandas
    return pandas.DataFrame([finding.as_dict() for finding in read_findings(doc)])
