"""Fitting how probabilities become labels: temperature, label weights, threshold of POSITIVE, what to review."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy
from scipy.optimize import minimize_scalar
from sklearn.model_selection import GroupKFold
from spacy.language import Language

from ..classifier.decision import TINY, Decision, confidence_of
from ..corpus.records import Record
from ..errors import RadsentError
from ..labels import LABELS, Label
from ..metrics import NO_LABEL, confusion, measure, number_or_none
from .calibration import Calibration
from .corpus import GoldCorpus
from .outcome import Outcome
from .predictions import predict

TEMPERATURES = (0.05, 20.0)
FOLDS = 5
MIN_REPORTS = 10  # with fewer, what is fitted is chance
MOST = 5.0  # times as frequent, or as rare
STEPS = 500  # of expectation and maximisation; some dozens are enough


class NoThreshold(RadsentError):
    """No threshold of POSITIVE reaches the precision that is wanted."""


@dataclass(frozen=True)
class ScoredSentences:
    """Sentences with labels that count as right, and what a model says of them.

    gold (ndarray): Codes of the labels, (n,).
    scores (ndarray): The model's probabilities at temperature 1, (n, 4).
    report (ndarray): The report of each, (n,): sentences of one report are not independent.
    """

    gold: Any
    scores: Any
    report: Any

    @classmethod
    def of(cls, nlp: Language, corpus: GoldCorpus) -> "ScoredSentences":
        """RETURNS (ScoredSentences): What a pipeline says of a corpus, where there are labels and scores."""
        outcome = Outcome.of("model", corpus, predict(nlp, corpus.records))
        usable = (corpus.codes != NO_LABEL) & ~numpy.isnan(outcome.scores).any(axis=1)
        return cls(corpus.codes, outcome.scores, corpus.report)[usable]

    def __getitem__(self, rows: Any) -> "ScoredSentences":
        return ScoredSentences(self.gold[rows], self.scores[rows], self.report[rows])


@dataclass(frozen=True)
class Aims:
    """What to fit.

    ppv (Optional[float]): The least precision of POSITIVE; of the thresholds that reach it the one with the highest
        recall is taken. None: the most probable label counts.
    review (float): Share of the sentences, the least certain, that a reader is to see.
    """

    ppv: float | None = 0.95
    review: float = 0.0


@dataclass(frozen=True)
class Quality:
    """How good labels and probabilities are.

    sentences (int): How many.
    ece (float): Expected calibration error of the most probable label, whatever the threshold; see `Calibration`.
    accuracy (float): Share that is labelled right.
    ppv_1, recall_1 (Optional[float]): Precision and recall of POSITIVE; None where not defined.
    review (float): Share that is to be reviewed.
    accuracy_of_ok (Optional[float]): Of the others, the share that is labelled right.
    """

    sentences: int
    ece: float
    accuracy: float
    ppv_1: float | None
    recall_1: float | None
    review: float
    accuracy_of_ok: float | None

    def as_dict(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For JSON."""
        return asdict(self)


def scores_of(nlp: Language, reports: Sequence[Record]) -> Any:
    """RETURNS (ndarray): What a pipeline says of the sentences of unlabelled reports, (n, 4)."""
    rows = [row for said in predict(nlp, reports) for row in said.meta["prediction"].get("scores", []) if row]
    return numpy.array(rows).reshape(-1, len(LABELS))


def fit_decision(sentences: ScoredSentences, aims: Aims, target: Any = None) -> Decision:
    """Fit on labelled sentences, for reports like these or for others.

    sentences (ScoredSentences): At least one of them POSITIVE.
    aims (Aims): What is wanted.
    target (Optional[ndarray]): The model's probabilities for sentences of the reports that it is for, (m, 4): labels,
        which are not known there, may be more or less frequent. The labelled sentences then count as often as theirs.
    RETURNS (Decision): How to decide. NoThreshold where none reaches the precision.
    """
    decision = Decision(temperature=fit_temperature(sentences))
    counts = numpy.ones(len(sentences.gold))
    if target is not None:
        frequencies = numpy.bincount(sentences.gold, minlength=len(LABELS)) / len(sentences.gold)
        weights = fit_label_weights(decision.probabilities(target), frequencies)
        decision = replace(decision, label_weights=weights.tolist())
        counts = weights[sentences.gold]
    probabilities = decision.probabilities(sentences.scores)
    if aims.ppv is not None:
        is_positive = sentences.gold == Label.POSITIVE
        threshold = choose_threshold(is_positive, probabilities[:, Label.POSITIVE], aims.ppv, counts)
        decision = replace(decision, positive_threshold=threshold)
    if target is not None:
        probabilities = decision.probabilities(target)
    confidence = confidence_of(probabilities, decision.codes(probabilities))
    return replace(decision, review_below=float(numpy.quantile(confidence, aims.review)) if aims.review else 0.0)


