"""Near-duplicates among reports: MinHash to find candidates (Broder 1997), their Jaccard similarity to decide."""

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import needs_extra

NGRAM = 5
PERMUTATIONS = 128


class NearDuplicate(NamedTuple):
    """A text that is nearly one before it.

    place (int): Where it is.
    of (int): Where the other is.
    similarity (float): Jaccard similarity of their sets of character n-grams.
    """

    place: int
    of: int
    similarity: float


def find_near_duplicates(texts: Iterable[str], threshold: float = 0.8) -> list[NearDuplicate]:
    """Find texts that are nearly one before them.

    texts (Iterable[str]): In the order in which the first of two is kept.
    threshold (float): Jaccard similarity of character 5-grams, white space left out, from 0 to 1.
    RETURNS (List[NearDuplicate]): In order. Texts that are near-duplicates themselves are compared with no more.
    """
    with needs_extra("synth"):
        from datasketch import MinHash, MinHashLSH
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    kept: dict[int, set[str]] = {}
    found = []
    for i, text in enumerate(texts):
        ngrams = _ngrams(text)
        sketch = MinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update_batch([ngram.encode() for ngram in ngrams])
        similar = [(_jaccard(ngrams, kept[other]), -other) for other in index.query(sketch)]
        best, other = max(similar, default=(0.0, 0))
        if best >= threshold:
            found.append(NearDuplicate(i, -other, best))
        else:
            kept[i] = ngrams
            index.insert(i, sketch)
    return found


def _ngrams(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1))}


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)
