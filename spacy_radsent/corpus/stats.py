"""What a corpus is like: the paper's Table 2, and how its reports are written.

Table 2 of Kikuchi et al. 2026 gives, for each split and institution, the distribution of the labels, and characters and
sentences a report as mean and standard deviation.
"""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from ..boundaries import FIGURE_MARK
from ..labels import LABELS
from ..markdown import markdown_table
from .records import Record

PERIODS = ("。", "｡", "．", ".")
BULLET = re.compile(r"^\s*(?:[・･\-‐–*＊○●◯◎□■◆◇▪•]|[①-⑳]|[(（]?\d{1,2}[.．)）、]\s*(?!\d))", re.MULTILINE)
HEADING = re.compile(r"^\s*(?:[【<＜〈《■◆]|[^\s。．、,:：]{1,15}[:：])", re.MULTILINE)
LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True)
class GroupStats:
    """Statistics of some reports.

    split, institution (str): Whose.
    reports, sentences (int): How many.
    labels (Dict[str, int]): Sentences by label; "" for none.
    characters_mean, characters_sd (float): Characters a report; the standard deviation is that of a sample.
    sentences_mean, sentences_sd (float): Sentences a report.
    without_period (float): Share of the sentences that end without 。 ｡ ． or ., a figure mark after it left out.
    figure_marks (float): Share of the reports with a mark such as [#1] or (Se3 Im45).
    bullets (float): Share of the reports with lines that begin with a bullet or a number.
    headings (float): Share of the reports with lines that begin with a heading.
    latin (float): Share of Latin letters among the characters but white space.
    """

    split: str
    institution: str
    reports: int
    sentences: int
    labels: dict[str, int]
    characters_mean: float
    characters_sd: float
    sentences_mean: float
    sentences_sd: float
    without_period: float
    figure_marks: float
    bullets: float
    headings: float
    latin: float

    @classmethod
    def of(cls, split: str, institution: str, records: Sequence[Record]) -> "GroupStats":
        """RETURNS (GroupStats): Of reports, at least one."""
        texts = [record.text for record in records]
        sentences = [text for record in records for text in record.sentence_texts]
        labels = Counter(sentence.label or "" for record in records for sentence in record.sentences)
        visible = "".join("".join(text.split()) for text in texts)
        return cls(
            split,
            institution,
            len(records),
            len(sentences),
            {name: labels[name] for name in (*LABELS, "") if name or labels[name]},
            *_mean_sd([len(text) for text in texts]),
            *_mean_sd([len(record.sentences) for record in records]),
            without_period=_share(not ends_with_period(sentence) for sentence in sentences),
            figure_marks=_share(bool(FIGURE_MARK.search(text)) for text in texts),
            bullets=_share(bool(BULLET.search(text)) for text in texts),
            headings=_share(bool(HEADING.search(text)) for text in texts),
            latin=len(LATIN.findall(visible)) / max(1, len(visible)),
        )

    def share(self, label: str) -> float:
        """RETURNS (float): Share of the sentences with a label."""
        return self.labels.get(label, 0) / max(1, self.sentences)


def corpus_stats(splits: Mapping[str, Sequence[Record]]) -> list[GroupStats]:
    """Describe a corpus.

    splits (Mapping[str, Sequence[Record]]): Reports by the name of their split, at least one each.
    RETURNS (List[GroupStats]): For each split, all of it (institution "all"), then each institution
        (`meta.institution`) by name, where there are any.
    """
    groups = []
    for split, records in splits.items():
        groups.append(GroupStats.of(split, "all", records))
        names = sorted({str(record.meta["institution"]) for record in records if record.meta.get("institution")})
        for name in names:
            members = [record for record in records if str(record.meta.get("institution")) == name]
            groups.append(GroupStats.of(split, name, members))
    return groups


def to_json(groups: Sequence[GroupStats]) -> list[dict]:
    """RETURNS (List[Dict]): One row a group."""
    return [asdict(group) for group in groups]


def to_markdown(groups: Sequence[GroupStats]) -> str:
    """RETURNS (str): Two tables: content, and style."""
    labels = [*LABELS, *([""] if any("" in group.labels for group in groups) else [])]
    content = [
        [
            *(group.split, group.institution, f"{group.reports:,}", f"{group.sentences:,}"),
            *(f"{group.labels.get(label, 0):,} ({group.share(label):.1%})" for label in labels),
            f"{group.characters_mean:.1f} ({group.characters_sd:.1f})",
            f"{group.sentences_mean:.1f} ({group.sentences_sd:.1f})",
        ]
        for group in groups
    ]
    style = [
        [
            *(group.split, group.institution, f"{group.without_period:.1%}", f"{group.figure_marks:.1%}"),
            *(f"{group.bullets:.1%}", f"{group.headings:.1%}", f"{group.latin:.1%}"),
        ]
        for group in groups
    ]
    names = [label or "without label" for label in labels]
    whose = ["split", "institution"]
    return "\n".join(
        [
            "Labels: sentences (share). Characters and sentences a report: mean (standard deviation).\n",
            markdown_table([*whose, "reports", "sentences", *names, "characters", "sentences a report"], content),
            "Style: share of sentences that end without a period; of reports with figure marks, with bullets or "
            "numbers, with headings; of Latin letters among characters.\n",
            markdown_table([*whose, "no period", "marks", "bullets", "headings", "Latin"], style),
        ]
    )


def ends_with_period(sentence: str) -> bool:
    """RETURNS (bool): Whether a sentence ends in a period, a figure mark after it left out."""
    *_, last = [None, *FIGURE_MARK.finditer(sentence)]
    if last is not None and last.end() == len(sentence):
        sentence = sentence[: last.start()].rstrip()
    return sentence.endswith(PERIODS)


def _mean_sd(values: Sequence[int]) -> tuple[float, float]:
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def _share(flags: Iterable[bool]) -> float:
    flags = list(flags)
    return sum(flags) / max(1, len(flags))
