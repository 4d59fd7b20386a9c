"""What a model says of a corpus, sentence by sentence beside the reference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy
from pydantic import BaseModel, Field, ValidationError

from ..corpus.records import Record
from ..errors import RadsentError
from ..labels import LABELS
from ..metrics import NO_LABEL, Sentence, code_of, confusion, exact_matches, project
from .corpus import GoldCorpus

# A little more than 1 is float32's rounding.
Probability = Annotated[float, Field(ge=0, le=1.001, allow_inf_nan=False, strict=True)]
Scores = Annotated[list[Probability], Field(min_length=len(LABELS), max_length=len(LABELS))]


class OnGold(BaseModel):
    """Labels and probabilities that a model gives to the sentences of the reference."""

    labels: list[Literal["BACKGROUND", "POSITIVE", "NEGATIVE", "CONTINUATION"] | None]
    scores: list[Scores | None] | None = None


class Details(BaseModel):
    """What `meta.prediction` of a stored prediction holds."""

    scores: list[Scores | None] | None = None
    on_gold: OnGold | None = None

    def check_lengths(self, found: int, gold: int) -> None:
        """Raise ValueError where a list has not as many items as there are sentences."""
        on_gold = self.on_gold or OnGold(labels=[None] * gold)
        for name, values, expected in (
            ("scores", self.scores, found),
            ("on_gold.labels", on_gold.labels, gold),
            ("on_gold.scores", on_gold.scores, gold),
        ):
            if values is not None and len(values) != expected:
                raise ValueError(f"{name}: has {len(values)} items for {expected} sentences")


@dataclass
class Outcome:
    """Predictions aligned with a corpus.

    model (str): How the model is shown.
    corpus (GoldCorpus): The corpus.
    predicted (ndarray): Codes of the labels for the sentences of the reference, (sentences,); NO_LABEL for none.
    scores (ndarray): Their probabilities, (sentences, 4); NaN where there are none.
    boundaries (ndarray): Ends of sentences inside of each report: found, predicted, in the reference; (reports, 3).
    exact (ndarray): Sentences with right boundaries and label, as `metrics.exact_matches`, (reports, 5, 3).
    split_exactly (ndarray): Whether each report is split exactly, (reports,).
    projected (int): Reports whose labels are those of the predicted sentences that the gold ones begin in, since the
        model split them otherwise and was not asked again.
    """

    model: str
    corpus: GoldCorpus
    predicted: Any
    scores: Any
    boundaries: Any
    exact: Any
    split_exactly: Any
    projected: int = 0

    @classmethod
    def of(cls, model: str, corpus: GoldCorpus, predictions: Iterable[Record]) -> "Outcome":
        """Align.

        model (str): How the model is shown.
        corpus (GoldCorpus): The corpus.
        predictions (Iterable[Record]): One for each of its reports, in any order: the sentences that the model found,
            and in `meta.prediction` their scores (see `predictions.predict`).
        RETURNS (Outcome): Them together.
        """
        rows, reports = len(corpus.codes), len(corpus.records)
        outcome = cls(
            model,
            corpus,
            predicted=numpy.full(rows, NO_LABEL, dtype="int8"),
            scores=numpy.full((rows, NO_LABEL), numpy.nan, dtype="float32"),
            boundaries=numpy.zeros((reports, 3), dtype="int32"),
            exact=numpy.zeros((reports, NO_LABEL + 1, 3), dtype="int32"),
            split_exactly=numpy.zeros(reports, dtype=bool),
        )
        seen = numpy.zeros(reports, dtype=bool)
        for prediction in predictions:
            i = outcome._report_of(prediction)
            if seen[i]:
                raise RadsentError(f"{model}: report {prediction.id!r} stands twice: give each report once.")
            seen[i] = True
            outcome._add(i, prediction)
        if not seen.all():
            missing = corpus.records[int(numpy.argmin(seen))].id
            raise RadsentError(
                f"{model}: lacks {int((~seen).sum())} of the {reports} reports of {corpus.name}, e.g. {missing!r}: "
                f"give a file that holds all of them."
            )
        return outcome

    def _report_of(self, prediction: Record) -> int:
        i = self.corpus.index.get(prediction.id)
        if i is None:
            raise RadsentError(
                f"{self.model}: holds report {prediction.id!r}, which {self.corpus.name} does not: "
                f"give a file of the same reports."
            )
        if prediction.text != self.corpus.records[i].text:
            raise RadsentError(
                f"{self.model}: report {prediction.id!r} has another text in {self.corpus.name}: "
                f"give a file of the same reports, or another id."
            )
        return i

    def _add(self, i: int, prediction: Record) -> None:
        gold, found = sentences_of(self.corpus.records[i]), sentences_of(prediction)
        details = self._details(prediction, len(found), len(gold))
        scores: Sequence[Any] = details.scores or [None] * len(found)
        start, end = self.corpus.first[i], self.corpus.first[i + 1]
        same = [sentence[:2] for sentence in gold] == [sentence[:2] for sentence in found]
        labels: Sequence[str | None]
        if not same and details.on_gold:
            labels, scores = details.on_gold.labels, details.on_gold.scores or [None] * len(gold)
        else:
            indices = range(len(gold)) if same else project([sentence[0] for sentence in gold], found)
            labels = [None if at is None else found[at][2] for at in indices]
            scores = [None if at is None else scores[at] for at in indices]
            self.projected += not same and bool(found) and any(label for _, _, label in gold)
        self.predicted[start:end] = [code_of(label) for label in labels]
        for row, values in zip(range(start, end), scores, strict=True):
            if values is not None:
                self.scores[row] = values
        self.boundaries[i] = _boundaries(gold, found)
        self.split_exactly[i] = same
        if gold and all(label for _, _, label in gold):
            self.exact[i] = exact_matches(gold, found)

    def _details(self, prediction: Record, found: int, gold: int) -> "Details":
        """RETURNS (Details): What `meta.prediction` holds, checked."""
        try:
            details = Details.model_validate(prediction.meta.get("prediction") or {})
            details.check_lengths(found, gold)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        except ValueError as error:
            field, _, message = str(error).partition(": ")
        else:
            return details
        raise RadsentError(
            f"{self.model}: report {prediction.id!r}: meta.prediction{'.' if field else ''}{field}: {message}: "
            f"give predictions as radsent evaluate and radsent apply write them."
        )

    @cached_property
    def labelled(self) -> Any:
        """RETURNS (ndarray): Which sentences of the reference have a label, (sentences,)."""
        return self.corpus.codes != NO_LABEL

    @cached_property
    def matrices(self) -> Any:
        """RETURNS (ndarray): A confusion matrix for each report, (reports, 4, 5)."""
        keep, corpus = self.labelled, self.corpus
        return confusion(corpus.codes[keep], self.predicted[keep], corpus.report[keep], len(corpus.records))

    @cached_property
    def sentence_matrices(self) -> Any:
        """RETURNS (ndarray): A confusion matrix for each labelled sentence, (labelled sentences, 4, 5)."""
        keep = self.labelled
        count = int(keep.sum())
        return confusion(self.corpus.codes[keep], self.predicted[keep], numpy.arange(count), count)

    @cached_property
    def wrong(self) -> Any:
        """RETURNS (ndarray): Rows of the sentences with another label than the reference's, or none."""
        return numpy.flatnonzero(self.labelled & (self.predicted != self.corpus.codes))


def sentences_of(record: Record) -> list[Sentence]:
    """RETURNS (List[Tuple[int, int, Optional[str]]]): The sentences of a record."""
    return [(sentence.start, sentence.end, sentence.label) for sentence in record.sentences]


def _boundaries(gold: Sequence[Sentence], found: Sequence[Sentence]) -> list[int]:
    """RETURNS (List[int]): Starts of sentences but for the first: found, predicted, in the reference."""
    expected, predicted = {start for start, _, _ in gold[1:]}, {start for start, _, _ in found[1:]}
    return [len(expected & predicted), len(predicted), len(expected)]
