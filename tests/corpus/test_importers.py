"""Other formats become records: texts untouched, labels by position, mistakes named and reports never quoted."""

import json
from pathlib import Path
from typing import Any

import pytest
from nasty_texts import NASTY_TEXTS, labelled_record

from spacy_radsent.boundaries import SentenceRules
from spacy_radsent.corpus.importers import IMPORTERS, Reading, import_records
from spacy_radsent.corpus.records import Record, read_records, record_line, write_records
from spacy_radsent.corpus.rows import Layout
from spacy_radsent.errors import RadsentError

CANARY = "山田花子"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def error_of(path: Path, source: str = "auto") -> str:
    with pytest.raises(RadsentError) as info:
        list(import_records(path, source))
    message = str(info.value)
    assert "\n" not in message and message.endswith(".")
    assert CANARY not in message
    return message


def labels(record: Record) -> list[tuple[str, str | None]]:
    return [(text, s.label) for text, s in zip(record.sentence_texts, record.sentences, strict=True)]


# The paper's JSONL


def paper_row(lines: Any, classes: Any) -> str:
    return json.dumps({"finding_lines": lines, "sentence_class": classes}, ensure_ascii=False)


LINES = ["比較：2023年のCT。", "右肺S6に12mm大の結節あり。", "前回より増大。", "胸水なし。"]
CLASSES = {LINES[0]: 0, LINES[1]: 1, LINES[2]: 3, LINES[3]: 2}


@pytest.mark.parametrize(
    "classes",
    [json.dumps(CLASSES, ensure_ascii=False), json.dumps(CLASSES), CLASSES, {k: str(v) for k, v in CLASSES.items()}],
    ids=["json_string", "escaped_json_string", "object", "codes_as_strings"],
)
def test_paper_format(classes, tmp_path):
    path = write(
        tmp_path / "validation.jsonl", paper_row(LINES, classes) + "\n\n" + paper_row(LINES[:1], classes) + "\n"
    )
    first, second = import_records(path)
    assert first.text == "\n".join(LINES)
    assert labels(first) == list(zip(LINES, ["BACKGROUND", "POSITIVE", "CONTINUATION", "NEGATIVE"], strict=True))
    assert labels(second) == [(LINES[0], "BACKGROUND")]
    assert [first.id, second.id] == ["validation-00001", "validation-00003"], "the line of the file"


def test_paper_format_keeps_a_repeated_sentence(tmp_path):
    lines = ["肝：", "著変なし。", "脾：", "著変なし。", "著変なし。"]
    path = write(tmp_path / "a.jsonl", paper_row(lines, {"肝：": 0, "脾：": 0, "著変なし。": 2}))
    (record,) = import_records(path)
    assert [label for _, label in labels(record)] == ["BACKGROUND", "NEGATIVE", "BACKGROUND", "NEGATIVE", "NEGATIVE"]
    assert [s.start for s in record.sentences] == [0, 3, 9, 12, 18]


def test_paper_format_keeps_white_space_out_of_sentences(tmp_path):
    lines = ["\u3000右腎に嚢胞。 ", "", " \t", "\u3000", "\u3000前回と\n著変なし。"]
    path = write(tmp_path / "a.jsonl", paper_row(lines, {line: i % 4 for i, line in enumerate(lines)}))
    (record,) = import_records(path)
    assert record.text == "\n".join(lines)
    assert labels(record) == [("右腎に嚢胞。", "BACKGROUND"), ("前回と\n著変なし。", "BACKGROUND")]
    write_records([record], tmp_path / "out.jsonl")
    assert list(read_records(tmp_path / "out.jsonl", labelled=True)) == [record]


def test_paper_format_without_sentences(tmp_path):
    (record,) = import_records(write(tmp_path / "a.jsonl", paper_row([], {})))
    assert (record.text, record.sentences) == ("", [])


