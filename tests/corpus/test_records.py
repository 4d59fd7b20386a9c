"""The corpus record: bad lines are named and never quoted, good ones survive a round trip to the character."""

import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty_texts import NASTY_TEXTS, PIECES, labelled_record

from spacy_radsent.corpus.records import Record, parse_record, read_records, write_records
from spacy_radsent.errors import RadsentError

CANARY = "山田花子"
TEXT = f"{CANARY}様。右肺S6に結節。"  # sentences at 0-6 and 6-14
GOOD = {
    "id": "K-0001",
    "text": TEXT,
    "sentences": [{"start": 0, "end": 6, "label": "BACKGROUND"}, {"start": 6, "end": 14, "label": "POSITIVE"}],
    "meta": {"institution": "K"},
}


def record_json(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes}, ensure_ascii=False)


def sentences_json(*sentences: Any) -> str:
    return record_json(sentences=[{"start": start, "end": end, "label": label} for start, end, label in sentences])


def without(field: str) -> str:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}, ensure_ascii=False)


# What is wrong -> the line, and what the message must name: the field, the value, the fix.
BAD_LINES: dict[str, tuple[str, list[str]]] = {
    "cut_off": (record_json()[:-20], ["not valid JSON", "column", "one JSON object per line"]),
    "single_quotes": (str(GOOD), ["not valid JSON", "column 2"]),
    "two_records_on_a_line": (record_json() + record_json(id="b"), ["not valid JSON", "Extra data"]),
    "raw_control_character": (record_json().replace("様", "\t"), ["not valid JSON", "control character"]),
    "list": (f"[{record_json()}]", ["expected a JSON object with id, text, sentences and meta"]),
    "string": (json.dumps(TEXT), ["expected a JSON object"]),
    "null": ("null", ["expected a JSON object"]),
    "nested_too_deeply": ("[" * 100_000, ["nested too deeply", "one record per line"]),
    "nested_meta": (f'{{"id": "a", "text": "{CANARY}", "meta": {"[" * 50_000}', ["nested too deeply"]),
    "no_id": (without("id"), ["field 'id' is missing", "add it"]),
    "no_text": (without("text"), ["field 'text' is missing"]),
    "no_end": (record_json(sentences=[{"start": 0}]), ["field 'sentences[0].end' is missing"]),
    "extra_field": (record_json(labels=[0, 1]), ["field 'labels' is not part of a record", "'meta'"]),
    "sentence_as_field": (record_json(**{TEXT: 1}), ["field a text of", "is not part of a record"]),
    "sentence_as_label": (
        record_json(sentences=[{"start": 0, "end": 6, "label": TEXT}]),
        ["label is a text of", "use one of BACKGROUND"],
    ),
    "extra_in_sentence": (
        record_json(sentences=[{"start": 0, "end": 6, "text": TEXT[:6]}]),
        ["field 'sentences[0].text' is not part"],
    ),
    "null_id": (record_json(id=None), ["field 'id' is None", "valid string"]),
    "number_id": (record_json(id=17), ["field 'id' is 17", "valid string"]),
    "empty_id": (record_json(id=""), ["field 'id'", "at least 1 character"]),
    "null_text": (record_json(text=None), ["field 'text' is None", "valid string"]),
    "list_text": (record_json(text=[TEXT]), ["field 'text' is a list", "valid string"]),
    "list_meta": (record_json(meta=[TEXT]), ["field 'meta' is a list", "valid dictionary"]),
    "null_sentences": (record_json(sentences=None), ["field 'sentences' is None", "valid list"]),
    "sentences_as_texts": (record_json(sentences=[TEXT]), ["field 'sentences[0]' is a str"]),
    "bool_offset": (sentences_json((False, 6, None)), ["field 'sentences[0].start' is False", "valid integer"]),
    "float_offset": (sentences_json((0, 6.0, None)), ["field 'sentences[0].end' is 6.0", "valid integer"]),
    "str_offset": (sentences_json((0, 6, None), ("6", 14, None)), ["field 'sentences[1].start' is a str"]),
    "nan_offset": (sentences_json((float("nan"), 6, None)), ["NaN", "null"]),
    "nan_in_meta": (record_json(meta={"age": float("nan")}), ["NaN", "null"]),
    "infinity_in_meta": (record_json(meta={"age": float("-inf")}), ["Infinity"]),
    "endless_number": (record_json(meta={"age": 0}).replace('"age": 0', '"age": ' + "9" * 5000), ["out of range"]),
    "lone_surrogate_in_text": (record_json().replace("様", "\\ud83d"), ["surrogate", "errors='replace'"]),
    "lone_surrogate_in_meta": (record_json(meta={"k": 0}).replace('"k"', '"\\uDFFF"'), ["surrogate"]),
    "negative_start": (
        sentences_json((-1, 6, None)),
        ["field 'sentences[0].start' is -1", "greater than or equal to 0"],
    ),
    "unknown_label": (
        sentences_json((0, 6, "BACKGROUND"), (6, 14, "POSTIVE")),
        ["'K-0001'", "sentences[1].label is 'POSTIVE'", "BACKGROUND, POSITIVE, NEGATIVE, CONTINUATION"],
    ),
    "lower_case_label": (sentences_json((0, 14, "positive")), ["sentences[0].label is 'positive'"]),
    "code_as_label": (sentences_json((0, 14, 1)), ["field 'sentences[0].label' is 1", "valid string"]),
    "end_past_the_text": (
        sentences_json((0, 6, None), (6, 15, None)),
        ["'K-0001'", "sentences[1].end is 15", "14 characters", "not bytes"],
    ),
    "byte_offsets": (sentences_json((0, 18, None), (18, 38, None)), ["sentences[0].end is 18", "not bytes"]),
    "empty_sentence": (
        sentences_json((0, 6, None), (6, 6, None), (6, 14, None)),
        ["sentences[1] runs from 6 to 6", "end must be greater"],
    ),
    "end_before_start": (sentences_json((6, 2, None)), ["sentences[0] runs from 6 to 2", "end must be greater"]),
    "overlapping": (
        sentences_json((0, 7, None), (6, 14, None)),
        ["sentences[1].start is 6", "ends at 7", "must not overlap"],
    ),
    "out_of_order": (sentences_json((6, 14, None), (0, 6, None)), ["characters 0 to 6 belong to no sentence"]),
    "same_sentence_twice": (sentences_json((0, 14, None), (0, 14, None)), ["sentences[1].start is 0", "ends at 14"]),
    "gap_at_the_start": (sentences_json((6, 14, None)), ["characters 0 to 6 belong to no sentence", "must cover"]),
    "gap_in_the_middle": (sentences_json((0, 5, None), (6, 14, None)), ["characters 5 to 6 belong to no sentence"]),
    "gap_at_the_end": (sentences_json((0, 6, None)), ["characters 6 to 14 belong to no sentence"]),
    "white_space_before": (
        record_json(text=f"{TEXT[:6]}\u3000{TEXT[6:]}", sentences=[{"start": 0, "end": 6}, {"start": 6, "end": 15}]),
        ["sentences[1] runs from 6 to 15", "white space at its edge"],
    ),
    "white_space_after": (
        record_json(text=f"{TEXT}\r\n", sentences=[{"start": 0, "end": 15}]),
        ["sentences[0] runs from 0 to 15", "white space at its edge"],
    ),
    "duplicate_id": (record_json(id="K-0000"), ["field 'id' is 'K-0000'", "as on line 1", "an id of its own"]),
}


