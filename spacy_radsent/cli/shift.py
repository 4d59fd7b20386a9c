"""`radsent shift`: how far reports are from those of training, before anybody labels them."""

from pathlib import Path

import typer

from ..corpus.importers import Reading, import_records
from ..corpus.rows import Layout
from ..errors import needs_extra
from ..files import atomic_writer, refuse_file, write_json
from ..pipelines import load_labeller
from .app import ENCODING, command


@command("shift")
def shift_command(
    model: str = typer.Argument(..., metavar="MODEL", help="A pipeline's folder, or an installed package."),
    reports: Path = typer.Argument(..., metavar="REPORTS", help="Your reports: records, a table, a folder of .txt."),
    training: Path = typer.Option(..., help="Records that the pipeline was trained on."),
    held_out: Path = typer.Option(..., help="Labelled records like these that it was not trained on."),
    text_column: str = typer.Option("text", help="Column or field of REPORTS with the reports."),
    id_column: str = typer.Option("id", help="Column or field of REPORTS with their ids."),
    encoding: str = ENCODING,
    output: Path = typer.Option(..., "--output", "-o", help="A folder for shift.md and shift.json."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Compare reports with those of training: length, style, words, labels, confidence. No label is needed.

    Neither file holds text of a report.
    """
    with needs_extra("evaluation"):
        from ..evaluation.shift import measure_shift
    refuse_file(output)
    known, like_known = (list(import_records(path)) for path in (training, held_out))
    reading = Reading(layout=Layout(text_column, id_column, encoding), corpus=False)
    own = list(import_records(reports, reading=reading))
    shift = measure_shift(load_labeller(model, gpu_id), known, like_known, own)
    with atomic_writer(output / "shift.md") as file:
        file.write(shift.as_markdown())
    write_json(output / "shift.json", shift.as_dict())
    print(shift.as_markdown())
