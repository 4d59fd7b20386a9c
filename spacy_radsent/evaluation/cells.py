"""Figures as cells of tables: with their intervals, the best of a column marked, a dash for what is not defined."""

from collections.abc import Sequence

from .document import Best
from .intervals import Interval

TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ppv_1": "PPV_1",
    "recall_1": "Recall_1",
    "f1_1": "F1_1",
    "kappa": "kappa",
    "mcc": "MCC",
}


def mark_best(intervals: Sequence[Interval], groups: Sequence[str] | None = None, digits: int = 3) -> list[str]:
    """RETURNS (List[str]): The cells of a column; the best among those of a group is marked, if it has several."""
    groups = groups or [""] * len(intervals)
    cells = []
    for interval, group in zip(intervals, groups, strict=True):
        rivals = [
            round(other.value, digits)
            for other, g in zip(intervals, groups, strict=True)
            if g == group and other.value is not None
        ]
        best = interval.value is not None and round(interval.value, digits) == max(rivals) > min(rivals)
        cells.append(Best(shown(interval, digits)) if best else shown(interval, digits))
    return cells


def shown(interval: Interval, digits: int = 3) -> str:
    """RETURNS (str): A value with its interval; a dash where it is not defined."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f}-{interval.high:.{digits}f})"


def number(value: float | None, digits: int = 3) -> str:
    """RETURNS (str): A number, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def signed(interval: Interval) -> str:
    """RETURNS (str): A difference with its interval."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:+.3f}"
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"
