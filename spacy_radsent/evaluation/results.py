"""What an evaluation found: the content of metrics.json, and of the reports made from it."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from ..labels import LABELS, Label
from .calibration import Calibration
from .intervals import AccuracyTest, Interval
from .patterns import PatternCount

# Names of the paper for what holds of POSITIVE alone.
HEADLINES = {
    "accuracy": "accuracy",
    "macro_f1": "macro_f1",
    "ppv_1": f"precision_{Label.POSITIVE}",
    "recall_1": f"recall_{Label.POSITIVE}",
    "f1_1": f"f1_{Label.POSITIVE}",
    "kappa": "kappa",
    "mcc": "mcc",
}


@dataclass(frozen=True)
class LabelScores:
    """Of one label.

    support, predicted (int): Sentences with it in the reference, and predicted.
    precision, recall, f1 (Interval): Metrics.
    """

    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Scores:
    """Metrics of labels on the boundaries of the reference.

    sentences (int): How many count.
    metrics (Dict[str, Interval]): accuracy, macro_f1, ppv_1, recall_1, f1_1, kappa, mcc.
    per_label (Dict[str, LabelScores]): Of each label.
    """

    sentences: int
    metrics: dict[str, Interval]
    per_label: dict[str, LabelScores]


@dataclass(frozen=True)
class Subset:
    """Some sentences of a corpus, labelled by a model.

    name (str): Which.
    reports, sentences (int): How many reports, and labelled sentences.
    no_label (int): Sentences that the model gave no label: parse errors, reports that failed.
    interval (str): How the intervals were made.
    counted_wrong (Scores): With sentences without label counted as wrong.
    excluded (Scores): With them left out, as in Kikuchi et al. 2026.
    confusion (List[List[int]]): Sentences by the reference's label (rows) and the predicted one; the last column: none.
    """

    name: str
    reports: int
    sentences: int
    no_label: int
    interval: str
    counted_wrong: Scores
    excluded: Scores
    confusion: list[list[int]]


@dataclass(frozen=True)
class Segmentation:
    """Sentence boundaries, apart from labels, over reports with a labelled sentence.

    precision, recall, f1 (Optional[float]): Of the starts of sentences but for the first of a report.
    reports, split_exactly (int): Reports, and those split as the reference throughout.
    projected (int): Reports split otherwise whose labels are those of the sentences that the reference's begin in.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    reports: int
    split_exactly: int
    projected: int


@dataclass(frozen=True)
class EndToEnd:
    """Boundaries and label together: a sentence counts when all are right; over reports labelled throughout.

    reports (int): How many.
    precision, recall, f1, macro_f1 (Optional[float]): Metrics.
    """

    reports: int
    precision: float | None
    recall: float | None
    f1: float | None
    macro_f1: float | None


@dataclass(frozen=True)
class Run:
    """A model on a corpus.

    model, corpus (str): Their names.
    unlabelled (int): Sentences without a label in the reference, left out everywhere.
    reports_without_label (int): Reports with at least one sentence that the model gave no label.
    all (Subset): All labelled sentences.
    segmentation (Segmentation): Boundaries.
    end_to_end (EndToEnd): Boundaries and labels.
    calibration (Optional[Calibration]): Of the probabilities; None where the model gives none.
    groups (Dict[str, List[Subset]]): By field of `meta`, for each value.
    clauses (List[Subset]): Sentences with one clause, with several, and those of them with mixed polarity.
    pairs (Dict[str, int]): Wrong sentences by "reference -> predicted", most frequent first.
    patterns (List[PatternCount]): Kinds of sentences, and how often they go wrong.
    """

    model: str
    corpus: str
    unlabelled: int
    reports_without_label: int
    all: Subset
    segmentation: Segmentation
    end_to_end: EndToEnd
    calibration: Calibration | None
    groups: dict[str, list[Subset]]
    clauses: list[Subset]
    pairs: dict[str, int]
    patterns: list[PatternCount]


@dataclass(frozen=True)
class Comparison:
    """Two models on a corpus, sentences without label counted as wrong.

    corpus, one, other (str): Names.
    differences (Dict[str, Interval]): Metrics of the one minus the other's, by bootstrap over the same reports.
    test (AccuracyTest): Whether they differ in accuracy.
    mcnemar_holm, permutation_holm (Optional[float]): Its p values, adjusted for all comparisons of the evaluation.
    """

    corpus: str
    one: str
    other: str
    differences: dict[str, Interval]
    test: AccuracyTest
    mcnemar_holm: float
    permutation_holm: float | None


@dataclass(frozen=True)
class Evaluation:
    """Everything that `radsent evaluate` found: metrics.json.

    version (str): Of this package.
    date (str): The day, as 2026-01-31.
    unit (str): What the bootstrap draws: "report" or "sentence".
    resamples, seed (int): Of the bootstrap and the permutations.
    exclusion (str): Which sentences count, in words.
    runs (List[Run]): Every model on every corpus.
    comparisons (List[Comparison]): Every two models on every corpus.
    labels (List[str]): The order of rows and columns.
    """

    version: str
    date: str
    unit: str
    resamples: int
    seed: int
    exclusion: str
    runs: list[Run]
    comparisons: list[Comparison]
    labels: list[str] = field(default_factory=lambda: list(LABELS))

    def runs_on(self, corpus: str) -> list[Run]:
        """RETURNS (List[Run]): All models on a corpus."""
        return [run for run in self.runs if run.corpus == corpus]

    def to_json(self) -> str:
        """RETURNS (str): As JSON."""
        return TypeAdapter(Evaluation).dump_json(self, indent=2).decode("utf-8")

    @staticmethod
    def from_json(text: str | bytes) -> "Evaluation":
        """RETURNS (Evaluation): What `to_json` wrote; raises pydantic's ValidationError for anything else."""
        return TypeAdapter(Evaluation).validate_json(text)

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of metrics.json."""
        return TypeAdapter(Evaluation).json_schema()
