"""The report of an evaluation: what stands in report.md and report.html."""

from collections.abc import Callable, Sequence

from .cells import TITLES, confusion_table, mark_best, number, shown, signed
from .document import Section, Table
from .groups import GROUP_METRICS, group_section
from .plots import Picture
from .results import Comparison, Evaluation, Run, Scores


def sections_of(evaluation: Evaluation, pictures: dict[str, list[Picture]]) -> list[Section]:
    """Write a report.

    evaluation (Evaluation): The results.
    pictures (Dict[str, List[Picture]]): By corpus.
    RETURNS (List[Section]): Its parts.
    """
    corpora = list(dict.fromkeys(run.corpus for run in evaluation.runs))
    sections = [overview(evaluation)]
    for corpus in corpora:
        runs = evaluation.runs_on(corpus)
        compared = [comparison for comparison in evaluation.comparisons if comparison.corpus == corpus]
        sections.append(_labels_section(corpus, runs, pictures.get(corpus, [])))
        if compared:
            sections.append(_comparison_section(corpus, compared))
        for field in runs[0].groups:
            sections.append(group_section(corpus, field, runs))
        sections.append(_segmentation_section(corpus, runs))
        sections.append(_errors_section(corpus, runs))
    return sections


def overview(evaluation: Evaluation) -> Section:
    """RETURNS (Section): Every model on every corpus, and how it was counted."""
    drawn = "reports" if evaluation.unit == "report" else "sentences, as if they were independent,"
    text = (
        f"{evaluation.exclusion}\n"
        f"In brackets: 95 % confidence intervals, {evaluation.resamples:,} bootstrap resamples of {drawn} "
        f"(seed {evaluation.seed}). spacy_radsent {evaluation.version}, {evaluation.date}."
    )
    if not evaluation.resamples:
        text = f"{evaluation.exclusion}\nspacy_radsent {evaluation.version}, {evaluation.date}."
    tables = [
        scores_table("Sentences without a label counted as wrong", evaluation.runs, lambda run: run.all.counted_wrong)
    ]
    if any(run.all.no_label for run in evaluation.runs):
        caption = "Sentences without a label left out, as in Kikuchi et al. 2026"
        tables.append(scores_table(caption, evaluation.runs, lambda run: run.all.excluded))
    return Section("Overview", "\n".join([text, *_notes(evaluation.runs)]), tables)


def _notes(runs: Sequence[Run]) -> list[str]:
    """RETURNS (List[str]): What a reader must know before trusting the tables."""
    notes = []
    for run in runs:
        where = f"{run.model} on {run.corpus}"
        if run.unlabelled:
            notes.append(f"{run.corpus}: {run.unlabelled} sentences have no label in the reference and do not count.")
        if run.all.interval.startswith("none: "):
            notes.append(f"{run.corpus}: no confidence intervals: {run.all.interval.removeprefix('none: ')}.")
        for label, scores in run.all.counted_wrong.per_label.items():
            if not scores.support:
                rest = "macro F1 is over the labels that occur" if not scores.predicted else "its recall is not defined"
                notes.append(f"{run.corpus}: no sentence of the reference is {label}: {rest}.")
            elif not scores.predicted:
                notes.append(f"{where}: {label} is never predicted: its precision is not defined.")
        undefined = {TITLES[name]: m.undefined for name, m in run.all.counted_wrong.metrics.items() if m.undefined}
        if undefined:
            names = ", ".join(f"{name} in {count:,}" for name, count in undefined.items())
            notes.append(f"{where}: not defined in all resamples, and left out of those: {names}.")
    return list(dict.fromkeys(notes))


def scores_table(caption: str, runs: Sequence[Run], scores_of: Callable[[Run], Scores]) -> Table:
    """RETURNS (Table): A row for each model and corpus; the best model on each corpus is marked."""
    header = ["model", "corpus", "reports", "sentences", "no label", *TITLES.values()]
    columns = {
        name: mark_best([scores_of(run).metrics[name] for run in runs], [run.corpus for run in runs]) for name in TITLES
    }
    rows = [
        [
            *(run.model, run.corpus, f"{run.all.reports:,}", f"{scores_of(run).sentences:,}", f"{run.all.no_label:,}"),
            *(columns[name][i] for name in TITLES),
        ]
        for i, run in enumerate(runs)
    ]
    return Table(caption, header, rows)


