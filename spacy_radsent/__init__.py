"""Sentence labels for Japanese radiology reports. Importing the package registers `Span._.radsent_label` and others."""

from typing import Any

from .extensions import install_extensions
from .labels import LABELS, SPANS_KEY, Label
from .version import __version__

__all__ = ["LABELS", "SPANS_KEY", "Label", "__version__", "install_extensions", "render"]

install_extensions()


def render(*args: Any, **kwargs: Any) -> str:
    """Render labelled reports as a page of HTML, which a notebook shows; see `rendering.render`."""
    from .rendering import render as render_page  # takes jinja2 and pydantic, which a pipeline does not need

    return render_page(*args, **kwargs)
