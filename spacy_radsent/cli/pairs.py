"""`radsent pairs`: findings as rows, to pair with images."""

import datetime
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from ..corpus.records import WRITTEN, Record
from ..errors import RadsentError, needs_extra
from ..files import atomic_folder, atomic_writer, write_json
from ..findings.export import COLUMNS, WITHOUT, Carried, Filters, pair_rows
from ..rendering import template
from ..version import __version__
from .app import command
from .labelled import labelled_records

POLARITIES = ("POSITIVE", "NEGATIVE")
ROW_GROUP = 10_000


@command("pairs")
def pairs_command(
    source: Path = typer.Argument(
        ..., metavar="INPUT", help="Labelled records, or the folder that `radsent apply` wrote."
    ),
    output: Path = typer.Argument(
        ..., metavar="OUTPUT", help="A folder, not there yet: findings, a data card, counts."
    ),
    format: str = typer.Option("jsonl", help="jsonl or parquet."),
    polarity: list[str] = typer.Option(["POSITIVE"], help="POSITIVE, NEGATIVE; may be given twice."),
    min_probability: float = typer.Option(0.0, help="The least that each label of a finding must have."),
    with_mark: bool = typer.Option(False, "--with-mark", help="Only findings that point to an image."),
    with_review: bool = typer.Option(False, "--with-review", help="Findings that are to be reviewed, too."),
    study: str = typer.Option("study_id", help="Field of meta with the study's id."),
    series: str = typer.Option("series_id", help="Field of meta with the series' id."),
    meta: bool = typer.Option(True, "--meta/--no-meta", help="Keep what else is known of a report: dates, remarks ..."),
) -> None:
    """Write one row for each finding of labelled reports, for loaders of image-text pairs.

    The folder is a dataset that Hugging Face's `datasets` loads. What is left out is counted, with the reason.
    """
    if format not in ("jsonl", "parquet"):
        raise RadsentError(f"--format {format!r}: use jsonl or parquet.")
    if unknown := [name for name in polarity if name not in POLARITIES]:
        raise RadsentError(
            f"--polarity {unknown[0]!r}: use {' or '.join(POLARITIES)}, or give the option twice, with each."
        )
    if not 0 <= min_probability <= 1:
        raise RadsentError(f"--min-probability {min_probability}: give a number from 0 to 1.")
    filters = Filters(tuple(polarity), min_probability, with_mark, with_review)
    dropped: Counter = Counter()
    fields: set[str] = set()
    rows = pair_rows(_noted(labelled_records(source), fields), filters, Carried(study, series, meta), dropped)
    with atomic_folder(output) as folder:
        taken = _write(rows, folder / f"findings.{format}", format)
        if not taken:
            reasons = ", ".join(
                f"{count:,} {reason}" for reason, count in dropped.items() if reason not in ("findings", "reports")
            )
            raise RadsentError(f"{source}: no finding is left ({reasons}): loosen the filters.")
        for option, field in (("--study", study), ("--series", series)):
            if field not in {*fields, "study_id", "series_id"}:
                held = ", ".join(sorted(fields)) or "nothing"
                raise RadsentError(f"{option} {field!r}: no report has it in its meta, which holds {held}.")
        reports, findings, without = (dropped.pop(name, 0) for name in ("reports", "findings", WITHOUT))
        counts = {"reports": reports, WITHOUT: without, "findings": findings, "taken": taken, "left_out": dict(dropped)}
        write_json(folder / "counts.json", counts)
        about: dict[str, Any] = {"ending": format, "version": __version__, "date": datetime.date.today().isoformat()}
        about |= {"taken": taken, "reports": reports, "filters": filters, "dropped": dropped, "without": without}
        with atomic_writer(folder / "README.md") as file:
            file.write(template("data_card.md").render(about))
    print(f"{output}: {taken:,} of {findings:,} findings of {reports:,} reports ({without:,} without a finding)")
    for reason, count in dropped.most_common():
        print(f"  left out: {count:,} ({reason})")


def _noted(records: Iterable[Record], fields: set[str]) -> Iterator[Record]:
    """YIELDS (Record): As given; the fields of their meta are put into `fields`."""
    for record in records:
        fields |= {*record.meta} - {*WRITTEN}
        yield record


def _write(rows: Iterator[dict[str, Any]], path: Path, format: str) -> int:
    """RETURNS (int): Rows written, a group of them in memory at a time."""
    count = 0
    if format == "jsonl":
        with atomic_writer(path) as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
        return count
    with needs_extra("tables"):
        import pyarrow
        from pyarrow import parquet
    schema = _schema(pyarrow)
    with atomic_writer(path, "wb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROW_GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _schema(pyarrow: Any) -> Any:
    """RETURNS (pyarrow.Schema): Types of `COLUMNS`: the same however few rows there are."""
    types = dict.fromkeys(COLUMNS, pyarrow.string())
    types |= dict.fromkeys(("start", "end"), pyarrow.int32())
    types |= {"score": pyarrow.float64(), "scores": pyarrow.list_(pyarrow.float64())}
    types |= dict.fromkeys(("figures", "images"), pyarrow.list_(pyarrow.string()))
    types["offsets"] = pyarrow.list_(pyarrow.list_(pyarrow.int32()))
    return pyarrow.schema(types)
