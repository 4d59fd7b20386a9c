"""The `radsent_llm` component: sentence labels by a language model, read from known answers."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.tokens import Doc, Span

from ..batching import group_by_length
from ..errors import RadsentError, needs_extra
from ..extensions import install_extensions
from ..labeller import SentenceLabeller
from ..labels import LABELS
from .settings import ModelSettings

if TYPE_CHECKING:
    from .decode import LabelDecoder
    from .skeleton import Skeleton, SkeletonBuilder

# Sentences at the start of a part that belong to the part before, for context.
OVERLAP = 4


class Labelled(NamedTuple):
    """A report's sentences, their probabilities (None without label), and statuses."""

    sentences: list[Span]
    scores: Sequence[list[float] | None]
    statuses: list[str]


class RadsentLLM(SentenceLabeller):
    """Label the sentences of a report by a language model; see `SentenceLabeller` for what it writes.

    The answer is known but for the labels, so that nothing is generated: the labels are read from the logits of their
    four tokens, each given the labels before it, as greedy decoding would (see `decode`). A report that is too long for
    the model is read in parts, which overlap by four sentences whose labels are kept; its status is "review".
    """

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        *,
        prompt: str,
        max_length: int,
        max_batch_tokens: int,
        spans_key: str,
    ) -> None:
        """Build the component; nothing is loaded before the first report. See `factory.make_llm`."""
        install_extensions()
        self.name = name
        self.settings = model
        self.prompt = prompt
        self.max_length = max_length
        self.max_batch_tokens = max_batch_tokens
        self.spans_key = spans_key

    @property
    def key(self) -> str:
        return self.spans_key

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @cached_property
    def builder(self) -> "SkeletonBuilder":
        """RETURNS (SkeletonBuilder): Lays out reports for the model's tokenizer."""
        with needs_extra("llm"):
            from .model import load_tokenizer
            from .skeleton import SkeletonBuilder

        return SkeletonBuilder(load_tokenizer(self.settings.name), self.prompt)

    @cached_property
    def decoder(self) -> "LabelDecoder":
        """RETURNS (LabelDecoder): Holds the model."""
        with needs_extra("llm"):
            from .decode import LabelDecoder
            from .model import load_model

        return LabelDecoder(load_model(self.settings), self.builder.label_ids, self.builder.prefix)

    def predict(self, docs: Iterable[Doc]) -> list[Labelled]:
        """Label documents without changing them.

        docs (Iterable[Doc]): Documents with sentence boundaries.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        sentences = [self.find_sentences(doc) for doc in docs]
        whole: dict[int, Skeleton] = {}
        scores: dict[int, list[list[float]]] = {i: [] for i, found in enumerate(sentences) if not found}
        for i, found in enumerate(sentences):
            if found:
                skeleton = self._lay_out(found)
                if len(skeleton.ids) <= self.context:
                    whole[i] = skeleton
                else:
                    scores[i] = self._label_in_parts(found)
        places = list(whole)
        scores.update(zip(places, self._label([whole[i] for i in places]), strict=True))
        return [
            Labelled(found, scores[i], ["ok" if i in whole else "review"] * len(found))
            for i, found in enumerate(sentences)
        ]

    @property
    def context(self) -> int:
        """RETURNS (int): Tokens that the model reads at most, prompt and answer together."""
        return min(self.max_length, self.decoder.max_length)

    def _lay_out(self, sentences: list[Span], known: Sequence[int] = ()) -> "Skeleton":
        doc = sentences[0].doc
        report = doc.text[sentences[0].start_char : sentences[-1].end_char]
        return self.builder.build(report, [sentence.text for sentence in sentences], known)

    def _label(self, skeletons: "list[Skeleton]") -> Iterator[list[list[float]]]:
        """YIELDS (List[List[float]]): Probabilities of each skeleton's labels."""
        prefix = len(self.builder.prefix)
        lengths = [len(skeleton.ids) - prefix for skeleton in skeletons]
        found: dict[int, list[list[float]]] = {}
        for group in group_by_length(lengths, self.max_batch_tokens, self.max_batch_tokens // 8):
            found.update(zip(group, self.decoder([skeletons[i] for i in group]), strict=True))
        yield from (found[i] for i in range(len(skeletons)))

    def _label_in_parts(self, sentences: list[Span]) -> list[list[float]]:
        scores: list[list[float]] = []
        while len(scores) < len(sentences):
            start = max(0, len(scores) - OVERLAP)
            known = [row.index(max(row)) for row in scores[start:]]
            skeleton = self._longest_part(sentences[start:], known)
            scores += next(self._label([skeleton]))
        return scores

    def _longest_part(self, sentences: list[Span], known: list[int]) -> "Skeleton":
        """RETURNS (Skeleton): As many of the sentences as fit, with as much of the overlap as leaves room for one."""
        while True:
            best, low, high = None, len(known) + 1, len(sentences)
            while low <= high:
                middle = (low + high) // 2
                skeleton = self._lay_out(sentences[:middle], known)
                if len(skeleton.ids) <= self.context:
                    best, low = skeleton, middle + 1
                else:
                    high = middle - 1
            if best is not None:
                return best
            if not known:
                raise RadsentError(
                    f"A sentence of {len(sentences[0].text)} characters is too long for '{self.name}', which reads "
                    f"{self.context} tokens: raise max_length, or use a model that reads more."
                )
            sentences, known = sentences[1:], known[1:]

    def set_annotations(self, docs: Iterable[Doc], prediction: list[Labelled]) -> None:
        """Write what `predict` returned for these documents."""
        for doc, labelled in zip(docs, prediction, strict=True):
            self.write(doc, *labelled)

    def to_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> None:
        """Write nothing: the pipeline's config names the model, which stays where it is."""

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> "RadsentLLM":
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        return b""

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "RadsentLLM":
        return self
