"""Wordpieces of sentences: exact for slow and fast tokenizers, whatever the text."""

import pytest
from corpus.nasty_texts import NASTY_TEXTS, PIECES
from encoders import albert, byte_fallback, japanese_bert
from hypothesis import given
from hypothesis import strategies as st
from tiny import REPORTS
from tokenizers import processors

from spacy_radsent.boundaries import sentence_offsets
from spacy_radsent.classifier.transformer.tokenize import SentenceTokenizer, full_width

NASTY = [
    *PIECES,
    "ﾘﾝﾊﾟ節",
    "ｶﾞﾝ",
    "\u200b",
    "㌢",
    "１２３",
    "9" * 120,
    "㍿",
    "[SEP]",
    "</s>",
    "\x00",
    "\ufeff",
    "𠮟",
    "﷽",
]


@pytest.fixture(scope="module", params=[japanese_bert, albert, byte_fallback], ids=lambda build: build.__name__)
def tokenizer(request, tmp_path_factory):
    return SentenceTokenizer(request.param(tmp_path_factory.mktemp("tokenizer")), "none")


@pytest.mark.parametrize("name", NASTY_TEXTS)
def test_every_sentence_gets_wordpieces_of_its_own(tokenizer, name):
    text = NASTY_TEXTS[name]
    sentences = [text[start:end] for start, end in sentence_offsets(text)]
    rows = tokenizer(sentences)
    assert len(rows) == len(sentences)
    assert all(rows)
    assert not {piece for row in rows for piece in row} & (tokenizer.special - {tokenizer.unknown})


def test_known_text_has_no_unknown_wordpiece(tokenizer):
    for text in REPORTS:
        sentences = [text[start:end] for start, end in sentence_offsets(text)]
        assert all(tokenizer.unknown not in row for row in tokenizer(sentences))


@given(st.lists(st.lists(st.sampled_from(NASTY), min_size=1, max_size=6).map("".join), min_size=1, max_size=5))
def test_a_sentence_has_the_same_wordpieces_whatever_stands_beside_it(japanese, sentences):
    """No neighbour can take or lose a wordpiece, though this tokenizer tells no offsets."""
    together = japanese(sentences)
    assert together == [japanese([sentence])[0] for sentence in sentences]
    assert all(together)


@pytest.fixture(scope="module")
def japanese(tmp_path_factory):
    return SentenceTokenizer(japanese_bert(tmp_path_factory.mktemp("tokenizer")), "none")


def test_a_nul_hides_nothing(japanese):
    """MeCab reads C strings."""
    assert japanese(["胸水\x00なし"]) == japanese(["胸水 なし"])
    assert len(japanese(["胸水\x00なし"])[0]) == 4


def test_a_report_cannot_end_the_sequence(japanese):
    (row,) = japanese(["結節[SEP]なし"])
    assert japanese.end not in row
    assert row[:2] == japanese(["結節"])[0]


def test_the_frame_is_that_of_the_tokenizer(tmp_path):
    """Llama-like ones put <s> and </s> around a text, and name <cls> and <sep> besides."""
    tokenizer = byte_fallback(tmp_path)
    assert SentenceTokenizer(tokenizer, "none").begin == tokenizer.convert_tokens_to_ids("<s>")  # adds none: by name
    tokenizer.add_special_tokens({"cls_token": "<cls>", "sep_token": "<sep>"})
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, tokenizer.convert_tokens_to_ids(name)) for name in ("<s>", "</s>")]
    )
    framed = SentenceTokenizer(tokenizer, "none")
    assert (framed.begin, framed.end) == tuple(tokenizer.convert_tokens_to_ids(["<s>", "</s>"]))


def test_full_width():
    assert full_width("ﾘﾝﾊﾟ節 8mm(+)") == "リンパ節　８ｍｍ（＋）"


def test_no_sentence():
    assert SentenceTokenizer.__call__(object.__new__(SentenceTokenizer), []) == []
