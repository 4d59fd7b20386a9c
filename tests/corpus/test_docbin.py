"""Records and spaCy: offsets to the character, nothing lost in a DocBin, what does not fit the tokens is counted."""

import subprocess
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from nasty_texts import NASTY_TEXTS, PIECES, labelled_record
from processes import LIGHT_PYTHON
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_radsent.corpus.docbin import Alignment, doc_to_record, record_to_doc, write_docbin
from spacy_radsent.corpus.records import Record, Sentence, parse_record, write_records
from spacy_radsent.labels import SPANS_KEY

ROOT = Path(__file__).parents[2]


def record(id: str, text: str, *ends: int, label: str | None = "POSITIVE") -> Record:
    """RETURNS (Record): A report whose sentences end at the given characters, whatever stands there."""
    sentences = [Sentence(start=start, end=end, label=label) for start, end in zip([0, *ends], ends, strict=False)]
    return Record(id=id, text=text, sentences=sentences)


def assert_same_sentences(doc, record):
    """The span group, and the sentence boundaries, are those of the record."""
    group = doc.spans[SPANS_KEY]
    assert doc.text == record.text
    assert [(s.start_char, s.end_char, s.label_ or None) for s in group] == [
        (s.start, s.end, s.label) for s in record.sentences
    ]
    assert [span.text for span in group] == record.sentence_texts
    first_tokens = [span.start for span in group]
    if len(doc):
        # White space before the first sentence belongs to it, white space after a sentence to that.
        assert [sent.start for sent in doc.sents] == [0, *first_tokens[1:]]


# Sudachi's dictionary may read a full stop and the invisible character or symbol behind it as one token.
GLUED = ("emoji_zwj", "line_separators", "control_characters")


@pytest.mark.parametrize("name", [name for name in NASTY_TEXTS if name not in GLUED])
def test_nasty_texts_keep_their_offsets(name, nlp):
    gold = labelled_record(name, NASTY_TEXTS[name])
    alignment = Alignment()
    doc = record_to_doc(gold, nlp, alignment)
    assert alignment == Alignment(), "every sentence edge is a token edge"
    assert_same_sentences(doc, gold)
    assert all(token.is_sent_start is not None for token in doc)
    back = doc_to_record(doc, name, {})
    assert (back.id, back.text, back.sentences) == (gold.id, gold.text, gold.sentences)


def assert_every_move_is_told(doc, gold, alignment):
    """What differs from the record is listed, nothing else is; what comes back is a valid record of the same text."""
    assert alignment.left_out == []
    group = doc.spans[SPANS_KEY]
    assert [span.label_ for span in group] == [sentence.label for sentence in gold.sentences]
    edges = [(span.start_char, span.end_char) for span in group]
    differing = [i for i, s in enumerate(gold.sentences) if edges[i] != (s.start, s.end)]
    assert alignment.moved == [f"{gold.id}: sentence {i}" for i in differing]
    back = doc_to_record(doc, gold.id, {})
    assert back.text == doc.text == gold.text
    assert parse_record(back.model_dump_json(), labelled=True) == back


@pytest.mark.parametrize("name", GLUED)
def test_glued_characters_move_an_edge_and_are_told(name, nlp):
    gold = labelled_record(name, NASTY_TEXTS[name])
    alignment = Alignment()
    assert_every_move_is_told(record_to_doc(gold, nlp, alignment), gold, alignment)


def test_white_space_inside_a_token_stays_out_of_the_record(nlp):
    """A full stop and the line separator behind it: the span holds both, the record does not."""
    doc = Doc(nlp.vocab, words=["胸水", "なし", "。\u2028", "著変", "なし", "。"], spaces=[False] * 6)
    spans = [Span(doc, 0, 3, label="NEGATIVE"), Span(doc, 3, 6, label="NEGATIVE")]
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=spans)
    back = doc_to_record(doc, "a", {})
    assert back.sentence_texts == ["胸水なし。", "著変なし。"]
    assert parse_record(back.model_dump_json(), labelled=True) == back


