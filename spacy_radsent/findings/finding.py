"""A finding: a unit of text to pair with images."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc

from ..errors import needs_extra
from ..labels import LABELS
from ..marks import FigureMark, ImageReference, find_marks
from ..spans import join_sentences
from .grouping import Group, Policies, group_sentences

LINE_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # those of str.splitlines
# What may stand beside the marks on a line of marks alone.
BESIDE_MARKS = re.compile(r"(?:キー画像|key images?|画像|図|see|を?参照|[\s　。．.、,:：・()（）])*", re.IGNORECASE)
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
    marks (Tuple[FigureMark, ...]): The figure marks in its sentences, and on lines of their own beside them.
    status (str): "ok", or "review" where one of its labels is to be reviewed or it is of continuations alone.
    """

    text: str
    sentences: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    polarity: str | None
    scores: tuple[float | None, ...]
    heading: str = ""
    marks: tuple[FigureMark, ...] = ()
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
        """RETURNS (Tuple[str, ...]): Numbers of the figures of this study that it points to, each once."""
        return tuple(dict.fromkeys(number for mark in self.marks if not mark.prior for number in mark.figures))

    @property
    def images(self) -> tuple[ImageReference, ...]:
        """RETURNS (Tuple[ImageReference, ...]): The images of this study that it points to, each once."""
        return tuple(dict.fromkeys(image for mark in self.marks if not mark.prior for image in mark.images))

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "Finding":
        """RETURNS (Finding): What `as_dict` gave, also after JSON."""
        marks = tuple(
            FigureMark(
                **{
                    **mark,
                    "figures": tuple(mark["figures"]),
                    "images": tuple(ImageReference(**image) for image in mark["images"]),
                }
            )
            for mark in row["marks"]
        )
        return cls(
            text=row["text"],
            sentences=tuple(row["sentences"]),
            offsets=tuple((start, end) for start, end in row["offsets"]),
            polarity=row["polarity"],
            scores=tuple(row["scores"]),
            heading=row["heading"],
            marks=marks,
            status=row["status"],
        )

    def as_dict(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON; see docs/findings.md."""
        marks = [
            {**mark._asdict(), "figures": list(mark.figures), "images": [image._asdict() for image in mark.images]}
            for mark in self.marks
        ]
        return {
            "text": self.text,
            "polarity": self.polarity,
            "heading": self.heading,
            "status": self.status,
            "start": self.start,
            "end": self.end,
            "sentences": list(self.sentences),
            "offsets": [list(pair) for pair in self.offsets],
            "scores": list(self.scores),
            "score": self.score,
            "marks": marks,
        }


def find_findings(
    text: str,
    offsets: Sequence[tuple[int, int]],
    labels: Sequence[str | None],
    scores: Sequence[Sequence[float] | None] | None = None,
    statuses: Sequence[str] | None = None,
    policies: Policies = Policies(),
    hyphen_is_range: bool = False,
) -> list[Finding]:
    """Find the findings of a labelled report.

    text (str): The report.
    offsets (Sequence[Tuple[int, int]]): Start and end of its sentences.
    labels (Sequence[Optional[str]]): Their labels.
    scores (Optional[Sequence[Optional[Sequence[float]]]]): Their probabilities, in the order of LABELS.
    statuses (Optional[Sequence[str]]): Their statuses.
    policies (Policies): Where continuations go.
    hyphen_is_range (bool): See `marks.find_marks`.
    RETURNS (List[Finding]): In the order of their first sentences.
    """
    scores = scores or [None] * len(offsets)
    statuses = statuses or ["ok"] * len(offsets)
    texts = [text[start:end] for start, end in offsets]
    marks_in = _marks_in(offsets, find_marks(text, hyphen_is_range))
    alone = [bool(inside) and _is_marks_alone(one, inside) for one, inside in zip(texts, marks_in, strict=True)]
    stated = ["" if marks or not label else label for label, marks in zip(labels, alone, strict=True)]
    groups = group_sentences(texts, stated, _ends_line(text, offsets), policies)
    marks = _marks_by_group(groups, marks_in, alone)
    return [
        Finding(
            text=join_sentences(text, [offsets[i] for i in members]),
            sentences=tuple(members),
            offsets=tuple(offsets[i] for i in members),
            polarity=polarity,
            scores=tuple(_probability(scores[i], labels[i]) for i in members),
            heading=heading,
            marks=tuple(mine),
            status="ok" if polarity and all(statuses[i] == "ok" for i in members) else "review",
        )
        for (members, polarity, heading), mine in zip(groups, marks, strict=True)
    ]


def _probability(scores: Sequence[float] | None, label: str | None) -> float | None:
    return scores[LABELS.index(label)] if scores and label else None


def _ends_line(text: str, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """RETURNS (List[bool]): Whether a line break follows each sentence before the next one."""
    following = [*(start for start, _ in offsets[1:]), len(text)]
    return [bool(LINE_BREAK.search(text, end, start)) for (_, end), start in zip(offsets, following, strict=False)]


def _marks_in(offsets: Sequence[tuple[int, int]], marks: list[FigureMark]) -> list[list[FigureMark]]:
    """RETURNS (List[List[FigureMark]]): Those in each sentence."""
    starts = [mark.start for mark in marks]
    return [marks[bisect_left(starts, start) : bisect_left(starts, end)] for start, end in offsets]


def _is_marks_alone(sentence: str, marks: list[FigureMark]) -> bool:
    for mark in marks:
        sentence = sentence.replace(mark.text, "", 1)
    return bool(BESIDE_MARKS.fullmatch(sentence))


def _marks_by_group(groups: list[Group], marks_in: list[list[FigureMark]], alone: list[bool]) -> list[list[FigureMark]]:
    """RETURNS (List[List[FigureMark]]): For each group the marks in its sentences, and on lines of marks right behind
    it, or before it, where the first such line of the report stands before a positive finding and behind none.
    """
    owners = {i: owner for owner, group in enumerate(groups) for i in group.sentences}
    lines = [i for i, is_alone in enumerate(alone) if is_alone]

    def is_positive(i: int) -> bool:
        return i in owners and groups[owners[i]].polarity == "POSITIVE"

    before = (
        bool(lines) and len(marks_in[lines[0]]) == 1 and is_positive(lines[0] + 1) and not is_positive(lines[0] - 1)
    )
    for i in lines[::-1] if before else lines:
        beside = i + 1 if before else i - 1
        if beside in owners:
            owners[i] = owners[beside]
    by_group: list[list[FigureMark]] = [[] for _ in groups]
    for i, owner in sorted(owners.items()):
        by_group[owner] += marks_in[i]
    return by_group


def read_findings(doc: Doc) -> tuple[Finding, ...]:
    """Read the findings of a report: what `doc._.radsent_findings` gives.

    doc (Doc): With what the component wrote.
    RETURNS (Tuple[Finding, ...]): In order; empty where the component did not run.
    """
    if FINDINGS_KEY not in doc.spans:
        return ()
    return tuple(map(Finding.from_dict, doc.spans[FINDINGS_KEY].attrs.get("findings", [])))


def to_dataframe(doc: Doc) -> Any:
    """RETURNS (pandas.DataFrame): A row for each finding of a report, columns as `Finding.as_dict`."""
    with needs_extra("tables"):
        import pandas
    nothing = Finding("", (0,), ((0, 0),), None, (None,)).as_dict()
    return pandas.DataFrame([finding.as_dict() for finding in read_findings(doc)], columns=list(nothing))
