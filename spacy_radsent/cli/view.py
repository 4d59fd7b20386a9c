"""`radsent view`: labelled reports as a page."""

from itertools import islice
from pathlib import Path

import typer

from ..corpus.records import read_records
from ..errors import RadsentError
from ..files import atomic_writer
from ..rendering import render
from .app import command
from .pairs import labelled_files


@command("view")
def view_command(
    source: Path = typer.Argument(
        ..., metavar="INPUT", help="Labelled records, or the folder that `radsent apply` wrote."
    ),
    output: Path = typer.Option(..., "--output", "-o", help="The page to write, .html."),
    id: list[str] = typer.Option([], "--id", help="Only the report with this id; may be given again."),
    limit: int = typer.Option(100, help="Reports at most."),
) -> None:
    """Write a page: sentences coloured by label, findings numbered, probabilities on hover, figure marks underlined."""
    if limit < 1:
        raise RadsentError(f"--limit {limit}: give 1 or more.")
    records = (record for file in labelled_files(source) for record in read_records(file))
    chosen = list(islice((record for record in records if not id or record.id in id), limit))
    if not any(sentence.label for record in chosen for sentence in record.sentences):
        missing = f"has no report with the id {', '.join(id)}" if id and not chosen else "no sentence has a label"
        raise RadsentError(f"{source}: {missing}: give reports that are labelled, e.g. by radsent apply.")
    with atomic_writer(output) as file:
        file.write(render(chosen, title=source.name))
    print(f"Open in a browser: {output.resolve()} ({len(chosen)} reports)")
