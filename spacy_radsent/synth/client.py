"""Many questions to a server: several at once, each answer in the journal before the next is asked.

A question whose answer cannot be used is asked again, as another request; what got no answer is left for the next run.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, NamedTuple, TypeVar

from ..endpoint import Answer, Endpoint, EndpointError, EndpointRefused
from .costs import Bill
from .journal import Entry, Journal, key_of

T = TypeVar("T")
# A server that gave no answer at all is given up after so many requests, for each at once, that it did not get or could
# not answer, or that it refused one by one.
HOPELESS, ALL_REFUSED = 3, 20
# Seconds that a server may ask to wait.
LONGEST_WAIT = 120


class Rejected(Exception):
    """An answer that cannot be used.

    reason (str): Why, as a name to count by.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Request(NamedTuple):
    """A body, whom to send it to, and the key of its answer."""

    endpoint: Endpoint
    body: dict[str, Any]
    key: str

    @classmethod
    def to(cls, endpoint: Endpoint, body: dict[str, Any]) -> "Request":
        """RETURNS (Request): With its key."""
        return cls(endpoint, body, key_of(body))


@dataclass(frozen=True)
class Question(Generic[T]):
    """Something to find out.

    ask (Callable[[int], Request]): The request of an attempt, from 0; no two attempts may ask the same.
    read (Callable[[str], T]): Reads a whole answer, raises Rejected.
    """

    ask: Callable[[int], Request]
    read: Callable[[str], T]


@dataclass(frozen=True)
class Outcome(Generic[T]):
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

    def __init__(self, journal: Journal, bill: Bill, concurrency: int = 1, max_retries: int = 0) -> None:
        """Set up.

        journal (Journal): Where answers go.
        bill (Bill): Counts them.
        concurrency (int): Requests at once.
        max_retries (int): Times to ask again where that may help. The endpoints' own are best 0: nothing can end those.
        """
        self.journal = journal
        self.bill = bill
        self.concurrency = concurrency
        self.max_retries = max_retries
        self._stop = threading.Event()
        self._free_at = 0.0  # when the server, which has limited the rate, may be asked again
        self._passing = 0  # requests that got no answer, but might have got one at another time
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
            asking: dict[str, list[int]] = {}
            for i in left:
                outcomes[i] = Outcome(None, "no_answer", attempt)
            for key in self._answered(_requests(questions, left, attempt, asking)):
                for i in asking[key]:
                    outcomes[i] = self._read(questions[i], key, attempt)
            left = [i for i in left if outcomes[i].reason not in (None, "no_answer")]
        return outcomes

    def send(self, requests: Iterable[Request]) -> Iterator[str]:
        """Ask, each by itself.

        requests (Iterable[Request]): Whose answers are not in the journal. They are sent as they are made.
        YIELDS (str): Keys of those that are then, as they come. `errors` has the others.
        """
        pool = ThreadPoolExecutor(self.concurrency)
        futures = {}
        self._stop.clear()
        try:
            for request in requests:
                self.bill.expect(1)
                futures[pool.submit(self._send, request)] = request.key
            for future in as_completed(futures):
                if future.result():
                    yield futures[future]
        finally:  # those on their way are paid for: their answers are waited for, but no one else
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _answered(self, requests: Iterable[Request]) -> Iterator[str]:
        """YIELDS (str): Keys of requests whose answers are in the journal."""
        known = []

        def missing() -> Iterator[Request]:
            for request in requests:
                if request.key in self.journal:
                    known.append(request.key)
                else:
                    yield request

        yield from self.send(missing())
        yield from known

    def _send(self, request: Request) -> bool:
        try:
            answer = self._try(request)
        except EndpointRefused:
            raise
        except EndpointError as error:
            if self._stop.is_set():
                return False
            self.errors[request.key] = str(error)
            self.bill.fail()
            self._passing += error.passing
            if self._is_hopeless():
                self._stop.set()  # the others ask no more
                raise EndpointRefused(
                    f"Not one of {len(self.errors)} requests got an answer. The last: {error}"
                ) from None
            return False
        self.journal.add(request.key, Entry(answer, today()))
        self.bill.add(request.endpoint.model, answer)
        return True

    def _is_hopeless(self) -> bool:
        """RETURNS (bool): Whether there is no answer to expect. One in the journal shows that requests are in order."""
        if self.bill.answers:
            return False
        refused = 0 if self.journal.entries else len(self.errors) // ALL_REFUSED
        return max(self._passing // HOPELESS, refused) >= self.concurrency

    def _try(self, request: Request) -> Answer:
        """Ask until there is an answer, as often as is allowed."""
        from tenacity import Retrying, retry_if_exception, sleep_using_event, stop_after_attempt, stop_when_event_set

        def may_pass(error: BaseException) -> bool:
            return isinstance(error, EndpointError) and error.passing and (error.retry_after or 0) <= LONGEST_WAIT

        def ask() -> Answer:
            self._stop.wait(max(0.0, self._free_at - time.monotonic()) * random.uniform(1, 1.1))
            if self._stop.is_set():
                raise EndpointError("The run was ended.")
            return request.endpoint.ask(request.body)

        stop = stop_after_attempt(self.max_retries + 1) | stop_when_event_set(self._stop)
        retrying = Retrying(
            retry=retry_if_exception(may_pass),
            stop=stop,
            wait=self._seconds_to_wait,
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        return retrying(ask)

    def _seconds_to_wait(self, state: Any) -> float:
        """RETURNS (float): Longer each time, with jitter, and what the server says. A limited rate holds for all."""
        from tenacity import wait_random_exponential

        error = state.outcome.exception()
        seconds = max(wait_random_exponential(multiplier=0.5, max=60)(state), error.retry_after or 0)
        if error.status == 429:
            self._free_at = max(self._free_at, time.monotonic() + seconds)
        return seconds

    def _read(self, question: Question[T], key: str, attempt: int) -> Outcome[T]:
        answer, date = self.journal.entries[key]
        try:
            if answer.problem is not None:
                raise Rejected(answer.problem)
            return Outcome(question.read(answer.text), None, attempt, answer.text, date)
        except Rejected as rejected:
            return Outcome(None, rejected.reason, attempt, answer.text, date)


def _requests(
    questions: Sequence[Question], which: Sequence[int], attempt: int, asking: dict[str, list[int]]
) -> Iterator[Request]:
    """YIELDS (Request): Of questions, each once; `asking` is told which of them it is for, by its key."""
    for i in which:
        request = questions[i].ask(attempt)
        known = request.key in asking
        asking.setdefault(request.key, []).append(i)
        if not known:
            yield request


def today() -> str:
    """RETURNS (str): The day in UTC, e.g. "2026-11-26"."""
    return datetime.now(timezone.utc).date().isoformat()
