"""What a run costs: tokens and dollars, counted as answers come and estimated before any is asked for."""

import sys
import threading
from collections import defaultdict
from types import TracebackType
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..endpoint import Answer, Usage
from ..endpoint_settings import EndpointSettings

# Tokens a character, by Qwen3's tokenizer: 0.75 in the bundled reports, 0.80 to 0.81 in the prompts.
TOKENS_PER_CHAR = 0.8
BATCH_DISCOUNT = 0.5


class Price(NamedTuple):
    """US dollars for a million tokens of prompts and of answers."""

    prompt: float
    completion: float


# OpenAI's list prices of April 2025, when these models came out: look them up before you trust an estimate.
PRICES = {
    "gpt-4.1": Price(2.00, 8.00),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.40),
}


def price_of(model: str, settings: EndpointSettings, given: Price | None) -> Price | None:
    """RETURNS (Optional[Price]): Of a model: the one given, none on this machine, OpenAI's; None where not known."""
    if given is not None:
        return given
    return Price(0, 0) if settings.is_local else PRICES.get(model)


class Bill:
    """Counts answers by model, and shows a progress bar on a terminal. A context manager."""

    def __init__(self, prices: dict[str, Price | None], batch: bool = False) -> None:
        """Start a bill.

        prices (Dict[str, Optional[Price]]): Of each model.
        batch (bool): Whether they are handed in as batches, at half the price.
        """
        self.prices = prices
        self.discount = BATCH_DISCOUNT if batch else 1
        self.usage: dict[str, Usage] = defaultdict(Usage)
        self.failed = 0
        self._lock = threading.Lock()
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("", total=0)

    def __enter__(self) -> "Bill":
        self._progress.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def expect(self, requests: int) -> None:
        """Count on more answers."""
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) + requests)

    def add(self, model: str, answer: Answer) -> None:
        """Count an answer."""
        with self._lock:
            self.usage[model].add(answer)
            self._progress.update(self._task, advance=1, description=str(self))

    def fail(self) -> None:
        """Count a request without an answer."""
        with self._lock:
            self.failed += 1
            self._progress.update(self._task, advance=1, description=str(self))

    @property
    def answers(self) -> int:
        """RETURNS (int): How many came."""
        return sum(usage.answers for usage in self.usage.values())

    def cost(self) -> float | None:
        """RETURNS (Optional[float]): US dollars so far; None where a price is not known."""
        return self.cost_of({model: (u.prompt_tokens, u.completion_tokens) for model, u in self.usage.items()})

    def cost_of(self, tokens: dict[str, tuple[float, float]]) -> float | None:
        """RETURNS (Optional[float]): US dollars for tokens of prompts and answers by model; None as above."""
        total = 0.0
        for model, (prompt, completion) in tokens.items():
            price = self.prices[model]
            if price is None:
                return None
            total += self.discount * (prompt * price.prompt + completion * price.completion) / 1e6
        return total

    def __str__(self) -> str:
        prompt = sum(usage.prompt_tokens for usage in self.usage.values())
        completion = sum(usage.completion_tokens for usage in self.usage.values())
        failed = f", {self.failed} requests without an answer" if self.failed else ""
        return f"{self.answers} answers{failed}, {prompt:,} + {completion:,} tokens, {dollars(self.cost())}"


def dollars(amount: float | None) -> str:
    """RETURNS (str): An amount to show."""
    return "cost unknown (give --price)" if amount is None else f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"
