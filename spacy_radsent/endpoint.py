"""Questions to a server that speaks OpenAI's protocol (vLLM, llama.cpp, Ollama, OpenAI), through the `openai` client.

Reports are confidential: whether a text may go there is decided here (see `Endpoint.may_read`), a local server is asked
without proxies, redirects are not followed, and no error quotes what was sent or received.
"""

import logging
import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple

from .endpoint_settings import EndpointSettings
from .errors import RadsentError, needs_extra

SYNTHETIC = "synthetic"
REFUSALS = 3  # so many questions in a row: it is not of one of them, be it that a server filters what it is asked
MOST_TOKENS = 10**9  # of one answer: what a server counts beyond is a mistake, as is what is no number


class EndpointError(RadsentError):
    """A question got no answer; others may.

    passing (bool): Whether it may get one when it is asked again.
    status (Optional[int]): Of the response, if there was one.
    retry_after (Optional[float]): Seconds to wait until then, if the server said so.
    """

    def __init__(self, message: str, passing: bool = False, response: Any = None) -> None:
        super().__init__(message)
        self.passing = passing
        self.status = getattr(response, "status_code", None)
        self.retry_after = None if response is None else _seconds(response.headers.get("retry-after", ""))


class EndpointRefused(EndpointError):
    """No question will get an answer: a wrong key, a wrong model."""


class Answer(NamedTuple):
    """What a server wrote.

    text (str): The answer.
    problem (Optional[str]): Why it is not whole: "length", "content_filter", "refusal"; None where it is.
    prompt_tokens, completion_tokens (int): As the server counted them; 0 where it does not.
    """

    text: str
    problem: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass
