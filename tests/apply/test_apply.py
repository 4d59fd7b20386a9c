"""`radsent apply`: every row comes out once, however bad the rows are and however the run ended."""

import csv
import json
import os
import signal
import subprocess
import time
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
import spacy
from archives import has_parts, parts, write_rows
from processes import LIGHT_PYTHON, RUN, command_line, wait_until
from spacy.tokens import DocBin
from tiny import REPORTS, train_tiny
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.cli.labelled import labelled_records
from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import read_records

CANARY = "山田花子"


def apply(*args):
    return CliRunner().invoke(app, ["apply", *map(str, args)])


def rejects(folder: Path) -> dict[int, str]:
    files = sorted(folder.glob("rejects-*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]
    return {row["row"]: row["reason"] for row in rows}


@pytest.fixture
def reports(tmp_path):
    rows = [{"id": f"R{i:03}", "text": f"{REPORTS[i % 3]}\n付記{i}。", "study": f"S{i}"} for i in range(50)]
    return write_rows(tmp_path / "reports.jsonl", rows)


def test_records_come_out_in_order_with_what_came_in(pipeline, reports, tmp_path):
    done = apply(pipeline, reports, tmp_path / "out", "--part-size", 20)
    assert done.exit_code == 0, done.output
    assert "50 reports labelled" in done.output
    assert [file.name for file in sorted((tmp_path / "out").glob("part*"))] == [
        f"part-00000{i}.jsonl" for i in range(3)
    ]
    rows = parts(tmp_path / "out")
    assert [row["id"] for row in rows] == [f"R{i:03}" for i in range(50)]
    assert rows[7]["meta"]["study"] == "S7"
    for row in rows:
        assert row["text"].startswith(tuple(REPORTS))
        assert len(row["meta"]["prediction"]["scores"]) == len(row["sentences"])
        assert isinstance(row["meta"]["findings"], list)
    assert len(list(read_records(tmp_path / "out/part-000000.jsonl", labelled=True))) == 20  # records, for any command
    nlp = spacy.load(pipeline)
    doc = nlp(rows[0]["text"])
    assert [s["label"] for s in rows[0]["sentences"]] == [span.label_ for span in doc.spans["radsent"]]
    manifest = json.loads((tmp_path / "out/manifest-1-of-1.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["labelled"] == 50
    assert manifest["pipeline"]["sha256"]


def test_what_is_done_is_not_done_again(pipeline, reports, tmp_path):
    output = tmp_path / "out"
    assert apply(pipeline, reports, output, "--part-size", 20).exit_code == 0
    (output / "part-000001.jsonl").unlink()
    before = (output / "part-000000.jsonl").stat().st_mtime_ns
    done = apply(pipeline, reports, output, "--part-size", 20)
    assert "20 reports labelled" in done.output and "30 done before" in done.output
    assert (output / "part-000000.jsonl").stat().st_mtime_ns == before
    assert [row["id"] for row in parts(output)] == [f"R{i:03}" for i in range(50)]


def test_two_processes_give_the_same_as_one(pipeline, reports, tmp_path):
    assert apply(pipeline, reports, tmp_path / "one", "--part-size", 12).exit_code == 0
    command = command_line("apply", pipeline, reports, tmp_path / "two", "--part-size", 12, "--n-process", 2)
    subprocess.run(command, check=True, capture_output=True)
    one, two = (parts(tmp_path / name) for name in ("one", "two"))
    for row, other in zip(one, two, strict=True):
        assert row["id"] == other["id"]
        assert [s["label"] for s in row["sentences"]] == [s["label"] for s in other["sentences"]]
        scores = [list(chain(*each["meta"]["prediction"]["scores"])) for each in (row, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_shards_together_are_the_whole(pipeline, reports, tmp_path, capsys):
    for i in (2, 1, 3):
        done = apply(pipeline, reports, tmp_path / "out", "--part-size", 8, "--shard", f"{i}/3")
        assert done.exit_code == 0, done.output
        assert (tmp_path / f"out/manifest-{i}-of-3.json").exists()
        list(labelled_records(tmp_path / "out"))
        assert ("or not with all shards: these are its reports so far" in capsys.readouterr().err) == (i != 3)
    assert [row["id"] for row in parts(tmp_path / "out")] == [f"R{i:03}" for i in range(50)]


BAD = [
    b'{"id": "broken", "text": "' + CANARY.encode(),
    b'{"text": "\xff\xfe"}',
    {"text": None},
    {"text": 5},
    {"text": ["肺"]},
    {"no text": "肺"},
    [1, 2],
    "肺",
    {"text": "\ud800"},
    {"id": "good", "text": "別の報告。"},
    {"text": "肝" * 2_000_000},
    b"\x00\x01\x02",
    b"[" * 100_000,
    {"id": "a\ud800", "text": "肺。"},
    {"text": "肺。", "ward": "\ud800"},
]


def test_bad_rows_are_rejected_with_a_reason_and_good_ones_come_out(pipeline, tmp_path):
    nasty = [
        "a" * 20_000,
        "異常なし。" * 10,
        "\x00肺。\x00",
        "か\u3099ん<|im_end|>👨‍⚕️",
        "No abnormality. n.p.",
        "。\n\n。",
        "[#1]",
    ]
    rows = [{"id": "good", "text": REPORTS[0]}]
    for i, text in enumerate(nasty):
        rows += [BAD[i], {"text": text}]
    rows += BAD[len(nasty) :]
    done = apply(pipeline, write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "out", "--part-size", 6)
    assert done.exit_code == 0, done.output
    out, reasons = parts(tmp_path / "out"), rejects(tmp_path / "out")
    assert len(out) + len(reasons) == len(rows)
    assert [row["text"] for row in out] == [REPORTS[0], *nasty]
    for row in out:
        covered = "".join(row["text"][s["start"] : s["end"]] for s in row["sentences"])
        assert "".join(covered.split()) == "".join(row["text"].split())
    assert sorted(set(reasons.values())) == [
        "a field is not UTF-8 (or the encoding given), or holds half of a surrogate pair",
        "has no text",
        "is no JSON object",
        "is no valid JSON",
        "is not UTF-8",
        "its id stands in an earlier row",
        "text is a int, not a string",
        "text is a list, not a string",
        "text is not UTF-8 (or the encoding given), or holds half of a surrogate pair",
        "text of 2,000,000 characters is longer than 1,000,000",
    ]
    assert CANARY not in done.output
    assert not any(CANARY in file.read_text(encoding="utf-8") for file in (tmp_path / "out").glob("rejects*"))
    assert f"{len(out)} reports labelled" in done.output and f"{len(reasons)} rejected" in done.output


def test_a_report_on_which_a_component_fails(pipeline, tmp_path):
    """Ours marks it; one of another that fails leaves it to the rejects. Neither takes another report with it."""
    code = """
from spacy.language import Language
from spacy_radsent.errors import RadsentError
@Language.component("picky")
def picky(doc):
    if "胃" in doc.text:
        raise ValueError(doc.text)
    if "腸" in doc.text:
        raise RadsentError("the server is down: start it.")
    return doc
"""
    (tmp_path / "picky.py").write_text(code, encoding="utf-8")
    run = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r}); import picky, spacy
nlp = spacy.load({str(pipeline)!r}); nlp.add_pipe("picky", first=True); nlp.to_disk({str(tmp_path / "model")!r})
from spacy_radsent.cli import app; app()
"""
    texts = [REPORTS[0], f"{CANARY}。胃に潰瘍。", REPORTS[1], "腸に異常なし。"]
    source = write_rows(tmp_path / "rows.jsonl", [{"text": text} for text in texts])
    command = [*LIGHT_PYTHON, "-c", run, "apply", str(tmp_path / "model"), str(source), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [row["text"] for row in parts(tmp_path / "out")] == [texts[0], texts[2]]
    assert rejects(tmp_path / "out") == {2: "a component failed on it", 4: "a component failed on it"}
    assert CANARY not in done.stdout + done.stderr
    assert "(ValueError)" in done.stderr and "(the server is down: start it.)" in done.stderr


def test_parts_on_which_a_component_failed_for_a_while_are_labelled_again(pipeline, tmp_path):
    """While the file "down" is there, one component fails on a report and another leaves one without its labels."""
    down = tmp_path / "down"
    code = f"""
from pathlib import Path
from spacy.language import Language
down = Path({str(down)!r})
@Language.component("picky")
def picky(doc):
    if "胃" in doc.text and down.exists():
        raise ValueError(doc.text)
    return doc
@Language.component("server")
def server(doc):
    if "膵尾部" in doc.text and down.exists():
        doc.spans["radsent"].attrs["status"] = ["error" for _ in doc.spans["radsent"]]
    return doc
"""
    (tmp_path / "failing.py").write_text(code, encoding="utf-8")
    run = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r}); import failing, spacy
nlp = spacy.load({str(pipeline)!r}); nlp.add_pipe("picky", first=True); nlp.add_pipe("server", after="radsent")
nlp.to_disk({str(tmp_path / "model")!r})
from spacy_radsent.cli import app; app()
"""
    texts = ["胃に潰瘍。", REPORTS[0], REPORTS[1], REPORTS[2], "膵尾部に嚢胞。\n脾腫なし。"]
    source = write_rows(tmp_path / "rows.jsonl", [{"text": text} for text in texts])
    out = tmp_path / "out"
    command = [*LIGHT_PYTHON, "-c", run, "apply", str(tmp_path / "model"), str(source), str(out), "--part-size", "2"]

    down.touch()
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [row["text"] for row in parts(out)] == texts[1:] and rejects(out) == {1: "a component failed on it"}
    (line,) = (out / "errors-000002.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"row": 5, "id": "rows-00005", "reason": "2 of 2 sentences have no label"}
    assert "--retry-errors" in first.stdout and "(1 with sentences without a label)" in first.stdout

    before = {file.name: file.read_bytes() for file in out.iterdir() if file.name.startswith("part")}
    still = subprocess.run([*command, "--retry-errors"], capture_output=True, text=True, check=True)
    assert "2 done before" in still.stdout
    assert before == {file.name: file.read_bytes() for file in out.iterdir() if file.name.startswith("part")}

    down.unlink()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "0 reports labelled" in again.stdout and "(2 of those done before)" in again.stdout and rejects(out)
    counts = json.loads((out / "manifest-1-of-1.json").read_text(encoding="utf-8"))["counts"]
    assert counts == {
        **{"labelled": 4, "with_errors": 1, "rejected": 1},
        **{"done_before": 5, "failed_before": 2, "of_other_shards": 0},
    }
    retried = subprocess.run([*command, "--retry-errors"], capture_output=True, text=True, check=True)
    assert "3 reports labelled (0 with" in retried.stdout and "2 done before" in retried.stdout
    assert [row["text"] for row in parts(out)] == texts
    assert not [file.name for file in out.iterdir() if file.name.startswith(("rejects", "errors"))]
    assert "error" not in parts(out)[-1]["meta"]["prediction"]["status"]


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("csv", "utf-8"),
        ("csv", "cp932"),
        ("tsv", "utf-8"),
        ("parquet", "utf-8"),
        ("folder", "utf-8"),
        ("folder", "cp932"),
    ],
)
def test_other_inputs(pipeline, tmp_path, kind, encoding):
    texts = {f"R{i}": f'{REPORTS[i]}\r\n"引用", タブ\t。' for i in range(3)}
    source = tmp_path / f"reports.{kind}"
    if kind == "folder":
        for id, text in texts.items():
            (source / "sub").mkdir(parents=True, exist_ok=True)
            (source / "sub" / f"{id}.txt").write_bytes(text.encode(encoding))
        (source / "sub/R3.txt").write_bytes(b"\xff\x81")
    elif kind == "parquet":
        import pandas

        rows = [{"accession": id, "report": text, "age": 50} for id, text in texts.items()]
        pandas.DataFrame([*rows, {"accession": "R3", "report": None, "age": 1}]).to_parquet(source)
    else:
        with open(source, "w", encoding=encoding.replace("utf-8", "utf-8-sig"), newline="") as file:
            writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",")
            writer.writerows([["accession", "report", "age"], *([id, text, 50] for id, text in texts.items()), ["R3"]])
    columns = [] if kind == "folder" else ["--text-column", "report", "--id-column", "accession"]
    encodings = [] if encoding == "utf-8" else ["--encoding", encoding]
    done = apply(pipeline, source, tmp_path / "out", *columns, *encodings)
    assert done.exit_code == 0, done.output
    out = parts(tmp_path / "out")
    assert {row["id"].removeprefix("sub/"): row["text"] for row in out} == texts
    assert list(rejects(tmp_path / "out")) == [4]
    if kind != "folder":
        assert str(out[0]["meta"]["age"]) in ("50", "50.0")


def test_parquet_and_docbin_hold_the_same_as_jsonl(pipeline, reports, tmp_path):
    import pandas

    for format in ("jsonl", "parquet", "docbin"):
        assert apply(pipeline, reports, tmp_path / format, "--format", format, "--part-size", 30).exit_code == 0
    rows = parts(tmp_path / "jsonl")
    table = pandas.read_parquet(tmp_path / "parquet/part-000000.parquet")
    nlp = spacy.blank("ja")
    docs = [
        doc
        for i in range(2)
        for doc in DocBin(store_user_data=True).from_disk(tmp_path / f"docbin/part-00000{i}.spacy").get_docs(nlp.vocab)
    ]
    for row, doc in zip(rows, docs, strict=True):
        assert (doc.user_data["id"], doc.text) == (row["id"], row["text"])
        assert [span.label_ for span in doc.spans["radsent"]] == [s["label"] for s in row["sentences"]]
        assert len(doc._.radsent_findings) == len(row["meta"]["findings"])
    for row, (_, line) in zip(rows, table.iterrows(), strict=False):
        assert line["id"] == row["id"]
        assert [s["label"] for s in line["sentences"]] == [s["label"] for s in row["sentences"]]
        assert line["sentences"][0]["scores"] == pytest.approx(row["meta"]["prediction"]["scores"][0], abs=1e-5)
        assert json.loads(line["meta"]) == {"study": row["meta"]["study"]}
        assert len(json.loads(line["findings"])) == len(row["meta"]["findings"])


def test_what_comes_after_reads_parquet_as_it_reads_jsonl(reports, tmp_path):
    nlp = train_tiny()
    nlp.add_pipe("radsent_findings")
    pipeline = tmp_path / "trained"
    nlp.to_disk(pipeline)
    for format in ("jsonl", "parquet"):
        assert apply(pipeline, reports, tmp_path / format, "--part-size", 20, "--format", format).exit_code == 0
        options = ["--polarity", "NEGATIVE", "--polarity", "POSITIVE", "--with-review", "--study", "study"]
        done = CliRunner().invoke(app, ["pairs", str(tmp_path / format), str(tmp_path / f"of-{format}"), *options])
        assert done.exit_code == 0, done.output
    first, second = ((tmp_path / f"of-{format}/findings.jsonl").read_text("utf-8") for format in ("jsonl", "parquet"))
    rows, others = ([json.loads(line) for line in text.splitlines()] for text in (first, second))
    assert len(rows) >= 50 and {row["study_id"] for row in rows} == {f"S{i}" for i in range(50)}
    for row, other in zip(rows, others, strict=True):  # Parquet holds probabilities in single precision
        assert other["scores"] == pytest.approx(row["scores"], abs=1e-6) and other["source"] == "radsent"
        assert {**other, "scores": 0, "score": 0} == {**row, "scores": 0, "score": 0}

    # A part is input like any other: nothing of the labels that it holds goes to meta.
    assert apply(pipeline, tmp_path / "parquet/part-000000.parquet", tmp_path / "again").exit_code == 0
    again = parts(tmp_path / "again")
    assert [row["meta"]["study"] for row in again] == [f"S{i}" for i in range(20)]
    assert set(again[0]["meta"]) == {"study", "prediction", "findings"}


def test_killed_runs_lose_and_double_nothing(pipeline, tmp_path):
    rows = [{"id": f"R{i:04}", "text": f"{REPORTS[i % 3]}\n{i}。"} for i in range(400)]
    source = write_rows(tmp_path / "rows.jsonl", rows)
    output = tmp_path / "out"
    command = command_line("apply", pipeline, source, output, "--part-size", 5)
    for parts_before_kill in (3, 20, 50):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(partial(has_parts, output, parts_before_kill), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for file in output.glob("part-*.jsonl"):
            assert len(list(read_records(file))) == 5  # whole or not there
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "done before" in done.stdout
    assert [row["id"] for row in parts(output)] == [row["id"] for row in rows]
    whole = tmp_path / "whole"
    subprocess.run(command_line("apply", pipeline, source, whole, "--part-size", 5), check=True, capture_output=True)
    for file in sorted(whole.glob("part-*.jsonl")):
        assert file.read_bytes() == (output / file.name).read_bytes()


def test_processes_end_with_the_run_that_is_killed(pipeline, tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", [{"text": f"{REPORTS[i % 3]}\n{i}。"} for i in range(2000)])
    command = command_line("apply", pipeline, source, tmp_path / "out", "--part-size", 5, "--n-process", 2)
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_until(partial(has_parts, tmp_path / "out", 1), run)
    assert run.poll() is None
    workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    run.kill()
    run.wait()
    assert len(workers) >= 2
    deadline = time.monotonic() + 120
    while any(_is_running(worker) for worker in workers):
        assert time.monotonic() < deadline, "a process waits for parts forever"
        os.sched_yield()


def _is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_run_in_which_no_report_is_labelled_whole_fails(pipeline, tmp_path):
    code = """
from spacy.language import Language
@Language.component("refused")
def refused(doc):
    doc.spans["radsent"].attrs["status"] = ["error" for _ in doc.spans["radsent"]]
    return doc
"""
    (tmp_path / "refusing.py").write_text(code, encoding="utf-8")
    run = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r}); import refusing, spacy
nlp = spacy.load({str(pipeline)!r}); nlp.add_pipe("refused", after="radsent"); nlp.to_disk({str(tmp_path / "model")!r})
from spacy_radsent.cli import app; app()
"""
    source = write_rows(tmp_path / "rows.jsonl", [{"text": text} for text in REPORTS])
    command = [*LIGHT_PYTHON, "-c", run, "apply", str(tmp_path / "model"), str(source), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "rows.jsonl: every report has sentences without a label: correct what the warnings name" in done.stderr
    assert len(parts(tmp_path / "out")) == len(REPORTS)


def test_a_killed_worker_is_told_and_costs_nothing(pipeline, reports, tmp_path):
    """Processes die when they start: what is done stays, and the next run goes on."""
    # A spawned process imports the main module under another name.
    main = "import os\nif __name__ != '__main__':\n    os._exit(9)\nfrom spacy_radsent.cli import app\napp()\n"
    (tmp_path / "main.py").write_text(main)
    command = [*LIGHT_PYTHON, str(tmp_path / "main.py"), "apply", str(pipeline), str(reports), str(tmp_path / "out")]
    done = subprocess.run([*command, "--n-process", "2", "--part-size", "5"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "a process was killed or could not start" in done.stderr
    assert "Traceback" not in done.stderr.split("Error:")[-1]
    assert apply(pipeline, reports, tmp_path / "out", "--part-size", 5).exit_code == 0
    assert len(parts(tmp_path / "out")) == 50


def test_a_full_disk_leaves_whole_parts_and_the_next_run_goes_on(pipeline, reports, tmp_path):
    output = tmp_path / "out"
    first = apply(pipeline, reports, tmp_path / "whole", "--part-size", 10)
    assert first.exit_code == 0
    limit = (tmp_path / "whole/part-000000.jsonl").stat().st_size // 2  # a file may grow to so many bytes
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
{RUN}
"""
    command = [*LIGHT_PYTHON, "-c", code, "apply", str(pipeline), str(reports), str(output), "--part-size", "10"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be written (File too large): free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(output.glob("part-*")) and not list(output.glob(".part-*"))
    assert apply(pipeline, reports, output, "--part-size", 10).exit_code == 0
    assert parts(output) == parts(tmp_path / "whole")


def test_columns_keep_their_values_beside_ours(pipeline, tmp_path):
    rows = [
        {"text": "胸水なし。", "findings": "胸水なし。", "age": float("nan"), "meta": {"prediction": 5, "ward": "東"}}
    ]
    (tmp_path / "rows.jsonl").write_text(json.dumps(rows[0]), encoding="utf-8")
    assert apply(pipeline, tmp_path / "rows.jsonl", tmp_path / "out").exit_code == 0
    (row,) = parts(tmp_path / "out")
    assert (row["meta"]["input_findings"], row["meta"]["age"], row["meta"]["ward"]) == ("胸水なし。", None, "東")
    assert row["meta"]["prediction"]["source"] == "radsent"
    assert isinstance(row["meta"]["findings"], list)


def test_an_unclosed_quote_costs_its_row_alone(pipeline, tmp_path):
    rows = [f"{i},{quote}胸水なし。" for i, quote in enumerate(["", '"', *[""] * 600, '"', ""])]
    (tmp_path / "rows.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    assert apply(pipeline, tmp_path / "rows.csv", tmp_path / "out").exit_code == 0
    assert [row["id"] for row in parts(tmp_path / "out")] == [str(i) for i in range(604) if i not in (1, 602)]
    reasons = rejects(tmp_path / "out")
    assert list(reasons) == [2, 603]
    assert all("is no valid CSV" in reason for reason in reasons.values())


@pytest.mark.parametrize(
    ("cells", "labelled", "rejected"),
    [
        # A quote alone, where nothing else is quoted, costs its row.
        (
            'text\n径5の結節。\n"径5" の結節。\n胸水なし。\n脾腫なし。\n',
            ["径5の結節。", "胸水なし。", "脾腫なし。"],
            [2],
        ),
        # Quotes in a cell that are not doubled, with line breaks: the rest of the cell is no report.
        ('text\n"所見: "肺"に結節あり。\n胸水なし。\n腹水なし。"\n"肝に嚢胞あり。"\n', ["肝に嚢胞あり。"], [1, 2, 3]),
        (
            'text\n"径5" の結節。\n胸水なし。\n腹水なし。"\n"肝に嚢胞あり。"\n脾腫なし。\n',
            ["肝に嚢胞あり。", "脾腫なし。"],
            [1, 2, 3],
        ),
        (
            'id,text\n1,"径5" の結節。\n腹水,なし。"\n2,"胸水なし。\n""結節""あり。"\n',
            ['胸水なし。\n"結節"あり。'],
            [1, 2],
        ),
    ],
)
def test_the_rest_of_a_broken_cell_is_no_report(pipeline, tmp_path, cells, labelled, rejected):
    (tmp_path / "rows.csv").write_text(cells, encoding="utf-8")
    assert apply(pipeline, tmp_path / "rows.csv", tmp_path / "out").exit_code == 0
    assert [row["text"] for row in parts(tmp_path / "out")] == labelled
    assert list(rejects(tmp_path / "out")) == rejected


def test_strings_that_parquet_holds_as_bytes(pipeline, tmp_path):
    """As Spark and Impala write them."""
    import pyarrow
    from pyarrow import parquet

    rows = [(b"A", REPORTS[0].encode()), (b"B", b"\x8d\xb6\x94x"), (None, REPORTS[1].encode())]
    columns = {
        name: pyarrow.array(values, pyarrow.binary())
        for name, values in zip(("id", "text"), zip(*rows, strict=True), strict=True)
    }
    parquet.write_table(pyarrow.table({**columns, "raw": pyarrow.array([b"\xff"] * 3)}), tmp_path / "rows.parquet")
    assert apply(pipeline, tmp_path / "rows.parquet", tmp_path / "out").exit_code == 0
    assert [(row["id"], row["text"]) for row in parts(tmp_path / "out")] == [
        ("A", REPORTS[0]),
        ("rows-00003", REPORTS[1]),
    ]
    assert rejects(tmp_path / "out") == {
        2: "text is not UTF-8 (or the encoding given), or holds half of a surrogate pair"
    }


def test_findings_of_a_report_with_a_line_separator(tmp_path):
    """It is part of the token of the full stop, but of no sentence."""
    nlp = train_tiny()
    nlp.add_pipe("radsent_findings")
    nlp.to_disk(tmp_path / "trained")
    rows = [{"id": f"R{i}", "text": f"{text}\u2028胸水なし。\u2029"} for i, text in enumerate(REPORTS)]
    write_rows(tmp_path / "rows.jsonl", rows)
    assert apply(tmp_path / "trained", tmp_path / "rows.jsonl", tmp_path / "out").exit_code == 0
    options = ["--polarity", "NEGATIVE", "--polarity", "POSITIVE"]
    done = CliRunner().invoke(app, ["pairs", str(tmp_path / "out"), str(tmp_path / "pairs"), *options])
    assert done.exit_code == 0, done.output
    assert "\u2028" not in "".join(f["text"] for row in parts(tmp_path / "out") for f in row["meta"]["findings"])


def test_ids_with_line_separators_are_tried_again(pipeline, tmp_path):
    write_rows(tmp_path / "rows.jsonl", [{"id": "a\u2028b", "text": None}, {"id": "c", "text": "胸水なし。"}])
    for _ in range(2):
        done = apply(pipeline, tmp_path / "rows.jsonl", tmp_path / "out", "--retry-errors")
        assert done.exit_code == 0, done.output
    assert rejects(tmp_path / "out") == {1: "has no text"}


def test_a_row_that_cannot_be_used_does_not_take_the_id_of_one_that_can(pipeline, tmp_path):
    rows = [{"id": "a", "text": text} for text in (None, " \n", "胸水なし。", "脾腫なし。")]
    source = write_rows(tmp_path / "rows.jsonl", rows)
    assert apply(pipeline, source, tmp_path / "out").exit_code == 0
    assert [row["text"] for row in parts(tmp_path / "out")] == ["胸水なし。"]
    assert rejects(tmp_path / "out") == dict.fromkeys((1, 2), "has no text") | {4: "its id stands in an earlier row"}
    assert apply(pipeline, source, tmp_path / "other", "--shard", "2/2", "--part-size", "2").exit_code == 0
    assert [row["text"] for row in parts(tmp_path / "other")] == ["胸水なし。"]


def test_reports_without_an_id_are_called_as_by_convert(pipeline, tmp_path):
    from pandas import DataFrame

    rows = DataFrame({"id": [2024000100, None], "text": ["胸水なし。", "脾腫なし。"]})  # pandas makes ids 2024000100.0
    rows.to_parquet(tmp_path / "ris.parquet")
    assert apply(pipeline, tmp_path / "ris.parquet", tmp_path / "out").exit_code == 0
    assert [row["id"] for row in parts(tmp_path / "out")] == ["2024000100", "ris-00002"]
    assert [record.id for record in import_records(tmp_path / "ris.parquet")] == ["2024000100", "ris-00002"]


def test_a_report_without_text_is_none(pipeline, tmp_path):
    rows = [{"id": "a", "text": ""}, {"id": "b", "text": " 　\n\r\n"}, {"id": "c", "text": "胸水なし。"}]
    assert apply(pipeline, write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "out").exit_code == 0
    assert [row["id"] for row in parts(tmp_path / "out")] == ["c"]
    assert rejects(tmp_path / "out") == {1: "has no text", 2: "has no text"}


def test_rejects_of_a_try_that_was_cut_off_do_not_stay(pipeline, reports, tmp_path):
    output = tmp_path / "out"
    assert apply(pipeline, reports, output, "--part-size", 25).exit_code == 0
    (output / "part-000001.jsonl").unlink()
    (output / "rejects-000001.jsonl").write_text('{"row": 26, "id": "R025", "reason": "a component failed on it"}\n')
    assert apply(pipeline, reports, output, "--part-size", 25).exit_code == 0
    assert not list(output.glob("rejects-*"))
    assert len(parts(output)) == 50


def test_a_model_that_cannot_label_leaves_the_folder_free(pipeline, reports, tmp_path):
    blank_pipeline().to_disk(tmp_path / "blank")
    for n_process in (1, 2):
        command = command_line("apply", tmp_path / "blank", reports, tmp_path / "out", "--n-process", n_process)
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.strip().startswith("Error: ") and 'blank: writes no doc.spans["radsent"]' in done.stderr
        assert "Traceback" not in done.stderr
    assert apply(pipeline, reports, tmp_path / "out").exit_code == 0


def test_two_runs_at_once_on_one_output_give_each_report_once(pipeline, reports, tmp_path):
    command = command_line("apply", pipeline, reports, tmp_path / "out", "--part-size", 5)
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        _, error = run.communicate()
        assert run.returncode == 0, error
    assert [row["id"] for row in parts(tmp_path / "out")] == [f"R{i:03}" for i in range(50)]


def test_byte_order_mark_and_line_ends_of_other_systems(pipeline, tmp_path):
    lines = [json.dumps({"id": f"R{i}", "text": "胸水なし。\r\n脾腫なし。"}) for i in range(3)]
    (tmp_path / "rows.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b'\r\n{"id": "R3", "te')
    assert apply(pipeline, tmp_path / "rows.jsonl", tmp_path / "out").exit_code == 0
    assert [row["id"] for row in parts(tmp_path / "out")] == ["R0", "R1", "R2"]
    assert {row["text"] for row in parts(tmp_path / "out")} == {"胸水なし。\r\n脾腫なし。"}
    assert rejects(tmp_path / "out") == {4: "is no valid JSON"}  # a last line that was cut off


def test_bad_input(pipeline, reports, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "table.csv").write_text(f"id,report\n1,{CANARY}\n", encoding="utf-8")
    (tmp_path / "headless.csv").write_text(f"{CANARY}に結節。\n", encoding="utf-8")
    (tmp_path / "huge.csv").write_text(f'"text\n{"あ" * 11_000_000}', encoding="utf-8")
    (tmp_path / "names.csv").write_text(f"{CANARY},胸水なし\n", encoding="utf-8")
    (tmp_path / "twice.csv").write_text("id,text,text\n", encoding="utf-8")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    spacy.blank("ja").to_disk(tmp_path / "blank")
    write_rows(tmp_path / "hopeless.jsonl", [{"text": None}])
    assert apply(pipeline, reports, tmp_path / "other").exit_code == 0
    out = tmp_path / "out"
    for args, message in [
        ((pipeline, tmp_path / "nothing.jsonl", out), "nothing.jsonl: no such file or folder"),
        ((pipeline, tmp_path / "table.csv", out), "no column 'text' among 'id', 'report': name it with --text-column."),
        (
            (pipeline, tmp_path / "table.csv", out, "--text-column", "report", "--id-column", "acession"),
            "no column 'acession' among 'id', 'report': name it with --id-column.",
        ),
        ((pipeline, tmp_path / "huge.csv", out), "huge.csv, line 1: not valid CSV (field larger than field limit"),
        ((pipeline, tmp_path / "headless.csv", out), "no column 'text' among a text of 8 characters"),
        ((pipeline, tmp_path / "names.csv", out), "no column 'text' among a text of 4 characters"),
        ((pipeline, tmp_path / "twice.csv", out), "two columns are named 'text'"),
        ((pipeline, tmp_path / "broken.parquet", out), "broken.parquet: is no Parquet file"),
        ((pipeline, tmp_path / "folder", out), "folder: the folder holds no .txt file"),
        ((pipeline, tmp_path / "file", out), "file: cannot read this: give .jsonl, .csv, .tsv, .parquet"),
        ((pipeline, reports, tmp_path / "file"), "file: is a file: name a folder."),
        ((pipeline, reports, tmp_path / "full"), "full: is not empty, and not of a run: name another folder."),
        ((pipeline, reports, tmp_path / "other", "--part-size", 7), "holds parts of another run (another part_size)"),
        ((pipeline, reports, tmp_path / "other", "--id-column", "study"), "holds parts of another run (another input)"),
        ((pipeline, tmp_path / "empty.jsonl", tmp_path / "e"), "empty.jsonl: holds no report"),
        ((pipeline, tmp_path / "hopeless.jsonl", tmp_path / "h"), "no row could be labelled, see"),
        ((tmp_path / "nothing", reports, out), "nothing: no such folder or package"),
        ((tmp_path / "blank", reports, tmp_path / "b"), 'blank: writes no doc.spans["radsent"]'),
        ((pipeline, reports, out, "--format", "xml"), "--format 'xml': use jsonl, parquet, docbin."),
        ((pipeline, reports, out, "--shard", "3/2"), "--shard '3/2': write i/n with i from 1 to n"),
        ((pipeline, reports, out, "--n-process", 0), "--n-process 0: give 1 or more."),
        ((pipeline, reports, tmp_path / "gpu", "--gpu-id", -5), "--gpu-id -5: give the number of a GPU"),
    ]:
        done = apply(*args)
        assert done.exit_code == 1, (message, done.output)
        assert message in " ".join(done.output.split()), (message, done.output)
        assert CANARY not in done.output


def test_gold_labels_of_the_input_are_not_taken_for_predictions(pipeline, tmp_path):
    record = {
        "id": "R",
        "text": "胸水なし。",
        "sentences": [{"start": 0, "end": 5, "label": "POSITIVE"}],
        "meta": {"a": 1},
    }
    assert apply(pipeline, write_rows(tmp_path / "r.jsonl", [record]), tmp_path / "out").exit_code == 0
    (row,) = parts(tmp_path / "out")
    doc = spacy.load(pipeline)("胸水なし。")
    assert row["sentences"][0]["label"] == doc.spans["radsent"][0].label_
    assert row["meta"]["a"] == 1
