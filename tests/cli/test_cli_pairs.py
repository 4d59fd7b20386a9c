"""`radsent pairs`: one row a finding, what is left out is counted, and `datasets` can load the folder."""

import json
import sys

import pandas
import pytest
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import write_records
from spacy_radsent.findings.export import COLUMNS, findings_of

CANARY = "山田花子"
TEXT = "【胸部】前回と比較。\n右肺S1に8mmの結節あり。[#1]辺縁不整(Se3 Im45-46)。\n胸水なし。\n脾に嚢胞の疑い。"
LABELS = ["BACKGROUND", "POSITIVE", "CONTINUATION", "NEGATIVE", "POSITIVE"]


def pairs(*args):
    return CliRunner().invoke(app, ["pairs", *map(str, args)])


def labelled(id="R1", text=TEXT, labels=LABELS, top=0.9, status=None, **meta):
    record = unlabelled_record(id, text, meta=meta)
    for sentence, label in zip(record.sentences, labels, strict=True):
        sentence.label = label
    scores = [
        [top if name == label else (1 - top) / 3 for name in ("BACKGROUND", "POSITIVE", "NEGATIVE", "CONTINUATION")]
        for label in labels
    ]
    record.meta["prediction"] = {"scores": scores, "status": status or ["ok"] * len(labels), "source": "radsent"}
    return record


@pytest.fixture
def source(tmp_path):
    records = [
        labelled(study_id="ST1", series_id=3, age=50),
        labelled("R2", top=0.5, status=["ok", "review", "ok", "ok", "ok"]),
        labelled("R3", "辺縁不整。", ["CONTINUATION"]),
        labelled("R4", "胸部CT。", ["BACKGROUND"]),
    ]
    write_records(records, tmp_path / "reports.jsonl")
    return tmp_path / "reports.jsonl"


def rows_of(folder):
    return [json.loads(line) for line in (folder / "findings.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("option", ["--study", "--series"])
def test_a_field_that_no_report_has(source, tmp_path, option):
    done = pairs(source, tmp_path / "out", option, "検査番号")
    assert done.exit_code == 1
    assert f"{option} '検査番号': no report has it in its meta, which holds age, series_id, study_id" in done.output
    assert not (tmp_path / "out").exists()


def test_labels_that_were_changed_since(tmp_path):
    """By hand, in what radsent apply wrote: its findings are of other labels."""
    record = labelled()
    record.meta["findings"] = [finding.as_dict() for finding in findings_of(record)]
    write_records([record], tmp_path / "as_written.jsonl")
    assert pairs(tmp_path / "as_written.jsonl", tmp_path / "out").exit_code == 0
    for i, label in ((1, "NEGATIVE"), (2, "NEGATIVE"), (0, "POSITIVE")):
        changed = record.model_copy(deep=True)
        changed.sentences[i].label = label
        write_records([changed], tmp_path / "changed.jsonl")
        done = pairs(tmp_path / "changed.jsonl", tmp_path / "of-changed")
        assert done.exit_code == 1
        assert "or of other labels: label it anew, or take them out" in done.output


def test_what_annotators_differ_in_is_to_be_reviewed(tmp_path):
    record = labelled(annotation={"status": ["ok", "review", "ok", "ok", "ok"]})
    del record.meta["prediction"]
    write_records([record], tmp_path / "annotated.jsonl")
    assert pairs(tmp_path / "annotated.jsonl", tmp_path / "out").exit_code == 0
    assert [row["text"] for row in rows_of(tmp_path / "out")] == ["脾に嚢胞の疑い。"]
    assert json.loads((tmp_path / "out/counts.json").read_text(encoding="utf-8"))["left_out"]["to be reviewed"] == 1
    record.meta["annotation"] = "by Dr. A"  # of others
    write_records([record], tmp_path / "others.jsonl")
    assert pairs(tmp_path / "others.jsonl", tmp_path / "of-others").exit_code == 0
    assert len(rows_of(tmp_path / "of-others")) == 2


def test_only_their_owner_reads_them(source, tmp_path):
    for format in ("jsonl", "parquet"):
        assert pairs(source, tmp_path / format, "--format", format).exit_code == 0
        assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / format).iterdir())