@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_any_text_keeps_its_offsets(text, nlp):
    gold = labelled_record("a", text)
    alignment = Alignment()
    doc = record_to_doc(gold, nlp, alignment)
    if doc is None:
        assert alignment == Alignment(left_out=["a"])
        return
    assert [sent.start for sent in doc.sents][1:] == [span.start for span in doc.spans[SPANS_KEY]][1:]
    assert_every_move_is_told(doc, gold, alignment)
    if not alignment.moved:
        assert_same_sentences(doc, gold)


@pytest.fixture(scope="module")
def everything(bundled, institutions):
    return [*bundled, *institutions]


@pytest.fixture(scope="module")
def bundled_docbin(everything, tmp_path_factory):
    path = tmp_path_factory.mktemp("docbin") / "bundled.spacy"
    return path, write_docbin(everything, path)


def test_bundled_reports_survive_a_docbin(everything, bundled_docbin):
    path, alignment = bundled_docbin
    assert alignment == Alignment(), "every edge of 112,175 sentences is a token edge"
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("ja").vocab))
    assert len(docs) == len(everything) == 10416
    for doc, gold in zip(docs, everything, strict=True):
        assert_same_sentences(doc, gold)
    assert sum(len(doc.spans[SPANS_KEY]) for doc in docs) == 112_175


def test_docbin_holds_no_user_data(bundled_docbin):
    path, _ = bundled_docbin
    docbin = DocBin().from_disk(path)
    assert docbin.store_user_data is False
    assert all(doc.user_data == {} for doc in docbin.get_docs(spacy.blank("ja").vocab))


def test_nasty_texts_survive_a_docbin(tmp_path):
    golds = [labelled_record(name, text) for name, text in NASTY_TEXTS.items() if name not in GLUED]
    assert write_docbin(golds, tmp_path / "a.spacy") == Alignment()
    docs = DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("ja").vocab)
    for doc, gold in zip(docs, golds, strict=True):
        assert_same_sentences(doc, gold)


def test_unlabelled_sentences_get_an_empty_label(nlp):
    doc = record_to_doc(record("a", "胸水なし。心嚢水なし。", 5, 11, label=None), nlp, Alignment())
    assert [span.label_ for span in doc.spans[SPANS_KEY]] == ["", ""]
    assert [s.label for s in doc_to_record(doc, "a", {}).sentences] == [None, None]


def test_another_key(nlp):
    doc = record_to_doc(record("a", "胸水なし。", 5), nlp, Alignment(), spans_key="gold")
    assert list(doc.spans) == ["gold"]
    assert doc_to_record(doc, "a", {}, spans_key="gold").sentence_texts == ["胸水なし。"]


def test_edge_inside_a_token_is_moved_and_reported(nlp):
    text = "縦隔リンパ節腫大。著変なし。"
    assert "リンパ節" in [token.text for token in nlp.make_doc(text)]
    alignment = Alignment()
    doc = record_to_doc(record("K1", text, 4, 9, 14), nlp, alignment)
    assert [span.text for span in doc.spans[SPANS_KEY]] == ["縦隔リンパ節", "腫大。", "著変なし。"]
    assert [sent.text for sent in doc.sents] == ["縦隔リンパ節", "腫大。", "著変なし。"]
    assert alignment == Alignment(moved=["K1: sentence 0", "K1: sentence 1"], left_out=[])
    assert doc_to_record(doc, "K1", {}).text == text


@pytest.mark.parametrize("ends", [(2, 4), (1, 2, 4), (3, 4, 9)], ids=["two", "three", "the_last_character"])
def test_two_sentences_in_one_token_leave_the_report_out(ends, nlp):
    text = "リンパ節腫大なし。"
    assert nlp.make_doc(text)[0].text == "リンパ節"
    alignment = Alignment()
    assert record_to_doc(record("K1", text, *ends), nlp, alignment) is None
    assert alignment == Alignment(moved=[], left_out=["K1"]), "a report that is left out has no moved sentences"


