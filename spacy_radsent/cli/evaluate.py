"""`radsent evaluate`: models on labelled corpora, with statistics, a report and every error."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ..errors import RadsentError, needs_extra
from ..files import file_name, result_folder
from .app import command
from .models import parse_names, run_models, write_all

if TYPE_CHECKING:  # needs the extra
    from ..evaluation.results import Run


@command("evaluate")
def evaluate_command(
    model: str = typer.Argument(..., metavar="MODEL", help="A pipeline's folder or package, or predictions (.jsonl)."),
    corpora: list[str] = typer.Argument(..., metavar="CORPUS...", help="Labelled reports: [NAME=]FILE."),
    output: Path = typer.Option(..., "--output", "-o", help="A folder for metrics.json, report.md, report.html."),
    also: list[str] = typer.Option([], "--model", "-m", help="Another model to compare with; NAME=MODEL names it."),
    by: list[str] = typer.Option([], "--by", help="A field of meta to group by: institution, modality, ..."),
    unit: str = typer.Option("report", help="What the bootstrap draws: report, or sentence (as if independent)."),
    resamples: int = typer.Option(2000, help="Of the bootstrap and of the permutations; 0 for none."),
    seed: int = typer.Option(0, help="Same seed, same intervals."),
    max_errors: int = typer.Option(1000, help="Wrong sentences in report.html; errors.jsonl holds all."),
    no_text: bool = typer.Option(
        False, "--no-text", help="Write nothing of the reports: no sentence, no id, no predictions."
    ),
    batch_size: int = typer.Option(64, help="Reports to label at once."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Evaluate pipelines, or predictions that were stored, on labelled reports.

    Writes metrics.json, report.md (without report text), report.html, errors.jsonl, the figures as PNG, and the
    predictions, which can be evaluated again in place of the model.
    """
    check_numbers(unit, resamples, seed, batch_size, max_errors)
    with needs_extra("evaluation"):
        from ..evaluation.corpus import fields_of
        from ..evaluation.document import to_html, to_markdown
        from ..evaluation.errors import first_of_each
        from ..evaluation.evaluate import Evaluator
        from ..evaluation.plots import draw
        from ..evaluation.report import sections_of

    models = parse_names([model, *also], "models")
    golds = [given.gold() for given in parse_names(corpora, "corpora", stem=True)]
    by = fields_of(golds, by)
    with result_folder(output, "metrics.json") as folder:
        keep = None if no_text else folder / "predictions"
        outcomes = run_models(models, golds, batch_size=batch_size, gpu_id=gpu_id, keep=keep)
        evaluation, errors = Evaluator(unit=unit, resamples=resamples, seed=seed, by=by).evaluate(outcomes)
        unlabelled = [run for run in evaluation.runs if run.all.no_label == run.all.sentences]
        if len(unlabelled) == len(evaluation.runs):
            raise _no_label(unlabelled[0])  # and what is there stays
        pictures = {gold.name: draw(evaluation.runs_on(gold.name), file_name(gold.name)) for gold in golds}
        sections = sections_of(evaluation, pictures)
        title = f"Evaluation: {', '.join(given.name for given in models)}"
        on_page = [] if no_text else first_of_each(errors, max_errors)
        note = f"{len(on_page):,} of {len(errors):,} wrong sentences; errors.jsonl holds all."
        rows = (json.dumps(error.to_dict(not no_text), ensure_ascii=False) for error in errors)
        files: dict[str, str | bytes] = {
            "metrics.json": evaluation.to_json(),
            "errors.jsonl": "".join(f"{row}\n" for row in rows),
            "report.md": to_markdown(title, sections),
            "report.html": to_html(title, sections, on_page, note),
        }
        files |= {f"{picture.name}.png": picture.png for drawn in pictures.values() for picture in drawn}
        write_all(folder, files)
    _show(evaluation.runs)
    print(f"Open in a browser: {(output / 'report.html').resolve()}")
    if unlabelled:
        raise _no_label(unlabelled[0])


def _no_label(run: "Run") -> RadsentError:
    return RadsentError(
        f"{run.model} on {run.corpus}: no sentence got a label: give predictions that hold labels, or a pipeline that "
        f"labels these reports (warnings name what failed)."
    )


def check_numbers(unit: str, resamples: int, seed: int, batch_size: int = 1, max_errors: int = 0) -> None:
    """Refuse what no evaluation can be made with."""
    if unit not in ("report", "sentence"):
        raise RadsentError(f"--unit {unit!r}: use report or sentence.")
    if resamples and resamples < 100:
        raise RadsentError(f"--resamples {resamples}: give at least 100, or 0 for no intervals.")
    if seed < 0:
        raise RadsentError(f"--seed {seed}: give 0 or more.")
    if batch_size < 1:
        raise RadsentError(f"--batch-size {batch_size}: give 1 or more.")
    if max_errors < 0:
        raise RadsentError(f"--max-errors {max_errors}: give 0 or more.")


def _show(runs: Sequence["Run"]) -> None:
    """Print a table narrow enough for a terminal: no intervals."""
    from ..evaluation.cells import TITLES, number

    names = ("accuracy", "macro_f1", "ppv_1", "recall_1", "kappa")
    numbers = (Column(TITLES[name], no_wrap=True) for name in names)
    table = Table(Column("model", overflow="fold"), Column("corpus", overflow="fold"), *numbers, box=SIMPLE_HEAD)
    for run in runs:
        # A Text, since a name such as "[/x]" would be read as markup.
        table.add_row(
            Text(run.model), Text(run.corpus), *(number(run.all.counted_wrong.metrics[name].value) for name in names)
        )
    Console().print(table)
    for run in runs:
        if run.all.no_label:
            print(f"{run.model} on {run.corpus}: {run.all.no_label:,} sentences without a label count as wrong here")
