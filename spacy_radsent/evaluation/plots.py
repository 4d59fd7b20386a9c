"""Figures of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from matplotlib.figure import Figure

from ..labels import LABELS
from ..metrics import NO_LABEL
from ..plotting import drawing, series_colour, short, to_png, to_svg
from .results import Run

# Drawn where the page's own ink is to be: dark on a light page, light on a dark one.
INK = "#123456"


@dataclass(frozen=True)
class Picture:
    """A figure, drawn.

    name (str): Of its file, without ending.
    caption (str): What it shows.
    svg (str): With text and lines in the colour of the page that it stands in (`currentColor`).
    png (bytes): With dark text on white.
    """

    name: str
    caption: str
    svg: str
    png: bytes

    @classmethod
    def of(cls, name: str, caption: str, figure: Figure) -> "Picture":
        """RETURNS (Picture): A figure in both formats; to be called inside of `drawing`."""
        _paint(figure, INK)
        svg = to_svg(figure)
        # Without the XML declaration, and scaled to the page.
        svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
        figure.patch.set_alpha(1)
        _paint(figure, "#1d2433")
        return cls(name, caption, svg, to_png(figure))


def _paint(figure: Figure, ink: str) -> None:
    """Give all text and lines of the axes one colour, but for text inside of the axes, which has its own."""
    for axes in figure.axes:
        axes.set_facecolor("none")
        axes.title.set_color(ink)
        axes.xaxis.label.set_color(ink)
        axes.yaxis.label.set_color(ink)
        axes.tick_params(colors=ink, labelcolor=ink)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        legend = axes.get_legend()
        for text in legend.get_texts() if legend else ():
            text.set_color(ink)


def draw(runs: Sequence[Run], name: str) -> list[Picture]:
    """Draw the models of one corpus.

    runs (Sequence[Run]): The models.
    name (str): Beginning of the files' names.
    RETURNS (List[Picture]): Confusion matrices, and for those with probabilities reliability, error over coverage,
        and precision over recall of POSITIVE.
    """
    with drawing():
        matrices = [(run.model, run.all.confusion) for run in runs]
        pictures = [Picture.of(f"{name}_confusion", "Confusion matrices", confusion_figure(matrices))]
        calibrated = [run for run in runs if run.calibration]
        if calibrated:
            figure = curves_figure(calibrated)
            pictures.append(Picture.of(f"{name}_calibration", "Calibration, coverage and POSITIVE", figure))
    return pictures


def confusion_figure(
    matrices: Sequence[tuple[str, Sequence[Sequence[int]]]], rows: str = "reference", columns: str = "predicted"
) -> Figure:
    """Draw confusion matrices side by side, shaded by share of the row.

    matrices (Sequence[Tuple[str, List[List[int]]]]): Title, and counts, 4 x 5; the last column is left out if empty.
    rows, columns (str): Who gave the labels.
    RETURNS (Figure): The figure, to be drawn inside of `drawing`.
    """
    across = min(3, len(matrices))
    down = -(-len(matrices) // across)
    figure = Figure(figsize=(0.6 + 4.6 * across, 4.4 * down), layout="constrained")
    figure.patch.set_alpha(0)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat[len(matrices) :]:
        axes.remove()
    for axes, (title, matrix) in zip(grid.flat, matrices, strict=False):
        counts = numpy.asarray(matrix)
        names: list[str] = list(LABELS)
        if counts.shape[1] > NO_LABEL:
            counts, names = (counts, [*names, "no label"]) if counts[:, NO_LABEL].any() else (counts[:, :-1], names)
        shares = counts / numpy.maximum(1, counts.sum(1, keepdims=True))
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1)  # vectors, where imshow would embed an image
        axes.invert_yaxis()
        axes.set_xticks(numpy.arange(len(names)) + 0.5, names, rotation=30, ha="right")
        axes.set_yticks(numpy.arange(len(LABELS)) + 0.5, LABELS)
        axes.set(title=short([title], 40)[0], xlabel=columns, ylabel=rows)
        for (i, j), share in numpy.ndenumerate(shares):
            colour = "white" if share > 0.5 else "#1d2433"
            axes.text(
                j + 0.5, i + 0.5, f"{counts[i, j]:,}\n{share:.1%}", ha="center", va="center", color=colour, fontsize=9
            )
    return figure


def curves_figure(runs: Sequence[Run]) -> Figure:
    """Draw the curves of models that give probabilities.

    runs (Sequence[Run]): Models on one corpus.
    RETURNS (Figure): The figure, to be drawn inside of `drawing`.
    """
    figure = Figure(figsize=(13.5, 4.6), layout="constrained")
    figure.patch.set_alpha(0)
    reliability, coverage, positive = figure.subplots(1, 3)
    reliability.plot([0, 1], [0, 1], color="#888888", linestyle=":", linewidth=1)
    names = short([run.model for run in runs])
    for i, (name, run) in enumerate(zip(names, runs, strict=True)):
        if run.calibration is None:
            continue
        style: Any = {"color": series_colour(i), "linewidth": 1.8}
        bins, points = run.calibration.bins, run.calibration.coverage
        label = f"{name}: ECE {run.calibration.ece:.3f}"
        reliability.plot([b.confidence for b in bins], [b.right for b in bins], label=label, **style)
        most = max(b.sentences for b in bins)
        sizes = [8 + 90 * b.sentences / most for b in bins]  # few sentences, small point
        reliability.scatter([b.confidence for b in bins], [b.right for b in bins], s=sizes, color=series_colour(i))
        label = f"{name}: AURC {run.calibration.aurc:.3f}"
        coverage.plot([p.coverage for p in points], [p.error for p in points], label=label, **style)
        both = [p for p in run.calibration.positive if p.precision is not None and p.recall is not None]
        positive.plot([p.recall for p in both], [p.precision for p in both], marker=".", label=name, **style)
    reliability.set(
        title="Reliability", xlabel="probability of the label", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02)
    )
    coverage.set(
        title="Error when the least certain are set aside", xlabel="coverage", ylabel="share wrong", xlim=(0, 1)
    )
    coverage.set_ylim(bottom=0)
    positive.set(title="POSITIVE over its threshold", xlabel="Recall_1", ylabel="PPV_1")
    for axes in (reliability, coverage, positive):
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=9)
    return figure
