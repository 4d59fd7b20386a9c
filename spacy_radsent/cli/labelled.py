"""Labelled reports as the commands after `radsent apply` read them."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..corpus.records import Record, parse_record, read_records
from ..errors import RadsentError, needs_extra


def labelled_records(source: Path) -> Iterator[Record]:
    """Read labelled reports.

    source (Path): A .jsonl file of records, or a folder or part that `radsent apply` wrote as JSONL or Parquet.
    YIELDS (Record): The reports. An error at the end if none has a label.
    """
    labelled = False
    for file in _files(source):
        for record in _from_parquet(file) if file.suffix.lower() == ".parquet" else read_records(file):
            labelled = labelled or any(sentence.label for sentence in record.sentences)
            yield record
    if not labelled:
        raise RadsentError(f"{source}: no sentence has a label: label the reports first, with radsent apply.")


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        files = [*sorted(source.glob("part-*.jsonl")), *sorted(source.glob("part-*.parquet"))]
        files = files or [
            file for file in sorted(source.glob("*.jsonl")) if not file.name.startswith(("rejects-", "errors-"))
        ]
        if not files:
            raise RadsentError(
                f"{source}: holds no labelled .jsonl or .parquet file: give records, or a folder that radsent apply "
                f"wrote as one of these."
            )
        return [file for file in files if file.stat().st_size]  # of a part, all rows may have been rejected
    if source.suffix.lower() not in (".jsonl", ".parquet"):
        raise RadsentError(f"{source}: is no .jsonl or .parquet file: give records, or what radsent apply wrote.")
    return [source]


def _from_parquet(path: Path) -> Iterator[Record]:
    """YIELDS (Record): Those of a part."""
    with needs_extra("tables"):
        from pyarrow import ArrowException, parquet
    try:
        batches = parquet.ParquetFile(path).iter_batches(batch_size=256)
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
