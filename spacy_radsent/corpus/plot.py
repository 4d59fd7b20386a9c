"""The picture of a corpus: labels, and lengths of reports, by split and institution."""

from collections.abc import Sequence

from ..errors import needs_extra
from ..labels import LABELS
from .stats import GroupStats


def plot_stats(groups: Sequence[GroupStats]) -> str:
    """Draw.

    groups (Sequence[GroupStats]): What.
    RETURNS (str): SVG.
    """
    with needs_extra("synth"):
        from matplotlib.figure import Figure

        from ..plotting import LABEL_COLOURS, drawing, to_svg
    names = [f"{group.split}, {group.institution} ({group.reports:,})" for group in groups]
    with drawing():
        figure = Figure(figsize=(11, 1.6 + 0.42 * len(groups)), layout="constrained")
        shares, lengths = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
        left = [0.0] * len(groups)
        for label in (*LABELS, ""):
            values = [group.share(label) for group in groups]
            if label or any(values):
                name = label or "without label"
                shares.barh(names, values, left=left, color=LABEL_COLOURS[label], label=name, edgecolor="white")
            left = [start + value for start, value in zip(left, values, strict=True)]
        shares.set(xlim=(0, 1), xlabel="share of sentences")
        shares.invert_yaxis()
        figure.legend(*shares.get_legend_handles_labels(), loc="outside upper left", ncols=5, frameon=False)
        means = [group.sentences_mean for group in groups]
        errors = [group.sentences_sd for group in groups]
        lengths.errorbar(means, names, xerr=errors, fmt="o", color="#333333", capsize=3)
        lengths.set(xlim=(0, None), xlabel="sentences a report (mean, SD)")
        lengths.grid(axis="x", alpha=0.3)
        return to_svg(figure)
