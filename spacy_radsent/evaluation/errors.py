"""Every wrong sentence, with what one needs to see why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from ..corpus.records import Record
from ..labels import LABELS
from ..metrics import NO_LABEL
from .outcome import Outcome
from .patterns import count_clauses, explain, names_of

CONTEXT = 2  # sentences on each side, as the paper's models see


@dataclass(frozen=True)
class Neighbour:
    """A sentence of the context.

    text (str): The sentence.
    gold, predicted (Optional[str]): Labels.
    """

    text: str
    gold: str | None
    predicted: str | None


@dataclass(frozen=True)
class WrongSentence:
    """A sentence with another label than the reference's, or none.

    model, corpus, report (str): Where: names, and the report's id.
    number (int): Which report of the corpus, from 1.
    sentence (int): Which sentence of the report, from 0.
    gold (str): Label of the reference.
    predicted (Optional[str]): The model's label; None for none.
    probabilities (Optional[List[float]]): In the order of LABELS.
    clauses (int): How many it has.
    patterns (List[str]): What kind of error it is, see `patterns.PATTERNS`.
    text (str): The sentence.
    before, after (List[Neighbour]): Up to two sentences on each side.
    """

    model: str
    corpus: str
    report: str
    number: int
    sentence: int
    gold: str
    predicted: str | None
    probabilities: list[float] | None
    clauses: int
    patterns: list[str]
    text: str
    before: list[Neighbour]
    after: list[Neighbour]

    def to_dict(self, with_text: bool = True) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON; without the report's id and text, if they are to stay where they are."""
        row = dict(vars(self))
        for name in ("before", "after"):
            row[name] = [vars(neighbour) for neighbour in row[name]]
        return row if with_text else {key: row[key] for key in row if key not in ("report", "text", "before", "after")}


def first_of_each(errors: Sequence[WrongSentence], limit: int) -> list[WrongSentence]:
    """RETURNS (List[WrongSentence]): Some, as many of each model and corpus as far as they have them, in order."""
    seen: Counter = Counter()
    ranks = []
    for error in errors:
        seen[error.model, error.corpus] += 1
        ranks.append(seen[error.model, error.corpus])
    chosen = sorted(range(len(errors)), key=ranks.__getitem__)[:limit]
    return [errors[i] for i in sorted(chosen)]


def pair_name(gold: str, predicted: str | None) -> str:
    """RETURNS (str): A kind of confusion."""
    return f"{gold} -> {predicted or 'no label'}"


def find_errors(outcome: Outcome) -> Iterator[WrongSentence]:
    """List what is wrong.

    outcome (Outcome): A model on a corpus.
    YIELDS (WrongSentence): In the order of the corpus.
    """
    corpus = outcome.corpus
    wrong = outcome.wrong
    kinds = explain(corpus.cues[wrong], corpus.codes[wrong], outcome.predicted[wrong])
    for row, kind in zip(wrong.tolist(), kinds, strict=True):
        i = int(corpus.report[row])
        first, at = int(corpus.first[i]), row - int(corpus.first[i])
        record = corpus.records[i]
        shown = range(max(0, at - CONTEXT), min(len(record.sentences), at + CONTEXT + 1))
        gold, predicted = LABELS[corpus.codes[row]], _label(outcome.predicted[row])
        scores = outcome.scores[row]
        context = {
            j: Neighbour(_text(record, j), _label(corpus.codes[first + j]), _label(outcome.predicted[first + j]))
            for j in shown
        }
        text = context[at].text
        yield WrongSentence(
            model=outcome.model,
            corpus=corpus.name,
            report=record.id,
            number=i + 1,
            sentence=at,
            gold=gold,
            predicted=predicted,
            probabilities=None if numpy.isnan(scores).any() else [round(float(score), 4) for score in scores],
            clauses=count_clauses(text),
            patterns=names_of(kind),
            text=text,
            before=[context[j] for j in shown if j < at],
            after=[context[j] for j in shown if j > at],
        )


def _text(record: Record, i: int) -> str:
    return record.text[record.sentences[i].start : record.sentences[i].end]


def _label(code: int) -> str | None:
    return None if code == NO_LABEL else LABELS[code]
