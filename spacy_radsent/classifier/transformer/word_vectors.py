"""Word vectors from a trained transformer, for models that are too fast to hold one.

Most medical words have no vector in ja_ginza, and none there knows what a word means for a label.
"""

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import reduce_mean
from thinc.types import Floats2d, Ragged

from ...errors import RadsentError
from .layer import PieceModel

# As long as the median of ja_ginza's, on which the learning rate of configs/cpu.cfg was chosen.
LENGTH = 3.85
CHUNK = 1000  # words to encode at once: what the encoder makes batches of


def word_vectors(encoder: PieceModel, words: Sequence[str], width: int) -> Floats2d:
    """Let an encoder read each word alone, and keep the principal components of what it makes of them.

    encoder (Model[Tuple[List[Doc], Ragged], Ragged]): Of a trained pipeline, e.g. `spacy_radsent.WindowEncoder.v1`.
    words (Sequence[str]): Words, each once.
    width (int): Number of components.
    RETURNS (Floats2d): A row (width,) for each word, all of the same length.
    """
    most = min(len(words), encoder.get_dim("nO"))
    if not 1 <= width <= most:
        raise RadsentError(
            f"The width of the vectors is {width}: give a number from 1 to {most} (of {len(words)} words, and an "
            f"encoder of width {encoder.get_dim('nO')})."
        )
    read = numpy.concatenate([_read(encoder, words[i : i + CHUNK]) for i in range(0, len(words), CHUNK)])
    centred = read - read.mean(axis=0)
    _, components = numpy.linalg.eigh(centred.T @ centred)  # the largest come last
    vectors = centred @ components[:, ::-1][:, :width]
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return (LENGTH * vectors / numpy.maximum(lengths, 1e-9)).astype("f")


def _read(encoder: PieceModel, words: Sequence[str]) -> Floats2d:
    """RETURNS (Floats2d): What a sentence of each word alone would be pooled to, (n, encoder's width)."""
    vocab, ops = Vocab(), encoder.ops
    docs = [Doc(vocab, words=[word]) for word in words]
    sentences = Ragged(ops.asarray2i([[0, 1]] * len(docs)), ops.asarray1i([1] * len(docs)))
    pooling = reduce_mean()
    pooling.ops = ops
    return ops.to_numpy(pooling.predict(encoder.predict((docs, sentences))))
