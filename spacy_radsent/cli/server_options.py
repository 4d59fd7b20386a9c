"""The options of the commands that ask a server, and what is made of them."""

import math
from pathlib import Path
from typing import Annotated

import typer

from ..endpoint_settings import EndpointSettings
from ..errors import RadsentError
from ..synth.costs import Price

BaseUrl = Annotated[str, typer.Option(help="Any server that speaks OpenAI's protocol, e.g. http://127.0.0.1:8000/v1.")]
ApiKeyEnv = Annotated[str, typer.Option(help="Environment variable that holds the key.")]
Concurrency = Annotated[int, typer.Option(help="Requests at once.")]
Timeout = Annotated[float, typer.Option(help="Seconds until a request is tried again.")]
MaxRetries = Annotated[
    int, typer.Option(help="Tries again after 429, 5xx and lost connections, longer apart each time.")
]
Attempts = Annotated[int, typer.Option(help="Requests at most where an answer cannot be used.")]
Temperature = Annotated[float | None, typer.Option(help="Of the sampling.")]
StructuredOutput = Annotated[bool, typer.Option(help="Give the server the JSON schema of the answer.")]
Batch = Annotated[bool, typer.Option("--batch", help="Through OpenAI's Batch API: half the price, within a day.")]
PriceOption = Annotated[
    str | None, typer.Option("--price", metavar="IN,OUT", help="US dollars for a million tokens, e.g. 0.4,1.6.")
]
Limit = Annotated[int | None, typer.Option(help="Only the first so many reports.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print prompts and what it would cost; send nothing.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off; nothing is paid twice.")]
Force = Annotated[bool, typer.Option("--force", help="Start anew; the answers of an earlier run are set aside.")]
Cache = Annotated[Path | None, typer.Option(help="Keep answers in this file, for several outputs to share.")]

OPENAI = "https://api.openai.com/v1"


def settings_of(
    base_url: str,
    api_key_env: str,
    concurrency: int,
    timeout: float,
    structured_output: bool,
    max_retries: int,
    allow_remote_phi: bool = False,
) -> EndpointSettings:
    """RETURNS (EndpointSettings): Checked."""
    return EndpointSettings.read(
        {
            "base_url": base_url,
            "api_key_env": api_key_env,
            "concurrency": concurrency,
            "timeout": timeout,
            "max_retries": max_retries,
            "structured_output": structured_output,
            "allow_remote_phi": allow_remote_phi,
        }
    )


def price_given(price: str | None) -> Price | None:
    """RETURNS (Optional[Price]): Of the option --price."""
    if price is None:
        return None
    try:
        prompt, completion = map(float, price.split(","))
        if not (0 <= prompt < math.inf and 0 <= completion < math.inf):
            raise ValueError
    except ValueError:
        raise RadsentError(f"--price {price!r}: give two numbers, e.g. --price 0.4,1.6.") from None
    return Price(prompt, completion)


def check_cache(cache: Path | None, *others: Path) -> None:
    """Refuse a cache that is another file of the run, which would be lost, or lose the answers."""
    if cache is not None and cache.resolve() in [other.resolve() for other in others]:
        raise RadsentError(f"--cache {cache}: is read or written by this run already: name a file for answers alone.")


def check_numbers(temperature: float | None, **options: int | None) -> None:
    """Refuse a temperature that is none, and other numbers below 1."""
    if temperature is not None and not 0 <= temperature <= 2:
        raise RadsentError(f"--temperature {temperature}: give a number from 0 to 2.")
    for name, value in options.items():
        if value is not None and value < 1:
            raise RadsentError(f"--{name.replace('_', '-')} {value}: give at least 1.")
