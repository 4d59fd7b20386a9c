"""An ensemble of classifiers in one model: trained side by side, asked together."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ragged

from ..errors import RadsentError
from .model import SentenceModel, use_fast_gemm


def build_sentence_ensemble(member: SentenceModel, size: int) -> SentenceModel:
    """Build a model whose probabilities are the mean of those of several members.

    The members differ in their random weights and in what dropout hides from them. On a small corpus their errors
    differ enough that the mean is better than any of them (docs/cpu-model.md has the figures).

    member (SentenceModel): The architecture of a member, e.g. `spacy_radsent.SentenceClassifier.v1`.
    size (int): The number of members.
    RETURNS (SentenceModel): Takes and gives what a member does. Each member learns from its own errors, as if it were
        trained alone.
    """
    if size > 1 and listens(member):
        raise RadsentError(
            f"An ensemble of {size} cannot listen to a component that all share, such as tok2vec or transformer: give "
            f"its member alone as the model (docs/encoders.md)."
        )
    return ensemble_of([member, *(member.copy() for _ in range(size - 1))])


def build_mixed_ensemble(encoder: SentenceModel, words: SentenceModel) -> SentenceModel:
    """Build a model whose probabilities are the mean of those of two members of different kinds.

    A pretrained encoder knows more of the language, the CPU model sees words and endings as they are written: on
    institutions never seen, the mean of both was better than either (docs/lab-notebook.md, "What a transformer
    knows").

    encoder (SentenceModel): E.g. `spacy_radsent.EncoderClassifier.v1`.
    words (SentenceModel): E.g. `spacy_radsent.SentenceClassifier.v1`.
    RETURNS (SentenceModel): See `build_sentence_ensemble`.
    """
    return ensemble_of([encoder, words])


def ensemble_of(members: list[SentenceModel]) -> SentenceModel:
    return use_fast_gemm(Model("sentence_ensemble", forward, init=init, layers=members))


def forward(
    model: Model, docs_sentences: tuple[list[Doc], Ragged], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    results = [member(docs_sentences, is_train) for member in model.layers]
    mean = sum(probabilities for probabilities, _ in results) / len(results)

    def backprop(d_mean: Floats2d) -> tuple:
        # d_mean is the mean probability minus the target; a row of zeros has no target.
        has_target: Any = d_mean.any(axis=1, keepdims=True)
        for probabilities, backprop_member in results:
            backprop_member((d_mean + probabilities - mean) * has_target)
        return ()  # documents have no gradient

    return mean, backprop


def init(model: Model, X: tuple[list[Doc], Ragged] | None = None, Y: Floats2d | None = None) -> None:
    for member in model.layers:
        member.initialize(X=X, Y=Y)


def listens(model: Model) -> bool:
    """RETURNS (bool): Whether it takes what a component before (tok2vec, transformer) made of its documents."""
    return any(node.name.endswith("listener") for node in model.walk())
