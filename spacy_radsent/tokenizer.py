"""GiNZA's tokenizer (Sudachi, split mode C), 1.4 to 2 times as fast as by spaCy, and without its limit of length."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any, cast

import numpy
from spacy.lang.ja import DetailedToken, get_dtokens_and_spaces, resolve_pos
from spacy.lang.ja import JapaneseTokenizer as SpacyJapaneseTokenizer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.types import Ints2d

from .boundaries import sentence_offsets
from .errors import RadsentError

# Sudachi refuses more (sudachi.rs, input_text/buffer: u16::MAX / 4 * 3).
SUDACHI_MAX_BYTES = 49_149
CONTEXT = 8  # characters before a piece that Sudachi sees, too: which word it reads depends on the word before
WORD_ATTRS: list[int | str] = ["TAG", "POS", "LEMMA", "NORM", "MORPH"]
TOKEN_ATTRS: list[int | str] = ["ORTH", "SPACY", *WORD_ATTRS]
MAX_REMEMBERED = 20_000  # words; reports of a modality have some thousands, but numbers and dates without end
NO_FEATURE = str.maketrans("=|", "__")  # what separates features in a morphology


def create_tokenizer(split_mode: str | None = "C") -> Callable[[Language], "JapaneseTokenizer"]:
    """Build the tokenizer that `[nlp.tokenizer] @tokenizers = "spacy_radsent.JapaneseTokenizer.v1"` names.

    split_mode (Optional[str]): Sudachi's granularity, "A", "B" or "C" (as in ja_ginza).
    """
    return partial(_make_tokenizer, split_mode=split_mode)


def _make_tokenizer(nlp: Language, split_mode: str | None) -> "JapaneseTokenizer":
    return JapaneseTokenizer(nlp.vocab, split_mode=split_mode)


class JapaneseTokenizer(SpacyJapaneseTokenizer):
    """Give what spaCy's own tokenizer gives, in half its time (benchmarks/throughput.py), for input of any length.

    What Sudachi says of a word is read once and remembered: reports repeat their words. The lists in
    `doc.user_data["sub_tokens"]` are therefore shared by the documents.

    Input that exceeds `max_bytes` is tokenized in pieces cut at sentence ends. Cut there and given the end of the
    sentence before, the pieces tokenize as the whole text would: Sudachi's lattice has one path across a sentence end.
    """

    def __init__(self, vocab: Vocab, split_mode: str | None = "C", max_bytes: int = SUDACHI_MAX_BYTES) -> None:
        super().__init__(vocab, split_mode=split_mode)
        self.max_bytes = max_bytes
        self._remembered: dict[tuple, list[DetailedToken]] = {}
        self._lock = Lock()  # Sudachi's tokenizer serves one thread at a time ("Already borrowed")

    def __reduce__(self) -> Any:
        return JapaneseTokenizer, (self.vocab, self.split_mode, self.max_bytes)

    def __call__(self, text: str) -> Doc:
        """Tokenize a text.

        text (str): Any text that can be encoded as UTF-8.
        RETURNS (Doc): `doc.text` equals `text`.
        """
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise RadsentError(
                f"The text holds a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start}, "
                f"which is no valid Unicode: decode the report anew, e.g. with errors='replace'."
            ) from None
        if size <= self.max_bytes:
            return self._tokenize(text)
        docs = [self._tokenize_piece(text, start, end) for start, end in self._pieces(text)]
        sub_tokens = [tokens for doc in docs for tokens in doc.user_data.pop("sub_tokens", [])]
        doc = Doc.from_docs(docs, ensure_whitespace=False, attrs=TOKEN_ATTRS)  # type: ignore[call-arg]  # missing in its stub
        if self.need_subtokens:
            doc.user_data["sub_tokens"] = sub_tokens
        return doc

    def _tokenize(self, text: str) -> Doc:
        """RETURNS (Doc): What spaCy's own tokenizer gives, its annotations set all at once."""
        with self._lock:
            dtokens = self._get_dtokens(self.tokenizer.tokenize(text))
        words, spaces = get_dtokens_and_spaces(dtokens, text)
        doc = Doc(self.vocab, words=[word.surface for word in words], spaces=spaces)
        if words:
            add = self.vocab.strings.add
            rows = [
                (add(word.tag), pos, add(word.lemma), add(word.norm), add(word.inf))
                for word, pos in zip(words, _parts_of_speech(words), strict=True)
            ]
            doc.from_array(WORD_ATTRS, cast(Ints2d, numpy.array(rows, dtype="uint64")))
        if self.need_subtokens:
            doc.user_data["sub_tokens"] = [word.sub_tokens for word in words]
        return doc

    def _get_dtokens(self, sudachipy_tokens: Any, need_sub_tokens: bool = True) -> list[DetailedToken]:
        """RETURNS (List[DetailedToken]): What spaCy's own gives; of a run of spaces the first alone."""
        if not need_sub_tokens:  # the parts of a word, remembered with it
            return super()._get_dtokens(sudachipy_tokens, need_sub_tokens)
        dtokens: list[DetailedToken] = []
        for morpheme in sudachipy_tokens:
            for word in self._words_of(morpheme):
                if not (dtokens and _is_space(word) and _is_space(dtokens[-1])):
                    dtokens.append(word)
        return dtokens

    def _words_of(self, morpheme: Any) -> list[DetailedToken]:
        """RETURNS (List[DetailedToken]): The word, `inf` being its whole morphology; nothing where it is empty."""
        key: tuple[str | int, ...] = (morpheme.surface(), morpheme.word_id())
        if morpheme.is_oov():  # numbers, too: no entry in the dictionary tells them apart
            key += (
                morpheme.part_of_speech_id(),
                morpheme.dictionary_form(),
                morpheme.normalized_form(),
                morpheme.reading_form(),
            )
        words = self._remembered.get(key)
        if words is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            words = [
                word._replace(lemma=word.lemma or word.surface, inf=_morph(word))
                for word in super()._get_dtokens([morpheme])
            ]
            self._remembered[key] = words
        return words

    def _set_config(self, config: dict[str, Any] = {}) -> None:  # noqa: B006  # spaCy's own signature
        super()._set_config(config)
        self._remembered.clear()  # parts of words are those of a split mode

    def _tokenize_piece(self, text: str, start: int, end: int) -> Doc:
        context = min(start, CONTEXT)
        doc = self._tokenize(text[start - context : end])
        first = next((token.i for token in doc if token.idx == context), None)
        if first is None:  # the text was cut within a word
            return self._tokenize(text[start:end])
        piece = doc[first:].as_doc()
        if self.need_subtokens:
            piece.user_data["sub_tokens"] = doc.user_data["sub_tokens"][first:]
        return piece

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the offsets of pieces that Sudachi takes with their context, as long as whole sentences allow."""
        limit = self.max_bytes - 4 * CONTEXT  # the longest character has four bytes
        start = size = previous = 0
        for end in [*[begin for begin, _ in sentence_offsets(text)][1:], len(text)]:
            size += len(text[previous:end].encode("utf-8"))
            while size > limit:
                # A sentence that is too long by itself is cut by length.
                cut = previous if previous > start else start + limit // 4
                yield start, cut
                start, size = cut, len(text[cut:end].encode("utf-8"))
            previous = end
        yield start, len(text)


def _is_space(word: DetailedToken) -> bool:
    return word.tag == "空白" and word.surface.isspace()


def _morph(word: DetailedToken) -> str:
    features = {"Inflection": word.inf, "Reading": word.reading.translate(NO_FEATURE)}
    return "|".join(f"{name}={value}" for name, value in features.items() if value)


def _parts_of_speech(words: Sequence[DetailedToken]) -> Iterator[int]:
    """YIELDS (int): Of each word, by its tag and that of the next; some pairs of tags decide on both."""
    decided = None
    for word, following in zip(words, [*words[1:], None], strict=True):
        if decided:
            pos, decided = decided, None
        else:
            pos, decided = resolve_pos(word.surface, word.tag, following.tag if following else None)
        yield pos
