"""Near-duplicates among reports: MinHash to find candidates (Broder 1997), their Jaccard similarity to decide."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..errors import needs_extra

NGRAM = 5
PERMUTATIONS = 128
CANDIDATES = 0.7
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits well mixed: 2^64 by the golden ratio (Knuth)


class NearDuplicate(NamedTuple):
    """A text that is nearly one before it.

    place (int): Where it is.
    of (int): Where the other is.
    similarity (float): See `Sketch.similarity`.
    """

    place: int
    of: int
    similarity: float


class Sketch(NamedTuple):
    """What a text is compared by.

    ngrams (Ints1d): Hashes of its distinct character 5-grams, white space left out.
    minhash (datasketch.MinHash): Their MinHash.
    """

    ngrams: np.ndarray
    minhash: Any

    @classmethod
    def of(cls, text: str) -> "Sketch":
        """RETURNS (Sketch): Of a text."""
        ngrams = _hashed_ngrams(text)
        minhash = _empty_minhash().copy()
        minhash.update_batch(ngrams.tolist())
        return cls(ngrams, minhash)

    def similarity(self, other: "Sketch") -> float:
        """RETURNS (float): Jaccard similarity of the sets of n-grams, from 0 to 1."""
        common = len(np.intersect1d(self.ngrams, other.ngrams, assume_unique=True))
        return common / (len(self.ngrams) + len(other.ngrams) - common)


@lru_cache
def _empty_minhash() -> Any:
    """RETURNS (datasketch.MinHash): Of nothing. Its permutations are drawn once."""
    with needs_extra("synth"):
        from datasketch import MinHash
    return MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=int)


def find_near_duplicates(sketches: Iterable[Sketch], threshold: float = 0.8) -> list[NearDuplicate]:
    """Find texts that are nearly one before them.

    sketches (Iterable[Sketch]): Of the texts, in the order in which the first of two is kept.
    threshold (float): Similarity from which on two are near-duplicates.
    RETURNS (List[NearDuplicate]): In order. Texts that are near-duplicates themselves are compared with no more.
    """
    with needs_extra("synth"):
        from datasketch import MinHashLSH
    # Tuned for the threshold itself it would miss a third of what lies just above; the exact similarity decides anyway.
    index = MinHashLSH(threshold=CANDIDATES * threshold, num_perm=PERMUTATIONS)
    kept: dict[int, Sketch] = {}
    found = []
    for i, sketch in enumerate(sketches):
        similar = [(sketch.similarity(kept[other]), -other) for other in index.query(sketch.minhash)]
        best, other = max(similar, default=(0.0, 0))
        if best >= threshold:
            found.append(NearDuplicate(i, -other, best))
        else:
            kept[i] = sketch
            index.insert(i, sketch.minhash)
    return found


def _hashed_ngrams(text: str) -> np.ndarray:
    """RETURNS (Ints1d): Hashes of 32 bits of the distinct n-grams: a set of texts takes twenty times the memory."""
    codes = np.frombuffer("".join(text.split()).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.pad(codes, (0, max(0, NGRAM - len(codes)))).astype(np.uint64)
    count = len(codes) - NGRAM + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for i in range(NGRAM):
        hashes = (hashes + codes[i : i + count]) * MULTIPLIER
    return np.unique((hashes >> np.uint64(32)).astype(np.uint32))
