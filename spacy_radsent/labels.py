"""The label scheme: four labels, fixed. The only place that defines them."""

from enum import IntEnum


class Label(IntEnum):
    """What a sentence of a findings section does in its report (codes as in Kikuchi et al. 2026, doi 10.2196/86365)."""

    BACKGROUND = 0
    POSITIVE = 1
    NEGATIVE = 2
    CONTINUATION = 3


LABELS: tuple[str, ...] = tuple(label.name for label in Label)

# The key of `doc.spans` that holds the labelled sentences, unless a component is told another.
SPANS_KEY = "radsent"
