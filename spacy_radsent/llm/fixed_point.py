"""Another way to the labels of greedy decoding: guess all, read the answer at once, repeat until no guess changes.

One pass gives for each label what follows from the guesses before it. A label whose earlier labels are all right is
right itself, so that every pass settles at least one more, and the fixed point is the greedy answer (Jacobi iteration;
Song et al. 2021, arXiv 2002.03629). Passes start at the first guess that was wrong: the cache holds what is before.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from .decode import LabelDecoder
from .skeleton import Skeleton, common_prefix


class FixedPointDecoder(LabelDecoder):
    """Finds the labels of skeletons as `LabelDecoder` does, in 2 to 4 passes that read all of the answer.

    Faster where a pass costs more than what it reads: on a GPU (docs/llm.md has the figures).
    """

    @torch.inference_mode()
    def __call__(self, skeletons: Sequence[Skeleton]) -> list[list[list[float]]]:
        self.fork_guard.check()
        shared = min(common_prefix(self.prefix, skeleton.ids[:-1]) for skeleton in skeletons)
        rows = [skeleton.ids[shared:-1] for skeleton in skeletons]  # nothing is read after the last label
        width = max(map(len, rows))
        ids = torch.zeros((len(rows), width + 1), dtype=torch.long)  # and a column for the last label itself
        mask = torch.zeros((len(rows), shared + width), dtype=torch.long)
        mask[:, :shared] = 1
        for i, row in enumerate(rows):
            ids[i, width - len(row) : width] = torch.tensor(row)
            mask[i, shared + width - len(row) :] = 1
        row_of = torch.tensor([i for i, skeleton in enumerate(skeletons) for _ in skeleton.places])
        column_of = torch.tensor(
            [place - shared + width - len(row) for row, s in zip(rows, skeletons, strict=True) for place in s.places]
        )
        ids, mask, row_of, column_of = (tensor.to(self.device) for tensor in (ids, mask, row_of, column_of))
        scores = iter(self._labels(self._iterate(ids, mask, row_of, column_of, shared)))
        return [[next(scores) for _ in skeleton.places] for skeleton in skeletons]

    def _iterate(self, ids: Any, mask: Any, row_of: Any, column_of: Any, shared: int) -> Any:
        """Guess until nothing changes.

        ids (Ints2d): What follows the shared tokens (reports, width + 1), padded on the left.
        mask (Ints2d): 1 for a token, 0 for padding, the shared ones included (reports, shared + width).
        row_of, column_of (Ints1d): Where in `ids` each label stands (labels,).
        shared (int): How many tokens of the prefix the reports share.
        RETURNS (Floats2d): What the model makes of the token before each label (labels, width of the model).
        """
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, shared:]
        layers: Any = [
            [tensor[:, :, :shared].expand(len(ids), -1, -1, -1) for tensor in layer] for layer in self._prefix_layers()
        ]
        cache = DynamicCache.from_legacy_cache(layers)
        label_ids = torch.tensor(self.label_ids, device=self.device)
        read = torch.zeros((len(row_of), self.head.shape[1]), dtype=self.dtype, device=self.device)
        guess = torch.zeros(len(row_of), dtype=torch.long, device=self.device)
        ids[row_of, column_of] = label_ids[guess]
        start = 0
        while True:
            self.passes += 1
            cache.crop(shared + start)
            hidden = self.decoder(
                input_ids=ids[:, start:-1],
                attention_mask=mask,
                position_ids=positions[:, start:],
                past_key_values=cache,
                cache_position=torch.arange(shared + start, mask.shape[1], device=self.device),
                use_cache=True,
            ).last_hidden_state
            seen = column_of > start  # the token before it was read in this pass
            read[seen] = hidden[row_of[seen], column_of[seen] - 1 - start]
            found = self._logits(read).argmax(dim=-1)
            wrong = column_of[found != guess]
            guess = found
            ids[row_of, column_of] = label_ids[guess]
            wrong = wrong[wrong < ids.shape[1] - 1]  # nothing follows from the last label
            if not len(wrong):
                return read
            start = int(wrong.min())
