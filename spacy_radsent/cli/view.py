"""`radsent view`: labelled reports as a page."""

from itertools import islice
from pathlib import Path

import typer

from ..errors import RadsentError
from ..files import atomic_writer
from ..rendering import render
from .app import command
from .labelled import labelled_records


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
    if output.suffix.lower() not in (".html", ".htm"):
        raise RadsentError(f"{output}: is to be a page: give it the ending .html.")
    records = (record for record in labelled_records(source) if not id or record.id in id)
    chosen = list(islice(records, limit))
    more = next(records, None) is not None
    found = {record.id for record in chosen}
    if not more and (missing := [one for one in id if one not in found]):
        raise RadsentError(f"{source}: has no report with the id {', '.join(missing)}: check the ids.")
    if not chosen:
        raise RadsentError(f"{source}: holds no report: it needs at least one.")
    note = f"The first {limit} reports: --limit shows more, --id a certain one." if more else ""
    with atomic_writer(output) as file:
        file.write(render(chosen, title=source.name, note=note))
    print(f"Open in a browser: {output.resolve()} ({len(chosen)} reports)" + (f". {note}" if more else ""))
