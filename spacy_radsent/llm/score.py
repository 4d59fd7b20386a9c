"""Score mode: the answer is known but for the labels, which are read from it."""

import math
import statistics
import warnings
from collections.abc import Sequence
from typing import Any

from spacy.tokens import Span

from ..errors import RadsentError
from ..labeller import Labelled
from .batches import Batches
from .decode import WATCHED, LabelDecoder
from .fixed_point import FixedPointDecoder
from .model import load_model, load_tokenizer
from .settings import LLMSettings
from .skeleton import Skeleton, SkeletonBuilder, text_of

# Sentences at the start of a part that belong to the part before, for context.
OVERLAP = 4
# Of the probability of all tokens: what a model that learned the task gives to the labels.
LIKELY = 0.9


class ScoreReader:
    """Labels reports by the logits of the labels' tokens, each label given those before it (see `decode`).

    A report that is too long for the model is read in parts, which overlap by four sentences whose labels are kept;
    its status is "review".
    """

    def __init__(self, settings: LLMSettings, builder: SkeletonBuilder, model: Any) -> None:
        """Wrap a model.

        settings (LLMSettings): Bounds on length and memory.
        builder (SkeletonBuilder): Lays out reports for its tokenizer.
        model (PreTrainedModel): A causal language model.
        """
        self.settings = settings
        self.watched = False
        self.builder = builder
        make_decoder = FixedPointDecoder if model.device.type == "cuda" else LabelDecoder  # the faster one there
        self.decoder = make_decoder(model, self.builder.label_ids, self.builder.prefix)
        self.batches = Batches(settings.max_batch_tokens)
        self.max_length = min(settings.max_length, model.config.max_position_embeddings)

    @classmethod
    def load(cls, settings: LLMSettings) -> "ScoreReader":
        """settings (LLMSettings): The model, which is loaded now."""
        return cls(settings, SkeletonBuilder(load_tokenizer(settings.model), settings.prompt), load_model(settings))

    def __call__(self, reports: Sequence[list[Span]]) -> list[Labelled]:
        """Label reports.

        reports (Sequence[List[Span]]): The sentences of each, at least one.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        skeletons = [self._lay_out(sentences) for sentences in reports]
        whole = [i for i, skeleton in enumerate(skeletons) if len(skeleton.ids) <= self.max_length]
        scores = dict(zip(whole, self._label([skeletons[i] for i in whole]), strict=True))
        return [
            Labelled.from_scores(sentences, scores[i])
            if i in scores
            else Labelled.from_scores(sentences, self._label_in_parts(sentences), "review")
            for i, sentences in enumerate(reports)
        ]

    def _lay_out(self, sentences: list[Span], known: Sequence[int] = ()) -> Skeleton:
        return self.builder.build(text_of(sentences), [sentence.text for sentence in sentences], known)

    def _label(self, skeletons: list[Skeleton]) -> list[list[list[float]]]:
        """RETURNS (List[List[List[float]]]): Probabilities of each skeleton's labels."""
        # The shared start of the prompts is computed once, but each row of a batch holds its keys and values.
        scores = self.batches.run(skeletons, [len(skeleton.ids) for skeleton in skeletons], self.decoder)
        if any(math.isnan(probability) for report in scores for row in report for probability in row):
            raise RadsentError(
                f"{self.settings.model} computed probabilities that are no numbers: its weights are damaged, or too "
                f"large for its dtype: set dtype = 'float32'."
            )
        self._watch()
        return scores

    def _watch(self) -> None:
        """Warn once where the model would have written something else than labels: it never learned this task."""
        mass = self.decoder.label_mass
        if self.watched or len(mass) < WATCHED:
            return
        self.watched = True
        if (median := statistics.median(mass)) < LIKELY:
            warnings.warn(
                f"{self.settings.model} gives its labels {median:.2f} of the probability, where one that learned to "
                f"write them gives nearly all: train an adapter for this prompt ('radsent train-lora').",
                stacklevel=2,
            )

    def _label_in_parts(self, sentences: list[Span]) -> list[list[float]]:
        scores: list[list[float]] = []
        while len(scores) < len(sentences):
            start = max(0, len(scores) - OVERLAP)
            known = [row.index(max(row)) for row in scores[start:]]
            skeleton = self._longest_part(sentences[start:], known)
            scores += self._label([skeleton])[0]
        return scores

    def _longest_part(self, sentences: list[Span], known: list[int]) -> Skeleton:
        """RETURNS (Skeleton): As many of the sentences as fit, with as much of the overlap as leaves room for one."""
        while True:
            best, low, high = None, len(known) + 1, len(sentences)
            while low <= high:
                middle = (low + high) // 2
                skeleton = self._lay_out(sentences[:middle], known)
                if len(skeleton.ids) <= self.max_length:
                    best, low = skeleton, middle + 1
                else:
                    high = middle - 1
            if best is not None:
                return best
            if not known:
                raise RadsentError(
                    f"A sentence of {len(sentences[0].text)} characters is too long for {self.settings.model}, "
                    f"which reads {self.max_length} tokens: raise max_length, or use a model that reads more."
                )
            sentences, known = sentences[1:], known[1:]
