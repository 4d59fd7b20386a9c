"""What `radsent apply` wrote: parts of an archive, labelled."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..errors import RadsentError, needs_extra
from .records import Record, parse_record, read_records
from .sources import check_readable, open_parquet

RUN_FILE = "run.json"  # what the run is of


def part_files(folder: Path) -> list[Path]:
    """RETURNS (List[Path]): The parts in a folder, in order; of JSONL or Parquet, not of DocBin."""
    return [*sorted(folder.glob("part-*.jsonl")), *sorted(folder.glob("part-*.parquet"))]


def unfinished(folder: Path) -> bool:
    """RETURNS (bool): Whether a run that wrote to a folder, or one of its shards, has not come to its end."""
    ended = {file.stem.removeprefix("manifest-") for file in folder.glob("manifest-*-of-*.json")}
    shards = {name.partition("-of-")[2] for name in ended}
    whole = any(ended >= {f"{i + 1}-of-{n}" for i in range(int(n))} for n in shards if n.isdigit())
    return (folder / RUN_FILE).exists() and not whole


def is_part(path: Path) -> bool:
    """RETURNS (bool): Whether a Parquet file is a part, and not any table."""
    return {"text", "sentences", "source", "findings", "meta"} <= set(open_parquet(path).schema_arrow.names)


def read_parts(source: Path) -> Iterator[Record]:
    """Read labelled reports.

    source (Path): A part, or a folder with parts.
    YIELDS (Record): The reports.
    """
    check_readable(source)
    for file in part_files(source) if source.is_dir() else [source]:
        if file.suffix.lower() == ".parquet":
            yield from _from_parquet(file)
        elif file.stat().st_size:  # of a part, all rows may have been rejected
            yield from read_records(file)


def _from_parquet(path: Path) -> Iterator[Record]:
    with needs_extra("tables"):
        from pyarrow import ArrowException
    try:
        batches = open_parquet(path).iter_batches(batch_size=256)
        for number, row in enumerate(chain.from_iterable(batch.to_pylist() for batch in batches), 1):
            yield _record(row, f"{path}, row {number}")
    except (ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, RadsentError):
            raise
        raise RadsentError(
            f"{path}: is no part that radsent apply wrote ({type(error).__name__}): give its folder, or records."
        ) from None


def _record(row: dict, where: str) -> Record:
    sentences = [{key: span[key] for key in ("start", "end", "label")} for span in row["sentences"]]
    prediction = {key: [span[key] for span in row["sentences"]] for key in ("scores", "status")}
    meta = {**json.loads(row["meta"]), "prediction": {**prediction, "source": row.get("source")}}
    if row["findings"] is not None:
        meta["findings"] = json.loads(row["findings"])
    record = {"id": row["id"], "text": row["text"], "sentences": sentences, "meta": meta}
    return parse_record(json.dumps(record, ensure_ascii=False), where)