def fit_label_weights(probabilities: Any, frequencies: Any) -> Any:
    """Estimate how much more frequent each label is than where a model was fitted, from what the model says alone.

    By expectation and maximisation (Saerens et al. 2002), which holds where sentences of a label look alike in both
    places. Probabilities that are calibrated matter (Alexandari et al. 2020).

    probabilities (ndarray): Of sentences without labels, (n, 4).
    frequencies (ndarray): Of the labels where the model was fitted, (4,).
    RETURNS (ndarray): The ratio of the frequencies, (4,), from a fifth to five (`MOST`): of few reports all may be
        normal, and no model should find nothing from then on. 1 for a label that did not occur there.
    """
    weights = numpy.ones(len(frequencies))
    known = frequencies > 0
    divisors = numpy.where(known, frequencies, 1.0)
    for _ in range(STEPS):
        weighted = probabilities * weights
        estimate = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        before = weights
        weights = numpy.where(known, numpy.clip(estimate / divisors, 1 / MOST, MOST), 1.0)
        if numpy.allclose(weights, before, rtol=1e-6):
            break
    return weights


def fit_temperature(sentences: ScoredSentences) -> float:
    """RETURNS (float): The temperature with the greatest likelihood (Guo et al. 2017).

    Sentences labelled as what a rule excludes (`never_negative`) are left out: no temperature makes that likelier.
    """
    possible = confidence_of(sentences.scores, sentences.gold) > 0
    scores, gold = sentences.scores[possible], sentences.gold[possible]

    def loss(log_temperature: float) -> float:
        probabilities = Decision(temperature=float(numpy.exp(log_temperature))).probabilities(scores)
        return -float(numpy.log(numpy.clip(confidence_of(probabilities, gold), TINY, None)).mean())

    best = minimize_scalar(loss, bounds=tuple(numpy.log(TEMPERATURES)), method="bounded")
    return float(numpy.exp(best.x))


def choose_threshold(is_positive: Any, probability: Any, ppv: float, counts: Any = None) -> float:
    """Choose the threshold of POSITIVE: of those that reach a precision, the one with the highest recall.

    is_positive (ndarray): Which sentences are POSITIVE, (n,) of bool.
    probability (ndarray): Their probability of POSITIVE, (n,).
    ppv (float): The least precision.
    counts (Optional[ndarray]): How often each sentence counts, (n,); once if None.
    RETURNS (float): Half-way between the least probability that is taken and the next one below.
    """
    order = numpy.argsort(-probability, kind="stable")
    counts = numpy.ones(len(order)) if counts is None else counts[order]
    precision = numpy.cumsum(is_positive[order] * counts) / numpy.cumsum(counts)
    probability = probability[order]
    # Sentences with the same probability are taken together.
    last_of_equals = numpy.append(probability[:-1] > probability[1:], True)
    reached = numpy.flatnonzero((precision >= ppv) & last_of_equals)
    if not len(reached):
        best = precision[last_of_equals].max() if len(precision) else 0.0
        raise NoThreshold(
            f"No threshold gives POSITIVE a precision of {ppv} on these reports, {best:.3f} at most: ask for less."
        )
    at = reached[-1]
    below = probability[at + 1] if at + 1 < len(probability) else 0.0
    return float((probability[at] + below) / 2)


def quality_of(sentences: ScoredSentences, decision: Decision) -> Quality:
    """RETURNS (Quality): Of labels and probabilities that are decided in this way."""
    return _quality(sentences.gold, *_decided(sentences, decision))


def cross_fitted_quality(sentences: ScoredSentences, aims: Aims) -> Quality | None:
    """RETURNS (Optional[Quality]): Of the method: each fifth of the reports is decided as fitted on the others. None
    where the sentences are too few to fit on four fifths of them.
    """
    codes = numpy.zeros(len(sentences.gold), dtype=int)
    probabilities, unsure = numpy.zeros(sentences.scores.shape), numpy.zeros(len(codes), dtype=bool)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for others, fold in folds.split(sentences.scores, groups=sentences.report):
        try:
            decision = fit_decision(sentences[others], aims)
        except NoThreshold:
            return None
        codes[fold], probabilities[fold], unsure[fold] = _decided(sentences[fold], decision)
    return _quality(sentences.gold, codes, probabilities, unsure)


def _decided(sentences: ScoredSentences, decision: Decision) -> tuple[Any, Any, Any]:
    probabilities = decision.probabilities(sentences.scores)
    codes = decision.codes(probabilities)
    return codes, probabilities, confidence_of(probabilities, codes) < decision.review_below


def _quality(gold: Any, codes: Any, probabilities: Any, unsure: Any) -> Quality:
    metrics = measure(confusion(gold, codes)[0])
    calibration = Calibration.of(gold, probabilities.argmax(axis=1), probabilities)
    assert calibration is not None  # all sentences have probabilities
    return Quality(
        sentences=len(gold),
        ece=float(calibration.ece),
        accuracy=float(metrics["accuracy"]),
        ppv_1=number_or_none(metrics["precision_1"]),
        recall_1=number_or_none(metrics["recall_1"]),
        review=float(unsure.mean()),
        accuracy_of_ok=None if unsure.all() else float((gold == codes)[~unsure].mean()),
    )