SENTENCE = f"{CANARY}様の右肺に結節。"
BAD_ROWS = {
    "code_7": (paper_row([SENTENCE], {SENTENCE: 7}), ["'sentence_class'", "no label code", "0, 1, 2 or 3"]),
    "negative_code": (paper_row([SENTENCE], {SENTENCE: -1}), ["no label code"]),
    "code_between": (paper_row([SENTENCE], {SENTENCE: 1.9}), ["no label code"]),
    "code_null": (paper_row([SENTENCE], {SENTENCE: None}), ["no label code"]),
    "code_list": (paper_row([SENTENCE], {SENTENCE: [1]}), ["no label code"]),
    "name_for_code": (paper_row([SENTENCE], {SENTENCE: "POSITIVE"}), ["no label code"]),
    "code_nan": (paper_row([SENTENCE], {SENTENCE: float("nan")}), ["NaN"]),
    "code_infinity": (paper_row([SENTENCE], f'{{"{SENTENCE}": Infinity}}'), ["'sentence_class'", "Infinity"]),
    "sentence_without_code": (
        paper_row(["胸水なし。", SENTENCE], {"胸水なし。": 2}),
        ["finding_lines[1] has no code in 'sentence_class'", "add it"],
    ),
    "altered_sentence": (paper_row([SENTENCE], {SENTENCE[:-1]: 1}), ["finding_lines[0] has no code"]),
    "no_sentence_class": (json.dumps({"finding_lines": [SENTENCE]}), ["field 'sentence_class' is missing"]),
    "no_finding_lines": (json.dumps({"sentence_class": {SENTENCE: 1}}), ["field 'finding_lines' is missing"]),
    "not_json": (paper_row([SENTENCE], {SENTENCE: 1})[:-3], ["not valid JSON", "one JSON object per line"]),
    "class_not_json": (paper_row([SENTENCE], f"{{'{SENTENCE}': 1}}"), ["field 'sentence_class'", "not valid JSON"]),
    "class_is_list": (paper_row([SENTENCE], [1]), ["field 'sentence_class' is no JSON object"]),
    "class_is_list_in_a_string": (paper_row([SENTENCE], "[1]"), ["field 'sentence_class' is no JSON object"]),
    "lines_are_one_string": (paper_row(SENTENCE, {SENTENCE: 1}), ["field 'finding_lines' is no list of strings"]),
    "lines_are_numbers": (paper_row([5], {"5": 1}), ["field 'finding_lines' is no list of strings"]),
    "lines_are_null": (paper_row(None, {}), ["field 'finding_lines' is no list of strings"]),
    "row_is_a_list": (json.dumps(["finding_lines", SENTENCE]), ["field 'finding_lines' is missing"]),
    "row_is_null": ("null", ["field 'finding_lines' is missing"]),
    "lone_surrogate": (paper_row([SENTENCE], {SENTENCE: 1}).replace("様", "\\ud800"), ["surrogate"]),
    "nested_too_deeply": ("[" * 100_000, ["nested too deeply"]),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_paper_row_is_named_and_not_quoted(case, tmp_path):
    line, fragments = BAD_ROWS[case]
    path = write(tmp_path / "a.jsonl", f"{paper_row(LINES, CLASSES)}\n{line}\n")
    message = error_of(path)
    assert message.startswith(f"{path}, line 2")
    for fragment in fragments:
        assert fragment in message


def test_published_validation_split(shared_data):
    records = list(import_records(shared_data("jichi/validation.jsonl")))
    assert len(records) == 334
    assert sum(len(record.sentences) for record in records) == 3736
    assert all(sentence.label for record in records for sentence in record.sentences)
    assert len({record.id for record in records}) == 334


# Text files


@pytest.mark.parametrize("name", NASTY_TEXTS)
def test_text_file_is_split_by_rule_and_kept_to_the_character(name, tmp_path):
    path = write(tmp_path / "report.txt", NASTY_TEXTS[name])
    (record,) = import_records(path)
    expected = labelled_record("report", NASTY_TEXTS[name])
    assert (record.id, record.text) == ("report", expected.text)
    assert record.sentence_texts == expected.sentence_texts
    assert {sentence.label for sentence in record.sentences} <= {None}


def test_folder_of_text_files(tmp_path):
    for name in ["b.txt", "a.txt", "内科/2026.03/a.txt", "内科/患者.1.txt"]:
        write(tmp_path / name, f"{name}\n著変なし。")
    write(tmp_path / "README.md", "not a report")
    write(tmp_path / "c.txt.bak", "not a report")
    records = list(import_records(tmp_path))
    assert {record.id: record.text.split("\n")[0] for record in records} == {
        "a": "a.txt",
        "b": "b.txt",
        "内科/2026.03/a": "内科/2026.03/a.txt",
        "内科/患者.1": "内科/患者.1.txt",
    }
    assert [record.id for record in records[:2]] == ["a", "b"], "in order"


def test_rules_reach_the_splitter(tmp_path):
    text = "右肺上葉に12mm大の結節を認め、辺縁にスピクラ\nを伴っています。縦隔リンパ節の腫大はなし。\n"
    path = write(tmp_path / "a.txt", text)
    (as_written,) = import_records(path)
    (joined,) = import_records(path, reading=Reading(SentenceRules(hard_wrap=True)))
    assert [len(as_written.sentences), len(joined.sentences)] == [3, 2]
    assert joined.text == text


def test_text_file_that_is_not_utf8(tmp_path):
    write(tmp_path / "a.txt", "良い")
    bad = write(tmp_path / "b.txt", f"肺\n{CANARY}".encode("cp932"))
    assert error_of(tmp_path).startswith(f"{bad}, line 1: not UTF-8")


def test_text_files_in_cp932(tmp_path):
    reading = Reading(layout=Layout(encoding="cp932"))
    write(tmp_path / "a.txt", "①㎜大の髙濃度域～骨転移\r\n".encode("cp932"))
    assert [record.text for record in import_records(tmp_path, reading=reading)] == ["①㎜大の髙濃度域～骨転移\r\n"]
    bad = write(tmp_path / "b.txt", f"{CANARY}\r\n".encode("cp932") + b"\x81\xff")
    with pytest.raises(RadsentError) as info:
        list(import_records(tmp_path, reading=reading))
    assert str(info.value).startswith(f"{bad}, line 2: not cp932 (byte 0x81)") and CANARY not in str(info.value)


def test_folder_without_text_files(tmp_path):
    write(tmp_path / "a.md", CANARY)
    assert error_of(tmp_path) == f"{tmp_path}: the folder holds no .txt file: give a folder of reports, or one file."


# Tables


CSV = """id,text,modality,年齢
K1,"CT: 右肺S6に結節。
""12mm""大、辺縁不整。",CT,62
,胸水なし。心嚢水なし。,,
K3,,MRI,
"""


@pytest.mark.parametrize(
    "name, content",
    [
        ("reports.csv", CSV),
        ("reports.tsv", CSV.replace(",", "\t")),
        ("reports.csv", CSV.replace(",", ";")),
        ("reports.csv", CSV.replace(",", "\t")),
        ("reports.csv", "\ufeff" + CSV),
        ("reports.csv", CSV.replace("\n", "\r\n")),
        ("reports.csv", CSV.encode("cp932")),
        ("reports.tsv", CSV.replace(",", "\t").encode("utf-16")),
    ],
    ids=["csv", "tsv", "semicolons", "tabs", "excel_bom", "crlf", "cp932", "excel_unicode"],
)
def test_table(name, content, tmp_path):
    encoding = "utf-8" if isinstance(content, str) else "utf-16" if content.startswith(b"\xff\xfe") else "CP932"
    reading = Reading(layout=Layout(encoding=encoding))
    line_end = "\r\n" if isinstance(content, str) and "\r\n" in content else "\n"
    first, second, third = import_records(write(tmp_path / name, content), reading=reading)
    assert first.text == f'CT: 右肺S6に結節。{line_end}"12mm"大、辺縁不整。'
    assert first.sentence_texts == ["CT: 右肺S6に結節。", '"12mm"大、辺縁不整。']
    assert first.meta == {"modality": "CT", "年齢": "62"}
    assert (second.id, second.meta) == ("reports-00002", {"modality": "", "年齢": ""})
    assert second.sentence_texts == ["胸水なし。", "心嚢水なし。"]
    assert (third.id, third.text, third.sentences) == ("K3", "", [])
    assert third.meta == {"modality": "MRI", "年齢": ""}


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_labels_of_a_table_are_not_lost_silently(ending, tmp_path):
    import pandas

    row = labelled_record("K1", "両肺野清。胸水なし。").model_dump(include={"text", "sentences"})
    table, path = pandas.DataFrame([{"accession": "K1", **row}]), tmp_path / f"a.{ending}"
    write = {"csv": table.to_csv, "parquet": table.to_parquet}
    if ending == "jsonl":
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        write[ending](path, index=False)
    reading = Reading(layout=Layout(id_column="accession"))
    with pytest.raises(RadsentError) as info:
        list(import_records(path, reading=reading))
    assert str(info.value).startswith(f"{path}, row 1: 'sentences' holds labels, which would be lost: give records")
    (record,) = import_records(path, reading=reading._replace(corpus=False))
    assert (record.id, record.sentence_texts) == ("K1", ["両肺野清。", "胸水なし。"]), "to look at, it is a report"


def test_unlabelled_objects_may_have_fields_of_their_own(tmp_path):
    """As `radsent apply` reads them; those of a corpus may not."""
    path = write(tmp_path / "a.jsonl", '{"id": "a", "text": "右肺に結節。", "病院": "A", "meta": {"modality": "CT"}}\n')
    (record,) = import_records(path, reading=Reading(corpus=False))
    assert (record.id, labels(record)) == ("a", [("右肺に結節。", None)])
    assert record.meta == {"病院": "A", "modality": "CT"}
    assert "field '病院' is not part of a record" in error_of(path)


def test_table_with_a_long_report(tmp_path):
    text = NASTY_TEXTS["100_000_characters"]
    (record,) = import_records(write(tmp_path / "a.csv", f'text\n"{text}"\n'))
    assert record.text == text


BAD_TABLES = {
    "no_text_column": (
        "id,所見,modality\nK1,山田花子。,CT\n",
        ["no column 'text' among 'id', '所見', 'modality' (is '所見' meant?)", "name it with --text-column"],
    ),
    "names_that_many_tables_have": (
        "患者ID,山田花子,画像診断,レポート\nP1,a,b,c\n",
        ["among '患者ID', a text of 4 characters, '画像診断', 'レポート' (is 'レポート' meant?): name"],
    ),
    "names_that_may_be_a_report": ("検査日,肺に結節\n1,2\n", ["among '検査日', a text of 4 characters: name"]),
    "no_column_names": (
        f"K1,{CANARY}様の肺に結節。\nK2,{CANARY}様。\n",
        ["no column 'text' among 'K1', a text of 11 characters"],
    ),
    "nearly_the_column": (" text ,patient\nn.p.,山田花子\n", ["among ' text ', 'patient' (is ' text ' meant?): name"]),
    "unclosed_quote_in_the_names": (f'"text,id\n{CANARY},K1\n', ["not valid CSV (unexpected end", "check the quotes"]),
    "upper_case": ("ID,TEXT\nK1,山田花子。\n", ["no column 'text' among 'ID', 'TEXT'"]),
    "empty": ("", ["is empty, or its first line is: give a table whose first line names its columns."]),
    "white_space": (" \n\n", ["is empty, or its first line is"]),
    "empty_names": (f"\nid,text\nK1,{CANARY}\n", ["is empty, or its first line is"]),
    "other_delimiter": (f"id|text\nK1|{CANARY}\n", ["no column 'text' among 'id|text'"]),
    "too_many_cells": (
        f"id,text\nK1,肺。\nK2,{CANARY},結節\n",
        ["row 2: has not as many cells as the 2 columns: correct it"],
    ),
    "too_few_cells": (f"id,text\n{CANARY}\n", ["row 1: has not as many cells as the 2 columns"]),
    "same_id_twice": (f"id,text\nK1,{CANARY}\nK1,{CANARY}\n", ["'K1' stands twice", "an id of its own"]),
    "id_as_made_up_for_another": (f"id,text\na-00002,{CANARY}\n,{CANARY}\n", ["'a-00002' stands twice"]),
    "names_only": ("id,text\n", ["holds no report"]),
    "unclosed_quote": (
        "text\n" + f'"{CANARY}\n' + "あ" * 140_000,
        ["row 1: is no valid CSV (unexpected end of data): correct it"],
    ),
    "unclosed_quote_in_the_first_row": (f'"{CANARY}' + "あ" * 140_000, ["not valid CSV (unexpected end"]),
    "cp932": (f"id,text\nK1,{CANARY}\n".encode("cp932"), ["row 1: text is not UTF-8", "--encoding"]),
    "cp932_names": (f"番号,text\nK1,{CANARY}\n".encode("cp932"), ["line 1: not UTF-8", "--encoding"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_table_is_named_and_not_quoted(case, tmp_path):
    content, fragments = BAD_TABLES[case]
    path = write(tmp_path / "a.csv", content)
    message = error_of(path)
    assert message.startswith(str(path))
    for fragment in fragments:
        assert fragment in message


BAD_ENCODINGS = {
    "unknown": ("a.csv", b"text\nn.p.\n", "sjis2", "--encoding 'sjis2': is none that Python knows: give e.g. cp932"),
    "no_text": ("a.csv", b"text\nn.p.\n", "rot13", "--encoding 'rot13': is none that Python knows"),
    "jsonl": ("a.jsonl", b'{"id": "a", "text": "n.p."}', "cp932", "a.jsonl: is read as UTF-8: leave out --encoding"),
    "names": ("a.csv", "所見\nn.p.\n".encode(), "euc-jp", "a.csv, line 1: not euc-jp: save it as UTF-8"),
    "names_that_it_cannot_read": ("a.csv", b"text\nn.p.\n", "utf-16", "a.csv: not utf-16: save it as UTF-8"),
    "row": ("a.csv", b"text\nn.p.\n\x81\xff\n", "cp932", "a.csv, row 2: text is not UTF-8 (or the encoding given)"),
    "cut_off": ("a.tsv", "text\nCT: n.p.\n".encode("utf-16")[:-1], "utf-16", "a.tsv: cannot be read to its end"),
}


@pytest.mark.parametrize("case", BAD_ENCODINGS)
def test_bad_encoding(case, tmp_path):
    name, content, encoding, expected = BAD_ENCODINGS[case]
    path = write(tmp_path / name, content)
    with pytest.raises(RadsentError) as info:
        list(import_records(path, reading=Reading(layout=Layout(encoding=encoding))))
    assert str(info.value).removeprefix(f"{tmp_path}/").startswith(expected)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8_sig"])
def test_what_is_utf8_may_be_called_so(encoding, tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": "a", "text": "胸水なし。"}'.encode())
    (record,) = import_records(path, reading=Reading(layout=Layout(encoding=encoding)))
    assert record.text == "胸水なし。"


# Records, and telling the formats apart


def test_records_without_sentences_get_unlabelled_ones(tmp_path):
    labelled = labelled_record("a", NASTY_TEXTS["crlf"])
    bare = Record(id="b", text=labelled.text, meta={"modality": "CT"})
    path = tmp_path / "a.jsonl"
    write_records([labelled, bare], path)
    first, second = import_records(path)
    assert first == labelled
    assert second.sentence_texts == labelled.sentence_texts
    assert [sentence.label for sentence in second.sentences] == [None] * len(labelled.sentences)
    assert second.meta == {"modality": "CT"}


def test_a_report_that_mentions_finding_lines_is_no_paper_row(tmp_path):
    record = labelled_record("a", 'JSONの"finding_lines"欄について。')
    write_records([record], tmp_path / "a.jsonl")
    assert list(import_records(tmp_path / "a.jsonl")) == [record]


@pytest.mark.parametrize("kind", ["records", "paper"])
def test_reports_come_before_the_rest_of_the_file_is_read(kind, tmp_path):
    line = paper_row(LINES, CLASSES) if kind == "paper" else record_line(labelled_record("a", "両肺野清。"))
    path = write(tmp_path / "a.jsonl", f"{line.strip()}\n".encode() + "所見".encode("cp932"))
    assert next(import_records(path)).text == ("\n".join(LINES) if kind == "paper" else "両肺野清。")
    assert error_of(path).startswith(f"{path}, line 2: not UTF-8")


def test_given_format_wins_over_the_ending(tmp_path):
    path = write(tmp_path / "reports.txt", "text\n所見なし。\n")
    assert [record.text for record in import_records(path, "csv")] == ["所見なし。"]
    assert [record.text for record in import_records(path)] == ["text\n所見なし。\n"]


def test_empty_paper_file(tmp_path):
    assert "holds no report" in error_of(write(tmp_path / "a.jsonl", "\n"), "paper")


def test_unknown_format(tmp_path):
    path = write(tmp_path / "a.jsonl", CANARY)
    message = error_of(path, "doccano")
    assert message == "Unknown format 'doccano': use one of auto, records, paper, text, csv, parquet, objects, parts."
    assert all(name in message for name in IMPORTERS)


@pytest.mark.parametrize("ending", [".docx", ""], ids=["docx", "none"])
def test_unknown_ending(ending, tmp_path):
    path = write(tmp_path / f"reports{ending}", CANARY)
    told = error_of(path)
    assert told.startswith(f"{path}: cannot tell the format by the ending {ending!r}: give .jsonl, .csv, ")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "folder"])
def test_missing_input(name, tmp_path):
    message = error_of(tmp_path / name)
    assert message.startswith(f"{tmp_path / name}: no such file") and message.endswith("check the path.")
