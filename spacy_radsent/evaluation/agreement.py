"""Two annotators of the same reports, in the layout of the paper's Figure 2."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from ..corpus.records import Record
from ..errors import RadsentError
from ..plotting import drawing
from .cells import TITLES, confusion_table, shown
from .corpus import GoldCorpus
from .document import Section, Table
from .evaluate import Evaluator
from .outcome import Outcome
from .plots import Picture, confusion_figure
from .results import Subset

METRICS = ("accuracy", "macro_f1", "kappa", "mcc")


class Agreement(NamedTuple):
    """How far two annotators agree.

    annotators (Tuple[str, str]): Their names; the first counts as the reference.
    subset (Subset): The second's labels as predictions.
    picture (Picture): The confusion matrix.
    projected (int): Reports that the second splits otherwise: there a sentence has the label of the one it begins in.
    unlabelled (int): Sentences to which the first gave no label.
    """

    annotators: tuple[str, str]
    subset: Subset
    picture: Picture
    projected: int
    unlabelled: int

    @classmethod
    def of(cls, reference: GoldCorpus, other: str, records: Iterable[Record], evaluator: Evaluator) -> "Agreement":
        """Compare.

        reference (GoldCorpus): Reports as the first annotator labelled them.
        other (str): Name of the second.
        records (Iterable[Record]): The same reports, as the second labelled them. Where the sentences differ, one of
            the reference's is compared with the one that it begins in.
        evaluator (Evaluator): How to compute.
        RETURNS (Agreement): How far they agree.
        """
        # Without what a pipeline said of them, which may have been the annotator's draft.
        records = (record.model_copy(update={"meta": {}}) for record in records)
        outcome = Outcome.of(other, reference, records)
        subset = evaluator.subset("all", outcome, outcome.labelled)
        if not subset.excluded.sentences:
            raise RadsentError(f"{other}: no sentence has a label: give reports that somebody has labelled.")
        with drawing():
            figure = confusion_figure([("", subset.confusion)], reference.name, other)
            picture = Picture.of("agreement", f"Labels of {reference.name} and {other}", figure)
        unlabelled = int((~outcome.labelled).sum())
        return cls((reference.name, other), subset, picture, outcome.projected, unlabelled)

    def to_dict(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON."""
        about = {"annotators": self.annotators, "projected": self.projected, "unlabelled": self.unlabelled}
        return {**about, **TypeAdapter(Subset).dump_python(self.subset)}

    def section(self, others: Sequence[list[str]] = ()) -> Section:
        """Write it.

        others (Sequence[List[str]]): Rows to stand beside: names, number of sentences, accuracy, macro F1, kappa, MCC.
        RETURNS (Section): Figure 2.
        """
        one, other = self.annotators
        scores = self.subset.excluded
        row = [f"{one} and {other}", f"{scores.sentences:,}", *(shown(scores.metrics[name]) for name in METRICS)]
        labels = [
            [label, f"{s.support:,}", f"{s.predicted:,}", *map(shown, (s.precision, s.recall, s.f1))]
            for label, s in scores.per_label.items()
        ]
        projected = f" {other} splits {self.projected:,} reports otherwise." if self.projected else ""
        return Section(
            f"Agreement of {one} and {other}",
            f"{one} counts as the reference. Sentences to which {other} gave no label: {self.subset.no_label:,}, left "
            f"out; to which {one} gave none: {self.unlabelled:,}.{projected} "
            f"Confidence intervals: {self.subset.interval}.",
            [
                Table("Agreement", ["annotators", "sentences", *(TITLES[name] for name in METRICS)], [row, *others]),
                Table("By label", ["label", one, other, "precision", "recall", "F1"], labels),
                confusion_table("Labels", self.subset.confusion, one, other),
            ],
            [self.picture],
        )
