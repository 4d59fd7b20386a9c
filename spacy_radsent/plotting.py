"""How pictures are drawn: their colours and fonts, as SVG with real text and as PNG."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import font_manager, rc_context

from .labels import LABELS

# Distinct in greyscale and for the colour-blind (Okabe and Ito 2008); "" stands for no label.
LABEL_COLOURS = dict(zip((*LABELS, ""), ("#BBBBBB", "#D55E00", "#0072B2", "#E69F00", "#EEEEEE"), strict=True))
SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
JAPANESE_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "IPAexGothic",
    "IPAGothic",
    "Hiragino Sans",
    "Yu Gothic",
    "Meiryo",
)


@contextmanager
def drawing() -> Iterator[None]:
    """Draw and save inside of this: all pictures look alike."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    style: Any = {
        "svg.fonttype": "none",  # names in Japanese need no font where an SVG is made
        "svg.hashsalt": "radsent",
        "text.parse_math": False,  # a name may hold a dollar sign
        "font.family": ["DejaVu Sans", *(name for name in JAPANESE_FONTS if name in installed)],
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # whoever shows the picture has the font
        yield


def to_svg(figure: Any) -> str:
    """RETURNS (str): A figure of matplotlib as SVG, the same each time."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return file.getvalue()


def to_png(figure: Any) -> bytes:
    """RETURNS (bytes): A figure of matplotlib as PNG, at 150 dots per inch."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, metadata={"Software": None})
    return file.getvalue()


def series_colour(i: int) -> str:
    """RETURNS (str): The colour of the i-th model."""
    return SERIES_COLOURS[i % len(SERIES_COLOURS)]


def short(names: Sequence[str], length: int = 24) -> list[str]:
    """RETURNS (List[str]): Names that fit a legend."""
    return [name if len(name) <= length else f"{name[: length - 1]}…" for name in names]
