"""`radsent annotate`: labels for the sentences of reports, by a language model."""

from collections import Counter
from pathlib import Path

import typer

from ..corpus.importers import import_records
from ..endpoint import Endpoint
from ..errors import RadsentError
from ..synth.agreement import Agreement
from ..synth.annotate import Annotation, Annotator, annotate, is_labelled
from ..synth.costs import Bill, price_of
from ..synth.privacy import guard
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

# Of a label and its key, by Qwen3's tokenizer.
TOKENS_PER_LABEL = 7.0


@command("annotate")
def annotate_command(
    source: Path = typer.Argument(
        ..., metavar="INPUT", help="Reports: records, or what `radsent convert` reads without options."
    ),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="A .jsonl file of records, not there yet."),
    model: str = typer.Option("gpt-4.1-mini", help="The model's name on the server."),
    second_model: str | None = typer.Option(None, help="Another model that labels, too: where it differs is reviewed."),
    votes: int = typer.Option(1, help="Answers for each report; the label that most give is taken."),
    prompt: str = typer.Option("guideline_v1", help="Version of the instructions."),
    relabel: bool = typer.Option(False, "--relabel", help="Label again what is labelled already."),
    allow_remote_phi: bool = typer.Option(
        False, "--allow-remote-phi", help="Let reports that are not synthetic go to a server on another machine."
    ),
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
    """Label the sentences of reports.

    The model is asked by the sentences' numbers, so that no text can change. What two annotators or several votes
    disagree on has the status "review" in meta.annotation; agreement is printed, and written to OUTPUT.agreement.json.
    """
    options.check_numbers(temperature, votes=votes, attempts=attempts, limit=limit)
    if second_model == model:
        raise RadsentError(f"--second-model {model!r}: is the first one, and would agree with itself: use --votes.")
    if source.resolve() == output.resolve():
        raise RadsentError(f"{output}: is the input itself: name another file to write to.")
    agreement_file = output.with_name(f"{output.name}.agreement.json")
    options.check_cache(cache, source, output, rejects_path(output), agreement_file)
    retries = max_retries if batch else 0  # else they are the Client's
    settings = options.settings_of(
        base_url, api_key_env, concurrency, timeout, structured_output, retries, allow_remote_phi
    )
    models = [model, second_model] if second_model else [model]
    annotators = [Annotator(Endpoint(settings, name), prompt, votes, temperature) for name in models]
    prices = {name: price_of(name, settings, options.price_given(price)) for name in models}
    bill = Bill(prices, batch)
    records = list(import_records(source))[:limit]
    open_records = [record for record in records if record.sentences and (relabel or not is_labelled(record))]
    guard(open_records, annotators[0].endpoint)
    if dry_run:
        asked = [(who, record, vote) for record in open_records for who in annotators for vote in range(votes)]
        requests = [
            (who.body(record, vote, 0), TOKENS_PER_LABEL * len(record.sentences)) for who, record, vote in asked
        ]
        show_plan(requests, known_keys(output, resume, cache), bill)
        return
    endpoints = [who.endpoint for who in annotators]
    run = {"annotators": [who.provenance for who in annotators], "structured_output": structured_output}
    questions = len(open_records) * len(annotators) * votes
    with connected(endpoints), open_run(output, len(records), resume, force, run, batch, cache) as journal, bill:
        client = client_of(journal, bill, concurrency, max_retries, batch, resumed=not force or cache is not None)
        result = annotate(records, annotators, client, attempts, relabel)
        if result.failed == questions:
            tell_failures(client, result.failed, questions)  # and what is there stays
        write_output(result.records, output, journal)
        write_rejects(result.rejects, output)
    print(f"{bill}")
    _summarize(output, result)
    if len(annotators) > 1:
        agreement = Agreement.of(models, result.pairs)
        agreement.write(agreement_file)
        print(agreement)
    tell_failures(client, result.failed, questions)
    if open_records and not any(sentence.label for record in result.records for sentence in record.sentences):
        raise RadsentError(f"{output}: no answer could be used, see {rejects_path(output)}: try another model.")


def _summarize(output: Path, result: Annotation) -> None:
    labels = Counter(sentence.label or "without label" for record in result.records for sentence in record.sentences)
    print(
        f"{output}: {len(result.records)} reports, {sum(labels.values())} sentences "
        f"({', '.join(f'{label} {count}' for label, count in labels.most_common())}); "
        f"{result.statuses['review']} to review, {result.statuses['error']} without label"
    )
