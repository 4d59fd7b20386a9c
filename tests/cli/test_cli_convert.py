"""`radsent convert`: what it writes and counts; bad input costs one line on stderr and changes no file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from processes import LIGHT_PYTHON
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.records import read_records

CANARY = "山田花子"
REPORT = f"【胸部CT】\r\n{CANARY}様。右肺S6に12mm大の結節あり[#1]．\n\n\u3000胸水(-)。心嚢水(-)"
SENTENCES = ["【胸部CT】", f"{CANARY}様。", "右肺S6に12mm大の結節あり[#1]．", "胸水(-)。", "心嚢水(-)"]
PAPER = {"finding_lines": ["右肺に結節。", "胸水なし。"], "sentence_class": '{"右肺に結節。": 1, "胸水なし。": 2}'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(*args: str):
    return CliRunner().invoke(app, ["convert", *args])


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_table_to_records(folder):
    write(folder / "reports.csv", f"id,text,modality\nK1,{quoted(REPORT)},CT\nK2,,MRI\n")
    result = convert("reports.csv", "out/records.jsonl", "--meta", "source=real", "--meta", "note=a=b")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "out/records.jsonl: 2 reports, 5 sentences (without label 5)\n"
    first, second = read_records(folder / "out/records.jsonl")
    assert first.text == REPORT
    assert first.sentence_texts == SENTENCES
    assert first.meta == {"modality": "CT", "source": "real", "note": "a=b"}
    assert (second.id, second.text, second.sentences) == ("K2", "", [])
    assert set(files(folder)) == {"reports.csv", "out/records.jsonl"}


def test_paper_to_docbin(folder):
    write(folder / "train.jsonl", json.dumps(PAPER, ensure_ascii=False) + "\n")
    result = convert("train.jsonl", "train.spacy")
    assert (result.exit_code, result.stderr) == (0, "")
    summary, alignment = result.stdout.splitlines()
    assert summary == "train.spacy: 1 reports, 2 sentences (POSITIVE 1, NEGATIVE 1)"
    assert alignment.startswith("Not aligned with tokens: 0 sentences")
    (doc,) = DocBin().from_disk(folder / "train.spacy").get_docs(spacy.blank("ja").vocab)
    assert [(span.text, span.label_) for span in doc.spans["radsent"]] == [
        ("右肺に結節。", "POSITIVE"),
        ("胸水なし。", "NEGATIVE"),
    ]


def test_what_does_not_fit_the_tokens_is_printed(folder):
    def record(id, *ends):
        sentences = [{"start": start, "end": end, "label": "POSITIVE"} for start, end in zip((0, *ends), ends)]  # noqa: B905
        return json.dumps({"id": id, "text": "リンパ節腫大"[: ends[-1]], "sentences": sentences}, ensure_ascii=False)

    write(folder / "a.jsonl", "\n".join([record("moved", 2, 6), record("lost", 2, 4), record("good", 6)]))
    result = convert("a.jsonl", "a.spacy")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "a.spacy: 3 reports, 5 sentences (POSITIVE 5)",
        "Not aligned with tokens: 2 sentences, moved to the nearest token edge; 1 reports left out, "
        "since two of their sentences share a token.",
        "  moved: sentence 0",
        "  moved: sentence 1",
        "  lost",
    ]


def test_folder_of_texts_with_hard_wrapped_lines(folder):
    write(
        folder / "in/b/2.txt",
        "右肺上葉に12mm大の結節を認め、辺縁にスピクラ\nを伴っています。縦隔リンパ節の腫大はなし。\n",
    )
    write(folder / "in/1.txt", "著変なし。")
    assert convert("in", "plain.jsonl").stdout.startswith("plain.jsonl: 2 reports, 4 sentences")
    assert convert("in", "wrapped.jsonl", "--hard-wrap").stdout.startswith("wrapped.jsonl: 2 reports, 3 sentences")
    assert [record.id for record in read_records(folder / "wrapped.jsonl")] == ["1", "b/2"]


def test_named_format(folder):
    write(folder / "export.dat", f"text\tid\n{quoted(REPORT)}\tK1\n".replace("\t", ","))
    assert convert("export.dat", "out.jsonl").exit_code == 1
    assert convert("export.dat", "out.jsonl", "--from", "csv").exit_code == 0
    assert next(read_records(folder / "out.jsonl")).text == REPORT


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_columns_of_other_names(folder, ending):
    import pandas

    table = pandas.DataFrame({"検査番号": ["K1", "K2"], "所見": [REPORT, "胸水なし。"], "age": [50, 51]})
    write = {"csv": table.to_csv, "parquet": table.to_parquet}
    if ending == "jsonl":
        table.to_json(folder / "a.jsonl", orient="records", lines=True, force_ascii=False)
    else:
        write[ending](folder / f"a.{ending}", index=False)
    named = ["--text-column", "所見", "--id-column", "検査番号"]
    result = convert(f"a.{ending}", "out.jsonl", *named)
    assert result.exit_code == 0, result.output
    first, second = read_records(folder / "out.jsonl")
    assert (first.id, first.text, str(first.meta["age"])) == ("K1", REPORT, "50")
    assert (second.id, second.sentence_texts) == ("K2", ["胸水なし。"])
    wrong = f"a.{ending}, row 1: has no text" if ending == "jsonl" else f"a.{ending}: no column '本文' among"
    assert_one_error(convert(f"a.{ending}", "out.jsonl", "--text-column", "本文"), wrong)


def test_what_apply_wrote(folder):
    """A folder of it, as records: with the labels that stand there, whatever the format of its parts."""
    for number in range(2):
        sentences = [{"start": 0, "end": 5, "label": "NEGATIVE"}]
        row = {"id": f"R{number}", "text": "胸水なし。", "sentences": sentences, "meta": {"study": number}}
        write(folder / f"out/part-00000{number}.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    write(folder / "out/part-000002.jsonl", "")
    write(folder / "out/rejects-000002.jsonl", json.dumps({"row": 3, "id": "R3", "reason": "has no text"}) + "\n")
    result = convert("out", "records.jsonl")
    assert result.stdout == "records.jsonl: 2 reports, 2 sentences (NEGATIVE 2)\n"
    assert [(record.id, record.meta) for record in read_records(folder / "records.jsonl")] == [
        ("R0", {"study": 0}),
        ("R1", {"study": 1}),
    ]


def test_the_input_is_not_rewritten(folder):
    write(folder / "a.jsonl", json.dumps(PAPER, ensure_ascii=False))
    before = files(folder)
    for target in ("a.jsonl", "./a.jsonl"):
        assert_one_error(convert("a.jsonl", target), "a.jsonl: is the input itself: name another file to write to.")
    assert files(folder) == before


def test_labels_are_not_replaced_by_none(folder):
    """A labelled file stays where what is written has no label; all else may be written again."""
    write(folder / "raw.txt", f'{REPORT}"label": "POSITIVE"')
    write(folder / "paper.jsonl", json.dumps(PAPER, ensure_ascii=False))
    for _ in range(2):
        assert convert("raw.txt", "raw.jsonl").exit_code == 0
        assert convert("paper.jsonl", "gold.jsonl").exit_code == 0
    before = files(folder)
    for target in ("gold.jsonl", "paper.jsonl"):
        expected = f"{target}: is there already and holds labels, and this would leave none: name another file"
        assert_one_error(convert("raw.jsonl", target), expected)
    assert files(folder) == before


RECORD = {"id": "K1", "text": REPORT}
GOOD_LINE = json.dumps({"id": "K0", "text": f"{CANARY}様。"}, ensure_ascii=False)


def lines(*changes: dict) -> str:
    return "\n".join([GOOD_LINE, *(json.dumps({**RECORD, **change}, ensure_ascii=False) for change in changes)])


# What is wrong -> the input file (None: none), further arguments, and what the line on stderr must name.
BAD_INPUTS: dict[str, tuple[str, str | bytes | None, list[str], str]] = {
    "missing_file": ("in.jsonl", None, [], "in.jsonl: no such file"),
    "missing_folder": ("in", None, [], "in: no such file or folder"),
    "empty_folder": ("in/README.md", CANARY, [], "in: the folder holds no .txt file"),
    "not_json": ("in.jsonl", lines({}) + '\n{"id": "K2", ', [], "in.jsonl, line 3: not valid JSON"),
    "extra_field": ("in.jsonl", lines({"label": 1}), [], "in.jsonl, line 2: field 'label' is not part of a record"),
    "past_the_end": (
        "in.jsonl",
        lines({"sentences": [{"start": 0, "end": 999}]}),
        [],
        "in.jsonl, line 2 (id 'K1'): sentences[0].end is 999",
    ),
    "duplicate_id": ("in.jsonl", lines({}, {}), [], "in.jsonl, line 3: field 'id' is 'K1', as on line 2"),
    "lone_surrogate": (
        "in.jsonl",
        lines({}).replace("様", "\\udfff"),
        [],
        "in.jsonl, line 1: holds half of a surrogate",
    ),
    "meta_with_nan": ("in.jsonl", lines({"meta": {"age": float("nan")}}), [], "in.jsonl, line 2: holds a number"),
    "empty_corpus": ("in.jsonl", "", [], "in.jsonl: the corpus is empty"),
    "cp932": ("in.jsonl", lines({}).encode("cp932"), [], "in.jsonl, line 1: not UTF-8"),
    "cp932_text": ("in/a.txt", REPORT.encode("cp932"), [], "in/a.txt, line 1: not UTF-8"),
    "paper_code": (
        "in.jsonl",
        json.dumps({"finding_lines": [REPORT], "sentence_class": {REPORT: 7}}, ensure_ascii=False),
        [],
        "in.jsonl, line 1: field 'sentence_class' holds a value that is no label code",
    ),
    "table_without_text": (
        "in.csv",
        f"id,report\nK1,{quoted(REPORT)}\n",
        [],
        "in.csv: no column 'text' among 'id', 'report'",
    ),
    "table_without_names": ("in.csv", f"K1,{quoted(REPORT)}\n", [], "in.csv: no column 'text' among 'K1', a text of"),
    "table_with_too_many_cells": ("in.csv", f"id,text\nK1,{CANARY},結節\n", [], "in.csv, row 1: has not as many cells"),
    "table_with_duplicate_ids": ("in.csv", f"id,text\nK1,肺。\nK1,{CANARY}\n", [], "in.csv: the id 'K1' stands twice"),
    "table_of_nothing": ("in.csv", "id,text\n", [], "in.csv: holds no report"),
    "unknown_ending": ("in.docx", CANARY, [], "in.docx: cannot tell the format by the ending '.docx'"),
    "unknown_format": (
        "in.jsonl",
        lines({}),
        ["--from", "doccano"],
        "Unknown format 'doccano': use one of auto, records",
    ),
    "wrong_format": ("in.jsonl", lines({}), ["--from", "paper"], "in.jsonl, line 1: field 'finding_lines' is missing"),
    "meta_without_value": ("in.jsonl", lines({}), ["--meta", "source"], "--meta 'source': write KEY=VALUE"),
    "meta_of_pipelines": ("in.jsonl", lines({}), ["--meta", "findings=x"], "--meta 'findings=x': pipelines write"),
    "meta_without_key": ("in.jsonl", lines({}), ["--meta", "=real"], "--meta '=real': write KEY=VALUE"),
}


def assert_one_error(result, expected: str) -> None:
    """Exit code 1 and one sentence on stderr; nothing on stdout, no traceback, nothing of a report."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.endswith(".\n"), result.stderr
    assert result.stderr.startswith(f"Error: {expected}"), result.stderr
    assert CANARY not in result.output


