"""Loading pipelines that label sentences."""

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from .errors import RadsentError
from .files import atomic_folder
from .labels import SPANS_KEY

logger = logging.getLogger(__name__)

CHUNK = 1000  # texts that are labelled anew, one by one, where the stream fails


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
    nlp.default_error_handler = _skip
    for _, component in nlp.pipeline:
        if hasattr(component, "set_error_handler"):
            with suppress(AttributeError):  # spaCy's parsers cannot keep one
                component.set_error_handler(_skip)
    return nlp


def check_copy(source: Path, output: Path) -> None:
    """Say so where a folder holds no pipeline, or would hold its own changed copy; see `save_pipeline`."""
    if not (source / "config.cfg").is_file():
        raise RadsentError(f"{source}: is no pipeline's folder: give one that spaCy saved, e.g. training/model-best.")
    if source.resolve() in output.resolve().parents:
        raise RadsentError(f"{output}: is inside of the pipeline's own folder: name one outside of it.")


def save_pipeline(nlp: Language, source: Path, output: Path, overwrite: bool = False) -> None:
    """Save a changed pipeline, with what else lies beside it: a licence, a model card.

    nlp (Language): The pipeline.
    source (Path): The folder that it was loaded from.
    output (Path): Where it will be.
    overwrite (bool): Put it in place of one that is there, which is an error otherwise.
    """
    written = {"vocab", "tokenizer", *nlp.component_names}

    def not_copied(folder: str, names: list[str]) -> list[str]:
        """What is written anew, and what tools keep there, e.g. .git with all weights a second time."""
        return [name for name in names if Path(folder) == source and (name in written or name.startswith("."))]

    with atomic_folder(output, overwrite) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=not_copied, ignore_dangling_symlinks=True)
        nlp.to_disk(folder)


def use_gpu(gpu_id: int) -> None:
    """Use a GPU; say so where there is none.

    gpu_id (int): Which; -1 for the CPU.
    """
    if gpu_id < -1:
        raise RadsentError(f"--gpu-id {gpu_id}: give the number of a GPU, from 0, or -1 for the CPU.")
    if gpu_id >= 0:
        try:
            spacy.require_gpu(gpu_id)
        except Exception as error:  # of CuPy, of CUDA, or of spaCy
            raise RadsentError(
                f"--gpu-id {gpu_id}: cannot be used ({type(error).__name__}): install CuPy for its CUDA version, or "
                f"use -1."
            ) from error


def load_labeller(name: str, gpu_id: int = -1) -> Language:
    """RETURNS (Language): A pipeline that labels, on a GPU or none; see `load_pipeline` and `use_gpu`."""
    use_gpu(gpu_id)
    nlp = load_pipeline(name)
    if SPANS_KEY not in nlp("肺に異常なし。").spans:
        raise RadsentError(
            f'{name}: writes no doc.spans["{SPANS_KEY}"]: give a pipeline with the component radsent or radsent_llm.'
        )
    return nlp


class Unlabelled(NamedTuple):
    """A report to label.

    text (str): The report.
    meta (Dict[str, Any]): By its `source`, "synthetic", a server on another machine may read it.
    context (Any): What belongs to it.
    """

    text: str
    meta: dict[str, Any]
    context: Any

    def doc(self, nlp: Language) -> Doc:
        """RETURNS (Doc): Its tokens."""
        doc = nlp.make_doc(self.text)
        doc._.radsent_source = self.meta.get("source")
        return doc


def label_stream(nlp: Language, reports: Iterable[Unlabelled], batch_size: int) -> Iterator[tuple[Doc, Any]]:
    """Label reports; one on which a component fails takes no other with it.

    nlp (Language): See `load_pipeline`.
    reports (Iterable[Unlabelled]): The reports.
    batch_size (int): Reports to label at once.
    YIELDS (Tuple[Doc, Any]): Each with its context, in order; those that failed are left out.
    """
    reports = iter(reports)
    while chunk := list(islice(reports, CHUNK)):
        try:
            docs = ((report.doc(nlp), report.context) for report in chunk)
            labelled = list(nlp.pipe(docs, as_tuples=True, batch_size=batch_size))
        except Exception:  # of a component that does not keep to the error handler
            labelled = [pair for pair in (_alone(nlp, report) for report in chunk) if pair is not None]
        yield from labelled


def _alone(nlp: Language, report: Unlabelled) -> tuple[Doc, Any] | None:
    try:
        return nlp(report.doc(nlp)), report.context
    except Exception as error:
        logger.warning("a component failed on a report (%s)", _told(error))
        return None


def _skip(name: str, component: Any, docs: list[Doc], error: Exception) -> None:
    logger.warning("%s failed on %d reports (%s)", name, len(docs or []), _told(error))


def _told(error: Exception) -> str:
    """RETURNS (str): Our errors, which quote no report; of others the name alone."""
    return str(error) if isinstance(error, RadsentError) else type(error).__name__
