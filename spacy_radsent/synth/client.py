"""Many questions to a server: several at once, each answer in the journal before the next is asked.

A question whose answer cannot be used is asked again, as another request; what got no answer is left for the next run.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, NamedTuple, TypeVar

from ..endpoint import Endpoint, EndpointError, EndpointRefused
from .costs import Bill
from .journal import Entry, Journal, key_of

T = TypeVar("T")


class Rejected(Exception):
    """An answer that cannot be used.

    reason (str): Why, as a name to count by.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Request(NamedTuple):
    """A body, and whom to send it to."""

    endpoint: Endpoint
    body: dict[str, Any]

    @property
    def key(self) -> str:
        return key_of(self.body)


@dataclass(frozen=True)
class Question(Generic[T]):
    """Something to find out.

    ask (Callable[[int], Request]): The request of an attempt, from 0; no two attempts may ask the same.
    read (Callable[[str], T]): Reads a whole answer, raises Rejected.
    """

    ask: Callable[[int], Request]
    read: Callable[[str], T]


class Outcome(NamedTuple, Generic[T]):
    """What became of a question.

    value (Optional[T]): What was found out.
    reason (Optional[str]): Why there is nothing: of the last answer, or "no_answer".
    attempt (int): Which request it comes from.
    text (str): The answer itself.
    date (str): The day (UTC) it came.
    """

    value: T | None
    reason: str | None
    attempt: int
    text: str = ""
    date: str = ""


class Client:
    """Asks, and keeps account.

    errors (Dict[str, str]): Why requests got no answer, by their keys.
    """

    def __init__(self, journal: Journal, bill: Bill) -> None:
        """journal (Journal): Where answers go. bill (Bill): Counts them."""
        self.journal = journal
        self.bill = bill
        self.errors: dict[str, str] = {}

    def settle(self, questions: Sequence[Question[T]], attempts: int) -> list[Outcome[T]]:
        """Find out.

        questions (Sequence[Question]): What.
        attempts (int): Requests for each at most, as long as answers cannot be used.
        RETURNS (List[Outcome]): For each.
        """
        outcomes: list[Outcome[T]] = [Outcome(None, "no_answer", 0)] * len(questions)
        left = list(range(len(questions)))
        for attempt in range(attempts):
            requests = {i: questions[i].ask(attempt) for i in left}
            self.answer(requests.values())
            for i in left:
                outcomes[i] = self._read(questions[i], requests[i], attempt)
            left = [i for i in left if outcomes[i].reason not in (None, "no_answer")]
        return outcomes

    def answer(self, requests: Iterable[Request]) -> None:
        """Have the answers of requests in the journal, but for those in `errors`."""
        missing = {request.key: request for request in requests if request.key not in self.journal}
        self.bill.expect(len(missing))
        self.send(missing)

    def send(self, requests: dict[str, Request]) -> None:
        """Ask, each by itself."""
        if not requests:
            return
        concurrency = next(iter(requests.values())).endpoint.settings.concurrency
        pool = ThreadPoolExecutor(concurrency)
        try:
            futures = [pool.submit(self._send, key, request) for key, request in requests.items()]
            for future in as_completed(futures):
                future.result()
        finally:  # those on their way are paid for: their answers are waited for
            pool.shutdown(cancel_futures=True)

    def _send(self, key: str, request: Request) -> None:
        try:
            answer = request.endpoint.ask(request.body)
        except EndpointRefused:
            raise
        except EndpointError as error:
            self.errors[key] = str(error)
            self.bill.fail()
            return
        self.journal.add(key, Entry(answer, today()))
        self.bill.add(request.endpoint.model, answer)

    def _read(self, question: Question[T], request: Request, attempt: int) -> Outcome[T]:
        entry = self.journal.get(request.key)
        if entry is None:
            return Outcome(None, "no_answer", attempt)
        text, problem = entry.answer.text, entry.answer.problem
        try:
            if problem is not None:
                raise Rejected(problem)
            return Outcome(question.read(text), None, attempt, text, entry.date)
        except Rejected as rejected:
            return Outcome(None, rejected.reason, attempt, text, entry.date)


def today() -> str:
    """RETURNS (str): The day in UTC, e.g. "2026-11-26"."""
    return datetime.now(timezone.utc).date().isoformat()
