"""Wordpieces of sentences: exact for every tokenizer, with or without offsets, since each sentence is its own text."""

import unicodedata
from collections.abc import Callable
from typing import Any

from ...errors import RadsentError

# Half-width ASCII and space to their full-width forms; half-width kana are left to NFKC.
FULL_WIDTH = {**{code: code + 0xFEE0 for code in range(0x21, 0x7F)}, 0x20: 0x3000}


def full_width(text: str) -> str:
    """RETURNS (str): The text in full-width characters, as JMedRoBERTa was trained on."""
    return nfkc(text).translate(FULL_WIDTH)


def nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


# Named functions: a lambda would keep the component from being pickled, and so from other processes.
NORMALIZERS: dict[str, Callable[[str], str]] = {"none": str, "nfkc": nfkc, "full_width": full_width}


class SentenceTokenizer:
    """Turn sentences into wordpiece ids with a tokenizer of transformers."""

    def __init__(self, tokenizer: Any, normalize: str) -> None:
        """Wrap a tokenizer.

        tokenizer (PreTrainedTokenizerBase): Fast or slow.
        normalize (str): What to do with the text first: "none", "nfkc" or "full_width".
        """
        self.tokenizer = tokenizer
        self.normalize = NORMALIZERS[normalize]
        self.unknown: int = tokenizer.unk_token_id
        self.begin, self.end = _frame(tokenizer)
        self.pad: int = tokenizer.pad_token_id or 0
        self.special = set(tokenizer.all_special_ids)

    def __call__(self, texts: list[str], close: bool = False) -> list[list[int]]:
        """Tokenize sentences, each for itself.

        texts (List[str]): Sentences.
        close (bool): Whether to put the piece that ends a sequence after each.
        RETURNS (List[List[int]]): Their wordpieces, at least one each. What reads like a special token in a report is
            an unknown piece, so that no text can end a sequence early.
        """
        if not texts:
            return []
        rows = self.tokenizer(
            [_without_control(self.normalize(text)) for text in texts],
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,  # sequences longer than the model's maximum are cut into windows later
        )["input_ids"]
        end = [self.end] if close else []
        return [([self.unknown if i in self.special else i for i in row] or [self.unknown]) + end for row in rows]


def _without_control(text: str) -> str:
    """RETURNS (str): The text with spaces for control characters: MeCab ends a text at a NUL."""
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)


def _frame(tokenizer: Any) -> tuple[int, int]:
    """RETURNS (Tuple[int, int]): The special pieces around a text.

    Those that the tokenizer puts there itself, since the encoder was trained with these: of some models they are not
    what the tokenizer calls cls and sep.
    """
    bare = tokenizer("肝", add_special_tokens=False)["input_ids"]
    framed = tokenizer("肝")["input_ids"]
    if len(framed) == len(bare) + 2 and framed[1:-1] == bare:
        return framed[0], framed[-1]
    begin = [id for id in (tokenizer.cls_token_id, tokenizer.bos_token_id) if id is not None]
    end = [id for id in (tokenizer.sep_token_id, tokenizer.eos_token_id) if id is not None]
    if not begin or not end:
        raise RadsentError("The tokenizer has no token that begins or ends a sequence: use one of an encoder.")
    return begin[0], end[0]