def _labels_section(corpus: str, runs: Sequence[Run], pictures: list[Picture]) -> Section:
    rows = [
        [
            run.model,
            label,
            f"{scores.support:,}",
            f"{scores.predicted:,}",
            *map(shown, (scores.precision, scores.recall, scores.f1)),
        ]
        for run in runs
        for label, scores in run.all.counted_wrong.per_label.items()
    ]
    header = ["model", "label", "support", "predicted", "precision", "recall", "F1"]
    tables = [Table("By label", header, rows), *(confusion_table(run.model, run.all.confusion) for run in runs)]
    calibration = [
        [
            run.model,
            f"{run.calibration.sentences:,}",
            *map(number, (run.calibration.ece, run.calibration.brier, run.calibration.aurc)),
        ]
        for run in runs
        if run.calibration
    ]
    if calibration:
        tables.append(Table("Calibration", ["model", "sentences", "ECE", "Brier score", "AURC"], calibration))
    return Section(f"{corpus}: labels", "", tables, pictures)


def _comparison_section(corpus: str, comparisons: Sequence[Comparison]) -> Section:
    text = (
        "Differences: the first model minus the second, by bootstrap of the same reports. p values are two-sided, in "
        "brackets adjusted for all comparisons (Holm). The permutation test flips whole reports; McNemar's takes "
        "sentences for independent, which they are not."
    )
    header = [
        "models",
        *(TITLES[name] for name in GROUP_METRICS),
        "only first / second right",
        "permutation p",
        "McNemar p",
    ]
    rows = [
        [
            f"{c.one} - {c.other}",
            *(signed(c.differences[name]) for name in GROUP_METRICS),
            f"{c.test.only_one:,} / {c.test.only_other:,}",
            "too few reports"
            if c.test.permutation_p is None
            else f"{c.test.permutation_p:.2g} ({c.permutation_holm:.2g})",
            f"{c.test.mcnemar_p:.2g} ({c.mcnemar_holm:.2g})",
        ]
        for c in comparisons
    ]
    return Section(f"{corpus}: models compared", text, [Table("Pairs of models", header, rows)])


def _segmentation_section(corpus: str, runs: Sequence[Run]) -> Section:
    text = (
        "Boundaries: precision and recall of the starts of sentences but for the first of a report. On the boundaries "
        "of the reference: accuracy of labels where the model is given its sentences. End to end: a sentence counts "
        "when boundaries and label are right."
    )
    projected = [f"{run.model}: {run.segmentation.projected} reports" for run in runs if run.segmentation.projected]
    if projected:
        text += (
            f"\nReports that were split otherwise and not labelled anew, whose labels are those of the sentences in "
            f"which the reference's begin: {', '.join(projected)}."
        )
    header = [
        "model",
        "boundary precision",
        "boundary recall",
        "reports split exactly",
        "accuracy on reference boundaries",
    ]
    header += ["precision end to end", "recall end to end", "F1 end to end", "macro F1 end to end"]
    rows = [
        [
            run.model,
            *map(number, (run.segmentation.precision, run.segmentation.recall)),
            f"{run.segmentation.split_exactly / run.segmentation.reports:.3f}",
            number(run.all.counted_wrong.metrics["accuracy"].value),
            *map(number, (run.end_to_end.precision, run.end_to_end.recall, run.end_to_end.f1, run.end_to_end.macro_f1)),
        ]
        for run in runs
    ]
    return Section(f"{corpus}: sentence boundaries", text, [Table("Boundaries and labels", header, rows)])


def _errors_section(corpus: str, runs: Sequence[Run]) -> Section:
    pairs = [[run.model, pair, f"{count:,}"] for run in runs for pair, count in run.pairs.items()]
    patterns = [
        [
            run.model,
            count.name,
            f"{count.sentences:,}",
            f"{count.wrong:,}",
            f"{count.wrong / count.sentences:.1%}" if count.sentences else "-",
        ]
        for run in runs
        for count in run.patterns
    ]
    clauses = [
        [
            run.model,
            subset.name,
            f"{subset.sentences:,}",
            *(shown(subset.counted_wrong.metrics[name]) for name in GROUP_METRICS),
        ]
        for run in runs
        for subset in run.clauses
    ]
    text = (
        "Kinds of sentences are found by rule, a sentence may be of several, and a cue in it need not be the reason. "
        "Wrong counts those that are wrong in the way that the kind stands for."
    )
    return Section(
        f"{corpus}: errors",
        text,
        [
            Table("Confusions", ["model", "reference -> predicted", "sentences"], pairs),
            Table("Kinds of sentences", ["model", "kind", "sentences", "wrong", "share wrong"], patterns),
            Table(
                "By clauses",
                ["model", "sentences with", "sentences", *(TITLES[name] for name in GROUP_METRICS)],
                clauses,
            ),
        ],
    )
