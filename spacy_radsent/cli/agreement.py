"""`radsent agreement`: how far two annotators agree."""

from pathlib import Path

import typer
from rich.console import Console
from rich.markdown import Markdown

from ..corpus.importers import import_records
from ..errors import needs_extra
from ..files import result_folder, write_json
from .app import command
from .evaluate import check_numbers
from .models import parse_names, write_all


@command("agreement")
def agreement_command(
    first: str = typer.Argument(..., metavar="A", help="Labelled reports ([NAME=]FILE); they count as the reference."),
    second: str = typer.Argument(..., metavar="B", help="The same reports, labelled by another annotator."),
    output: Path | None = typer.Option(None, "--output", "-o", help="A folder for agreement.json, .md and .png."),
    unit: str = typer.Option("report", help="What the bootstrap draws: report, or sentence (as if independent)."),
    resamples: int = typer.Option(2000, help="Of the bootstrap; 0 for no intervals."),
    seed: int = typer.Option(0, help="Same seed, same intervals."),
) -> None:
    """Compare the labels of two annotators: accuracy, macro F1, kappa, confusion, precision and recall by label."""
    check_numbers(unit, resamples, seed)
    with needs_extra("evaluation"):
        from ..evaluation.agreement import Agreement
        from ..evaluation.document import to_markdown
        from ..evaluation.evaluate import Evaluator

    one, other = parse_names([first, second], "annotators", stem=True)
    evaluator = Evaluator(unit=unit, resamples=resamples, seed=seed)
    agreement = Agreement.of(one.gold(), other.name, import_records(other.path), evaluator)
    report = to_markdown("Agreement of two annotators", [agreement.section()])
    if output:
        with result_folder(output, "agreement.json") as folder:
            write_json(folder / "agreement.json", agreement.to_dict())
            write_all(folder, {"agreement.md": report, "agreement.png": agreement.picture.png})
    Console().print(Markdown(report.partition("![")[0]))
