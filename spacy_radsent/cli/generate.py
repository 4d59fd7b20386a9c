"""`radsent generate`: synthetic reports from attributes."""

from pathlib import Path

import typer

from ..endpoint import Endpoint
from ..errors import RadsentError
from ..synth.attributes import read_attributes
from ..synth.costs import Bill, price_of
from ..synth.generate import Plan, generate
from ..synth.prompts import ReportPrompt
from ..synth.run import (
    client_of,
    connected,
    known_keys,
    open_run,
    rejects_path,
    show_plan,
    tell_failures,
    write_output,
    write_rejects,
)
from . import server_options as options
from .app import command

# Of a report as JSON, by Qwen3's tokenizer on the bundled ones.
ANSWER_TOKENS = 300.0


@command("generate")
def generate_command(
    output: Path = typer.Argument(..., metavar="OUTPUT", help="A .jsonl file of records, not there yet."),
    count: int = typer.Option(..., "--count", "-n", help="Reports to ask for."),
    model: str = typer.Option("gpt-4.1", help="The model's name on the server."),
    seed: int = typer.Option(0, help="Same seed, same attributes."),
    attributes: str = typer.Option("bundled", help="A table of attributes (YAML or JSON) of your own."),
    template: Path | None = typer.Option(None, help="A template of the prompt (Jinja) of your own."),
    temperature: options.Temperature = None,
    attempts: options.Attempts = 2,
    base_url: options.BaseUrl = options.OPENAI,
    api_key_env: options.ApiKeyEnv = "OPENAI_API_KEY",
    concurrency: options.Concurrency = 8,
    timeout: options.Timeout = 120,
    max_retries: options.MaxRetries = 8,
    structured_output: options.StructuredOutput = True,
    batch: options.Batch = False,
    price: options.PriceOption = None,
    limit: options.Limit = None,
    dry_run: options.DryRun = False,
    resume: options.Resume = False,
    force: options.Force = False,
    cache: options.Cache = None,
) -> None:
    """Generate synthetic reports.

    Attributes are drawn for each report, a model writes it, and it is kept if it is built like a findings section and
    is no near-duplicate. The others stand beside the output in OUTPUT.rejects, all answers in OUTPUT.journal.
    """
    options.check_numbers(temperature, count=count, attempts=attempts, limit=limit)
    options.check_cache(cache, output, rejects_path(output))
    retries = max_retries if batch else 0  # else they are the Client's
    settings = options.settings_of(base_url, api_key_env, concurrency, timeout, structured_output, retries)
    endpoint = Endpoint(settings, model)
    plan = Plan(
        read_attributes(None if attributes == "bundled" else Path(attributes)),
        ReportPrompt(template),
        seed,
        temperature,
    )
    count = min(count, limit or count)
    bill = Bill({model: price_of(model, settings, options.price_given(price))}, batch)
    if dry_run:
        requests = [(plan.body(endpoint, i, 0), ANSWER_TOKENS) for i in range(count)]
        show_plan(requests, known_keys(output, resume, cache), bill)
        return
    run = plan.asked(endpoint)
    with connected([endpoint]), open_run(output, count, resume, force, run, batch, cache) as journal, bill:
        client = client_of(journal, bill, concurrency, max_retries, batch, resumed=not force or cache is not None)
        corpus = generate(plan, count, endpoint, client, attempts)
        if corpus.failed == count:
            tell_failures(client, corpus.failed, count)  # and what is there stays
        if corpus.records:
            write_output(corpus.records, output, journal)
        write_rejects(corpus.rejects, output)
    print(f"{bill}")
    if corpus.records:
        sentences = sum(len(record.sentences) for record in corpus.records)
        print(f"{output}: {len(corpus.records)} reports, {sentences} sentences")
    tell_failures(client, corpus.failed, count)
    if not corpus.records:
        raise RadsentError(
            f"{output}: not written, no report could be used, see {rejects_path(output)}: try another model."
        )
