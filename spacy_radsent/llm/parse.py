"""Parse answers strictly: what is not there is not guessed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Span

from ..labeller import Labelled
from ..labels import LABELS
from ..questions import checked_code, parse_pairs


@dataclass
class ParseCounts:
    """How many reports and sentences were asked about, and how many got no label since the answer held none."""

    reports: int = 0
    failed_reports: int = 0
    sentences: int = 0
    failed_sentences: int = 0

    def add(self, report: Labelled) -> None:
        """Count a report."""
        self.reports += 1
        self.failed_reports += "error" in report.statuses
        self.sentences += len(report.statuses)
        self.failed_sentences += report.statuses.count("error")


def parse_answer(answer: str, sentences: Sequence[str]) -> list[int | None]:
    """Read the labels of an answer.

    answer (str): What a model wrote: a JSON object, white space around it allowed.
    sentences (Sequence[str]): The sentences that it was asked about.
    RETURNS (List[Optional[int]]): The code of each sentence's label. None where the answer is no such object, or where
        it holds no pair for the sentence with its exact text and a code of the scheme. A sentence that the report
        repeats takes the pairs with its text in their order.
    """
    codes: dict[str, list[Any]] = defaultdict(list)
    for sentence, code in reversed(parse_pairs(answer)):
        codes[sentence].append(code)
    return [checked_code(codes[sentence].pop()) if codes[sentence] else None for sentence in sentences]


def fuller(codes: list[int | None], others: list[int | None]) -> list[int | None]:
    """RETURNS (List[Optional[int]]): Of the codes of two answers, those of the one that lacks fewer."""
    return min(codes, others, key=lambda row: row.count(None))


def labelled(sentences: list[Span], codes: list[int | None]) -> Labelled:
    """RETURNS (Labelled): Sentences with the labels of these codes; None is an error."""
    labels = ["" if code is None else LABELS[code] for code in codes]
    statuses = ["error" if code is None else "ok" for code in codes]
    return Labelled(sentences, labels, [None] * len(sentences), statuses)
