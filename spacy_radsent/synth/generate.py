"""Reports from attributes: what is asked, and what becomes of the answers."""

from dataclasses import dataclass, field
from typing import Any

from ..corpus.duplicates import Sketch, find_near_duplicates
from ..corpus.importers import unlabelled_record
from ..corpus.records import Record
from ..endpoint import SYNTHETIC, Endpoint
from ..version import __version__
from .attributes import Attributes
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

    def body(self, endpoint: Endpoint, index: int, attempt: int) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): The request for a report."""
        # Else two reports of the same attributes would be one request.
        seed = (self.seed * 1_000_003 + index * SEEDS_PER_REPORT + attempt) % MAX_SEED
        messages = self.prompt(self.attributes.draw(self.seed, index))
        return endpoint.body(messages, SCHEMA, self.temperature, seed)

    def asked(self, endpoint: Endpoint) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What makes a run what it is, besides how many reports it asks for."""
        return {
            "model": endpoint.model,
            "temperature": self.temperature,
            "seed": self.seed,
            "structured_output": endpoint.settings.structured_output,
            "template_sha256": self.prompt.sha256,
            "attributes_sha256": self.attributes.sha256,
        }

    def id(self, index: int) -> str:
        """RETURNS (str): Of a report."""
        return f"synth-{self.seed}-{index:05d}"

    def meta(self, endpoint: Endpoint, index: int, outcome: Outcome) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For the record: its attributes, and where it comes from."""
        provenance = {
            **self.asked(endpoint),
            "index": index,
            "attempt": outcome.attempt,
            "template": self.prompt.name,
            "date": outcome.date,
            "version": __version__,
        }
        drawn = self.attributes.draw(self.seed, index)
        return {"source": SYNTHETIC, **drawn.meta, "provenance": provenance}


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
    questions = [_question(plan, endpoint, index) for index in range(count)]
    outcomes = client.settle(questions, min(attempts, SEEDS_PER_REPORT))
    usable = {index: outcome.value for index, outcome in enumerate(outcomes) if outcome.value is not None}
    places = list(usable)
    duplicates = {places[found.place]: found for found in find_near_duplicates(sketch for _, sketch in usable.values())}
    corpus = Corpus(failed=sum(outcome.reason == "no_answer" for outcome in outcomes))
    for index, outcome in enumerate(outcomes):
        reject = {"id": plan.id(index), "reason": outcome.reason, "answer": outcome.text}
        if index in duplicates:
            found = duplicates[index]
            of = plan.id(places[found.of])
            corpus.rejects.append({**reject, "reason": "near_duplicate", "of": of, "similarity": found.similarity})
        elif index in usable:
            record = usable[index][0]
            corpus.records.append(record.model_copy(update={"meta": plan.meta(endpoint, index, outcome)}))
        elif outcome.reason != "no_answer":
            corpus.rejects.append(reject)
    return corpus


def _question(plan: Plan, endpoint: Endpoint, index: int) -> Question[tuple[Record, Sketch]]:
    def read(answer: str) -> tuple[Record, Sketch]:
        drawn = plan.attributes.draw(plan.seed, index)
        record = check_report(unlabelled_record(plan.id(index), read_findings(answer), meta=drawn.meta))
        return record, Sketch.of(record.text)

    return Question(lambda attempt: Request.to(endpoint, plan.body(endpoint, index, attempt)), read)
