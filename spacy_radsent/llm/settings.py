"""Which language model, and how it is held."""

from dataclasses import dataclass

from ..errors import RadsentError

DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")


@dataclass(frozen=True)
class ModelSettings:
    """Which model, and how it is held; see `factory.make_llm`."""

    name: str
    adapter: str | None
    dtype: str
    device: str
    load_in_4bit: bool

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise RadsentError(f"dtype is {self.dtype!r}: give one of {', '.join(DTYPES)}.")
