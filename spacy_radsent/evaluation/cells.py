"""Figures as cells of tables: with their intervals, the best of a column marked, a dash for what is not defined; and
the table of a confusion matrix.
"""

from collections.abc import Sequence

from ..labels import LABELS
from .document import Best, Table
from .intervals import Interval

DIGITS = 3
TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ppv_1": "PPV_1",
    "recall_1": "Recall_1",
    "f1_1": "F1_1",
    "kappa": "kappa",
    "mcc": "MCC",
}


def mark_best(intervals: Sequence[Interval], groups: Sequence[str] | None = None) -> list[str]:
    """RETURNS (List[str]): The cells of a column; the best among those of a group is marked, if it has several."""
    groups = groups or [""] * len(intervals)
    cells = []
    for interval, group in zip(intervals, groups, strict=True):
        rivals = [
            round(other.value, DIGITS)
            for other, g in zip(intervals, groups, strict=True)
            if g == group and other.value is not None
        ]
        best = interval.value is not None and round(interval.value, DIGITS) == max(rivals) > min(rivals)
        cells.append(Best(shown(interval)) if best else shown(interval))
    return cells


def shown(interval: Interval) -> str:
    """RETURNS (str): A value with its interval; a dash where it is not defined."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.{DIGITS}f}"
    return f"{interval.value:.{DIGITS}f} ({interval.low:.{DIGITS}f}-{interval.high:.{DIGITS}f})"


def number(value: float | None) -> str:
    """RETURNS (str): A number, or a dash."""
    return "-" if value is None else f"{value:.{DIGITS}f}"


def signed(interval: Interval) -> str:
    """RETURNS (str): A difference with its interval."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:+.3f}"
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def confusion_table(
    title: str, matrix: Sequence[Sequence[int]], rows: str = "reference", columns: str = "predicted"
) -> Table:
    """RETURNS (Table): A confusion matrix; the column of sentences without label only if there are any."""
    names = [*LABELS, *(["no label"] if any(len(row) > len(LABELS) and row[-1] for row in matrix) else [])]
    cells = [[label, *(f"{count:,}" for count in row[: len(names)])] for label, row in zip(LABELS, matrix, strict=True)]
    return Table(f"{title}: {rows} (rows) and {columns} (columns)", ["", *names], cells)
