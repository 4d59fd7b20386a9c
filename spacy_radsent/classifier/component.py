"""The `radsent` component: a trainable pipe that labels every sentence of a report in its context."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d, Ragged

from ..boundaries import sentence_offsets
from ..choices import unread_choices
from ..errors import RadsentError
from ..extensions import install_extensions
from ..labeller import Labelled, SentenceLabeller, write_labelled
from ..labels import LABELS, SPANS_KEY
from ..spans import covering_span
from .decision import Decision
from .ensemble import listens
from .forms import as_chosen
from .never_negative import without_negative
from .targets import Targets, cross_entropy
from .teacher import Teacher
from .texts import ragged_offsets
from .weights import check_trained, load_weights

# What `predict` hands to `set_annotations`: the sentences of each Doc, and a row of probabilities for each sentence.
Prediction = tuple[list[list[Span]], Floats2d]


class RadsentClassifier(SentenceLabeller, TrainablePipe):
    """Label the sentences of a report by a model trained for that; see `SentenceLabeller` for what it writes."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[tuple[list[Doc], Ragged], Floats2d],
        name: str = "radsent",
        *,
        spans_key: str = SPANS_KEY,
        targets: Targets = Targets(),
        decision: Decision = Decision(),
        tokenizer: Callable[[str], Doc] | None = None,
        never_negative: bool = True,
        scorer: Callable | None = None,
    ) -> None:
        """Build the component.

        vocab (Vocab): The shared vocabulary.
        model (Model[Tuple[List[Doc], Ragged], Floats2d]): Takes documents and the token offsets of their sentences
            (n, 2), gives probabilities (n, 4).
        spans_key (str): Key of the span group to write, and to read gold labels from.
        targets (Targets): What labels teach.
        decision (Decision): How probabilities become labels.
        tokenizer (Optional[Callable[[str], Doc]]): Tokenizes reports that are read before the model is given them
            (`forms.py`); None: it is given all as they are printed.
        never_negative (bool): What is by its words there, suspected, or a lesion without change is never NEGATIVE; see
            `never_negative.py`.
        scorer (Optional[Callable]): See `scorer.label_score`.
        """
        if targets.class_weights and model.name == "sentence_ensemble":
            # Its members learn from probability minus target, and cannot tell a weight from that.
            raise RadsentError("class_weights cannot be used with an ensemble: give one of its members as the model.")
        install_extensions()
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"labels": list(LABELS)}  # saved beside the weights; all else is in the config
        self.spans_key = spans_key
        self.targets = targets
        self.decision = decision
        self.tokenizer = tokenizer
        self.never_negative = never_negative
        self._rehearsal_model: Model | None = None
        self._teacher: Teacher | None = None
        for label in LABELS:
            vocab.strings.add(label)

    @property
    def key(self) -> str:
        """RETURNS (str): The key of the span group."""
        return self.spans_key

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @property
    def label_data(self) -> list[str]:
        return list(LABELS)

    def add_label(self, label: str) -> int:
        """Refuse: annotations, scores and every later component rest on these four labels."""
        raise RadsentError(f"Cannot add label {label!r}: the scheme of '{self.name}' is fixed to {', '.join(LABELS)}.")

    def predict_sentences(self, docs: list[Doc], sentences: list[list[Span]]) -> Prediction:
        """Label sentences without changing their documents.

        docs (List[Doc]): Documents.
        sentences (List[List[Span]]): The sentences of each.
        RETURNS (Prediction): The sentences, and their probabilities.
        """
        given = docs, sentences
        if self._reader is not None:
            given = as_chosen(docs, sentences, self._reader)
        scores = self._probabilities(*given)
        if self.never_negative:
            scores = without_negative(scores, (span.text for spans in given[1] for span in spans))
        return sentences, scores

    @property
    def _reader(self) -> Callable[[str], Doc] | None:
        """RETURNS (Optional[Callable[[str], Doc]]): Not for a listener, which knows the documents before it alone."""
        return None if listens(self.model) else self.tokenizer

    def _probabilities(self, docs: list[Doc], sentences: list[list[Span]]) -> Floats2d:
        if not any(sentences):
            return self.model.ops.alloc2f(0, len(LABELS))
        check_trained(self.model, docs[0].vocab, self.name)  # not this component's, if it comes from another pipeline
        scores = self.model.predict(self._inputs(docs, sentences))
        if not self.model.ops.xp.isfinite(scores).all():
            raise RadsentError(f"'{self.name}' computed probabilities that are no numbers: its weights are damaged.")
        return scores

    def _inputs(self, docs: list[Doc], sentences: Sequence[Sequence[Span]]) -> tuple[list[Doc], Ragged]:
        """RETURNS (Tuple[List[Doc], Ragged]): What the model takes, where the model is."""
        return docs, ragged_offsets(sentences, self.model.ops)

    def set_annotations(self, docs: Iterable[Doc], prediction: Prediction) -> None:
        """Write labels to documents.

        docs (Iterable[Doc]): The documents.
        prediction (Prediction): What `predict` or `predict_sentences` returned for them.
        """
        all_sentences, scores = prediction
        decided = iter(self.decision.decide(self.model.ops.to_numpy(scores)))
        reads = self._reader is not None
        for doc, sentences in zip(docs, all_sentences, strict=True):
            of_doc = [next(decided) for _ in sentences]
            labels, probabilities, statuses = zip(*of_doc, strict=True) if of_doc else ((), (), ())
            if reads:
                unread = [unread_choices(span.text) for span in sentences]
                statuses = tuple("review" if i else status for i, status in zip(unread, statuses, strict=True))
            write_labelled(doc, Labelled(sentences, labels, probabilities, statuses), self.key, self.name)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from the sentences of the reference documents, whatever the predicted boundaries are.

        examples (Iterable[Example]): Reference documents hold the labelled sentences in `doc.spans`.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): Updates the weights, if given.
        losses (Optional[Dict[str, float]]): Updated with the loss, by the component's name.
        RETURNS (Dict[str, float]): The losses.
        """
        return self._step(examples, drop, sgd, losses, self.get_loss, self.gold_sentences)

    def _step(
        self,
        examples: Iterable[Example],
        drop: float,
        sgd: Optimizer | None,
        losses: dict[str, float] | None,
        get_loss: Callable[[list[Example], Prediction], tuple[float, Floats2d]],
        sentences_of: Callable[[Example], list[Span]],
    ) -> dict[str, float]:
        examples = list(examples)
        validate_examples(examples, "RadsentClassifier.update")
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        sentences = [sentences_of(eg) for eg in examples]
        if not any(sentences):
            return losses
        set_dropout_rate(self.model, drop)
        scores, backprop = self.model.begin_update(self._inputs([eg.predicted for eg in examples], sentences))
        loss, d_scores = get_loss(examples, (sentences, scores))
        backprop(d_scores)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], prediction: Prediction) -> tuple[float, Floats2d]:
        """Compute the cross-entropy against the labels of the reference, and what a teacher says of its sentences.

        examples (Iterable[Example]): The batch.
        prediction (Prediction): The reference's sentences, mapped to the predicted documents, and their probabilities.
        RETURNS (Tuple[float, Floats2d]): The loss summed over sentences, and its gradient with respect to the logits:
            probability minus target times the label's weight. Without a teacher a sentence without a label counts
            nothing.
        """
        sentences, scores = prediction
        golds = [span.label_ for eg in examples for span in eg.reference.spans.get(self.key, [])]
        target, counts = self.targets.of(golds)
        if self._teacher is not None:
            target, counts = self._teacher.teach([spans for spans in sentences if spans], target, counts)
        return cross_entropy(self.model.ops, scores, target, counts)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Pull the model towards what it predicted when training resumed, so that it forgets less.

        Does nothing unless `nlp.resume_training()` has been called. Texts without sentences are split by rule. See
        `update` for the arguments.
        """
        rehearsal_model = self._rehearsal_model
        if rehearsal_model is None:
            return {} if losses is None else losses

        def get_loss(examples: list[Example], prediction: Prediction) -> tuple[float, Floats2d]:
            sentences, scores = prediction
            target = rehearsal_model.predict(self._inputs([eg.predicted for eg in examples], sentences))
            return cross_entropy(self.model.ops, scores, target, numpy.ones(len(target)))

        return self._step(examples, drop, sgd, losses, get_loss, self._sentences_to_rehearse)

    def _sentences_to_rehearse(self, example: Example) -> list[Span]:
        if self.key in example.reference.spans:
            return self.gold_sentences(example)
        doc = example.predicted
        return [covering_span(doc, start, end) for start, end in sentence_offsets(doc.text)]

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
        weights: str | None = None,
        teacher: str | None = None,
        teacher_share: float = 0.5,
    ) -> None:
        """Initialize the model, and check that the training data fit the label scheme.

        get_examples (Callable[[], Iterable[Example]]): Returns gold-standard examples.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): What `spacy init labels` wrote; the scheme is fixed, so it is only checked.
        weights (Optional[str]): Folder of a trained pipeline with a component of this name and architecture, to go on
            from its weights. The optimizer starts anew.
        teacher (Optional[str]): A trained pipeline with a component of this name, to learn its probabilities from.
        teacher_share (float): See `Teacher`.
        """
        if labels is not None:
            self._check_scheme(labels)
        sample: list[Example] = []
        found = set()
        for eg in get_examples():  # once: an augmenter makes them anew each time
            validate_examples([eg], "RadsentClassifier.initialize")
            golds = {span.label_ for span in eg.reference.spans.get(self.key, [])}
            found |= golds
            if golds and len(sample) < 10:
                sample.append(eg)
        self.check_known(found)
        if not found - {""} and teacher is None:
            raise RadsentError(
                f"The training data hold no labelled sentence in doc.spans[{self.key!r}]: make them with "
                f"'radsent convert corpus.jsonl corpus.spacy', or set spans_key to the key they use."
            )
        self._teacher = None if teacher is None else Teacher.load(teacher, teacher_share, self.name)
        if weights is not None:
            load_weights(self.model, Path(weights), self.name)
            return
        X = self._inputs([eg.predicted for eg in sample], [self.gold_sentences(eg) for eg in sample])
        self.model.initialize(X=X, Y=self.model.ops.alloc2f(len(X[1].dataXd), len(LABELS)))

    def _check_scheme(self, labels: Sequence[str]) -> None:
        if tuple(labels) != LABELS:
            raise RadsentError(
                f"The label scheme {list(labels)} does not match the model's {list(LABELS)}: "
                f"use data and a pipeline of the same scheme."
            )

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RadsentClassifier":
        super().from_bytes(bytes_data, exclude=exclude)
        self._check_scheme(self.cfg["labels"])
        return self

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> "RadsentClassifier":
        super().from_disk(path, exclude=exclude)
        self._check_scheme(self.cfg["labels"])
        return self