@pytest.mark.parametrize("target", ["out/new.jsonl", "old.spacy"])
@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input(case, target, folder):
    name, content, args, expected = BAD_INPUTS[case]
    write(folder / "old.spacy", b"of an earlier run")
    if content is not None:
        write(folder / name, content)
    before = files(folder)
    assert_one_error(convert(name.split("/")[0], target, *args), expected)
    assert files(folder) == before


@pytest.mark.parametrize(
    "target, expected", [("out.json", "out.json: cannot write '.json'"), ("out", "out: cannot write")]
)
def test_unknown_target(target, expected, folder):
    write(folder / "in.jsonl", lines({}))
    before = files(folder)
    assert_one_error(convert("in.jsonl", target), expected)
    assert files(folder) == before


def test_endings_in_capitals(folder):
    write(folder / "in.CSV", f"id,text\nK1,{quoted(REPORT)}\n")
    for target in ("out.JSONL", "sheet.CSV"):
        result = convert("in.CSV", target)
        assert result.exit_code == 0, result.output
    assert next(read_records(folder / "out.JSONL")).text == REPORT
    assert_one_error(convert("in.CSV", "out.Spacy"), "out.Spacy: cannot write '.Spacy': name a .jsonl, .spacy or .csv")
    assert_one_error(convert("in.CSV", "sheet.CSV"), "sheet.CSV: is there already, and may hold labels")


