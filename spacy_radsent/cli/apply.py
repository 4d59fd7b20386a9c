"""`radsent apply`: label an archive."""

import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..apply.run import Settings, apply
from ..apply.writer import ENDINGS
from ..corpus.rows import Layout
from ..corpus.sources import open_source
from ..errors import RadsentError
from .app import ENCODING, command


@command("apply")
def apply_command(
    model: str = typer.Argument(..., metavar="MODEL", help="A pipeline's folder, or an installed package."),
    source: Path = typer.Argument(
        ..., metavar="INPUT", help="A .jsonl, .csv, .tsv, .parquet file, or a folder of .txt."
    ),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="A folder; parts that are there are not done again."),
    format: str = typer.Option("jsonl", help=f"{', '.join(ENDINGS)}."),
    text_column: str = typer.Option("text", help="Column or field with the reports."),
    id_column: str = typer.Option("id", help="Column or field with their ids."),
    encoding: str = ENCODING,
    n_process: int = typer.Option(1, help="Processes, each with a pipeline of its own."),
    batch_size: int = typer.Option(64, help="Reports to label at once."),
    part_size: int = typer.Option(1000, help="Rows a file."),
    shard: str = typer.Option("1/1", help="i/n: label every n-th part from the i-th, e.g. in a job array."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
    retry_errors: bool = typer.Option(
        False, "--retry-errors", help="Label parts again on whose reports a component failed, e.g. a server was down."
    ),
    engine: str = typer.Option("local", help="local, or ray: --n-process actors of the cluster at RAY_ADDRESS."),
) -> None:
    """Label every report of an archive.

    Each row comes out in a part or, with the reason, among the rejects. A run that was cut off goes on when the command
    is given again.
    """
    number, count = _shard(shard)
    if format not in ENDINGS:
        raise RadsentError(f"--format {format!r}: use {', '.join(ENDINGS)}.")
    if engine not in ("local", "ray"):
        raise RadsentError(f"--engine {engine!r}: use local or ray.")
    for name, value in (("n-process", n_process), ("batch-size", batch_size), ("part-size", part_size)):
        if value < 1:
            raise RadsentError(f"--{name} {value}: give 1 or more.")
    settings = Settings(model, format, part_size, number, count, n_process, batch_size, gpu_id, engine, retry_errors)
    rows = open_source(source, Layout(text_column, id_column, encoding))
    console = Console(stderr=True)
    columns = (TextColumn("{task.fields[rate]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(source.name, total=rows.total, rate="")
        for progress in apply(rows, output, settings):
            labelled = progress.counts.labelled
            rate = labelled / max(bar.tasks[0].elapsed or 0, 1e-9)
            bar.update(task, completed=progress.rows, rate=f"{rate:.0f} reports/s")
    counts = progress.counts
    print(
        f"{output}: {counts.labelled:,} reports labelled ({counts.with_errors:,} with sentences without a label), "
        f"{counts.rejected:,} rejected, {progress.skipped:,} done before, {progress.elsewhere:,} of other shards"
    )
    if counts.rejected:
        print("  rejects-*.jsonl hold the reasons")
    if (counts.with_errors or progress.failed_before) and not retry_errors:
        print(
            f"  errors-*.jsonl and rejects-*.jsonl name reports on which a component failed ({progress.failed_before} "
            f"of those done before); with --retry-errors their parts are labelled again"
        )
    if not progress.rows:
        raise RadsentError(f"{source}: holds no report: it needs at least one.")
    if counts.rejected and not counts.labelled:
        raise RadsentError(f"{source}: no row could be labelled, see {output}/rejects-*.jsonl for the reasons.")
    if counts.labelled and counts.labelled == counts.with_errors:
        raise RadsentError(
            f"{source}: every report has sentences without a label: correct what the warnings name, and give the "
            f"command again with --retry-errors."
        )


def _shard(shard: str) -> tuple[int, int]:
    number, _, count = shard.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise RadsentError(f"--shard {shard!r}: write i/n with i from 1 to n, e.g. 2/8.")
    return int(number), int(count)
