"""The settings of `radsent_llm`."""

from dataclasses import dataclass

from ..endpoint_settings import EndpointSettings
from ..errors import RadsentError

MODES = ("score", "generate", "endpoint")
DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")


@dataclass(frozen=True)
class LLMSettings:
    """Which language model, how it is held, and how it is asked; see `factory.make_llm`."""

    model: str
    adapter: str | None = None
    mode: str = "score"
    dtype: str = "auto"
    device: str = "auto"
    load_in_4bit: bool = False
    prompt: str = "ja_v1"
    max_length: int = 4096
    max_batch_tokens: int = 16384
    attempts: int = 1
    endpoint: EndpointSettings | None = None

    def __post_init__(self) -> None:
        for name, choices in {"mode": MODES, "dtype": DTYPES}.items():
            if getattr(self, name) not in choices:
                raise RadsentError(f"{name} is {getattr(self, name)!r}: give one of {', '.join(choices)}.")
        if self.endpoint is not None and self.mode != "endpoint":
            raise RadsentError(f"An endpoint is given, but mode is {self.mode!r}: set mode = 'endpoint'.")
        if self.adapter is not None and self.mode == "endpoint":
            raise RadsentError("An adapter is given, but mode is 'endpoint': load it on the server, and leave it out.")
        for name in ("max_length", "max_batch_tokens", "attempts"):
            if getattr(self, name) < 1:
                raise RadsentError(f"{name} is {getattr(self, name)}: give at least 1.")
