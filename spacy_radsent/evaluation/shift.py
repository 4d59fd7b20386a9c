"""How far reports are from those that a model was trained on, told before anybody has labelled one of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
from scipy.stats import ks_2samp
from spacy.language import Language

from ..boundaries import FIGURE_MARK
from ..corpus.records import Record
from ..corpus.stats import BULLET, HEADING, LATIN, ends_with_period
from ..errors import RadsentError
from ..labels import LABELS
from ..markdown import markdown_table
from ..metrics import NO_LABEL
from .corpus import GoldCorpus
from .intervals import holm
from .outcome import Outcome
from .predictions import predict

MIN_REPORTS = 10
FAR, APART = 0.5, 0.25  # distances of half and a quarter of the reports
CHANCE = 0.05  # a distance that is as likely between reports of one kind is none

LABEL_SHARE = ", share of sentences"  # what the row of a label is called, behind the label
# What is measured of each report's text and sentences.
STYLE: dict[str, Callable[[str, Sequence[str]], float]] = {
    "characters": lambda text, sentences: len(text),
    "sentences": lambda text, sentences: len(sentences),
    "characters a sentence": lambda text, sentences: _mean(map(len, sentences)),
    "sentences without a period": lambda text, sentences: _mean(not ends_with_period(one) for one in sentences),
    "sentences with a figure mark": lambda text, sentences: _mean(bool(FIGURE_MARK.search(one)) for one in sentences),
    "lines with a bullet or number": lambda text, sentences: len(BULLET.findall(text)) / max(1, text.count("\n") + 1),
    "lines with a heading": lambda text, sentences: len(HEADING.findall(text)) / max(1, text.count("\n") + 1),
    "Latin letters": lambda text, sentences: len(LATIN.findall(text)) / max(1, len(text)),
}


@dataclass(frozen=True)
class Row:
    """A measure of two sets of reports.

    name (str): What is measured, in each report.
    held_out, reports (float): Its mean.
    distance (float): Kolmogorov-Smirnov distance of the two distributions, 0 to 1.
    p_value (float): How likely such a distance is between reports of one kind, adjusted for all rows (Holm 1979).
    """

    name: str
    held_out: float
    reports: float
    distance: float
    p_value: float

    @property
    def verdict(self) -> str:
        """RETURNS (str): The distance in words."""
        if self.p_value > CHANCE:
            return "alike"
        return "far" if self.distance >= FAR else "apart" if self.distance >= APART else "close"


@dataclass(frozen=True)
class Shift:
    """How far reports are from those of training.

    held_out, reports (int): How many were compared.
    rows (List[Row]): The measures.
    accuracy_held_out (float): Accuracy on the held-out reports.
    accuracy_expected (float): What may be expected on the others: the accuracy on those held out less what confidence
        falls by (difference of confidences, Guillory et al. 2021). An estimate, too high where a model is sure of
        what it gets wrong.
    """

    held_out: int
    reports: int
    rows: list[Row]
    accuracy_held_out: float
    accuracy_expected: float

    def as_dict(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON."""
        return {**asdict(self), "rows": [{**asdict(row), "verdict": row.verdict} for row in self.rows]}

    def as_markdown(self) -> str:
        """RETURNS (str): A table."""
        rows = [
            [row.name, f"{row.held_out:.3g}", f"{row.reports:.3g}", f"{row.distance:.2f}", row.verdict]
            for row in self.rows
        ]
        table = markdown_table(["in a report", "held out", "these", "distance", "verdict"], rows)
        labels_differ = any(row.name.endswith(LABEL_SHARE) and row.verdict in ("apart", "far") for row in self.rows)
        hint = "Labels are not as frequent as in training: `radsent calibrate --target` counts that in.\n"
        return (
            f"{self.reports:,} reports beside {self.held_out:,} like those of training. Distance: 0 the same, 1 "
            f"nothing in common.\n\n{table}\n"
            f"Accuracy on the held-out reports {self.accuracy_held_out:.3f}; to expect on these about "
            f"{self.accuracy_expected:.3f}, by how much less certain the model is of them.\n"
            f"{hint if labels_differ else ''}"
        )


def measure_shift(
    nlp: Language, training: Sequence[Record], held_out: Sequence[Record], reports: Sequence[Record]
) -> Shift:
    """Compare.

    nlp (Language): A pipeline that labels; calibrated, so that its confidence means something.
    training (Sequence[Record]): What it was trained on: its words are the known ones.
    held_out (Sequence[Record]): Labelled reports of the same kind, not trained on.
    reports (Sequence[Record]): The reports in question; labels are not looked at.
    RETURNS (Shift): The comparison.
    """
    for name, records in (("held-out", held_out), ("other", reports)):
        count = sum(bool(record.text.strip()) for record in records)
        if count < MIN_REPORTS:
            raise RadsentError(f"{count} {name} reports with text: at least {MIN_REPORTS} are needed to compare.")
    gold = GoldCorpus("held out", list(held_out))
    labelled = gold.codes != NO_LABEL
    known = _words(nlp, training)
    predictions = [list(predict(nlp, records)) for records in (held_out, reports)]
    both = [_PerReport.of(nlp, predicted, known) for predicted in predictions]
    pairs = {name: (both[0].measures[name], both[1].measures[name]) for name in both[0].measures}
    tests = {name: ks_2samp(*pair) for name, pair in pairs.items()}
    p_values = holm([float(test.pvalue) for test in tests.values()])
    rows = [
        Row(name, float(left.mean()), float(right.mean()), float(tests[name].statistic), p_value)
        for (name, (left, right)), p_value in zip(pairs.items(), p_values, strict=True)
    ]
    outcome = Outcome.of("model", gold, predictions[0])
    accuracy = float((outcome.predicted == gold.codes)[labelled].mean())
    fall = both[0].confidence - both[1].confidence
    compared, these = (len(side.measures["confidence"]) for side in both)
    return Shift(compared, these, rows, accuracy, float(numpy.clip(accuracy - fall, 0, 1)))


@dataclass(frozen=True)
class _PerReport:
    """Measures by name, each (reports,); mean confidence over sentences."""

    measures: dict[str, Any]
    confidence: float

    @classmethod
    def of(cls, nlp: Language, predictions: Sequence[Record], known: set[int]) -> "_PerReport":
        """RETURNS (_PerReport): Of what `predict` gave; reports without a sentence are left out."""
        values: dict[str, list[float]] = {}
        confidences: list[float] = []
        for record in (prediction for prediction in predictions if prediction.sentences):
            of_report = {name: measure(record.text, record.sentence_texts) for name, measure in STYLE.items()}
            tokens = nlp.make_doc(record.text)
            words = [token.norm for token in tokens if not token.is_space and not token.is_punct]
            of_report["words never seen in training"] = _mean(word not in known for word in words)
            sure = [max(scores) for scores in record.meta["prediction"].get("scores") or [] if scores]
            of_report["confidence"] = _mean(sure)
            confidences += sure
            for label in LABELS:
                of_report[f"{label}{LABEL_SHARE}"] = _mean(one.label == label for one in record.sentences)
            for name, value in of_report.items():
                values.setdefault(name, []).append(float(value))
        if not confidences:
            raise RadsentError("The pipeline tells no probabilities, by which to expect anything: give another one.")
        return cls({name: numpy.array(column) for name, column in values.items()}, _mean(confidences))


def _words(nlp: Language, records: Iterable[Record]) -> set[int]:
    return {token.norm for record in records for token in nlp.make_doc(record.text)}


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0
