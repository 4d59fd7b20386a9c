"""Batches of reports that fit the memory, found out where it was not known."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..batching import group_by_length
from ..errors import RadsentError

OUT_OF_MEMORY = 'set a smaller max_length, hold the model in dtype = "bfloat16" or in 4 bits, or use a smaller model'


class Batches:
    """Runs reports through a model in batches of at most so many tokens; halves them where the memory runs out."""

    def __init__(self, max_tokens: int) -> None:
        """max_tokens (int): Tokens of a batch, padding included."""
        self.max_tokens = max_tokens

    def run(self, rows: Sequence[Any], lengths: list[int], action: Callable[[list[Any]], Sequence[Any]]) -> list[Any]:
        """Call an action on batches.

        rows (Sequence[Any]): What the action takes, for each report.
        lengths (List[int]): Of each, in tokens.
        action (Callable[[List[Any]], Sequence[Any]]): Runs a batch of them, gives a result for each.
        RETURNS (List[Any]): The results, in the order of the rows.
        """
        results: dict[int, Any] = {}
        pending = group_by_length(lengths, self.max_tokens, self.max_tokens // 8)
        while pending:
            group = pending.pop()
            try:
                results.update(zip(group, action([rows[i] for i in group]), strict=True))
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                if len(group) == 1:
                    raise RadsentError(
                        f"A report of {lengths[group[0]]} tokens alone is too much for the memory: {OUT_OF_MEMORY}."
                    ) from None
                middle = len(group) // 2
                pending += [group[:middle], group[middle:]]
                self._shrink(lengths[group[-1]] * len(group))
        return [results[i] for i in range(len(rows))]

    def _shrink(self, tokens: int) -> None:
        """Keep later batches to half of the tokens that were too many."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.max_tokens = min(self.max_tokens, max(1, tokens // 2))
        warnings.warn(
            f"A batch of {tokens} tokens was too much for the memory: batches are of {self.max_tokens} tokens now, "
            f"set max_batch_tokens = {self.max_tokens} to start with these.",
            stacklevel=2,
        )


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def pad_left(rows: Sequence[list[int]], fill: int = 0) -> tuple[Any, Any]:
    """RETURNS (Tuple[Ints2d, Ints2d]): Rows of tokens as one tensor, padding first, and its mask."""
    width = max(map(len, rows))
    ids = torch.tensor([[fill] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask
