"""The sentences of documents as a model takes them: token offsets, and the texts read off the tokens."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
from spacy.attrs import ORTH, SPACY
from spacy.tokens import Doc, Span
from thinc.api import Ops
from thinc.types import Ragged


def ragged_offsets(sentences: Sequence[Sequence[Span]], ops: Ops) -> Ragged:
    """RETURNS (Ragged): Token offsets (n, 2) of all sentences, and the number of sentences of each document."""
    rows = [(span.start, span.end) for spans in sentences for span in spans]
    data: Any = numpy.array(rows, dtype="i").reshape(-1, 2)
    lengths: Any = numpy.array([len(spans) for spans in sentences], dtype="i")
    return Ragged(ops.asarray2i(data), lengths)


def sentence_texts(docs: list[Doc], sentences: Ragged) -> Iterator[str]:
    """Yield the text of each sentence.

    docs (List[Doc]): Documents.
    sentences (Ragged): Token offsets (n, 2) of their sentences.
    """
    offsets = iter(sentences.dataXd.tolist())
    for doc, count in zip(docs, sentences.lengths.tolist(), strict=False):
        strings = doc.vocab.strings
        # Several times as fast as `doc.text`, which makes a Token object of every token.
        words = [strings[orth] + " " * space for orth, space in doc.to_array([ORTH, SPACY]).tolist()]
        for _ in range(count):
            start, end = next(offsets)
            yield "".join(words[start:end])
