"""Loading pipelines that label sentences."""

import logging
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from .errors import RadsentError

logger = logging.getLogger(__name__)


def load_pipeline(name: str) -> Language:
    """Load a pipeline.

    name (str): Its folder, or the name of an installed package.
    RETURNS (Language): The pipeline. A report on which a component fails does not stop a stream: unless the component
        itself marks it as failed, it is left out.
    """
    try:
        nlp = spacy.load(name)
    except RadsentError:
        raise
    except Exception as error:  # what a pipeline's own code raises, and many errors of spaCy's
        first_line = (str(error).splitlines() or [""])[0][:200]
        raise RadsentError(
            f"{name}: cannot be loaded ({type(error).__name__}: {first_line}): "
            f"give the folder of a pipeline, or the name of an installed package."
        ) from error
    nlp.set_error_handler(_skip)  # type: ignore[arg-type]  # one that returns leaves the report out
    return nlp


def _skip(name: str, component: Any, docs: list[Doc], error: Exception) -> None:
    logger.warning("%s failed on %d reports (%s)", name, len(docs or []), type(error).__name__)
