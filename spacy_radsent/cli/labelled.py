"""Labelled reports as the commands after `radsent apply` read them."""

import sys
from collections.abc import Iterator
from pathlib import Path

from ..corpus.parts import part_files, read_parts, unfinished
from ..corpus.records import Record
from ..errors import RadsentError


def labelled_records(source: Path) -> Iterator[Record]:
    """Read labelled reports.

    source (Path): A .jsonl file of records, or a folder or part that `radsent apply` wrote as JSONL or Parquet.
    YIELDS (Record): The reports. An error at the end if none has a label.
    """
    if source.is_dir() and not part_files(source):
        raise RadsentError(
            f"{source}: holds no part-*.jsonl or part-*.parquet: give records, or a folder that radsent apply wrote as "
            f"one of these."
        )
    if not source.is_dir() and source.suffix.lower() not in (".jsonl", ".parquet"):
        raise RadsentError(f"{source}: is no .jsonl or .parquet file: give records, or what radsent apply wrote.")
    if source.is_dir() and unfinished(source):
        print(
            f"{source}: radsent apply is not done there, or not with all shards: these are its reports so far.",
            file=sys.stderr,
        )
    labelled = False
    for record in read_parts(source):
        labelled = labelled or any(sentence.label for sentence in record.sentences)
        yield record
    if not labelled:
        raise RadsentError(f"{source}: no sentence has a label: label the reports first, with radsent apply.")
