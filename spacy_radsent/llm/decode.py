"""Read the labels of known answers from a causal language model: those of greedy decoding restricted to the labels.

All of the answer is known but the labels, so that only these are asked for: each pass reads what stands between one
label and the next, for all reports of a batch, after the keys and values of what stands before (chunked forcing). A
report costs its tokens once, and as many passes as it has sentences.

The other way to the same labels (see `fixed_point`) takes fewer passes but computes more tokens: faster on a GPU, not
on a CPU (benchmarks/llm.py measures both).
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from ..torch_setup import ForkGuard
from .batches import pad_left
from .skeleton import Skeleton, common_prefix

# Labels to look at for `label_mass`.
WATCHED = 64


class LabelDecoder:
    """Finds the labels of skeletons with a model.

    passes (int): Passes through the model so far.
    label_mass (List[float]): Probabilities, among all tokens, of some label: of the first WATCHED labels or somewhat
        more. What the model would write if it were free.
    """

    def __init__(self, model: Any, label_ids: Sequence[int], prefix: Sequence[int]) -> None:
        """Wrap a model.

        model (PreTrainedModel): A causal language model.
        label_ids (Sequence[int]): Tokens of the labels.
        prefix (Sequence[int]): Tokens that (nearly) all prompts start with: computed once.
        """
        self.decoder = model.get_decoder()
        self.device = model.device
        self.dtype = model.dtype
        self.output = model.get_output_embeddings()
        # Only the labels' rows of the output layer, and these in single precision at least.
        head = self.output.weight.detach()[list(label_ids)]
        self.head = head.to(torch.promote_types(head.dtype, torch.float32))
        self.label_ids = list(label_ids)
        self.prefix = list(prefix)
        self.passes = 0
        self.label_mass: list[float] = []
        self.fork_guard = ForkGuard()
        self._layers: Any = None

    @torch.inference_mode()
    def __call__(self, skeletons: Sequence[Skeleton]) -> list[list[list[float]]]:
        """Find labels.

        skeletons (Sequence[Skeleton]): Reports, read at once: their padded tokens bound the memory.
        RETURNS (List[List[List[float]]]): For each report, probabilities of the labels (4) for each of its labels.
        """
        self.fork_guard.check(self.device)
        return self._find(skeletons, min(common_prefix(self.prefix, skeleton.ids[:-1]) for skeleton in skeletons))

    def _find(self, skeletons: Sequence[Skeleton], shared: int) -> list[list[list[float]]]:
        """Find labels of skeletons that share the first so many tokens of the prefix; see `__call__`."""
        ids = [list(skeleton.ids) for skeleton in skeletons]
        bounds = [[shared, *skeleton.places] for skeleton in skeletons]
        asked = [
            [i for i, places in enumerate(bounds) if step < len(places)] for step in range(1, max(map(len, bounds)))
        ]
        widths = [max(bounds[i][step] - bounds[i][step - 1] for i in rows) for step, rows in enumerate(asked, 1)]
        cache = AnswerCache(self._prefix_layers(), len(skeletons), shared, sum(widths))
        mask = torch.ones((len(skeletons), shared), dtype=torch.long)
        scores: list[list[list[float]]] = [[] for _ in skeletons]
        for step, rows in enumerate(asked, 1):
            chunks: list[list[int]] = [[] for _ in skeletons]
            for i in rows:
                chunks[i] = ids[i][bounds[i][step - 1] : bounds[i][step]]
            chunk_ids, chunk_mask = pad_left(chunks)
            mask = torch.cat([mask, chunk_mask], dim=1)
            for i, row in zip(rows, self._labels(self._read(chunk_ids, mask, cache)[rows]), strict=True):
                scores[i].append(row)
                ids[i][bounds[i][step]] = self.label_ids[row.index(max(row))]  # which the next pass reads
        return scores

    def _read(self, ids: Any, mask: Any, cache: Any) -> Any:
        """RETURNS (Floats2d): What the model makes of the last token of each row (rows, width), after the cache."""
        self.passes += 1
        total, width = mask.shape[1], ids.shape[1]
        columns = torch.arange(total, device=self.device)
        ids, mask = ids.to(self.device), mask.to(self.device)
        seen = mask[:, None, None, :].bool() & (columns <= columns[-width:, None])
        # As numbers: attention on a CPU takes longer for the booleans that transformers would make of the mask.
        bias = torch.zeros(seen.shape, dtype=self.dtype, device=self.device)
        output = self.decoder(
            input_ids=ids,
            attention_mask=bias.masked_fill_(~seen, torch.finfo(self.dtype).min),
            position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:],
            past_key_values=cache,
            cache_position=columns[-width:],
            use_cache=True,
        )
        return output.last_hidden_state[:, -1]

    def _logits(self, hidden: Any) -> Any:
        """RETURNS (Floats2d): Those of the labels for each row (rows, 4)."""
        return hidden.to(self.head.dtype) @ self.head.T

    def _labels(self, hidden: Any) -> list[list[float]]:
        """RETURNS (List[List[float]]): Probabilities of the labels for each row (rows, 4)."""
        scores = self._logits(hidden)
        if len(self.label_mass) < WATCHED:
            every = self.output(hidden[:WATCHED]).to(self.head.dtype)
            self.label_mass += (scores[:WATCHED].logsumexp(dim=-1) - every.logsumexp(dim=-1)).exp().tolist()
        return scores.softmax(dim=-1).tolist()

    def _prefix_layers(self) -> Sequence[tuple[Any, Any]]:
        """RETURNS (Sequence[Tuple[Floats4d, Floats4d]]): Keys and values of the prefix by layer, computed once."""
        if self._layers is None:
            ids = torch.tensor([self.prefix], device=self.device)
            cache = self.decoder(input_ids=ids, past_key_values=DynamicCache(), use_cache=True).past_key_values
            self._layers = cache.to_legacy_cache()
        return self._layers


class AnswerCache(DynamicCache):
    """Keys and values with room for those to come, so that no pass copies what the passes before it left."""

    def __init__(self, prefix: Sequence[tuple[Any, Any]], rows: int, length: int, room: int) -> None:
        """Start with the first tokens of a prefix.

        prefix (Sequence[Tuple[Floats4d, Floats4d]]): Its keys and values by layer (1, heads, tokens, width).
        rows (int): How many reports start with it.
        length (int): How many of its tokens they share.
        room (int): How many tokens will follow.
        """
        super().__init__()
        self.lengths = [length] * len(prefix)
        for layer in prefix:
            for tensor, buffers in zip(layer, (self.key_cache, self.value_cache), strict=True):
                buffer = tensor.new_empty((rows, tensor.shape[1], length + room, tensor.shape[3]))
                buffer[:, :, :length] = tensor[:, :, :length]
                buffers.append(buffer)

    def get_seq_length(self, layer_idx: int | None = 0) -> int:
        return self.lengths[layer_idx or 0]

    def update(self, key_states: Any, value_states: Any, layer_idx: int, cache_kwargs: Any = None) -> tuple[Any, Any]:
        start = self.lengths[layer_idx]
        end = self.lengths[layer_idx] = start + key_states.shape[2]
        both = (self.key_cache[layer_idx], key_states), (self.value_cache[layer_idx], value_states)
        for buffer, tensor in both:
            buffer[:, :, start:end] = tensor
        return self.key_cache[layer_idx][:, :, :end], self.value_cache[layer_idx][:, :, :end]
