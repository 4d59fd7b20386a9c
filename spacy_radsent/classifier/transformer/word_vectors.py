"""Word vectors from a trained transformer, for models that are too fast to hold one.

Most medical words have no vector in ja_ginza, and none there knows what a word means for a label.
"""

from collections.abc import Sequence
from typing import cast

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.types import Floats2d, Ragged

from .layer import PieceModel

# As long as the median of ja_ginza's for the words of the bundled corpus, with which the learning rate of
# configs/cpu.cfg was chosen.
LENGTH = 3.85
CHUNK = 1000  # words to encode at once: what the encoder makes batches of


def word_vectors(encoder: PieceModel, words: Sequence[str], width: int) -> Floats2d:
    """Let an encoder read each word alone, and keep the principal components of what it makes of them.

    encoder (Model[Tuple[List[Doc], Ragged], Ragged]): Of a trained pipeline, e.g. `spacy_radsent.WindowEncoder.v1`.
    words (Sequence[str]): Words, each once.
    width (int): Number of components; there are no more than words, and no more than the encoder is wide.
    RETURNS (Floats2d): A row for each word, all of the same length.
    """
    read = numpy.concatenate([_read(encoder, words[i : i + CHUNK]) for i in range(0, len(words), CHUNK)])
    centred = read - read.mean(axis=0)
    _, components = numpy.linalg.eigh(centred.T @ centred)  # the largest come last
    vectors = centred @ components[:, ::-1][:, : min(width, len(words))]
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return (LENGTH * vectors / numpy.maximum(lengths, 1e-9)).astype("f")


def _read(encoder: PieceModel, words: Sequence[str]) -> Floats2d:
    """RETURNS (Floats2d): The mean over the wordpieces of each word, a report by itself: (n, width of the encoder)."""
    vocab, ops = Vocab(), encoder.ops
    docs = [Doc(vocab, words=[word], spaces=[False]) for word in words]
    pieces = encoder.predict((docs, Ragged(ops.asarray2i([[0, 1]] * len(docs)), ops.asarray1i([1] * len(docs)))))
    return ops.to_numpy(ops.reduce_mean(cast(Floats2d, pieces.dataXd), pieces.lengths))
