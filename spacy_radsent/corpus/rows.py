"""A row of a table, or any JSON object, as a report: what is wrong becomes a reason, and costs this row alone."""

import json
import math
import re
from typing import Any, NamedTuple

from ..files import UTF8
from ..labels import LABELS
from .records import WRITTEN

TEXT, ID = "text", "id"

NO_TEXT = "has no text"
# In `sentences` of a record as Python shows it, or as JSON: tables hold either where they cannot hold lists.
A_LABEL = re.compile(rf"""["']label["']: *["']({"|".join(LABELS)})["']""")
NOT_UTF8 = "not UTF-8 (or the encoding given), or holds half of a surrogate pair"


class Layout(NamedTuple):
    """How a file holds reports.

    text_column, id_column (str): Columns of a table, or fields of JSON objects, with the reports and their ids.
    encoding (str): Of a .csv, .tsv or .txt file, as Python names it. All others are UTF-8.
    """

    text_column: str = TEXT
    id_column: str = ID
    encoding: str = UTF8


class Row(NamedTuple):
    """A row of the input.

    number (int): Which, from 1.
    id (str): The report's id; "" where it has none.
    text (str): The report; "" for a row that cannot be used.
    meta (Dict[str, Any]): All other columns.
    reason (str): Why it cannot be used; "" otherwise. Quotes nothing of it.
    labelled (bool): Whether it had labelled sentences, which are not taken over.
    """

    number: int
    id: str
    text: str
    meta: dict[str, Any]
    reason: str = ""
    labelled: bool = False


def make_row(number: int, values: Any, layout: Layout) -> Row:
    """RETURNS (Row): Of the values of a row by column. What an earlier run of ours wrote into `meta` is left out."""
    if not isinstance(values, dict):
        return rejected(number, "is no JSON object")
    values = dict(values)
    text, id = _decoded(values.pop(layout.text_column, None)), _plain(_decoded(values.pop(layout.id_column, None)))
    if isinstance(id, float) and id.is_integer():  # as pandas writes whole numbers where a row has none
        id = int(id)
    id = "" if id is None else str(id)
    values = _plain(values)
    meta = _meta(values.pop("meta", {}))
    sentences = values.get("sentences")
    if isinstance(sentences, list) and all(isinstance(one, dict) and "label" in one for one in sentences):
        # A record, or a row of a part: both are found anew.
        values = {key: value for key, value in values.items() if key not in ("sentences", "findings", "source")}
    meta |= {f"input_{key}" if key in WRITTEN else key: value for key, value in values.items()}  # what is ours
    if reason := _bad_text(text):
        return Row(number, id if _is_utf8(id) else "", "", {}, reason)
    if not _is_utf8([id, meta]):
        return rejected(number, f"a field is {NOT_UTF8}")
    return Row(number, id, text, meta, labelled=bool(A_LABEL.search(str(sentences))))


def _meta(meta: Any) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): `meta` of a record, or, as JSON, of a row of a Parquet part, without what we wrote."""
    if isinstance(meta, str):
        try:
            parsed = json.loads(meta)
        except (ValueError, RecursionError):
            parsed = None
        meta = _plain(parsed) if isinstance(parsed, dict) else meta
    return {key: meta[key] for key in meta if key not in WRITTEN} if isinstance(meta, dict) else {"meta": meta}


def _plain(value: Any) -> Any:
    """RETURNS (Any): What JSON can hold: null for numbers that are none, names as strings, strings for all else."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _decoded(value: Any) -> Any:
    """RETURNS (Any): A string where Parquet holds its UTF-8 without saying so; half pairs, refused below, if not UTF-8.
    None for the number that pandas writes where there is no string.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if isinstance(value, float) and math.isnan(value) else value


def _is_utf8(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _bad_text(text: Any) -> str:
    if text is None:
        return NO_TEXT
    if not isinstance(text, str):
        return f"text is a {type(text).__name__}, not a string"
    return "" if _is_utf8(text) else f"text is {NOT_UTF8}"


def rejected(number: int, reason: str) -> Row:
    """RETURNS (Row): One that cannot be used."""
    return Row(number, "", "", {}, reason)
