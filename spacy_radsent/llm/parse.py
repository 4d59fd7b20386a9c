"""Parse answers strictly: what is not there is not guessed."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Span

from ..labeller import Labelled
from ..labels import LABELS, Label

CODES = frozenset(label.value for label in Label)


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
    for sentence, code in reversed(_parse_pairs(answer)):
        codes[sentence].append(code)
    return [_checked(codes[sentence].pop()) if codes[sentence] else None for sentence in sentences]


def parse_numbered(answer: str, count: int) -> list[int | None]:
    """Read the labels of an answer that goes by the sentences' numbers.

    answer (str): What a model wrote: a JSON object with the keys "s1", "s2" and so on, white space around it allowed.
    count (int): How many sentences it was asked about.
    RETURNS (List[Optional[int]]): The code of each sentence's label. None where the answer holds no code of the scheme
        for it, and for all where the answer is no such object: one key that was not asked for, or one twice, and the
        others may be of other sentences as well.
    """
    pairs = _parse_pairs(answer)
    keys = [key for key, _ in pairs]
    asked = [f"s{i}" for i in range(1, count + 1)]
    if len(set(keys)) < len(keys) or not set(keys) <= set(asked):
        return [None] * count
    codes = dict(pairs)
    return [_checked(codes.get(key)) for key in asked]


def fuller(codes: list[int | None], others: list[int | None]) -> list[int | None]:
    """RETURNS (List[Optional[int]]): Of the codes of two answers, those of the one that lacks fewer."""
    return min(codes, others, key=lambda row: row.count(None))


def labelled(sentences: list[Span], codes: list[int | None]) -> Labelled:
    """RETURNS (Labelled): Sentences with the labels of these codes; None is an error."""
    labels = ["" if code is None else LABELS[code] for code in codes]
    statuses = ["error" if code is None else "ok" for code in codes]
    return Labelled(sentences, labels, [None] * len(sentences), statuses)


def _parse_pairs(answer: str) -> list[tuple[str, Any]]:
    """RETURNS (List[Tuple[str, Any]]): The pairs of a JSON object, in order; none where the answer is no object."""
    try:
        pairs = json.loads(answer, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return []
    # An array comes as a list as well, but not of tuples.
    return pairs if isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs) else []


def _checked(code: Any) -> int | None:
    return code if type(code) is int and code in CODES else None
