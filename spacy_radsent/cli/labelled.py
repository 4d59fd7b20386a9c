"""Labelled reports as the commands after `radsent apply` read them."""

from collections.abc import Iterator
from pathlib import Path

from ..corpus.records import Record, read_records
from ..errors import RadsentError


def labelled_records(source: Path) -> Iterator[Record]:
    """Read labelled reports.

    source (Path): A .jsonl file of records, or the folder that `radsent apply --format jsonl` wrote.
    YIELDS (Record): The reports. An error at the end if none has a label.
    """
    labelled = False
    for file in _files(source):
        for record in read_records(file):
            labelled = labelled or any(sentence.label for sentence in record.sentences)
            yield record
    if not labelled:
        raise RadsentError(f"{source}: no sentence has a label: label the reports first, with radsent apply.")


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted(source.glob("part-*.jsonl"))
        files = files or [file for file in sorted(source.glob("*.jsonl")) if not file.name.startswith("rejects-")]
        if not files:
            raise RadsentError(
                f"{source}: holds no labelled .jsonl file: give records, or a folder of radsent apply --format jsonl."
            )
        return [file for file in files if file.stat().st_size]  # of a part, all rows may have been rejected
    if source.suffix.lower() != ".jsonl":
        raise RadsentError(f"{source}: is no .jsonl file: give labelled records, or what radsent apply wrote.")
    return [source]