def test_target_that_cannot_be_written(folder):
    write(folder / "in.jsonl", lines({}))
    (folder / "a.jsonl").mkdir()
    before = files(folder)
    assert_one_error(convert("in.jsonl", "a.jsonl"), "a.jsonl: is a folder")
    assert_one_error(convert("in.jsonl", "in.jsonl/out.jsonl"), "in.jsonl/out.jsonl: cannot be written")
    assert files(folder) == before


def test_missing_argument_is_a_usage_error(folder):
    result = convert("in.jsonl")
    assert result.exit_code == 2
    assert "OUTPUT" in result.stderr and "Traceback" not in result.output


COMMANDS = {
    "console_script": [str(Path(sys.executable).with_name("radsent"))],
    "spacy_command": [*LIGHT_PYTHON, "-m", "spacy", "radsent"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_as_a_process(command, folder):
    """Good input through one process, bad input through another, as a shell sees it."""
    write(folder / "患者 1.txt", REPORT)
    write(folder / "bad.jsonl", lines({"sentences": [{"start": 0, "end": 999}]}))

    def run(*args):
        return subprocess.run(
            [*COMMANDS[command], "convert", *args], capture_output=True, encoding="utf-8", timeout=120
        )

    good = run("患者 1.txt", "out.jsonl")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == "out.jsonl: 1 reports, 5 sentences (without label 5)\n"
    assert next(read_records(folder / "out.jsonl")).text == REPORT
    before = files(folder)
    bad = run("bad.jsonl", "out.jsonl")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("Error: bad.jsonl, line 2 (id 'K1'): sentences[0].end is 999, past the")
    assert bad.stderr.count("\n") == 1 and CANARY not in bad.stderr
    assert files(folder) == before
