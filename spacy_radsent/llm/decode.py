"""Read the labels of known answers from a causal language model: those of greedy decoding restricted to the labels.

All of the answer is known but the labels, so that only these are asked for: each pass reads what stands between one
label and the next, for all reports of a batch, after the keys and values of what stands before (chunked forcing). A
report costs its tokens once, and as many passes as it has sentences.

The other way to the same labels, guessing them all and repeating one pass over the answer until no guess changes
(Jacobi iteration; Song et al. 2021, arXiv 2002.03629), takes 2 to 4 passes but computes more tokens; on CPU it was
slower (benchmarks/llm.py measures both).
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

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
        self.output = model.get_output_embeddings()
        # Only the labels' rows of the output layer, and these in single precision at least.
        head = self.output.weight.detach()[list(label_ids)]
        self.head = head.to(torch.promote_types(head.dtype, torch.float32))
        self.label_ids = list(label_ids)
        self.prefix = list(prefix)
        self.passes = 0
        self.label_mass: list[float] = []
        self.fork_guard = ForkGuard()
        self._prefix_cache: Any = None

    @torch.inference_mode()
    def __call__(self, skeletons: Sequence[Skeleton]) -> list[list[list[float]]]:
        """Find labels.

        skeletons (Sequence[Skeleton]): Reports, read at once: their padded tokens bound the memory.
        RETURNS (List[List[List[float]]]): For each report, probabilities of the labels (4) for each of its labels.
        """
        self.fork_guard.check()
        shared = min(common_prefix(self.prefix, skeleton.ids[:-1]) for skeleton in skeletons)
        cache = self._cache(len(skeletons), shared)
        mask = torch.ones((len(skeletons), shared), dtype=torch.long)
        starts = [shared] * len(skeletons)
        before: list[list[int]] = [[] for _ in skeletons]  # the label found last, which the next pass reads
        scores: list[list[list[float]]] = [[] for _ in skeletons]
        for step in range(max(len(skeleton.places) for skeleton in skeletons)):
            asked = [i for i, skeleton in enumerate(skeletons) if step < len(skeleton.places)]
            chunks: list[list[int]] = [[] for _ in skeletons]
            for i in asked:
                place = skeletons[i].places[step]
                chunks[i] = before[i] + skeletons[i].ids[starts[i] : place]
                starts[i] = place + 1
            ids, chunk_mask = pad_left(chunks)
            mask = torch.cat([mask, chunk_mask], dim=1)
            rows = self._labels(self._read(ids, mask, cache)[asked])
            for i, row in zip(asked, rows, strict=True):
                scores[i].append(row)
                before[i] = [self.label_ids[row.index(max(row))]]
        return scores

    def _read(self, ids: Any, mask: Any, cache: Any) -> Any:
        """RETURNS (Floats2d): What the model makes of the last token of each row (rows, width), after the cache."""
        self.passes += 1
        width = ids.shape[1]
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
        output = self.decoder(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            position_ids=positions.to(self.device),
            past_key_values=cache,
            cache_position=torch.arange(mask.shape[1] - width, mask.shape[1], device=self.device),
            use_cache=True,
        )
        return output.last_hidden_state[:, -1]

    def _labels(self, hidden: Any) -> list[list[float]]:
        """RETURNS (List[List[float]]): Probabilities of the labels for each row (rows, 4)."""
        scores = hidden.to(self.head.dtype) @ self.head.T
        if len(self.label_mass) < WATCHED:
            every = self.output(hidden).to(self.head.dtype)
            self.label_mass += (scores.logsumexp(dim=-1) - every.logsumexp(dim=-1)).exp().tolist()
        return scores.softmax(dim=-1).tolist()

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
