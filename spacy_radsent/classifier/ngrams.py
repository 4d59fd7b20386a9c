"""Hashed character n-grams of a sentence, embedded and summed: what carries most of the label on a small corpus."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ragged

from .texts import sentence_texts

DIGIT = re.compile(r"\d")
FINAL_STOPS = re.compile(r"[。｡．.\s]+$")
BEGIN, END = "\x02", "\x03"
MAX_REMEMBERED = 200  # characters: longer sentences are rare, and would make the cache large


def CharNgramEmbed(
    width: int, rows: int, max_n: int, feature_dropout: float
) -> Model[tuple[list[Doc], Ragged], Floats2d]:
    """Embed each sentence as the scaled sum of vectors of its distinct character n-grams.

    width (int): Width of the vectors.
    rows (int): Rows of the table; n-grams are hashed into it.
    max_n (int): Longest n-gram, in characters; all lengths from 1 are used.
    feature_dropout (float): Share of a sentence's n-grams left out in each training step. It makes the model
        recognise a sentence by several of its n-grams, and so helps with wording never seen.
    RETURNS (Model[Tuple[List[Doc], Ragged], Floats2d]): Takes documents and token offsets of sentences (n, 2), gives
        vectors (n, width).
    """
    return Model(
        "char_ngram_embed",
        forward,
        init=init,
        params={"E": None},
        dims={"nO": width, "nV": rows},
        attrs={"max_n": max_n, "feature_dropout": feature_dropout},
    )


def init(model: Model, X: object | None = None, Y: object | None = None) -> Model:
    table: Any = numpy.random.normal(0.0, 0.1, (model.get_dim("nV"), model.get_dim("nO"))).astype("f")
    model.set_param("E", model.ops.asarray2f(table))
    return model


def forward(
    model: Model, docs_sentences: tuple[list[Doc], Ragged], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], tuple]]:
    ops = model.ops
    table: Any = model.get_param("E")
    max_n, dropout = model.attrs["max_n"], model.attrs["feature_dropout"]
    features = [cached_rows(normalize(text), max_n, len(table)) for text in sentence_texts(*docs_sentences)]
    if is_train and dropout:
        features = [_drop(rows, dropout) for rows in features]
    lengths = ops.asarray1i([len(rows) for rows in features])
    joined: Any = numpy.concatenate(features)
    rows: Any = ops.asarray(joined)
    # Scaled by the root of their number, sentences of any length give vectors of like size.
    scale = 1.0 / ops.xp.sqrt(lengths.astype("f"))[:, None]
    vectors = ops.reduce_sum(table[rows], lengths) * scale

    def backprop(d_vectors: Floats2d) -> tuple:
        d_rows = ops.backprop_reduce_sum(ops.as_contig(d_vectors * scale), lengths)
        d_table = ops.alloc2f(*table.shape)
        ops.scatter_add(d_table, rows, d_rows)
        model.inc_grad("E", d_table)
        return ()  # documents have no gradient

    return vectors, backprop


def _drop(rows: numpy.ndarray, share: float) -> numpy.ndarray:
    kept = rows[numpy.random.random(len(rows)) >= share]
    return kept if len(kept) else rows[:1]


def normalize(text: str) -> str:
    """Fold what differs between institutions but not in meaning: width, case, digits, the final full stop."""
    return DIGIT.sub("0", FINAL_STOPS.sub("", unicodedata.normalize("NFKC", text).lower()))


def ngram_rows(text: str, max_n: int, rows: int) -> numpy.ndarray:
    """Hash the character n-grams of a text, its edges included as characters of their own.

    text (str): A text.
    max_n (int): Longest n-gram.
    rows (int): Number of rows of the table.
    RETURNS (numpy.ndarray): The distinct rows, sorted; the same on every platform.
    """
    codes = numpy.frombuffer((BEGIN + text + END).encode("utf-32-le"), dtype="<u4").astype("u8")
    hashes = numpy.zeros(len(codes), dtype="u8")
    found = []
    for n in range(1, min(max_n, len(codes)) + 1):
        # Polynomial hash of the window, extended by one character on the right; arithmetic modulo 2**64.
        hashes = hashes[: len(codes) - n + 1] * numpy.uint64(0x9E3779B97F4A7C15)
        hashes += (codes[n - 1 :] + numpy.uint64(7919 * n)) * numpy.uint64(0xC2B2AE3D27D4EB4F)
        mixed = (hashes ^ (hashes >> numpy.uint64(29))) * numpy.uint64(0xBF58476D1CE4E5B9)
        found.append((mixed ^ (mixed >> numpy.uint64(32))) % numpy.uint64(rows))
    return numpy.unique(numpy.concatenate(found)).astype("i")


@lru_cache(maxsize=4096)
def _remembered_rows(text: str, max_n: int, rows: int) -> numpy.ndarray:
    return ngram_rows(text, max_n, rows)


def cached_rows(text: str, max_n: int, rows: int) -> numpy.ndarray:
    """Hash like `ngram_rows`; the members of an ensemble ask for the same sentences, and reports repeat some."""
    return _remembered_rows(text, max_n, rows) if len(text) <= MAX_REMEMBERED else ngram_rows(text, max_n, rows)
