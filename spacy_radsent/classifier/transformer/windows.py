"""Cut a report's wordpieces into windows that an encoder can take, without losing or cutting what is judged.

All offsets count the wordpieces of a report, sentence after sentence. A window has a core, whose vectors are used, and
context on both sides. The cores of a report follow each other without gap: every wordpiece is judged exactly once.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Window(NamedTuple):
    """A slice of a report to encode at once."""

    start: int
    core_start: int
    core_end: int
    end: int


def report_windows(lengths: list[int], budget: int) -> list[Window]:
    """Cover a report with as few windows as possible: one, if it fits.

    Otherwise cores end where sentences end, and each window is filled up with what stands before and after its core:
    at least an eighth of the budget on each side, but for a core that is one long sentence.

    lengths (List[int]): Wordpieces of each sentence.
    budget (int): Wordpieces in a window, special ones not counted.
    RETURNS (List[Window]): The windows, in order.
    """
    total = sum(lengths)
    size = budget if total <= budget else _core_size(budget)
    cores: list[tuple[int, int]] = []
    for start, end in _units(lengths, budget):
        if cores and end - cores[-1][0] <= size:
            cores[-1] = (cores[-1][0], end)
        else:
            cores.append((start, end))
    return [_fill(core, 0, total, budget) for core in cores]


def context_windows(lengths: list[int], budget: int, before: int, after: int) -> list[Window]:
    """Make a window for each sentence: the sentence, and its neighbours as far as they fit.

    Neighbours are cut at their far ends before the sentence itself is. One that is longer than the budget gets
    several windows, each with some of the rest of it as context.

    lengths (List[int]): Wordpieces of each sentence.
    budget (int): Wordpieces in a window, special ones not counted.
    before, after (int): Number of neighbours to show.
    RETURNS (List[Window]): The windows, in order.
    """
    bounds = [0]
    for length in lengths:
        bounds.append(bounds[-1] + length)
    windows = []
    for i, length in enumerate(lengths):
        low, high = bounds[max(0, i - before)], bounds[min(len(lengths), i + 1 + after)]
        for start, end in _units([length], budget):
            windows.append(_fill((bounds[i] + start, bounds[i] + end), low, high, budget))
    return windows


def _core_size(budget: int) -> int:
    """RETURNS (int): What a core may hold where the report does not fit: the rest is for its context."""
    return budget - 2 * (budget // 8)


def _units(lengths: list[int], budget: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each sentence; one that is longer than the budget comes in equal parts."""
    start = 0
    for length in lengths:
        parts = 1 if length <= budget else -(-length // _core_size(budget))
        for part in range(parts):
            yield start + length * part // parts, start + length * (part + 1) // parts
        start += length


def _fill(core: tuple[int, int], low: int, high: int, budget: int) -> Window:
    """RETURNS (Window): The core with as much context between `low` and `high` as fits, evenly on both sides."""
    start, end = core
    spare = budget - (end - start)
    left = min(start - low, max(spare // 2, spare - (high - end)))
    right = min(high - end, spare - left)
    return Window(start - left, start, end, end + right)
