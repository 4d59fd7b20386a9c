"""Writing labelled reports: a part of an archive as JSONL, Parquet or DocBin, whole or not at all."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, DocBin

from ..corpus.docbin import doc_to_record
from ..corpus.rows import Row
from ..errors import needs_extra
from ..files import atomic_writer
from ..findings.finding import FINDINGS_KEY, read_findings

ENDINGS = {"jsonl": "jsonl", "parquet": "parquet", "docbin": "spacy"}


def labelled_row(row: Row, doc: Doc) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): A labelled report as a record; `meta.findings` where the pipeline finds them."""
    record = doc_to_record(doc, row.id, row.meta).model_dump()
    if FINDINGS_KEY in doc.spans:
        record["meta"]["findings"] = [finding.as_dict() for finding in read_findings(doc)]
    return record


def write_part(path: Path, format: str, rows: Sequence[Row], docs: Sequence[Doc]) -> None:
    """Write labelled reports.

    path (Path): The file.
    format (str): A key of `ENDINGS`.
    rows (Sequence[Row]): The reports as they came.
    docs (Sequence[Doc]): The same, labelled.
    """
    if format == "docbin":
        data = DocBin(store_user_data=True)
        for row, doc in zip(rows, docs, strict=True):
            doc.user_data = {"id": row.id, "meta": json.dumps(row.meta, ensure_ascii=False, default=str)}
            data.add(doc)
        content = data.to_bytes()
    elif format == "parquet":
        content = _parquet([labelled_row(row, doc) for row, doc in zip(rows, docs, strict=True)])
    else:
        lines = (
            json.dumps(labelled_row(row, doc), ensure_ascii=False, default=str)
            for row, doc in zip(rows, docs, strict=True)
        )
        content = "".join(f"{line}\n" for line in lines).encode("utf-8")
    with atomic_writer(path, "wb") as file:
        file.write(content)


def _parquet(records: list[dict[str, Any]]) -> bytes:
    """RETURNS (bytes): A table: id, text, sentences with scores and status, source, findings and meta as JSON."""
    with needs_extra("tables"):
        import pyarrow
        from pyarrow import parquet
    number = pyarrow.float32()
    sentence = pyarrow.struct(
        {
            "start": pyarrow.int32(),
            "end": pyarrow.int32(),
            "label": pyarrow.string(),
            "scores": pyarrow.list_(number),
            "status": pyarrow.string(),
        }
    )
    schema = pyarrow.schema(
        {
            "id": pyarrow.string(),
            "text": pyarrow.string(),
            "sentences": pyarrow.list_(sentence),
            "source": pyarrow.string(),
            "findings": pyarrow.string(),
            "meta": pyarrow.string(),
        }
    )
    rows = []
    for record in records:
        meta = dict(record["meta"])
        prediction, findings = meta.pop("prediction"), meta.pop("findings", None)
        details = zip(record["sentences"], prediction.get("scores", []), prediction.get("status", []), strict=True)
        rows.append(
            {
                "id": record["id"],
                "text": record["text"],
                "sentences": [{**span, "scores": scores, "status": status} for span, scores, status in details],
                "source": prediction.get("source"),
                "findings": None if findings is None else json.dumps(findings, ensure_ascii=False),
                "meta": json.dumps(meta, ensure_ascii=False, default=str),
            }
        )
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    return sink.getvalue().to_pybytes()
