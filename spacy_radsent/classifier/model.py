"""The model of the `radsent` component: encode tokens, pool them by sentence, mix neighbouring sentences, classify."""

from collections.abc import Callable
from typing import Any, cast

from spacy.ml.extract_spans import extract_spans
from spacy.tokens import Doc
from thinc.api import (
    Maxout,
    Model,
    NumpyOps,
    Softmax,
    chain,
    concatenate,
    list2ragged,
    reduce_max,
    reduce_mean,
    with_getitem,
)
from thinc.types import Floats2d, Ragged

from ..labels import LABELS

SentenceModel = Model[tuple[list[Doc], Ragged], Floats2d]


def build_sentence_classifier(
    tok2vec: Model[list[Doc], list[Floats2d]],
    mixer: Model[list[Floats2d], list[Floats2d]],
    width: int,
    ngrams: SentenceModel | None = None,
) -> SentenceModel:
    """Build a model that labels all sentences of a report at once, each in the light of the others.

    tok2vec (Model[List[Doc], List[Floats2d]]): Encodes the tokens of a report; pooled by sentence (mean and maximum).
    mixer (Model[List[Floats2d], List[Floats2d]]): Takes the sentence vectors of each report, (sentences, width),
        and lets neighbours see each other, e.g. `spacy.MaxoutWindowEncoder.v2`.
    width (int): Width of the sentence vectors, the same as the mixer's.
    ngrams (Optional[SentenceModel]): Further features of each sentence, e.g. `spacy_radsent.CharNgramEmbed.v1`.
    RETURNS (SentenceModel): Takes documents and the token offsets (n, 2) of their sentences, gives probabilities
        (n, 4). The gradient that it expects is probability minus target, or zero in a row that has no target.
    """
    pooled: Any = chain(
        with_getitem(0, chain(tok2vec, cast(Model[list[Floats2d], Ragged], list2ragged()))),
        extract_spans(),
        concatenate(reduce_mean(), reduce_max()),
    )
    features = concatenate(pooled, ngrams) if ngrams is not None else pooled
    return label_in_context(features, mixer, width)


def label_in_context(
    features: SentenceModel, mixer: Model[list[Floats2d], list[Floats2d]], width: int
) -> SentenceModel:
    """Build the upper part of a model: bring the sentences' features to one width, mix neighbours, classify.

    features (SentenceModel): Gives a vector for each sentence.
    mixer (Model[List[Floats2d], List[Floats2d]]): Takes the sentence vectors of each report, (sentences, width).
    width (int): The mixer's width.
    RETURNS (SentenceModel): See `build_sentence_classifier`.
    """
    sentences: Any = chain(features, Maxout(nO=width, nP=3, normalize=True, dropout=0.0))
    model: SentenceModel = chain(mix_sentences(sentences, mixer), Softmax(nO=len(LABELS), nI=width))
    return use_fast_gemm(model)


def mix_sentences(sentences: SentenceModel, mixer: Model[list[Floats2d], list[Floats2d]]) -> SentenceModel:
    """Apply a layer over the sequence of sentences of each report.

    sentences (SentenceModel): Gives a vector for each sentence, (n, width).
    mixer (Model[List[Floats2d], List[Floats2d]]): Gets a list of (sentences, width), one for each report.
    RETURNS (SentenceModel): Gives the mixed vectors, (n, width).
    """
    return Model("mix_sentences", forward, init=init, layers=[sentences, mixer])


def forward(
    model: Model, docs_sentences: tuple[list[Doc], Ragged], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Any]]:
    sentences, mixer = model.layers
    lengths = docs_sentences[1].lengths
    vectors, backprop_vectors = sentences(docs_sentences, is_train)
    mixed, backprop_mixed = mixer(model.ops.unflatten(vectors, lengths), is_train)

    def backprop(d_mixed: Floats2d) -> Any:
        return backprop_vectors(model.ops.flatten(backprop_mixed(model.ops.unflatten(d_mixed, lengths))))

    return model.ops.flatten(mixed), backprop


def init(model: Model, X: tuple[list[Doc], Ragged] | None = None, Y: Floats2d | None = None) -> None:
    sentences, mixer = model.layers
    sentences.initialize(X=X)
    mixer.initialize(X=model.ops.unflatten(sentences.predict(X), X[1].lengths) if X is not None else None)


def use_fast_gemm(model: Model) -> Model:
    """Multiply matrices with numpy's BLAS on the CPU: on the processors tried 3 times as fast as thinc's own.

    (benchmarks/gemm.py; one thread, AMD EPYC with AVX-512: 91 against 32 GFLOP/s.)
    """
    for node in model.walk():
        if type(node.ops) is NumpyOps:
            node.ops = NumpyOps(use_blis=False)
    return model
