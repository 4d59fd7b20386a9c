"""Labels go into a sheet and come back from it, as a spreadsheet saved it; reports stay as they were."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import read_records, write_records

CANARY = "山田花子"
TEXTS = {
    "00012": f'{CANARY}。\r\n-左腎に嚢胞、"12mm"; 不変。\n　=1+1\n@胸水なし。',
    "3/4": "胸部CT。右肺に結節。",
    "R3": "胸部CT。右肺に結節。",
}


def convert(*args):
    return CliRunner().invoke(app, ["convert", *map(str, args)])


@pytest.fixture
def reports(tmp_path):
    write_records(
        [unlabelled_record(id, text, meta={"ward": "東"}) for id, text in TEXTS.items()], tmp_path / "r.jsonl"
    )
    return tmp_path / "r.jsonl"


@pytest.fixture
def rows(reports, tmp_path):
    assert convert(reports, tmp_path / "sheet.csv").exit_code == 0
    content = (tmp_path / "sheet.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf"), "Excel needs it"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def save(path, rows, delimiter=",", encoding="utf-8-sig"):
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def test_a_row_a_sentence_that_a_spreadsheet_leaves_alone(rows):
    assert [row["sentence"] for row in rows][1:4] == ['\'-左腎に嚢胞、"12mm"; 不変。', "'=1+1", "'@胸水なし。"]
    assert [row["report"] for row in rows] == ["00012"] * 4 + ["3/4"] * 2 + ["R3"] * 2
    keys = [row["key"] for row in rows]
    assert len(set(keys)) == 8 and all(key[0] == "r" and key.isalnum() for key in keys)
    assert {row["label"] for row in rows} == {row["status"] for row in rows} == {""}


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "cp932")], ids=["csv", "semicolons", "cp932"]
)
def test_labels_come_back(reports, rows, tmp_path, delimiter, encoding):
    cells = ["0", "positive", "３", "NEGATIVE ", "background", "1.0", "", "1"]
    for row, cell in zip(rows, cells, strict=True):
        row["label"], row["sentence"], row["report"] = cell, row["sentence"][:3], row["report"].lstrip("0")
    empty = [dict.fromkeys(rows[0], "")] * 2  # as spreadsheets leave them
    save(tmp_path / "sheet.csv", [*rows[::-1], *empty], delimiter, encoding)
    done = convert(reports, tmp_path / "labelled.jsonl", "--labels", tmp_path / "sheet.csv")
    assert done.exit_code == 0, done.output
    assert "POSITIVE 3" in done.output and "without label 1" in done.output
    before, after = list(read_records(reports)), list(read_records(tmp_path / "labelled.jsonl"))
    labels = [[sentence.label for sentence in record.sentences] for record in after]
    assert labels == [
        ["BACKGROUND", "POSITIVE", "CONTINUATION", "NEGATIVE"],
        ["BACKGROUND", "POSITIVE"],
        [None, "POSITIVE"],
    ]
    for record in after:
        for sentence in record.sentences:
            sentence.label = None
    assert after == before


def test_what_a_pipeline_said_is_shown_and_not_kept(tmp_path):
    record = unlabelled_record("R", "胸水なし。\n肝に嚢胞。")
    for sentence in record.sentences:
        sentence.label = "NEGATIVE"
    record.meta = {"prediction": {"status": ["ok", "review"], "scores": None, "source": "radsent"}, "findings": []}
    write_records([record], tmp_path / "part-000000.jsonl")
    assert convert(tmp_path, tmp_path / "sheet.csv").exit_code == 0
    with open(tmp_path / "sheet.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["status"]) for row in rows] == [("NEGATIVE", "ok"), ("NEGATIVE", "review")]
    rows[1]["label"] = "1"
    sheet = save(tmp_path / "sheet.csv", rows)
    assert convert(tmp_path, tmp_path / "labelled.jsonl", "--labels", sheet).exit_code == 0
    line = json.loads((tmp_path / "labelled.jsonl").read_text(encoding="utf-8"))
    assert [sentence["label"] for sentence in line["sentences"]] == ["NEGATIVE", "POSITIVE"] and line["meta"] == {}


def test_a_long_sentence_comes_back(tmp_path):
    csv.field_size_limit(131_072)  # as Python starts with
    write_records([unlabelled_record("R", "縮小" * 70_000)], tmp_path / "r.jsonl")
    assert convert(tmp_path / "r.jsonl", tmp_path / "sheet.csv").exit_code == 0
    done = convert(tmp_path / "r.jsonl", tmp_path / "out.jsonl", "--labels", tmp_path / "sheet.csv")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("prediction", [5, None, {}, {"status": None}, {"status": ["ok"]}, ["ok", "ok"]])
def test_a_prediction_of_somebody_else(tmp_path, prediction):
    write_records(
        [unlabelled_record("R", "胸水なし。\n肝に嚢胞。", meta={"prediction": prediction})], tmp_path / "r.jsonl"
    )
    assert convert(tmp_path / "r.jsonl", tmp_path / "sheet.csv").exit_code == 0
    assert (tmp_path / "sheet.csv").read_text(encoding="utf-8-sig").count("\n") == 3


def test_bad_sheets(reports, rows, tmp_path):
    others = [unlabelled_record("X", "脾腫なし。"), *(unlabelled_record(id, text) for id, text in TEXTS.items())]
    write_records(others, tmp_path / "others.jsonl")
    sheet = tmp_path / "sheet.csv"
    for changed, source, message in [
        ([{**rows[0], "label": f"{CANARY}?"}, *rows[1:]], reports, "label is a text of 5 characters: use BACKGROUND, "),
        ([{**rows[0], "label": "4"}, *rows[1:]], reports, "label is '4': use BACKGROUND, POSITIVE"),
        (rows[:-1], reports, f"has no row with the key '{rows[-1]['key']}', a sentence of report 'R3'"),
        ([*rows, rows[0]], reports, f"the key '{rows[0]['key']}' stands twice"),
        ([*rows, {**rows[0], "key": "r9s1x00000000"}], reports, "the key 'r9s1x00000000' is no sentence of these"),
        ([*rows, {**rows[0], "key": CANARY}], reports, "the key a text of 4 characters is no sentence of these"),
        (rows, tmp_path / "others.jsonl", "a sentence of report 'X': give the sheet that was made of these reports"),
        ([{"key": "a", "text": CANARY}], reports, "has no column 'label': give a sheet that radsent convert wrote."),
    ]:
        done = convert(source, tmp_path / "out.jsonl", "--labels", save(sheet, changed))
        assert done.exit_code == 1 and message in " ".join(done.output.split()), (message, done.output)
        assert CANARY not in done.output and not (tmp_path / "out.jsonl").exists()
    done = convert(reports, save(sheet, rows))
    assert done.exit_code == 1 and "sheet.csv: is there already, and may hold labels" in done.output
    assert convert(sheet, tmp_path / "out.jsonl").exit_code == 1, "a sheet is no corpus"
    assert convert(reports, tmp_path / "out.jsonl", "--labels", tmp_path / "nowhere.csv").exit_code == 1
