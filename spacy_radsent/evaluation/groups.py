"""The part of a report of an evaluation that tells groups of reports apart: institutions, modalities, styles."""

from collections.abc import Sequence

import numpy

from .cells import TITLES, mark_best, shown
from .corpus import NO_VALUE
from .document import Best, Section, Table
from .results import Run, Subset

MAX_COLUMNS = 12  # more groups stand in rows, and are not named one by one
# What the paper's Table 5 gives for each institution, and what users ask for beside.
GROUP_METRICS = ("accuracy", "macro_f1", "ppv_1", "recall_1")
RULES = {"excluded": "no label left out", "counted_wrong": "no label counted as wrong"}


def group_section(corpus: str, field: str, runs: Sequence[Run], as_in_paper: bool = False) -> Section:
    """RETURNS (Section): By value of a field of `meta`: one model in one table, the lowest accuracy first; several,
    or on request one, as in the paper's Table 5."""
    rules = ["excluded", "counted_wrong"] if any(run.all.no_label for run in runs) else ["excluded"]
    if len(runs) == 1 and not as_in_paper:
        text = "Lowest accuracy first."
        tables = [_one_model_table(field, runs[0], rule) for rule in rules]
    else:
        text = (
            "Sentences without a label are left out, their number stands in square brackets, as in the paper's Table "
            "5; the best of each column is marked."
        )
        tables = [_group_table(field, runs, name, rule) for rule in rules for name in GROUP_METRICS]
    for run in runs:
        text += _spread(run, field)
    few = sorted({group.name for run in runs for group in run.groups[field] if group.interval.startswith("none: ")})
    if few:
        text += f"\nToo few reports for an interval: {_listed(few)}."
    empty = sorted({group.name for run in runs for group in run.groups[field] if not group.sentences})
    if empty:
        text += f"\nNo labelled sentence: {_listed(empty)}."
    return Section(f"{corpus}: by {field}", text, tables)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= MAX_COLUMNS else f"{len(names)} of them"


def _spread(run: Run, field: str) -> str:
    """RETURNS (str): Where there are many values: what to expect of one more."""
    groups = [group for group in run.groups[field] if group.name != NO_VALUE]
    accuracies = [value for group in groups if (value := group.excluded.metrics["accuracy"].value) is not None]
    if len(accuracies) <= MAX_COLUMNS:
        return ""
    tenth, half = numpy.quantile(accuracies, [0.1, 0.5])
    return (
        f"\n{run.model}: of {len(accuracies)} values of {field}, half have an accuracy of at least {half:.3f}, nine in "
        f"ten of at least {tenth:.3f}."
    )


def _one_model_table(field: str, run: Run, rule: str) -> Table:
    def accuracy(group: Subset) -> tuple[bool, float]:
        value = getattr(group, rule).metrics["accuracy"].value
        return value is None, value or 0.0

    groups = [*sorted(run.groups[field], key=accuracy), run.all]
    rows = [
        [
            *(group.name, f"{group.reports:,}", f"{group.sentences:,}", f"{group.no_label:,}"),
            *(shown(getattr(group, rule).metrics[name]) for name in GROUP_METRICS),
        ]
        for group in groups
    ]
    header = [field, "reports", "sentences", "no label", *(TITLES[name] for name in GROUP_METRICS)]
    return Table(f"{run.model} by {field}, {RULES[rule]}", header, rows)


def _group_table(field: str, runs: Sequence[Run], metric: str, rule: str) -> Table:
    columns = []
    for groups in zip(*([*run.groups[field], run.all] for run in runs), strict=True):
        cells = mark_best([getattr(group, rule).metrics[metric] for group in groups])
        columns.append([_with_count(cell, group) for cell, group in zip(cells, groups, strict=True)])
    names = [
        f"{group.name} ({group.reports:,} reports, {group.sentences:,} sentences)"
        for group in [*runs[0].groups[field], runs[0].all]
    ]
    caption = f"{TITLES[metric]} by {field}, {RULES[rule]}"
    if len(names) > MAX_COLUMNS:
        return Table(
            caption, [field, *(run.model for run in runs)], [[n, *c] for n, c in zip(names, columns, strict=True)]
        )
    return Table(caption, ["model", *names], [[run.model, *(c[i] for c in columns)] for i, run in enumerate(runs)])


def _with_count(cell: str, group: Subset) -> str:
    if not group.no_label:
        return cell
    counted = f"{cell} [{group.no_label:,}]"
    return Best(counted) if isinstance(cell, Best) else counted