def test_rows(source, tmp_path):
    done = pairs(source, tmp_path / "out")
    assert done.exit_code == 0, done.output
    first, second, third = rows_of(tmp_path / "out")
    assert list(first) == list(COLUMNS)
    assert first["id"] == "R1#0"
    assert (first["report_id"], first["study_id"], first["series_id"]) == ("R1", "ST1", "3")
    assert first["text"] == "右肺S1に8mmの結節あり。[#1]辺縁不整(Se3 Im45-46)。"
    assert first["sentence"] == "右肺S1に8mmの結節あり。[#1]"
    assert [TEXT[start:end] for start, end in first["offsets"]] == [first["sentence"], "辺縁不整(Se3 Im45-46)。"]
    assert (first["figures"], first["images"], first["heading"]) == (["1"], ["3/45", "3/46"], "胸部")
    assert (first["score"], first["scores"]) == (0.9, [0.9, 0.9])
    assert json.loads(first["meta"]) == {"age": 50}
    assert (second["text"], second["figures"]) == ("脾に嚢胞の疑い。", [])
    assert third["report_id"] == "R2" and third["text"] == "脾に嚢胞の疑い。"  # the other is to be reviewed
    counts = json.loads((tmp_path / "out/counts.json").read_text(encoding="utf-8"))
    assert counts == {
        "reports": 4,
        "reports without a finding": 1,
        "findings": 7,
        "taken": 3,
        "left_out": {"polarity NEGATIVE": 2, "to be reviewed": 1, "continuation without a finding": 1},
    }
    assert "3 of 7 findings of 4 reports (1 without a finding)" in done.output
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "Taken: POSITIVE; each label with a probability of at least 0.0" in card and "1 reports hold no" in card


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--min-probability", "0.8"], ["R1#0", "R1#2"]),
        (["--with-mark"], ["R1#0"]),
        (["--with-mark", "--with-review"], ["R1#0", "R2#0"]),
        (["--polarity", "NEGATIVE"], ["R1#1", "R2#1"]),
        (["--polarity", "NEGATIVE", "--polarity", "POSITIVE", "--min-probability", "0.6"], ["R1#0", "R1#1", "R1#2"]),
    ],
)
def test_filters(source, tmp_path, options, expected):
    assert pairs(source, tmp_path / "out", *options).exit_code == 0
    assert [row["id"] for row in rows_of(tmp_path / "out")] == expected


