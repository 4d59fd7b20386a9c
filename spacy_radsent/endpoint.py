"""Questions to a server that speaks OpenAI's protocol (vLLM, llama.cpp, Ollama, OpenAI), through the `openai` client.

Reports are confidential: whether a text may go there is decided here (see `Endpoint.may_read`), a local server is asked
without proxies, redirects are not followed, and no error quotes what was sent or received.
"""

import ipaddress
import logging
import os
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import RadsentError, needs_extra

SYNTHETIC = "synthetic"


class EndpointSettings(BaseModel):
    """Where a server is, and how it is asked.

    base_url (str): E.g. "http://127.0.0.1:8000/v1".
    api_key_env (str): Name of the environment variable that holds the key. A local server needs none.
    concurrency (int): Questions at once.
    timeout (float): Seconds without a byte from the server until a question is asked again.
    max_retries (int): Times to ask again after a timeout, a lost connection, and the statuses 408, 409, 429 and 5xx;
        the client waits in between, longer each time, and as long as the server says.
    structured_output (bool): Give the server the JSON schema of the answer; off for a server that knows none.
    allow_remote_phi (bool): Let reports that are not marked synthetic go to a server that is not on this machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(8, ge=1)
    timeout: float = Field(60, gt=0)
    max_retries: int = Field(5, ge=0)
    structured_output: bool = True
    allow_remote_phi: bool = False

    @classmethod
    def read(cls, section: Any) -> "EndpointSettings":
        """RETURNS (EndpointSettings): From a section of a config."""
        try:
            settings = cls.model_validate(section)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(["endpoint", *map(str, first["loc"])])
            raise RadsentError(f"{field}: {first['msg']}; settings are {', '.join(cls.model_fields)}.") from None
        url = urlsplit(settings.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise RadsentError(
                f"endpoint.base_url is {settings.base_url!r}: give a whole address, e.g. http://127.0.0.1:8000/v1."
            )
        return settings

    @property
    def is_local(self) -> bool:
        """RETURNS (bool): Whether the server is on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


class EndpointError(RadsentError):
    """A question got no answer; others may."""


class EndpointRefused(EndpointError):
    """No question will get an answer: a wrong key, a wrong model."""


class Answer(NamedTuple):
    """What a server wrote.

    text (str): The answer.
    problem (Optional[str]): Why it is not whole: "length", "content_filter", "refusal"; None where it is.
    """

    text: str
    problem: str | None


@dataclass
class Usage:
    """Answers so far, and the tokens that the server counted for them."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Endpoint:
    """A model on a server. Safe to share among threads.

    usage (Usage): What was used so far.
    """

    def __init__(self, settings: EndpointSettings, model: str) -> None:
        """Set up a client; nothing is sent yet.

        settings (EndpointSettings): The server.
        model (str): The model's name there.
        """
        with needs_extra("openai"):
            import openai
        self.settings = settings
        self.model = model
        self.usage = Usage()
        self.refused: EndpointRefused | None = None
        self.openai = openai
        # At DEBUG some versions of the client log what is sent.
        logging.getLogger("openai").setLevel(logging.INFO)
        self._connect()

    def _connect(self) -> None:
        settings = self.settings
        self.process = os.getpid()
        self._lock = threading.Lock()
        self.client = self.openai.OpenAI(
            base_url=settings.base_url,
            api_key=self._key(),
            timeout=settings.timeout,
            max_retries=settings.max_retries,
            http_client=self.openai.DefaultHttpxClient(follow_redirects=False, trust_env=not settings.is_local),
        )

    def after_fork(self) -> None:
        """Connect anew in a process that was forked: on one connection, two would read each other's answers."""
        if self.process != os.getpid():
            self._connect()

    def may_read(self, source: str | None) -> bool:
        """RETURNS (bool): Whether a report of this source ("synthetic", "real", None: unknown) may go to the server."""
        return self.settings.is_local or self.settings.allow_remote_phi or source == SYNTHETIC

    def ask(self, messages: list[Any], schema: dict[str, Any], temperature: float = 0) -> Answer:
        """Ask a question.

        messages (List[Any]): Dictionaries as in OpenAI's chat completions.
        schema (Dict[str, Any]): JSON schema of the answer.
        temperature (float): Of the sampling; 0 takes the likeliest.
        RETURNS (Answer): What the server wrote.
        """
        if self.refused is not None:
            raise self.refused
        options: dict[str, Any] = {}
        if self.settings.structured_output:
            form = {"name": "answer", "strict": True, "schema": schema}
            options["response_format"] = {"type": "json_schema", "json_schema": form}
        errors = self.openai
        try:
            completion = self.client.chat.completions.create(
                model=self.model, messages=messages, temperature=temperature, **options
            )
            answer = self._read(completion)
        except (errors.AuthenticationError, errors.PermissionDeniedError, errors.NotFoundError) as error:
            self.refused = EndpointRefused(
                f"{self.settings.base_url} refuses the model {self.model!r} (HTTP {error.status_code}): "
                f"check the model's name, the address, and the key in {self.settings.api_key_env}."
            )
            raise self.refused from None
        except errors.APIStatusError as error:
            raise EndpointError(self._failed(f"HTTP {error.status_code}", error.status_code)) from None
        except errors.APITimeoutError:
            raise EndpointError(self._failed(f"no answer in {self.settings.timeout:g} seconds")) from None
        except errors.APIConnectionError:
            raise EndpointError(self._failed("no connection, or one that broke off")) from None
        except (errors.OpenAIError, ValueError, TypeError, AttributeError, LookupError):
            raise EndpointError(self._failed("an answer that is not of OpenAI's protocol")) from None
        return answer

    def _read(self, completion: Any) -> Answer:
        choice = completion.choices[0]
        text, problem = choice.message.content, None
        if getattr(choice.message, "refusal", None):
            problem = "refusal"
        elif choice.finish_reason in ("length", "content_filter"):
            problem = choice.finish_reason
        if text is not None and not isinstance(text, str):
            raise TypeError
        with self._lock:
            self.usage.answers += 1
            if completion.usage is not None:
                self.usage.prompt_tokens += completion.usage.prompt_tokens
                self.usage.completion_tokens += completion.usage.completion_tokens
        return Answer(text or "", problem)

    def _failed(self, what: str, status: int | None = None) -> str:
        advice = "check that the server runs"
        if status == 429:
            advice = "lower endpoint.concurrency"
        elif status == 400:
            advice = "raise the context that the server allows, or set endpoint.structured_output = false"
        tries = self.settings.max_retries + 1
        return f"{self.settings.base_url}: {what} ({tries if status != 400 else 1} tries at most): {advice}."

    def _key(self) -> str:
        key = os.environ.get(self.settings.api_key_env)
        if key is None and not self.settings.is_local:
            raise RadsentError(
                f"The environment variable {self.settings.api_key_env} is not set: put the key of "
                f"{self.settings.base_url} there, or name another one in endpoint.api_key_env."
            )
        return key or "none"
