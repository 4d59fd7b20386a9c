"""Files of rows for `radsent apply`, and what it wrote."""

import json
from pathlib import Path


def write_rows(path: Path, rows) -> Path:
    lines = (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=True).encode() for row in rows)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def parts(folder: Path) -> list[dict]:
    files = sorted(folder.glob("part-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]


def has_parts(folder: Path, count: int) -> bool:
    """RETURNS (bool): Whether so many parts are written."""
    return len(list(folder.glob("part-*.jsonl"))) >= count
