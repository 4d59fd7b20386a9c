"""The `radsent_llm` component: sentence labels by a language model."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from spacy.tokens import Doc, Span

from ..errors import RadsentError, needs_extra
from ..extensions import install_extensions
from ..labeller import Labelled, SentenceLabeller, write_labelled
from ..labels import LABELS
from .settings import LLMSettings

# Labels the sentences of reports, each at least one.
Reader = Callable[[Sequence[list[Span]]], list[Labelled]]


class RadsentLLM(SentenceLabeller):
    """Label the sentences of a report by a language model; see `SentenceLabeller` for what it writes."""

    def __init__(self, name: str, settings: LLMSettings, *, spans_key: str, scorer: Callable | None = None) -> None:
        """Build the component; nothing is loaded before the first report. See `factory.make_llm`."""
        install_extensions()
        self.name = name
        self.settings = settings
        self.spans_key = spans_key
        self.scorer = scorer

    @property
    def key(self) -> str:
        return self.spans_key

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @cached_property
    def reader(self) -> Reader:
        """RETURNS (Reader): Holds the model, or asks the server that does. Tried once: a failure comes again."""
        try:
            return self._load_reader()
        except RadsentError as error:
            failure = error

        def fail(reports: Sequence[list[Span]]) -> list[Labelled]:
            raise failure

        return fail

    def _load_reader(self) -> Reader:
        if self.settings.mode == "endpoint":
            from .endpoint import EndpointReader

            return EndpointReader(self.settings)
        with needs_extra("llm"):
            from .generate import GenerateReader
            from .score import ScoreReader

        readers: dict[str, Callable[[LLMSettings], Reader]] = {
            "score": ScoreReader.load,
            "generate": GenerateReader.load,
        }
        return readers[self.settings.mode](self.settings)

    def predict_sentences(self, docs: list[Doc], sentences: list[list[Span]]) -> list[Labelled]:
        """Label sentences without changing their documents.

        docs (List[Doc]): Documents.
        sentences (List[List[Span]]): The sentences of each.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        full = [spans for spans in sentences if spans]
        labelled = iter(self.reader(full) if full else [])
        return [next(labelled) if spans else Labelled.failed([]) for spans in sentences]

    def set_annotations(self, docs: Iterable[Doc], prediction: list[Labelled]) -> None:
        """Write what `predict` returned for these documents."""
        for doc, labelled in zip(docs, prediction, strict=True):
            write_labelled(doc, labelled, self.key, self.name)
            if labelled.error is not None:
                self.get_error_handler()(self.name, self, [doc], labelled.error)
