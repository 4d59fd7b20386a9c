"""Sentence labels for Japanese radiology reports. Importing the package registers `Span._.radsent_label` and others."""

from .extensions import install_extensions
from .labels import LABELS, SPANS_KEY, Label
from .version import __version__

__all__ = ["LABELS", "SPANS_KEY", "Label", "__version__", "install_extensions"]

install_extensions()
