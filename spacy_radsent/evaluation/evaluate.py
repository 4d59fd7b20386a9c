"""From predictions to results: models on corpora, by group, compared."""

import datetime
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy

from ..labels import LABELS
from ..metrics import NO_LABEL, confusion, mean_of_defined, number_or_none, precision_recall_f1
from ..version import __version__
from .calibration import Calibration
from .errors import WrongSentence, find_errors, pair_name
from .intervals import RESAMPLES, compare_accuracy, difference_intervals, holm, method_of, metric_intervals
from .outcome import Outcome
from .patterns import MIXED, MULTI_CLAUSE, PATTERNS, count_patterns
from .results import HEADLINES, Comparison, EndToEnd, Evaluation, LabelScores, Run, Scores, Segmentation, Subset

NAMES = [pattern.name for pattern in PATTERNS]
EXCLUSION = (
    "Labels are compared on the sentences of the reference. Sentences without a label there count nowhere. "
    "A sentence that the model gave no label (its answer could not be parsed, or the report failed) "
    'counts as wrong under "counted wrong", and is left out under "excluded", as in Kikuchi et al. 2026.'
)


class Evaluator:
    """Computes results, all in the same way."""

    def __init__(
        self, *, unit: str = "report", resamples: int = RESAMPLES, seed: int = 0, by: Sequence[str] = ()
    ) -> None:
        """Choose how.

        unit (str): What the bootstrap draws: "report", or "sentence" as if sentences were independent.
        resamples (int): Of the bootstrap; 0 for no intervals.
        seed (int): Same seed, same intervals.
        by (Sequence[str]): Fields of `meta` to group the reports by.
        """
        self.unit = unit
        self.resamples = resamples
        self.seed = seed
        self.by = by

    def evaluate(self, outcomes: Sequence[Outcome]) -> tuple[Evaluation, list[WrongSentence]]:
        """Evaluate.

        outcomes (Sequence[Outcome]): Models on corpora.
        RETURNS (Tuple[Evaluation, List[WrongSentence]]): The results, and every wrong sentence.
        """
        wrong = [list(find_errors(outcome)) for outcome in outcomes]
        runs = [self.run(outcome, errors) for outcome, errors in zip(outcomes, wrong, strict=True)]
        evaluation = Evaluation(
            version=__version__,
            date=datetime.date.today().isoformat(),
            unit=self.unit,
            resamples=self.resamples,
            seed=self.seed,
            exclusion=EXCLUSION,
            runs=runs,
            comparisons=self.compare(outcomes),
        )
        return evaluation, [error for errors in wrong for error in errors]

    def run(self, outcome: Outcome, wrong: Sequence[WrongSentence]) -> Run:
        """RETURNS (Run): The results of a model on a corpus."""
        corpus, keep = outcome.corpus, outcome.labelled
        several, mixed = (corpus.cues[:, NAMES.index(name)] for name in (MULTI_CLAUSE, MIXED))
        missing = keep & (outcome.predicted == NO_LABEL)
        return Run(
            model=outcome.model,
            corpus=corpus.name,
            unlabelled=int((~keep).sum()),
            reports_without_label=len(set(corpus.report[missing])),
            all=self.subset("all", outcome, keep),
            segmentation=_segmentation(outcome),
            end_to_end=_end_to_end(outcome),
            calibration=Calibration.of(corpus.codes[keep], outcome.predicted[keep], outcome.scores[keep]),
            groups={
                field: [
                    self.subset(value, outcome, keep & members[corpus.report])
                    for value, members in corpus.groups(field).items()
                ]
                for field in self.by
                if corpus.groups(field)
            },
            clauses=[
                self.subset("one clause", outcome, keep & ~several),
                self.subset("several clauses", outcome, keep & several),
                self.subset("several clauses of mixed polarity", outcome, keep & several & mixed),
            ],
            pairs=dict(Counter(pair_name(error.gold, error.predicted) for error in wrong).most_common()),
            patterns=count_patterns(corpus.cues[keep], corpus.codes[keep], outcome.predicted[keep]),
        )

    def subset(self, name: str, outcome: Outcome, keep: Any) -> Subset:
        """RETURNS (Subset): Metrics of the sentences to keep, (sentences,) of bool."""
        gold, predicted, report = outcome.corpus.codes[keep], outcome.predicted[keep], outcome.corpus.report[keep]
        reports, by_report = numpy.unique(report, return_inverse=True)
        unit, units = (by_report, len(reports)) if self.unit == "report" else (numpy.arange(len(gold)), len(gold))
        matrices = confusion(gold, predicted, unit, max(1, units))
        total = matrices.sum(0)
        counted_wrong, no_label = self._scores(matrices, True), int(total[:, NO_LABEL].sum())
        return Subset(
            name=name,
            reports=len(reports),
            sentences=len(gold),
            no_label=no_label,
            interval=method_of(units, self.resamples),
            counted_wrong=counted_wrong,
            excluded=self._scores(matrices, False) if no_label else counted_wrong,
            confusion=total.tolist(),
        )

    def _scores(self, matrices: Any, missing_is_wrong: bool) -> Scores:
        intervals = metric_intervals(
            matrices, missing_is_wrong=missing_is_wrong, resamples=self.resamples, seed=self.seed
        )
        total = matrices.sum(0)
        if not missing_is_wrong:
            total[:, NO_LABEL] = 0
        support, predicted = total.sum(1), total.sum(0)
        return Scores(
            sentences=int(total.sum()),
            metrics={name: intervals[key] for name, key in HEADLINES.items()},
            per_label={
                label: LabelScores(
                    int(support[i]),
                    int(predicted[i]),
                    *(intervals[f"{metric}_{i}"] for metric in ("precision", "recall", "f1")),
                )
                for i, label in enumerate(LABELS)
            },
        )

    def compare(self, outcomes: Sequence[Outcome]) -> list[Comparison]:
        """RETURNS (List[Comparison]): Of every two models on the same corpus."""
        pairs = [pair for pair in itertools.combinations(outcomes, 2) if pair[0].corpus is pair[1].corpus]
        if not pairs:
            return []
        tests = []
        for one, other in pairs:
            keep, gold = one.labelled, one.corpus.codes
            one_right, other_right = ((outcome.predicted == gold)[keep] for outcome in (one, other))
            report = one.corpus.report[keep]
            test = compare_accuracy(one_right, other_right, report, resamples=self.resamples, seed=self.seed)
            tests.append(test)
        permutation = [test.permutation_p for test in tests if test.permutation_p is not None]
        adjusted = iter(holm(permutation))
        return [
            Comparison(
                corpus=one.corpus.name,
                one=one.model,
                other=other.model,
                differences=self._differences(one, other),
                test=test,
                mcnemar_holm=mcnemar,
                permutation_holm=None if test.permutation_p is None else next(adjusted),
            )
            for (one, other), test, mcnemar in zip(pairs, tests, holm([test.mcnemar_p for test in tests]), strict=True)
        ]

    def _differences(self, one: Outcome, other: Outcome) -> dict[str, Any]:
        if self.unit == "report":
            labelled = one.matrices.any((1, 2))
            matrices = [outcome.matrices[labelled] for outcome in (one, other)]
        else:
            matrices = [outcome.sentence_matrices for outcome in (one, other)]
        intervals = difference_intervals(*matrices, resamples=self.resamples, seed=self.seed)
        return {name: intervals[key] for name, key in HEADLINES.items()}


def _segmentation(outcome: Outcome) -> Segmentation:
    counted = outcome.matrices.any((1, 2))
    precision, recall, f1 = map(number_or_none, precision_recall_f1(*outcome.boundaries[counted].sum(0)))
    split = int(outcome.split_exactly[counted].sum())
    return Segmentation(precision, recall, f1, int(counted.sum()), split, outcome.projected)


def _end_to_end(outcome: Outcome) -> EndToEnd:
    labelled_throughout = outcome.matrices.any((1, 2))
    labelled_throughout[outcome.corpus.report[~outcome.labelled]] = False
    counts = outcome.exact.sum(0)
    precision, recall, f1 = map(number_or_none, precision_recall_f1(*counts.sum(0)))
    _, _, by_label = precision_recall_f1(*counts[:NO_LABEL].T)
    return EndToEnd(int(labelled_throughout.sum()), precision, recall, f1, number_or_none(mean_of_defined(by_label)))
