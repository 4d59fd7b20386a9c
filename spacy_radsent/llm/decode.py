"""Read the labels of known answers from a causal language model: those of greedy decoding, in a few passes.

Greedy decoding restricted to the labels' tokens asks for one label after the other, each given those before it. Here
all labels are guessed, one pass over the answer gives for each label what follows from the guesses before it, and the
passes are repeated from the first guess that was wrong until none is. A label whose earlier labels are all right is
right itself, so that every pass settles at least one more: the fixed point is the greedy answer (Jacobi iteration; Song
et al. 2021, arXiv 2002.03629). What stands before the first wrong guess is not computed again: its keys and values
stay in the cache.
"""

import os
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from .skeleton import Skeleton, common_prefix


class LabelDecoder:
    """Finds the labels of skeletons with a model."""

    def __init__(self, model: Any, label_ids: Sequence[int], prefix: Sequence[int]) -> None:
        """Wrap a model.

        model (PreTrainedModel): A causal language model.
        label_ids (Sequence[int]): Tokens of the labels.
        prefix (Sequence[int]): Tokens that (nearly) all prompts start with: computed once.
        """
        self.decoder = model.get_decoder()
        self.device = model.device
        # Only the labels' rows of the output layer, and these in single precision at least.
        head = model.get_output_embeddings().weight.detach()[list(label_ids)]
        self.head = head.to(torch.promote_types(head.dtype, torch.float32))
        self.label_ids = torch.tensor(label_ids, device=self.device)
        self.prefix = list(prefix)
        self.passes = 0
        self.process = os.getpid()
        self._prefix_cache: Any = None

    @torch.inference_mode()
    def __call__(self, skeletons: Sequence[Skeleton]) -> list[list[list[float]]]:
        """Find labels.

        skeletons (Sequence[Skeleton]): Reports, read at once: their padded tokens bound the memory.
        RETURNS (List[List[List[float]]]): For each report, probabilities of the labels (4) for each of its labels.
        """
        if self.process != os.getpid():  # a worker: the threads of its parent did not survive the fork
            torch.set_num_threads(1)
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
        scores = self._iterate(ids, mask, row_of, column_of, shared)
        parts = scores.softmax(dim=-1).split([len(skeleton.places) for skeleton in skeletons])
        return [part.tolist() for part in parts]

    def _iterate(self, ids: Any, mask: Any, row_of: Any, column_of: Any, shared: int) -> Any:
        """RETURNS (Floats2d): Logits of all labels (labels, 4) at the fixed point."""
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, shared:]
        cache = self._cache(len(ids), shared)
        scores = torch.zeros((len(row_of), len(self.label_ids)), dtype=self.head.dtype, device=self.device)
        guess = torch.zeros(len(row_of), dtype=torch.long, device=self.device)
        ids[row_of, column_of] = self.label_ids[guess]
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
            scores[seen] = hidden[row_of[seen], column_of[seen] - 1 - start].to(self.head.dtype) @ self.head.T
            found = scores.argmax(dim=-1)
            wrong = column_of[found != guess]
            guess = found
            ids[row_of, column_of] = self.label_ids[guess]
            wrong = wrong[wrong < ids.shape[1] - 1]  # nothing follows from the last label
            if not len(wrong):
                return scores
            start = int(wrong.min())

    def _cache(self, rows: int, length: int) -> Any:
        """RETURNS (DynamicCache): Keys and values of the first tokens of the prefix, for each row."""
        if not length:
            return DynamicCache()
        if self._prefix_cache is None:
            ids = torch.tensor([self.prefix], device=self.device)
            cache = self.decoder(input_ids=ids, past_key_values=DynamicCache(), use_cache=True).past_key_values
            self._prefix_cache = cache.to_legacy_cache()
        layers = [[tensor[:, :, :length].expand(rows, -1, -1, -1) for tensor in kv] for kv in self._prefix_cache]
        return DynamicCache.from_legacy_cache(layers)
