"""`radsent corpus-stats`: what a corpus is like."""

from pathlib import Path

import typer

from ..corpus.duplicates import Sketch, find_near_duplicates
from ..corpus.importers import import_records
from ..corpus.plot import plot_stats
from ..corpus.records import Record
from ..corpus.stats import corpus_stats, to_json, to_markdown
from ..errors import RadsentError
from ..files import write_json
from .app import command
from .models import write_all


@command("corpus-stats")
def corpus_stats_command(
    corpora: list[Path] = typer.Argument(..., metavar="CORPUS...", help="Files of records, or folders of such files."),
    output: Path = typer.Option(..., "--output", "-o", help="A folder for corpus_stats.md, .json and .svg."),
) -> None:
    """Describe a corpus: labels, lengths and style, by split (the file's name) and institution."""
    splits: dict[str, list[Record]] = {}
    for path in _files(corpora):
        if path.stem in splits:
            raise RadsentError(f"{path}: a file named {path.stem} is given already: files are told by their names.")
        splits[path.stem] = list(import_records(path))
    groups = corpus_stats(splits)
    duplicates = find_near_duplicates(Sketch.of(record.text) for records in splits.values() for record in records)
    markdown = to_markdown(groups) + f"\nNear-duplicates of a report before them: {len(duplicates)}\n"
    rows = {"groups": to_json(groups), "near_duplicates": len(duplicates)}
    write_all(output, {"corpus_stats.md": markdown, "corpus_stats.svg": plot_stats(groups)})
    write_json(output / "corpus_stats.json", rows)
    print(markdown)


def _files(corpora: list[Path]) -> list[Path]:
    files: list[Path] = []
    for path in corpora:
        found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not found:
            raise RadsentError(f"{path}: no .jsonl file there: give the folder that holds the corpus.")
        files += found
    return files
