"""Labels for the sentences of reports, by one model or two: asked by number, so that no answer can alter a text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..corpus.records import WRITTEN, Record
from ..endpoint import SYNTHETIC, Endpoint
from ..labels import LABELS, Label
from ..questions import ask_by_number, parse_by_number, prompt_sha256, read_instructions, schema_by_number
from ..version import __version__
from .client import Client, Outcome, Question, Rejected, Request

# Of votes, where none is asked for: what makes them differ. A single answer is the likeliest.
VOTING_TEMPERATURE = 1.0


@dataclass(frozen=True)
class Annotator:
    """A model that labels.

    endpoint (Endpoint): The model.
    prompt (str): Version of the instructions.
    votes (int): How often it is asked about a report; the label that most answers give is taken.
    temperature (Optional[float]): Of the sampling; by default 0 for one vote and 1 for several.
    """

    endpoint: Endpoint
    prompt: str
    votes: int = 1
    temperature: float | None = None

    def body(self, record: Record, vote: int, attempt: int) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The request for a vote on a report's sentences."""
        messages = ask_by_number(read_instructions(self.prompt, "number"), record.text, record.sentence_texts)
        temperature = self.temperature
        if temperature is None:
            temperature = VOTING_TEMPERATURE if self.votes > 1 or attempt > 0 else 0
        schema = schema_by_number(len(record.sentences))
        return self.endpoint.body(messages, schema, temperature, seed=attempt * self.votes + vote)

    @property
    def provenance(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For the record."""
        sha = prompt_sha256(self.prompt, "number")
        return {
            "model": self.endpoint.model,
            "prompt": self.prompt,
            "prompt_sha256": sha,
            "votes": self.votes,
            "temperature": self.temperature,
        }


class Opinion(NamedTuple):
    """What an annotator says of a report.

    codes (List[Optional[int]]): Of its sentences' labels; None for all where it gave no answer that can be used.
    unanimous (List[bool]): Whether all of its votes agree, by sentence.
    dates (List[str]): The days on which the votes came.
    """

    codes: list[int | None]
    unanimous: list[bool]
    dates: list[str]


@dataclass
class Annotation:
    """What came of annotating.

    records (List[Record]): All of them, in order.
    statuses (Counter): Of the sentences that were asked about.
    pairs (List[Tuple[int, int]]): The codes of two annotators, for each sentence that both labelled.
    rejects (List[Dict[str, Any]]): Answers that cannot be used: id, model, reason, and of synthetic reports the answer.
    failed (int): Questions without an answer.
    """

    records: list[Record] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0


def annotate(
    records: Sequence[Record], annotators: Sequence[Annotator], client: Client, attempts: int = 2, relabel: bool = False
) -> Annotation:
    """Label reports.

    records (Sequence[Record]): The reports, with their sentences. Labels that are there already stay.
    annotators (Sequence[Annotator]): Who labels: the labels are those of the first, reviewed where a second differs.
    client (Client): How to ask.
    attempts (int): Requests for a vote at most, as long as answers cannot be used.
    relabel (bool): Label again what is labelled already.
    RETURNS (Annotation): The reports, with `meta.annotation`; see docs/synthetic-data.md.
    """
    asked = {i for i, record in enumerate(records) if record.sentences and (relabel or not is_labelled(record))}
    keys = [(i, a, vote) for i in sorted(asked) for a, who in enumerate(annotators) for vote in range(who.votes)]
    questions = [_question(records[i], annotators[a], vote) for i, a, vote in keys]
    outcomes = dict(zip(keys, client.settle(questions, attempts), strict=True))
    result = Annotation(failed=sum(outcome.reason == "no_answer" for outcome in outcomes.values()))
    for (i, a, _), outcome in outcomes.items():
        if outcome.reason not in (None, "no_answer"):
            result.rejects.append(_reject(records[i], annotators[a], outcome))
    for i, record in enumerate(records):
        if i in asked:
            opinions = [
                _opinion(record, [outcomes[i, a, vote] for vote in range(who.votes)])
                for a, who in enumerate(annotators)
            ]
            known = [None if relabel else sentence.label for sentence in record.sentences]
            record = _labelled(record, annotators, opinions, known)
            result.statuses.update(record.meta["annotation"]["status"])
            if len(opinions) == 2:
                both = zip(opinions[0].codes, opinions[1].codes, strict=True)
                result.pairs += [(one, other) for one, other in both if one is not None and other is not None]
        result.records.append(record)
    return result


def is_labelled(record: Record) -> bool:
    """RETURNS (bool): Whether every sentence has a label."""
    return all(sentence.label is not None for sentence in record.sentences)


def _question(record: Record, annotator: Annotator, vote: int) -> Question[list[int]]:
    def read(answer: str) -> list[int]:
        codes = [code for code in parse_by_number(answer, len(record.sentences)) if code is not None]
        if len(codes) < len(record.sentences):
            raise Rejected("labels")
        return codes

    return Question(lambda attempt: Request.to(annotator.endpoint, annotator.body(record, vote, attempt)), read)


def _reject(record: Record, annotator: Annotator, outcome: Outcome) -> dict[str, Any]:
    row = {"id": record.id, "model": annotator.endpoint.model, "reason": outcome.reason}
    # An answer may quote the report.
    return row | ({"answer": outcome.text} if record.meta.get("source") == SYNTHETIC else {})


def _opinion(record: Record, outcomes: Sequence[Outcome[list[int]]]) -> Opinion:
    """RETURNS (Opinion): By majority of the votes that can be used."""
    rows = [outcome.value for outcome in outcomes if outcome.value is not None]
    if not rows:
        return Opinion([None] * len(record.sentences), [False] * len(record.sentences), [])
    columns = list(zip(*rows, strict=True))
    return Opinion(
        [majority(votes) for votes in columns],
        [len(set(votes)) == 1 and len(votes) == len(outcomes) for votes in columns],
        [outcome.date for outcome in outcomes if outcome.value is not None],
    )


def majority(votes: Sequence[int]) -> int:
    """RETURNS (int): The code with most votes; of several, POSITIVE (the guideline's rule for doubt) or the first."""
    counts = Counter(votes)
    most = max(counts.values())
    tied = [code for code in votes if counts[code] == most]
    return Label.POSITIVE.value if Label.POSITIVE in tied else tied[0]


def _labelled(
    record: Record, annotators: Sequence[Annotator], opinions: Sequence[Opinion], known: Sequence[str | None]
) -> Record:
    """RETURNS (Record): With the labels known before, and those of the first annotator for the other sentences."""
    first = [None if code is None else LABELS[code] for code in opinions[0].codes]
    labels = [before or label for before, label in zip(known, first, strict=True)]
    sentences = [
        sentence.model_copy(update={"label": label}) for sentence, label in zip(record.sentences, labels, strict=True)
    ]
    columns = zip(*(opinion.codes for opinion in opinions), strict=True)
    unanimous = zip(*(opinion.unanimous for opinion in opinions), strict=True)
    statuses = [
        "error" if label is None else "ok" if set(codes) == {Label[label].value} and all(agree) else "review"
        for label, codes, agree in zip(labels, columns, unanimous, strict=True)
    ]
    annotation = {
        "status": statuses,
        "annotators": [
            {**who.provenance, "labels": [None if code is None else LABELS[code] for code in opinion.codes]}
            for who, opinion in zip(annotators, opinions, strict=True)
        ],
        "date": max((date for opinion in opinions for date in opinion.dates), default=None),
        "version": __version__,
    }
    # Without what a pipeline said of the labels before.
    meta = {name: value for name, value in record.meta.items() if name not in WRITTEN}
    return record.model_copy(update={"sentences": sentences, "meta": {**meta, "annotation": annotation}})
