"""The weights of a model: whether they are there, and those of a trained pipeline."""

from pathlib import Path

from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import RadsentError


def check_trained(model: Model, vocab: Vocab, name: str) -> None:
    """Raise where a model cannot label yet.

    model (Model): The model of a component.
    vocab (Vocab): That of the documents.
    name (str): The component's.
    """
    for node in model.walk():
        if any(node.has_param(param) is None for param in node.param_names):
            raise RadsentError(f"'{name}' is not trained: call nlp.initialize() and train it, or load a pipeline.")
        if node.name == "static_vectors" and node.get_dim("nM") != vocab.vectors_length:
            raise RadsentError(
                f"'{name}' was trained with word vectors of width {node.get_dim('nM')}, this pipeline's have "
                f"{vocab.vectors_length}: add it to a pipeline with the same vectors, e.g. ja_ginza."
            )


def load_weights(model: Model, pipeline: Path, name: str) -> None:
    """Take the weights of a trained pipeline.

    model (Model): The model of a component.
    pipeline (Path): Folder of a pipeline that has a component of the same name and architecture.
    name (str): The component's.
    """
    path = pipeline / name / "model"
    if not path.is_file():
        raise RadsentError(f"{pipeline}: holds no component '{name}': give the folder of a trained pipeline.")
    try:
        model.from_disk(path)
    except (ValueError, KeyError) as error:  # thinc's words for weights of other layers
        if isinstance(error, RadsentError):
            raise
        raise RadsentError(
            f"{pipeline}: its '{name}' has another architecture: train with the config that it was made with."
        ) from None