def test_docbin_counts_what_does_not_fit(tmp_path):
    records = [
        record("good", "胸水なし。", 5),
        record("left out", "リンパ節", 2, 4),
        record("moved", "リンパ節腫大", 2, 6, label="NEGATIVE"),
        record("good too", "心嚢水なし。", 6),
    ]
    alignment = write_docbin(records, tmp_path / "a.spacy")
    assert alignment.left_out == ["left out"]
    assert alignment.moved == ["moved: sentence 0", "moved: sentence 1"]
    docs = list(DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("ja").vocab))
    assert [[span.text for span in doc.spans[SPANS_KEY]] for doc in docs] == [
        ["胸水なし。"],
        ["リンパ節", "腫大"],
        ["心嚢水なし。"],
    ]


def test_reports_of_ones_own_that_do_not_fit_the_tokens_are_told(tmp_path):
    """As the workflow adapt mixes them: none of its copies may be trained on without a word."""
    command = [
        *LIGHT_PYTHON,
        ROOT / "scripts/mix_local.py",
        "own.jsonl",
        ROOT / "assets/bundled/part00.jsonl",
        "out.spacy",
    ]
    bad, good = record("bad", "リンパ節", 2, 4), record("good", "胸水なし。", 5, label="NEGATIVE")
    for records, code in (([bad, good], 0), ([bad], 1)):
        write_records(records, tmp_path / "own.jsonl")
        done = subprocess.run([*command, "0.5", "0"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert "Left out, since two of their sentences share a token: bad\n" in done.stdout
    assert done.stderr == "Error: own.jsonl: no report is left: correct where their sentences begin and end.\n"


def test_reports_to_test_on_are_not_adapted_to(tmp_path):
    tested, other = record("t", "胸水なし。", 5, label="NEGATIVE"), record("o", "右肺に結節。", 6, label="POSITIVE")
    write_records([tested, other], tmp_path / "own.jsonl")
    write_records([tested], tmp_path / "test.jsonl")
    command = [*LIGHT_PYTHON, ROOT / "scripts/mix_local.py", "own.jsonl", ROOT / "assets/bundled/part00.jsonl"]
    for tests, code in ((["test.jsonl"], 0), (["test.jsonl", "own.jsonl"], 1)):
        line = [*command, "out.spacy", "0.5", "0", *tests]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert code or "Left out: 1 reports that stand in test.jsonl as well" in done.stdout
    assert done.stderr == "Error: own.jsonl: test.jsonl and own.jsonl hold the same reports: keep some to test on.\n"


def test_predictions_become_a_record(nlp):
    doc = record_to_doc(record("a", "右肺に結節。胸水？", 6, 9), nlp, Alignment())
    group = doc.spans[SPANS_KEY]
    scores = [[0.05, 0.9, 0.03, 0.02], [0.25, 0.25, 0.25, 0.25]]
    group.attrs.update(scores=scores, status=["ok", "review"], source="radsent")
    back = doc_to_record(doc, "新", {"source": "synthetic"})
    prediction = {"scores": scores, "status": ["ok", "review"], "source": "radsent"}
    assert back.meta == {"source": "synthetic", "prediction": prediction}
    assert [(s.start, s.end, s.label) for s in back.sentences] == [(0, 6, "POSITIVE"), (6, 9, "POSITIVE")]


def test_failed_docbin_keeps_the_old_one(tmp_path):
    path = tmp_path / "a.spacy"
    write_docbin([record("good", "胸水なし。", 5)], path)
    before = path.read_bytes()

    def records():
        yield record("a", "胸水なし。", 5)
        raise RuntimeError("disk gone")

    with pytest.raises(RuntimeError, match="disk gone"):
        write_docbin(records(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
