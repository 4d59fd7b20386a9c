"""`radsent evaluate`: models on labelled corpora, with statistics, a report and every error."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import spacy
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import track

from ..corpus.importers import import_records
from ..corpus.records import Record
from ..errors import RadsentError, needs_extra
from ..files import atomic_writer
from .app import command


class Named(NamedTuple):
    """A model or a corpus as it is given: NAME=PATH, or a path that names itself."""

    name: str
    path: str

    @classmethod
    def parse(cls, argument: str, *, stem: bool = False) -> "Named":
        """RETURNS (Named): `stem` takes the file's name without ending where no name is given."""
        name, separator, path = argument.partition("=")
        if separator and name and path and not Path(argument).exists():
            return cls(name, path)
        path = Path(argument)
        return cls(path.stem if stem else "/".join(path.parts[-2:]) or argument, argument)

    @property
    def file_name(self) -> str:
        return self.name.replace("/", "-")


@command("evaluate")
def evaluate_command(
    model: str = typer.Argument(..., metavar="MODEL", help="A pipeline's folder or package, or predictions (.jsonl)."),
    corpora: list[str] = typer.Argument(..., metavar="CORPUS...", help="Labelled reports: records, or [NAME=]FILE."),
    output: Path = typer.Option(..., "--output", "-o", help="A folder for metrics.json, report.md, report.html."),
    also: list[str] = typer.Option([], "--model", "-m", help="Another model to compare with; NAME=MODEL names it."),
    by: list[str] = typer.Option([], "--by", help="A field of meta to group by: institution, modality, ..."),
    unit: str = typer.Option("report", help="What the bootstrap draws: report, or sentence (as if independent)."),
    resamples: int = typer.Option(2000, help="Of the bootstrap and of the permutations; 0 for none."),
    seed: int = typer.Option(0, help="Same seed, same intervals."),
    max_errors: int = typer.Option(1000, help="Wrong sentences in report.html; errors.jsonl holds all."),
    no_text: bool = typer.Option(False, "--no-text", help="Write nothing of the reports: no sentence, no predictions."),
    batch_size: int = typer.Option(64, help="Reports to label at once."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Evaluate pipelines, or predictions that were stored, on labelled reports.

    Writes metrics.json, report.md (without report text), report.html, errors.jsonl, the figures as PNG, and the
    predictions, which can be evaluated again in place of the model.
    """
    _check(unit, resamples, max_errors, batch_size)
    with needs_extra("evaluation"):
        from ..evaluation.corpus import GoldCorpus, check_distinct, check_fields
        from ..evaluation.document import to_html, to_markdown
        from ..evaluation.evaluate import Evaluator
        from ..evaluation.outcome import Outcome
        from ..evaluation.plots import draw
        from ..evaluation.predictions import predictions_of
        from ..evaluation.report import overview, sections_of

    models = [Named.parse(argument) for argument in [model, *also]]
    sources = [Named.parse(argument, stem=True) for argument in corpora]
    check_distinct((given.file_name for given in models), "models")
    check_distinct((given.file_name for given in sources), "corpora")
    golds = [GoldCorpus(given.name, list(import_records(given.path))) for given in sources]
    check_fields(golds, by)
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    outcomes = []
    for given in models:
        predict = predictions_of(given.path, batch_size)
        for gold in golds:
            predictions = _shown(predict(gold), f"{given.name} on {gold.name}", len(gold.records))
            path = output / "predictions" / given.file_name / f"{gold.name.replace('/', '-')}.jsonl"
            with _kept(predictions, path, keep=not no_text) as stream:
                outcomes.append(Outcome.of(given.name, gold, stream))
    evaluation, errors = Evaluator(unit=unit, resamples=resamples, seed=seed, by=by).evaluate(outcomes)
    pictures = {
        gold.name: draw([run for run in evaluation.runs if run.corpus == gold.name], given.file_name)
        for gold, given in zip(golds, sources, strict=True)
    }
    sections = sections_of(evaluation, pictures)
    title = f"Evaluation: {', '.join(given.name for given in models)}"
    shown = [] if no_text else errors[:max_errors]
    note = f"{len(shown):,} of {len(errors):,} wrong sentences; errors.jsonl holds all."
    _write(output / "metrics.json", evaluation.to_json())
    _write(
        output / "errors.jsonl", "".join(json.dumps(e.to_dict(not no_text), ensure_ascii=False) + "\n" for e in errors)
    )
    _write(output / "report.md", to_markdown(title, sections))
    _write(output / "report.html", to_html(title, sections, shown, note))
    for picture in [picture for drawn in pictures.values() for picture in drawn]:
        with atomic_writer(output / f"{picture.name}.png", "wb") as file:
            file.write(picture.png)
    Console().print(Markdown(to_markdown(title, [overview(evaluation)])))
    print(f"Open in a browser: {(output / 'report.html').resolve()}")


def _check(unit: str, resamples: int, max_errors: int, batch_size: int) -> None:
    if unit not in ("report", "sentence"):
        raise RadsentError(f"--unit {unit!r}: use report or sentence.")
    if resamples and resamples < 100:
        raise RadsentError(f"--resamples {resamples}: give at least 100, or 0 for no intervals.")
    if max_errors < 0:
        raise RadsentError(f"--max-errors {max_errors}: give 0 or more.")
    if batch_size < 1:
        raise RadsentError(f"--batch-size {batch_size}: give 1 or more.")


def _shown(predictions: Iterable[Record], title: str, total: int) -> Iterator[Record]:
    console = Console(stderr=True)
    yield from track(predictions, title, total, console=console, transient=True, disable=not sys.stderr.isatty())


@contextmanager
def _kept(predictions: Iterable[Record], path: Path, keep: bool) -> Iterator[Iterable[Record]]:
    """Write predictions as they are read."""
    if not keep:
        yield predictions
        return
    with atomic_writer(path) as file:

        def written() -> Iterator[Record]:
            for record in predictions:
                file.write(json.dumps(record.model_dump(), ensure_ascii=False) + "\n")
                yield record

        yield written()


def _write(path: Path, content: str) -> None:
    with atomic_writer(path) as file:
        file.write(content)
