"""The texts of sentences, read off the tokens."""

from collections.abc import Iterator

from spacy.attrs import ORTH, SPACY
from spacy.tokens import Doc
from thinc.types import Ragged


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
