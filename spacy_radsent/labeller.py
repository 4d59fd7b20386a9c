"""What all components that label sentences share: what they write to a document, and what becomes of one that fails."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples

from .batching import batch_by_tokens
from .errors import RadsentError
from .labels import LABELS
from .spans import character_offsets, covering_span, trimmed_sentences

# Memory grows with the tokens of a batch: 64 reports of usual length have about 12,000.
MAX_BATCH_TOKENS = 20_000


class Labelled(NamedTuple):
    """The labelled sentences of a document.

    sentences (List[Span]): All of them, in order.
    labels (Sequence[str]): One of LABELS for each; "" for one without.
    scores (Sequence[Optional[List[float]]]): Probabilities of each in the order of LABELS; None where there are none.
    statuses (Sequence[str]): "ok", "review", or "error" for a sentence without label.
    error (Optional[Exception]): Why the whole report has none; for the error handler.
    """

    sentences: list[Span]
    labels: Sequence[str]
    scores: Sequence[list[float] | None]
    statuses: Sequence[str]
    error: Exception | None = None

    @classmethod
    def from_scores(cls, sentences: list[Span], scores: Sequence[list[float]], status: str = "ok") -> "Labelled":
        """RETURNS (Labelled): The most probable label for each sentence."""
        labels = [LABELS[row.index(max(row))] for row in scores]
        return cls(sentences, labels, scores, [status] * len(sentences))

    @classmethod
    def failed(cls, sentences: list[Span], error: Exception | None = None) -> "Labelled":
        """RETURNS (Labelled): No labels."""
        return cls(sentences, [""] * len(sentences), [None] * len(sentences), ["error"] * len(sentences), error)


class SentenceLabeller(Pipe):
    """Base of the components that label the sentences of a report with the four labels of `labels.LABELS`.

    Writes `doc.spans[key]`: one span per sentence of `doc.sents`, in order, without the white space around it
    and with its label. `.attrs` holds a list per name, aligned with the spans: "scores" (probabilities in the order
    of LABELS, None where there are none) and "status" ("ok", "review", or "error" for a span without label); "source"
    is the name of the component.
    """

    name: str
    scorer: Callable | None

    @property
    def key(self) -> str:
        """RETURNS (str): The key of the span group."""
        raise NotImplementedError

    def predict_sentences(self, docs: list[Doc], sentences: list[list[Span]]) -> Any:
        """RETURNS (Any): Labels of these sentences for `set_annotations`; the documents stay as they are."""
        raise NotImplementedError

    def set_annotations(self, docs: Iterable[Doc], prediction: Any) -> None:
        """Write what `predict` or `predict_sentences` returned for these documents."""
        raise NotImplementedError

    def predict(self, docs: Iterable[Doc]) -> Any:
        """Label documents without changing them.

        docs (Iterable[Doc]): Documents with sentence boundaries.
        RETURNS (Any): For `set_annotations`.
        """
        docs = list(docs)
        return self.predict_sentences(docs, [find_sentences(doc, self.name) for doc in docs])

    def __call__(self, doc: Doc) -> Doc:
        try:
            self.set_annotations([doc], self.predict([doc]))
        except Exception:
            self._write_error(doc)
            raise  # nlp() hands it to the error handler
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Label a stream of documents.

        stream (Iterable[Doc]): Documents with sentence boundaries.
        batch_size (int): Documents to label at once.
        YIELDS (Doc): Every document, in order. One that fails goes to the error handler, alone; if that does not
            raise, the document comes out with the status "error" and no labels.
        """
        for docs in batch_by_tokens(stream, batch_size, MAX_BATCH_TOKENS):
            try:
                prediction = self.predict(docs)
            except Exception:
                for doc in docs:
                    self._annotate_alone(doc)
            else:
                self.set_annotations(docs, prediction)
            yield from docs

    def _annotate_alone(self, doc: Doc) -> None:
        try:
            prediction = self.predict([doc])
        except Exception as error:
            self.get_error_handler()(self.name, self, [doc], error)
            self._write_error(doc)
        else:
            self.set_annotations([doc], prediction)

    def _write_error(self, doc: Doc) -> None:
        """Say that a document failed: on its sentences, or on all of it where it has none."""
        sentences = trimmed_sentences(doc) if doc.has_annotation("SENT_START") else [doc[:]]
        write_labelled(doc, Labelled.failed(sentences), self.key, self.name)

    def gold_sentences(self, example: Example) -> list[Span]:
        """RETURNS (List[Span]): The sentences of the reference as spans of the predicted document's tokens."""
        spans = example.reference.spans.get(self.key, [])
        self.check_known({span.label_ for span in spans})
        return [covering_span(example.predicted, span.start_char, span.end_char, span.label_) for span in spans]

    def check_known(self, labels: set[str]) -> None:
        """Raise where a label of a reference is none of ours."""
        if unknown := sorted(labels - {*LABELS, ""}):
            raise RadsentError(
                f"doc.spans[{self.key!r}] holds the label {unknown[0]!r}: '{self.name}' knows {', '.join(LABELS)} only."
            )

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score labels on the boundaries of the reference, and end to end on the predicted ones.

        examples (Iterable[Example]): Predicted and reference documents.
        RETURNS (Dict[str, Any]): See `classifier.scorer.label_score`.
        """
        if self.scorer is None:
            return {}
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.score")
        on_gold = [self._on_gold_boundaries(eg) for eg in examples]
        return self.scorer(examples, on_gold_boundaries=on_gold, spans_key=self.key, **kwargs)

    def _on_gold_boundaries(self, example: Example) -> Example:
        sentences = self.gold_sentences(example)
        if character_offsets(sentences) == character_offsets(list(example.predicted.spans.get(self.key, []))):
            return example
        return Example(self.relabelled(example.predicted, sentences), example.reference)

    def relabelled(self, doc: Doc, sentences: list[Span]) -> Doc:
        """Label sentences of your own choice.

        doc (Doc): A document.
        sentences (List[Span]): Its sentences, in order.
        RETURNS (Doc): A copy of the document with these sentences labelled.
        """
        copy = doc.copy()
        self.set_annotations([copy], self.predict_sentences([doc], [sentences]))
        return copy


def find_sentences(doc: Doc, name: str) -> list[Span]:
    """Find the sentences to label; raises where none of the components before has found them.

    doc (Doc): A document.
    name (str): Of the component that asks.
    RETURNS (List[Span]): The sentences, without white space around them.
    """
    if not len(doc):
        return []
    if not doc.has_annotation("SENT_START"):
        raise RadsentError(
            f"'{name}' found a Doc without sentence boundaries: put a component that sets them before it, "
            f"e.g. nlp.add_pipe('radsent_sentencizer', before='{name}')."
        )
    return trimmed_sentences(doc)


def write_labelled(doc: Doc, labelled: Labelled, key: str, source: str) -> None:
    """Write labelled sentences to their document, in place of earlier ones.

    doc (Doc): The document.
    labelled (Labelled): All of its sentences.
    key (str): Key of the span group.
    source (str): Name of the component.
    """
    sentences, labels, scores, statuses, _ = labelled
    doc.spans[key] = SpanGroup(
        doc,
        name=key,
        attrs={"scores": list(scores), "status": list(statuses), "source": source},
        spans=[Span(doc, span.start, span.end, label=label) for span, label in zip(sentences, labels, strict=True)],
    )