def test_parquet_holds_the_same(source, tmp_path):
    assert pairs(source, tmp_path / "jsonl").exit_code == 0
    assert pairs(source, tmp_path / "parquet", "--format", "parquet").exit_code == 0
    table = pandas.read_parquet(tmp_path / "parquet/findings.parquet")
    for row, (_, line) in zip(rows_of(tmp_path / "jsonl"), table.iterrows(), strict=True):
        assert list(line["images"]) == row["images"]
        assert [list(pair) for pair in line["offsets"]] == row["offsets"]
        assert (line["text"], line["score"]) == (row["text"], row["score"])


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_datasets_loads_the_folder(source, tmp_path, monkeypatch, format):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    assert pairs(source, tmp_path / "out", "--format", format).exit_code == 0
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded.column_names == list(COLUMNS)
    assert loaded[0]["images"] == ["3/45", "3/46"]
    assert loaded.num_rows == 3


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_datasets_loads_findings_of_given_labels(tmp_path, monkeypatch, format):
    """Without probabilities; a column of lists that hold nothing else than null stopped its reader of JSON."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    records = [labelled(f"R{i}") for i in range(300)]
    for record in records:
        del record.meta["prediction"]
    write_records(records, tmp_path / "reports.jsonl")
    assert pairs(tmp_path / "reports.jsonl", tmp_path / "out", "--format", format).exit_code == 0
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert [row["scores"] for row in loaded] == [None] * loaded.num_rows
    assert {row["report_id"] for row in loaded} == {f"R{i}" for i in range(300)}


def test_meta_may_stay_where_it_is(source, tmp_path):
    assert pairs(source, tmp_path / "out", "--no-meta").exit_code == 0
    first = rows_of(tmp_path / "out")[0]
    assert (first["study_id"], first["series_id"], first["meta"]) == ("ST1", "3", "{}")


def test_findings_of_the_pipeline_are_taken_as_they_are(tmp_path):
    record = labelled()
    findings = findings_of(record)
    assert findings[0].figures
    record.meta["findings"] = [{**finding.as_dict(), "marks": []} for finding in findings]
    assert pairs(write(tmp_path / "b.jsonl", record), tmp_path / "b").exit_code == 0
    positive = [finding.text for finding in findings if finding.polarity == "POSITIVE"]
    assert [(row["text"], row["figures"]) for row in rows_of(tmp_path / "b")] == [(text, []) for text in positive]


def write(path, record):
    write_records([record], path)
    return path


@pytest.mark.parametrize(
    "meta",
    [
        {"findings": "右肺に結節。"},
        {"findings": [5]},
        {"findings": [{"text": "肺"}]},
        {"prediction": "x"},
        {"prediction": {"scores": [[0.5] * 4]}},
        {"prediction": {"status": ["ok"] * 99}},
        {"prediction": {"scores": ["a"] * 5}},
        {"prediction": None, "annotation": {"status": ["ok", "review"]}},
    ],
)
def test_malformed_records_are_told(tmp_path, meta):
    record = labelled()
    record.meta.update(meta)
    path = write(tmp_path / "malformed.jsonl", record)
    view = CliRunner().invoke(app, ["view", str(path), "-o", str(tmp_path / "page.html")])
    for done in (pairs(path, tmp_path / "out"), view):
        assert done.exit_code == 1
        assert "report 'R1': its meta.findings, meta.prediction or meta.annotation is not what" in done.output


def test_empty_parts_and_rejects_of_an_archive_are_passed_over(tmp_path):
    write(tmp_path / "archive/part-000001.jsonl", labelled())
    (tmp_path / "archive/part-000000.jsonl").write_text("")
    (tmp_path / "archive/rejects-000000.jsonl").write_text('{"row": 1, "id": "x", "reason": "has no text"}\n')
    assert pairs(tmp_path / "archive", tmp_path / "out").exit_code == 0
    assert len(rows_of(tmp_path / "out")) == 2


def test_bad_input(source, tmp_path):
    (tmp_path / "empty").mkdir()
    unlabelled = write(tmp_path / "unlabelled.jsonl", unlabelled_record("R", f"{CANARY}。"))
    broken = labelled("R9")
    broken.meta["findings"] = [{"text": CANARY}]
    pandas.DataFrame({"id": ["R1"], "text": [CANARY]}).to_parquet(tmp_path / "table.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    out = tmp_path / "out"
    for args, message in [
        ((tmp_path / "nothing.jsonl", out), "nothing.jsonl: no such file"),
        ((tmp_path / "empty", out), "empty: holds no part-*.jsonl or part-*.parquet"),
        ((unlabelled, out), "unlabelled.jsonl: no sentence has a label: label the reports first"),
        (
            (write(tmp_path / "broken.jsonl", broken), out),
            "report 'R9': its meta.findings, meta.prediction or meta.annotation is not what",
        ),
        ((tmp_path / "table.csv", out), "table.csv: is no .jsonl or .parquet file"),
        ((tmp_path / "table.parquet", out), "table.parquet: is no part that radsent apply wrote (KeyError)"),
        ((tmp_path / "broken.parquet", out), "broken.parquet: is no Parquet file (ArrowInvalid): give one"),
        ((source, out, "--min-probability", 0.99), "no finding is left"),
        ((source, out, "--format", "csv"), "--format 'csv': use jsonl or parquet."),
        (
            (source, out, "--polarity", "both"),
            "--polarity 'both': use POSITIVE or NEGATIVE, or give the option twice, with each.",
        ),
        ((source, out, "--min-probability", 2), "--min-probability 2.0: give a number from 0 to 1."),
        ((source, tmp_path / "empty"), "empty: is there already"),
    ]:
        done = pairs(*args)
        assert done.exit_code == 1, (message, done.output)
        assert message in " ".join(done.output.split()), (message, done.output)
        assert CANARY not in done.output
        assert not out.exists(), "half-written"


def test_without_the_extra(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = pairs(source, tmp_path / "out", "--format", "parquet")
    assert done.exit_code == 1
    assert 'pyarrow is not installed: pip install "spacy-radsent[tables]".' in done.output
