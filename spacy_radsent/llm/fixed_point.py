"""Another way to the labels of greedy decoding: guess all, read the answer at once, repeat until no guess changes.

One pass gives for each label what follows from the guesses before it. A label whose earlier labels are all right is
right itself, so that every pass settles at least one more, and the fixed point is the greedy answer (Jacobi iteration;
Song et al. 2021, arXiv 2002.03629). Passes start at the first guess that was wrong: the cache holds what is before.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from .batches import pad_left
from .decode import LabelDecoder
from .skeleton import Skeleton


class FixedPointDecoder(LabelDecoder):
    """Finds the labels of skeletons as `LabelDecoder` does, in a few passes that read all of the answer.

    Faster where a pass costs more than what it reads: on a GPU (docs/llm.md has the figures). At worst it takes as many
    passes as there are labels.
    """

    def _find(self, skeletons: Sequence[Skeleton], shared: int) -> list[list[list[float]]]:
        ids, mask = pad_left([skeleton.ids[shared:] for skeleton in skeletons])
        # Nothing is read after the last label.
        mask = torch.cat([torch.ones((len(ids), shared), dtype=torch.long), mask[:, :-1]], dim=1)
        row_of = torch.tensor([i for i, skeleton in enumerate(skeletons) for _ in skeleton.places])
        column_of = torch.tensor([place - len(s.ids) + ids.shape[1] for s in skeletons for place in s.places])
        ids, mask, row_of, column_of = (tensor.to(self.device) for tensor in (ids, mask, row_of, column_of))
        scores = iter(self._labels(self._iterate(ids, mask, row_of, column_of, shared)))
        return [[next(scores) for _ in skeleton.places] for skeleton in skeletons]

    def _iterate(self, ids: Any, mask: Any, row_of: Any, column_of: Any, shared: int) -> Any:
        """Guess until nothing changes.

        ids (Ints2d): What follows the shared tokens (reports, width), padded on the left. Where a label is to stand,
            some label stands: the first guess.
        mask (Ints2d): 1 for a token, 0 for padding, of all tokens but the last (reports, shared + width - 1).
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
        guess = ids[row_of, column_of]
        before_labels: Any = None
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
            if before_labels is None:
                before_labels = hidden.new_empty((len(row_of), hidden.shape[-1]))
            seen = column_of > start  # the token before it was read in this pass
            before_labels[seen] = hidden[row_of[seen], column_of[seen] - 1 - start]
            found = label_ids[self._logits(before_labels).argmax(dim=-1)]
            wrong = column_of[found != guess]
            guess = ids[row_of, column_of] = found
            wrong = wrong[wrong < ids.shape[1] - 1]  # nothing follows from the last label
            if not len(wrong):
                return before_labels
            start = int(wrong.min())
