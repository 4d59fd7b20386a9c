"""The tokenizer is spaCy's own for Japanese, for input of any length."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.ja import JapaneseTokenizer as SpacyJapaneseTokenizer
from spacy.tokens import Doc

from spacy_radsent.boundaries import sentence_offsets
from spacy_radsent.tokenizer import SUDACHI_MAX_BYTES, JapaneseTokenizer


@pytest.fixture(scope="module")
def spacys_own(nlp) -> SpacyJapaneseTokenizer:
    return SpacyJapaneseTokenizer(nlp.vocab, split_mode="C")


@pytest.fixture(scope="module")
def in_pieces(nlp) -> JapaneseTokenizer:
    """Cuts whatever is longer than a dozen characters."""
    return JapaneseTokenizer(nlp.vocab, max_bytes=80)


@pytest.fixture(scope="module")
def long_report(bundled) -> str:
    """Bundled reports joined in several ways to nearly what Sudachi takes at once."""
    text = ""
    for i, record in enumerate(bundled):
        text += record.text + ("\n", "\n\n　", "\r\n", " ")[i % 4]
        if len(text.encode()) > SUDACHI_MAX_BYTES - 3_000:
            break
    assert len(text.encode()) <= SUDACHI_MAX_BYTES
    return text


def annotations(doc: Doc) -> list[tuple]:
    tokens = [(t.idx, t.text, t.whitespace_, t.tag_, t.pos_, t.lemma_, t.norm_, str(t.morph)) for t in doc]
    return [*tokens, doc.text, doc.user_data]


def test_same_annotations_as_spacys_own(nlp, spacys_own, bundled):
    for record in bundled[::8]:
        doc = nlp.make_doc(record.text)
        assert annotations(doc) == annotations(spacys_own(record.text))
        assert any(doc.user_data["sub_tokens"])


@given(
    st.text(st.sampled_from("右肺結節なしとでサ変造影した12,.３二十mmＣＴｶﾞa+-()（）・、。 \n\u3000"), max_size=40)
    | st.text(max_size=20)
)
def test_same_annotations_as_spacys_own_for_any_text(nlp, spacys_own, text):
    assert annotations(nlp.make_doc(text)) == annotations(spacys_own(text))


def test_words_that_are_remembered_are_limited(nlp, spacys_own, bundled, monkeypatch):
    monkeypatch.setattr("spacy_radsent.tokenizer.MAX_REMEMBERED", 50)
    tokenizer = JapaneseTokenizer(nlp.vocab)
    for record in bundled[:10]:
        assert annotations(tokenizer(record.text)) == annotations(spacys_own(record.text))
        assert len(tokenizer._remembered) <= 50


def test_words_are_remembered_beyond_a_memory_zone(bundled):
    nlp = pipeline("C")
    text = bundled[0].text
    with nlp.memory_zone():
        first = annotations(nlp.make_doc(text))
    assert annotations(nlp.make_doc(text)) == first


# Small pieces make many cuts: of 75 a few begin with a word that is read differently at the start of a text.
@pytest.mark.parametrize("max_bytes", [600, 2_000, 30_000])
def test_pieces_give_the_same_annotations(nlp, spacys_own, long_report, max_bytes):
    doc = JapaneseTokenizer(nlp.vocab, max_bytes=max_bytes)(long_report)
    assert annotations(doc) == annotations(spacys_own(long_report))
    assert len(doc.user_data["sub_tokens"]) == len(doc)


@pytest.mark.parametrize("max_bytes", [600, 30_000])
def test_pieces_are_cut_at_sentence_ends(nlp, long_report, max_bytes):
    pieces = list(JapaneseTokenizer(nlp.vocab, max_bytes=max_bytes)._pieces(long_report))
    assert "".join(long_report[start:end] for start, end in pieces) == long_report
    assert {start for start, _ in pieces} <= {start for start, _ in sentence_offsets(long_report)}
    assert max_bytes / 2 < max(len(long_report[start:end].encode()) for start, end in pieces) < max_bytes


@pytest.mark.parametrize("text", ["肝嚢胞。", "肝嚢胞。" * 20], ids=["whole", "pieces"])
def test_sets_no_sentence_boundaries(in_pieces, text):
    assert not in_pieces(text).has_annotation("SENT_START")


@pytest.mark.parametrize("split_mode", ["A", None], ids=str)
def test_pieces_without_sub_tokens(nlp, split_mode):
    assert JapaneseTokenizer(nlp.vocab, split_mode, max_bytes=80)("悪性リンパ腫を疑う。" * 10).user_data == {}


LONG = {
    "limit": "肝" * 16_383,
    "over_the_limit": "肝" * 16_383 + "a",
    "no_period": "右肺上葉に結節を認め" * 2_000,
    "one_word": "a" * 60_000,
    "digits": "1" * 60_000,
    "emoji": "🫁" * 15_000,
    "joined_emoji": "👨‍👩‍👧‍👦" * 3_000,
    "decomposed_kana": "か\u3099" * 10_000,
    "halfwidth_kana": "ｶﾞﾝ" * 8_000,
    "spaces": "肝" + " " * 60_000 + "。胆",
    "white_space": " \n\u3000" * 20_000,
    "line_ends": "\r\n" * 30_000,
    "long_sentence_among_short": "肝嚢胞。" + "右肺上葉に結節を認め" * 2_000 + "。\n胆石。" * 10,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_input(nlp, text):
    assert nlp.make_doc(text).text == text


def test_limit_is_where_sudachi_puts_it(spacys_own):
    assert [len(LONG[key].encode()) for key in ("limit", "over_the_limit")] == [49_149, 49_150]
    with pytest.raises(Exception, match="too long"):
        spacys_own(LONG["over_the_limit"])


def test_200_000_bytes(nlp, bundled):
    text = "\n".join(record.text for record in bundled).encode()[:200_000].decode(errors="ignore")
    text += "a" * (200_000 - len(text.encode()))
    doc = nlp.make_doc(text)
    assert (doc.text, len(text.encode())) == (text, 200_000)
    assert not [token for token in doc if not token.pos]


ODD = {
    "empty": "",
    "space": " ",
    "ideographic_space": "\u3000\u3000",
    "nul": "肝\0嚢胞。\0",
    "bidi_controls": "\u202e右肺\u202c結節\u2066\u200f。",
    "byte_order_mark": "\ufeff肝嚢胞。\ufeff",
    "ellipsis": "肝嚢胞…。",
    "overline": "￣￣肝",
    "compatibility": "㎜㌢①㍿ﷺ",
    "variation_selector": "葛\U000e0100飾❤️",
    "line_ends": "\r\n肝\r胆\u2028脾\x85\x1c",
}


@pytest.mark.parametrize(
    "text", [*ODD.values(), *(text * 20 for text in ODD.values())], ids=[*ODD, *(f"{k}_20" for k in ODD)]
)
def test_odd_input_is_kept(in_pieces, text):
    assert in_pieces(text).text == text


@given(
    st.text(st.sampled_from("右肺結節ガｶﾞか\u3099。．.1a \n\u3000\t\r\0🫁\u200d(（"), max_size=60) | st.text(max_size=40)
)
def test_any_text_is_kept(in_pieces, text):
    assert in_pieces(text).text == text


@pytest.mark.parametrize("text", ["右肺\ud83e結節。", "右肺\udcff" + "結節。" * 20_000], ids=["short", "long"])
def test_lone_surrogate(nlp, text):
    with pytest.raises(
        ValueError, match=r"^The text holds a lone surrogate \(U\+D\w{3}\) at character 2, .*\.$"
    ) as error:
        nlp.make_doc(text)
    assert "右肺" not in str(error.value)
    assert error.value.__suppress_context__ and not error.value.__cause__  # which quotes the report


def pipeline(split_mode: str) -> spacy.Language:
    tokenizer = {"@tokenizers": "spacy_radsent.JapaneseTokenizer.v1", "split_mode": split_mode}
    return spacy.blank("ja", config={"nlp": {"tokenizer": tokenizer}})


# One word in mode C, two in mode B, three in mode A.
@pytest.mark.parametrize(("split_mode", "count"), [("A", 3), ("B", 2), ("C", 1)])
def test_saved_pipeline_keeps_the_split_mode(tmp_path, split_mode, count):
    original = pipeline(split_mode)
    original.to_disk(tmp_path)
    by_bytes = pipeline("C" if split_mode == "A" else "A").from_bytes(original.to_bytes())
    for nlp in (original, spacy.load(tmp_path), by_bytes, pickle.loads(pickle.dumps(original))):
        assert isinstance(nlp.tokenizer, JapaneseTokenizer)
        assert nlp.tokenizer.split_mode == split_mode
        assert len(nlp.make_doc("国家公務員")) == count


def test_other_split_mode_splits_anew(nlp):
    tokenizer, other = JapaneseTokenizer(nlp.vocab, "C"), JapaneseTokenizer(nlp.vocab, "B")
    tokenizer("国家公務員")
    tokenizer.from_bytes(other.to_bytes())
    assert annotations(tokenizer("国家公務員")) == annotations(other("国家公務員"))


def test_threads_share_a_tokenizer(nlp, bundled):
    """As in a server; spaCy's own fails with "Already borrowed"."""
    texts = [record.text for record in bundled[:40]]
    with ThreadPoolExecutor(4) as pool:
        docs = list(pool.map(nlp, texts))
    assert [annotations(doc) for doc in docs] == [annotations(nlp(text)) for text in texts]


def test_pickle_keeps_the_limit(in_pieces):
    copy = pickle.loads(pickle.dumps(in_pieces))
    text = "肝嚢胞。" * 20
    assert copy.max_bytes == 80
    assert annotations(copy(text)) == annotations(in_pieces(text))