def error_of(path: Any, **options: Any) -> str:
    """RETURNS (str): What reading the file complains about; checked to be one sentence without the report."""
    with pytest.raises(RadsentError) as info:
        list(read_records(path, **options))
    message = str(info.value)
    assert message.startswith(str(path))
    assert "\n" not in message and message.endswith("."), "one sentence on one line"
    assert ": " in message
    # What Python would print of it, with the exceptions that caused it.
    assert CANARY not in "".join(traceback.format_exception(info.value))
    return message


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_line_is_named_and_not_quoted(case, tmp_path):
    line, fragments = BAD_LINES[case]
    path = tmp_path / "corpus.jsonl"
    path.write_text(f"{record_json(id='K-0000')}\n{line}\n{record_json(id='K-0002')}\n", encoding="utf-8")
    message = error_of(path)
    assert message.startswith(f"{path}, line 2")
    for fragment in fragments:
        assert fragment in message


def test_line_numbers_count_empty_lines(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text(f"\n\n{record_json()}\n \t\n{{\n", encoding="utf-8")
    assert error_of(path).startswith(f"{path}, line 5:")


def test_records_before_the_bad_line_are_read(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text(f"{record_json()}\n{{\n", encoding="utf-8")
    assert next(read_records(path)).id == "K-0001"


@pytest.mark.parametrize(
    "line, fragment",
    [
        (sentences_json((0, 6, "BACKGROUND"), (6, 14, None)), "sentences[1].label is missing"),
        (record_json(sentences=[]), "characters 0 to 14 belong to no sentence"),
        (without("sentences"), "characters 0 to 14 belong to no sentence"),
    ],
    ids=["one_label_missing", "no_sentences", "no_field"],
)
def test_labelled_corpus_must_be_labelled(line, fragment, tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text(line, encoding="utf-8")
    assert len(list(read_records(path))) == 1, "fine as a corpus that nobody has labelled yet"
    assert fragment in error_of(path, labelled=True)


@pytest.mark.parametrize("text", ["", "\n \u3000"], ids=["empty", "blank"])
def test_report_without_text_needs_no_labels(text):
    record = parse_record(json.dumps({"id": "a", "text": text}), labelled=True)
    assert record == Record(id="a", text=text, sentences=[], meta={})


@pytest.mark.parametrize("content", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf"], ids=["0_bytes", "blank", "bom_only"])
def test_empty_corpus(content, tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(content)
    assert "the corpus is empty" in error_of(path)


@pytest.mark.parametrize("encoding, byte", [("cp932", "0x8e"), ("euc_jp", "0xbb")], ids=["cp932", "euc_jp"])
def test_other_encodings_are_named_by_line(encoding, byte, tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(b'{"id": "a", "text": "CT: n.p."}\n\n' + record_json().encode(encoding))
    message = error_of(path)
    assert message.startswith(f"{path}, line 3: not UTF-8 (byte {byte})")
    assert "save it as UTF-8, or give --encoding" in message


def test_utf16_is_refused(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(record_json().encode("utf-16"))
    assert "line 1: not UTF-8 (byte 0xff)" in error_of(path)


def test_missing_file(tmp_path):
    assert "no such file: check the path" in error_of(tmp_path / "reports" / "none.jsonl")


def test_folder_instead_of_file(tmp_path):
    assert "cannot be read (Is a directory)" in error_of(tmp_path)


def test_bom_crlf_and_no_last_line_end_are_accepted(tmp_path):
    path = tmp_path / "corpus.jsonl"
    lines = [record_json(id="a"), "", record_json(id="b"), record_json(id="c", text="両肺野\u2028清。", sentences=[])]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode("utf-8"))
    records = list(read_records(path))
    assert [record.id for record in records] == ["a", "b", "c"]
    assert records[0].sentence_texts == [TEXT[:6], TEXT[6:]]
    assert records[2].text == "両肺野\u2028清。"


def test_escaped_surrogate_pairs_are_characters():
    """`json.dumps` writes them by default."""
    assert parse_record(json.dumps({"id": "a", "text": "結節🫁"})).text == "結節🫁"


def test_sentence_texts_of_repeated_sentences():
    record = labelled_record("a", NASTY_TEXTS["repeated_sentences"])
    assert record.sentence_texts.count("膵：著変なし。") == 2
    assert record.sentence_texts[-2:] == ["著変なし。", "著変なし。"]


@pytest.mark.parametrize("name", NASTY_TEXTS)
def test_nasty_texts_survive_a_round_trip(name, tmp_path):
    text = NASTY_TEXTS[name]
    record = labelled_record(name, text)
    path = tmp_path / "corpus.jsonl"
    assert write_records([record, record.model_copy(update={"id": "again"})], path) == 2
    first, second = read_records(path, labelled=True)
    assert first == record and second.sentences == record.sentences
    assert first.text == text
    assert first.sentence_texts == [text[s.start : s.end] for s in record.sentences]
    # Everything but white space is in a sentence.
    assert "".join("".join(first.sentence_texts).split()) == "".join(text.split())
    # One line a record for every program, and characters that can be searched for.
    assert path.read_bytes().count(b"\n") == 2


def test_japanese_is_written_as_it_is(tmp_path):
    path = tmp_path / "corpus.jsonl"
    write_records([Record(id="あ", text="結節。")], path)
    assert path.read_text(encoding="utf-8") == '{"id": "あ", "text": "結節。", "sentences": [], "meta": {}}\n'


TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=3), meta=st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3)
)
def test_any_text_survives_a_round_trip(texts, meta, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any_text.jsonl"
    records = [labelled_record(f"{i}", text).model_copy(update={"meta": meta}) for i, text in enumerate(texts)]
    write_records(records, path)
    assert list(read_records(path, labelled=True)) == records


def test_failed_write_keeps_the_old_corpus(tmp_path):
    path = tmp_path / "corpus.jsonl"
    write_records([Record(id="old", text="旧")], path)
    before = path.read_bytes()

    def records():
        yield Record(id="new", text="新")
        raise RadsentError("other.jsonl, line 2: bad.")

    with pytest.raises(RadsentError, match="line 2: bad"):
        write_records(records(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
