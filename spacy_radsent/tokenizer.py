"""GiNZA's tokenizer (Sudachi, split mode C) without Sudachi's limit on the length of its input."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from spacy.lang.ja import JapaneseTokenizer as SpacyJapaneseTokenizer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .boundaries import sentence_offsets
from .errors import RadsentError

# Sudachi refuses more (sudachi.rs, input_text/buffer: u16::MAX / 4 * 3).
SUDACHI_MAX_BYTES = 49_149
CONTEXT = 8  # characters before a piece that Sudachi sees, too: which word it reads depends on the word before
TOKEN_ATTRS: list[int | str] = ["ORTH", "SPACY", "TAG", "POS", "LEMMA", "NORM", "MORPH"]


def create_tokenizer(split_mode: str | None = "C") -> Callable[[Language], "JapaneseTokenizer"]:
    """Build the tokenizer that `[nlp.tokenizer] @tokenizers = "spacy_radsent.JapaneseTokenizer.v1"` names.

    split_mode (Optional[str]): Sudachi's granularity, "A", "B" or "C" (as in ja_ginza).
    """
    return partial(_make_tokenizer, split_mode=split_mode)


def _make_tokenizer(nlp: Language, split_mode: str | None) -> "JapaneseTokenizer":
    return JapaneseTokenizer(nlp.vocab, split_mode=split_mode)


class JapaneseTokenizer(SpacyJapaneseTokenizer):
    """Tokenize input of any length, in pieces cut at sentence ends where it exceeds `max_bytes`.

    Cut there and given the end of the sentence before, the pieces tokenize as the whole text would: Sudachi's lattice
    has one path across a sentence end.
    """

    def __init__(self, vocab: Vocab, split_mode: str | None = "C", max_bytes: int = SUDACHI_MAX_BYTES) -> None:
        super().__init__(vocab, split_mode=split_mode)
        self.max_bytes = max_bytes

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
            return super().__call__(text)
        docs = [self._tokenize_piece(text, start, end) for start, end in self._pieces(text)]
        sub_tokens = [tokens for doc in docs for tokens in doc.user_data.pop("sub_tokens", [])]
        doc = Doc.from_docs(docs, ensure_whitespace=False, attrs=TOKEN_ATTRS)  # type: ignore[call-arg]  # missing in its stub
        if self.need_subtokens:
            doc.user_data["sub_tokens"] = sub_tokens
        return doc

    def _tokenize_piece(self, text: str, start: int, end: int) -> Doc:
        context = min(start, CONTEXT)
        doc = super().__call__(text[start - context : end])
        first = next((token.i for token in doc if token.idx == context), None)
        if first is None:  # the text was cut within a word
            return super().__call__(text[start:end])
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
