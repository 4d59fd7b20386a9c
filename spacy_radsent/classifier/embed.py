"""Embed each distinct token of a batch once: reports repeat their words, and an embedding knows no context."""

from collections.abc import Callable
from typing import Any

import numpy
from spacy.attrs import DEP, ENT_IOB, ENT_TYPE, LEMMA, MORPH, NAMES, NORM, ORTH, POS, SENT_START, SPACY, TAG
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import RadsentError

# What an embedding may look at: the word (with all that follows from it, as SHAPE and its vector), and what the
# tokenizer says of it in this place.
TOKEN_ATTRS = [ORTH, NORM, TAG, LEMMA]
CONTEXT_ATTRS = {DEP, ENT_IOB, ENT_TYPE, MORPH, POS, SENT_START, SPACY}


def build_embed_distinct(
    embed: Model[list[Doc], list[Floats2d]],
) -> Model[list[Doc], list[Floats2d]]:
    """Wrap a context-independent embedding so that a batch pays for its distinct tokens only.

    embed (Model[List[Doc], List[Floats2d]]): E.g. `spacy.MultiHashEmbed.v2`, with attributes that ORTH, NORM, TAG and
        LEMMA determine. Its dropout hides a word everywhere in the batch.
    RETURNS (Model[List[Doc], List[Floats2d]]): Gives what `embed` gives.
    """
    for node in embed.walk():
        if context := set(node.attrs.get("columns", [])) & CONTEXT_ATTRS:
            raise RadsentError(f"EmbedDistinct cannot embed {NAMES[min(context)]}: it depends on the context.")
    return Model("embed_distinct", forward, init=init, layers=[embed])


def forward(
    model: Model, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    ops, embed = model.ops, model.layers[0]
    distinct, places = distinct_tokens(docs)
    (vectors,), backprop_vectors = embed([distinct], is_train)
    rows = ops.asarray1i(places)
    lengths: Any = numpy.array([len(doc) for doc in docs], dtype="i")

    def backprop(d_docs: list[Floats2d]) -> list[Doc]:
        d_vectors = ops.alloc2f(*vectors.shape)
        ops.scatter_add(d_vectors, rows, ops.flatten(d_docs))
        backprop_vectors([d_vectors])
        return docs

    return ops.unflatten(vectors[rows], lengths), backprop


def init(model: Model, X: list[Doc] | None = None, Y: list[Floats2d] | None = None) -> None:
    model.layers[0].initialize(X=X, Y=Y)


def distinct_tokens(docs: list[Doc]) -> tuple[Doc, Any]:
    """Find the distinct tokens of a batch.

    docs (List[Doc]): Documents of one vocab, at least one.
    RETURNS (Tuple[Doc, Ints1d]): A Doc that holds each distinct token once; the place there of every token.
    """
    rows: Any = numpy.concatenate([doc.to_array(TOKEN_ATTRS) for doc in docs])
    # One 64-bit key a token: the attributes are hashes already, and odd factors keep their sum from being symmetric.
    keys = (rows * numpy.array([1, 3, 5, 7], dtype="u8") * numpy.uint64(0x9E3779B97F4A7C15)).sum(axis=1, dtype="u8")
    _, first, places = numpy.unique(keys, return_index=True, return_inverse=True)
    strings = docs[0].vocab.strings
    distinct = Doc(docs[0].vocab, words=[strings[orth] for orth in rows[first, 0].tolist()])
    distinct.from_array(TOKEN_ATTRS[1:], rows[first, 1:])
    return distinct, places.astype("i")