class Usage:
    """Answers so far, and the tokens that the server counted for them."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        self.answers += 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens


class Endpoint:
    """A model on a server. Safe to share among threads.

    usage (Usage): What was used so far.
    """

    def __init__(self, settings: EndpointSettings, model: str) -> None:
        """Name a model; see `connect`.

        settings (EndpointSettings): The server.
        model (str): The model's name there.
        """
        with needs_extra("openai"):
            import openai
        self.settings = settings
        self.model = model
        self.usage = Usage()
        self.refused: EndpointRefused | None = None
        self.refusals = 0  # since the last answer
        self.openai = openai
        # At DEBUG some versions of the client log what is sent.
        logging.getLogger("openai").setLevel(logging.INFO)
        self.process: int | None = None

    def connect(self) -> None:
        """Set up the client before the first question, and anew in a process that was forked: on one connection, two
        would read each other's answers. Nothing is sent yet, but a key must be there.
        """
        if self.process == os.getpid():
            return
        settings = self.settings
        self._lock = threading.Lock()
        self.client = self.openai.OpenAI(
            base_url=settings.base_url,
            api_key=self._key(),
            timeout=settings.timeout,
            max_retries=settings.max_retries,
            http_client=self.openai.DefaultHttpxClient(
                follow_redirects=False,
                trust_env=not settings.is_local,
                event_hooks={"response": [partial(_bound_time, seconds=settings.timeout)]},
            ),
        )
        self.process = os.getpid()
        self._finalizer = weakref.finalize(self, _close, self.client, self.process)

    def close(self) -> None:
        """Close the connections of this process, as is done in the end for an endpoint that is dropped."""
        if self.process == os.getpid():
            self._finalizer()
            self.process = None

    def may_read(self, source: str | None) -> bool:
        """RETURNS (bool): Whether a report of this source ("synthetic", "real", None: unknown) may go to the server."""
        return self.settings.is_local or self.settings.allow_remote_phi or source == SYNTHETIC

    def body(
        self, messages: list[Any], schema: dict[str, Any], temperature: float | None = 0, seed: int | None = None
    ) -> dict[str, Any]:
        """Write the body of a request.

        messages (List[Any]): Dictionaries as in OpenAI's chat completions.
        schema (Dict[str, Any]): JSON schema of the answer.
        temperature (Optional[float]): Of the sampling; 0 takes the likeliest, None what the server does by itself.
        seed (Optional[int]): Of the sampling, where the server knows one.
        RETURNS (Dict[str, Any]): As in OpenAI's chat completions.
        """
        body: dict[str, Any] = {"model": self.model, "messages": messages}
        body |= {key: value for key, value in (("temperature", temperature), ("seed", seed)) if value is not None}
        if self.settings.structured_output:
            form = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def ask(self, body: dict[str, Any]) -> Answer:
        """Ask a question.

        body (Dict[str, Any]): See `body`.
        RETURNS (Answer): What the server wrote.
        """
        with self.errors_told():
            return self.read(
                self.client.post("/chat/completions", cast_to=self.openai.types.chat.ChatCompletion, body=body)
            )

    @contextmanager
    def errors_told(self) -> Iterator[None]:
        """Tell what the client raises inside as an EndpointError that quotes nothing."""
        if self.refused is not None:
            raise self.refused
        errors = self.openai
        try:
            yield
        except errors.RateLimitError as error:
            if error.code == "insufficient_quota":
                raise self._refuse("says that the account has no credit left: add some, then go on.") from None
            raise self._failed("HTTP 429", True, error.response) from None
        except errors.APIStatusError as error:
            if error.status_code in (401, 404):
                self._count_refusal(error.status_code)
            passing = error.status_code in (408, 409) or error.status_code >= 500
            raise self._failed(f"HTTP {error.status_code}", passing, error.response) from None
        except errors.APITimeoutError:
            raise self._failed(f"no answer in {self.settings.timeout:g} seconds", True) from None
        except errors.APIConnectionError:
            raise self._failed("no connection, or one that broke off", True) from None
        except (errors.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
            if isinstance(error, RadsentError):
                raise
            raise self._failed("an answer that is not of OpenAI's protocol") from None

    def _count_refusal(self, status: int) -> None:
        with self._lock:
            self.refusals += 1
            if self.refusals >= REFUSALS:
                raise self._refuse(
                    f"refuses the model {self.model!r} (HTTP {status}): "
                    f"check the model's name, the address, and the key in {self.settings.api_key_env}."
                ) from None

    def _refuse(self, why: str) -> EndpointRefused:
        self.refused = EndpointRefused(f"{self.settings.base_url} {why}")
        return self.refused

    def read(self, completion: Any) -> Answer:
        """RETURNS (Answer): What a ChatCompletion holds. It is counted."""
        choice = completion.choices[0]
        text, problem = choice.message.content, None
        if getattr(choice.message, "refusal", None):
            problem = "refusal"
        elif choice.finish_reason in ("length", "content_filter"):
            problem = choice.finish_reason
        if text is not None and not isinstance(text, str):
            raise TypeError
        tokens = (getattr(completion.usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
        answer = Answer(text or "", problem, *(n if type(n) is int and 0 <= n < MOST_TOKENS else 0 for n in tokens))
        with self._lock:
            self.usage.add(answer)
            self.refusals, self.refused = 0, None
        return answer

    def _failed(self, what: str, passing: bool = False, response: Any = None) -> EndpointError:
        advice = "check that the server runs" if passing else "check the address"
        if what == "HTTP 429":
            advice = "lower the concurrency"
        elif what == "HTTP 400":
            advice = "raise the context that the server allows, or turn structured_output off"
        elif what in ("HTTP 401", "HTTP 403", "HTTP 404"):
            advice = (
                f"check the model's name, the key in {self.settings.api_key_env}, and whether the server filters "
                f"what it is asked"
            )
        return EndpointError(f"{self.settings.base_url}: {what}: {advice}.", passing, response)

    def _key(self) -> str:
        key = os.environ.get(self.settings.api_key_env)
        if key is None and not self.settings.is_local:
            raise RadsentError(
                f"The environment variable {self.settings.api_key_env} is not set: put the key of "
                f"{self.settings.base_url} there, or name another one (api_key_env, --api-key-env)."
            )
        if key is not None and not (key.isascii() and key.isprintable()):
            raise RadsentError(
                f"The environment variable {self.settings.api_key_env} holds a line end or another character that "
                f"no key has: set it anew."
            )
        return key or "none"


def _seconds(retry_after: str) -> float | None:
    """RETURNS (Optional[float]): Seconds from now that a Retry-After tells, in seconds or as a date (RFC 9110)."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return seconds if 0 < seconds < math.inf else None


def _close(client: Any, process: int) -> None:
    if process == os.getpid():  # a process that was forked leaves them to the one that opened them
        client.close()


def _bound_time(response: Any, seconds: float) -> None:
    """Let a response time out as a whole: the client's own timeout starts anew with each byte."""
    httpx = sys.modules[type(response).__module__.partition(".")[0]]  # or its successor: as the client's version has it
    inner, deadline = response.stream, time.monotonic() + seconds

    class Bounded(httpx.SyncByteStream):  # type: ignore[misc,name-defined]
        def __iter__(self) -> Iterator[bytes]:
            for chunk in inner:
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("The answer takes too long.", request=response.request)
                yield chunk

        def close(self) -> None:
            inner.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    response.stream = Bounded()
