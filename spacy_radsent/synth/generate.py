"""Reports from attributes: what is asked, and what becomes of the answers."""

from dataclasses import dataclass, field
from typing import Any

from ..corpus.duplicates import find_near_duplicates
from ..corpus.importers import unlabelled_record
from ..corpus.records import Record
from ..endpoint import SYNTHETIC, Endpoint
from ..version import __version__
from .attributes import Attributes, Drawn
from .checks import check_report, read_findings
from .client import Client, Outcome, Question, Request
from .prompts import SCHEMA, ReportPrompt

# Seeds of two reports must differ in each of their attempts; servers take 32 bits, most of them signed.
SEEDS_PER_REPORT = 16
MAX_SEED = 2**31


@dataclass(frozen=True)
class Plan:
    """What reports to ask for.

    attributes (Attributes): The table to draw from.
    prompt (ReportPrompt): How to ask.
    seed (int): Same seed, same attributes.
    temperature (Optional[float]): Of the sampling; None for what the server does by itself.
    """

    attributes: Attributes
    prompt: ReportPrompt
    seed: int = 0
    temperature: float | None = None

    def draw(self, index: int) -> Drawn:
        """RETURNS (Drawn): The attributes of a report."""
        return self.attributes.draw(self.seed, index)

    def body(self, endpoint: Endpoint, index: int, attempt: int) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The request for a report."""
        # Else two reports of the same attributes would be one request.
        seed = (self.seed * 1_000_003 + index * SEEDS_PER_REPORT + attempt) % MAX_SEED
        return endpoint.body(self.prompt(self.draw(index)), SCHEMA, self.temperature, seed)


@dataclass
class Corpus:
    """What came of a plan.

    records (List[Record]): The reports, with their sentences but without labels.
    rejects (List[Dict[str, Any]]): Answers that were paid for but cannot be used: id, reason, answer.
    failed (int): Reports without an answer.
    """

    records: list[Record] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0


def generate(plan: Plan, count: int, endpoint: Endpoint, client: Client, attempts: int = 2) -> Corpus:
    """Generate reports.

    plan (Plan): What to ask for.
    count (int): How many reports to ask for.
    endpoint (Endpoint): Whom to ask.
    client (Client): How.
    attempts (int): Requests for a report at most, as long as answers cannot be used.
    RETURNS (Corpus): The reports, in order.
    """
    questions = [
        Question(
            ask=lambda attempt, index=index: Request(endpoint, plan.body(endpoint, index, attempt)),  # type: ignore[misc]
            read=lambda answer: check_report(read_findings(answer)),
        )
        for index in range(count)
    ]
    outcomes = client.settle(questions, min(attempts, SEEDS_PER_REPORT))
    corpus = Corpus(failed=sum(outcome.reason == "no_answer" for outcome in outcomes))
    for index, outcome in enumerate(outcomes):
        if outcome.value is not None:
            corpus.records.append(_record(plan, index, endpoint, outcome))
        elif outcome.reason != "no_answer":
            corpus.rejects.append({"id": _id(plan, index), "reason": outcome.reason, "answer": outcome.text})
    _reject_near_duplicates(corpus)
    return corpus


def _reject_near_duplicates(corpus: Corpus) -> None:
    duplicates = find_near_duplicates(record.text for record in corpus.records)
    for place, of, similarity in duplicates:
        record, other = corpus.records[place], corpus.records[of]
        why = {"of": other.id, "similarity": round(similarity, 3)}
        corpus.rejects.append({"id": record.id, "reason": "near_duplicate", **why, "answer": record.text})
    dropped = {duplicate.place for duplicate in duplicates}
    corpus.records = [record for place, record in enumerate(corpus.records) if place not in dropped]


def _id(plan: Plan, index: int) -> str:
    return f"synth-{plan.seed}-{index:05d}"


def _record(plan: Plan, index: int, endpoint: Endpoint, outcome: Outcome[str]) -> Record:
    provenance = {
        "model": endpoint.model,
        "temperature": plan.temperature,
        "seed": plan.seed,
        "index": index,
        "attempt": outcome.attempt,
        "template": plan.prompt.name,
        "template_sha256": plan.prompt.sha256,
        "attributes_sha256": plan.attributes.sha256,
        "date": outcome.date,
        "version": __version__,
    }
    meta = {"source": SYNTHETIC, **plan.draw(index).meta, "provenance": provenance}
    return unlabelled_record(_id(plan, index), outcome.value or "", meta=meta)
