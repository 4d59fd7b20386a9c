"""`radsent evaluate`: from pipelines or stored predictions to metrics, a report, a page and every error."""

import json
import re
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import spacy
from browser import dom_of, needs_browser, screenshot
from llms import save_llm
from processes import EXTRAS, command_line, python_without
from tiny import GOLD, REPORTS, train_tiny
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import Record, read_records, write_records
from spacy_radsent.evaluation.document import Best, Section, Table, to_html, to_markdown
from spacy_radsent.evaluation.errors import first_of_each
from spacy_radsent.evaluation.results import Evaluation
from spacy_radsent.labels import LABELS

HOSTILE = "<script>alert('肺')</script>"
CANARY = "山田花子"


def evaluate(*args):
    return CliRunner().invoke(app, ["evaluate", *map(str, args)])


def labelled(id: str, text: str, labels: list[str], **meta) -> Record:
    record = unlabelled_record(id, text, meta=meta)
    for sentence, label in zip(record.sentences, labels, strict=True):
        sentence.label = label
    return record


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """A pipeline that knows three reports by heart, one that knows little, and a language model that knows nothing."""
    folder = tmp_path_factory.mktemp("pipelines")
    trained = train_tiny()
    trained.to_disk(folder / "trained")
    for node in trained.get_pipe("radsent").model.walk():
        if node.has_param("W") and node.name in ("softmax", "linear"):
            node.set_param("W", node.get_param("W") * 0.1)
    trained.to_disk(folder / "weak")
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    model = save_llm("qwen3", folder / "model", num_hidden_layers=1)
    nlp.add_pipe("radsent_llm", config={"model": str(model), "mode": "generate", "attempts": 1, "max_length": 16384})
    nlp.to_disk(folder / "llm")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Twelve reports of two institutions, one of which is hostile; the labels of some are not what was learned."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    records = []
    for i in range(12):
        labels = GOLD[i % 3].split()
        if i % 4 == 0:
            labels[1] = "CONTINUATION"
        institution = "甲病院" if i < 8 else HOSTILE
        records.append(labelled(f"R{i:02}", REPORTS[i % 3], labels, institution=institution))
    records[-1] = labelled(
        "R11", f"{CANARY}の胸部CT{HOSTILE}\n右肺に結節あり。", ["BACKGROUND", "POSITIVE"], institution=HOSTILE
    )
    write_records(records, path)
    return path


@pytest.fixture(scope="module")
def evaluated(pipelines, corpus, tmp_path_factory):
    """Two pipelines on the corpus."""
    output = tmp_path_factory.mktemp("evaluated")
    args = (f"{HOSTILE}={pipelines / 'trained'}", corpus, "-m", f"弱={pipelines / 'weak'}", "--by", "institution")
    done = evaluate(*args, "-o", output)
    assert done.exit_code == 0, done.output
    return output, done.output


def test_metrics_are_what_the_predictions_give(evaluated, corpus):
    output, printed = evaluated
    evaluation = Evaluation.from_json((output / "metrics.json").read_bytes())
    run, weak = evaluation.runs
    gold = {record.id: [s.label for s in record.sentences] for record in read_records(corpus)}
    stored = list(read_records(output / "predictions" / "script-alert(-肺-)-script" / "corpus.jsonl"))
    pairs = [pair for r in stored for pair in zip(gold[r.id], [s.label for s in r.sentences], strict=True)]
    right = sum(one == other for one, other in pairs)
    assert run.all.sentences == len(pairs) == sum(map(len, gold.values()))
    assert run.all.counted_wrong.metrics["accuracy"].value == pytest.approx(right / len(pairs))
    assert run.all.counted_wrong == run.all.excluded  # every sentence has a label
    low, value, high = (getattr(run.all.excluded.metrics["accuracy"], name) for name in ("low", "value", "high"))
    assert 0.5 < low < value < high <= 1
    assert f"{value:.3f}" in printed
    positive = run.all.excluded.per_label["POSITIVE"]
    assert positive.support == sum(one == "POSITIVE" for one, _ in pairs)
    assert run.all.confusion[1][1] == sum(one == other == "POSITIVE" for one, other in pairs)
    assert run.segmentation.split_exactly == run.segmentation.reports == 12
    assert run.end_to_end.f1 == pytest.approx(right / len(pairs))
    assert run.calibration.sentences == len(pairs)
    assert [group.name for group in run.groups["institution"]] == [HOSTILE, "甲病院"]
    assert [group.interval for group in run.groups["institution"]] == [
        f"none: {count} are too few, at least 10 are needed" for count in (4, 8)
    ]
    (comparison,) = evaluation.comparisons
    difference = value - weak.all.counted_wrong.metrics["accuracy"].value
    assert comparison.differences["accuracy"].value == pytest.approx(difference)
    assert comparison.test.only_one - comparison.test.only_other == pytest.approx(difference * len(pairs))


def test_every_error_is_listed_and_only_errors(evaluated, corpus):
    output, _ = evaluated
    evaluation = Evaluation.from_json((output / "metrics.json").read_bytes())
    errors = [json.loads(line) for line in (output / "errors.jsonl").read_text(encoding="utf-8").splitlines()]
    for run in evaluation.runs:
        mine = [error for error in errors if error["model"] == run.model]
        total = sum(map(sum, run.all.confusion))
        right = sum(row[i] for i, row in enumerate(run.all.confusion))
        assert len(mine) == total - right == sum(run.pairs.values())
        assert all(error["gold"] != error["predicted"] for error in mine)
        for error in mine:
            assert error["report"] == f"R{error['number'] - 1:02}"
            assert max(error["probabilities"]) == error["probabilities"][LABELS.index(error["predicted"])]


def test_stored_predictions_give_the_same_metrics(evaluated, corpus, tmp_path):
    output, _ = evaluated
    again = [f"{folder.name}={folder}" for folder in sorted((output / "predictions").iterdir())]
    done = evaluate(again[0], corpus, "-m", again[1], "--by", "institution", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    runs = [Evaluation.from_json((folder / "metrics.json").read_bytes()).runs for folder in (output, tmp_path)]
    for one, other in zip(*runs, strict=True):
        assert one.all == other.all
        assert one.segmentation == other.segmentation
        assert one.calibration.ece == pytest.approx(other.calibration.ece, abs=1e-6)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_what_apply_wrote_is_evaluated(evaluated, pipelines, corpus, tmp_path, format):
    labelled = tmp_path / "labelled"
    arguments = ["apply", pipelines / "trained", corpus, labelled, "--format", format]
    assert CliRunner().invoke(app, [*map(str, arguments)]).exit_code == 0
    done = evaluate(f"applied={labelled}", corpus, "--resamples", 0, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (run,) = Evaluation.from_json((tmp_path / "out/metrics.json").read_bytes()).runs
    first = Evaluation.from_json((evaluated[0] / "metrics.json").read_bytes()).runs[0]
    assert run.all.confusion == first.all.confusion
    assert run.segmentation == first.segmentation


def test_report_in_markdown_holds_no_report_text(evaluated):
    output, _ = evaluated
    report = (output / "report.md").read_text(encoding="utf-8")
    assert "| 弱 | corpus | 12 |" in report
    assert "## corpus: by institution" in report
    assert "Too few reports for an interval: &lt;script>" in report
    assert "permutation p" in report
    assert "<script" not in report
    assert CANARY not in report
    assert not any(sentence in report for text in REPORTS for sentence in text.split("\n"))


def test_one_model_by_many_institutions(pipelines, tmp_path):
    records = []
    for i in range(20):
        labels = GOLD[i % 3].split()
        if i in (7, 13):
            labels[1] = "BACKGROUND" if labels[1] != "BACKGROUND" else "NEGATIVE"
        meta = {} if i == 19 else {"institution": f"病院{i:02}"}
        records.append(labelled(f"R{i:02}", REPORTS[i % 3], labels, **meta))
    write_records(records, tmp_path / "many.jsonl")
    done = evaluate(
        f"m={pipelines / 'trained'}", tmp_path / "many.jsonl", "--by", "institution", "-o", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    section = report.partition("## many: by institution")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.split("\n") if line.startswith("| ")]
    assert rows[0] == ["institution", "reports", "sentences", "no label", "accuracy", "macro F1", "PPV_1", "Recall_1"]
    assert {rows[2][0], rows[3][0]} == {"病院07", "病院13"}  # the lowest first
    assert len(rows) == 2 + 20 + 1
    assert rows[-1][:2] == ["all", "20"]
    assert "m: of 19 values of institution, half have an accuracy of at least 1.000" in section
    assert "Too few reports for an interval: 20 of them." in section


def test_page_escapes_every_string_and_loads_nothing(evaluated):
    output, _ = evaluated
    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1  # its own
    assert "&lt;script&gt;alert(&#39;肺&#39;)&lt;/script&gt;" in page
    assert CANARY in page  # of a wrong sentence
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
    assert all("w3.org" in address or "purl.org" in address or "creativecommons" in address for address in addresses)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page)
    for name in ("corpus_confusion.png", "corpus_calibration.png"):
        image = (output / name).read_bytes()
        width, height = struct.unpack(">II", image[16:24])
        assert image.startswith(b"\x89PNG") and width > 800 and height > 400


SORT_AND_FILTER = """
const errors = document.querySelector("table.errors");
const shown = () => [...errors.tBodies[0].rows].filter((row) => !row.hidden);
const out = {all: shown().length};
errors.tHead.rows[0].cells[6].firstChild.click();
out.sorted = shown().map((row) => parseFloat(row.cells[6].textContent));
errors.tHead.rows[0].cells[6].firstChild.click();
out.reversed = shown().map((row) => parseFloat(row.cells[6].textContent));
const controls = errors.parentElement.previousElementSibling;
const select = [...controls.querySelectorAll("select")].find((s) => s.getAttribute("aria-label") === "reference");
select.value = "CONTINUATION";
select.dispatchEvent(new Event("input", {bubbles: true}));
out.chosen = shown().map((row) => row.cells[4].textContent);
select.value = "";
const search = controls.querySelector("input");
search.value = "山田花子";
search.dispatchEvent(new Event("input", {bubbles: true}));
out.found = shown().length;
out.counter = controls.querySelector("span").textContent;
out.svg = document.querySelectorAll("figure svg").length;
out.texts = [...document.querySelectorAll("figure svg text")].map((text) => text.textContent);
out.ink = getComputedStyle(document.querySelector("figure svg text")).fill;
out.wide = document.documentElement.scrollWidth <= window.innerWidth;
document.title = JSON.stringify(out);
"""


@needs_browser
def test_page_in_a_browser(evaluated, tmp_path):
    output, _ = evaluated
    page = tmp_path / "report.html"
    page.write_bytes((output / "report.html").read_bytes())
    dom, console = dom_of(page, SORT_AND_FILTER)
    assert console == []
    seen = json.loads(re.search(r"<title>(.*?)</title>", dom)[1].replace("&gt;", ">").replace("&lt;", "<"))
    assert seen["all"] == len((output / "errors.jsonl").read_text(encoding="utf-8").splitlines())
    assert seen["sorted"] == sorted(seen["sorted"])
    assert seen["reversed"] == sorted(seen["sorted"], reverse=True)
    assert seen["chosen"] and set(seen["chosen"]) == {"CONTINUATION"}
    assert 0 < seen["found"] < seen["all"]
    assert seen["counter"] == f"{seen['found']} of {seen['all']}"
    assert seen["svg"] == 2
    assert {*LABELS, "弱", "Reliability"} <= set(seen["texts"])
    assert seen["wide"], "wider than the window"
    for width, height in ((1200, 2000), (400, 2000)):
        image = screenshot(page, tmp_path / f"{width}.png", width=width, height=height)
        assert struct.unpack(">II", image[16:24]) == (width, height)
        assert len(image) > 40_000, "more than an empty page"


def test_a_language_model_whose_answers_cannot_be_parsed(pipelines, corpus, tmp_path):
    """As in the paper: left out, or counted as wrong; in brackets in the table of institutions."""
    few = tmp_path / "few.jsonl"
    write_records(list(read_records(corpus))[:2], few)
    done = evaluate(pipelines / "llm", few, "-m", pipelines / "trained", "-o", tmp_path / "out", "--by", "institution")
    assert done.exit_code == 1 and "llm on few: no sentence got a label: give" in " ".join(done.output.split())
    run, trained = Evaluation.from_json((tmp_path / "out/metrics.json").read_bytes()).runs
    assert run.all.no_label == run.all.sentences == 10
    assert run.reports_without_label == 2
    assert run.all.counted_wrong.metrics["accuracy"].value == 0
    assert run.all.excluded.metrics["accuracy"].value is None
    assert run.all.excluded.sentences == 0
    assert run.calibration is None
    assert trained.calibration is not None
    report = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    assert "- [10]" in report
    assert "left out, as in Kikuchi et al. 2026" in report
    assert "no confidence intervals: 2 are too few" in report
    assert "no label" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_no_text_leaves_nothing_of_the_reports(pipelines, corpus, tmp_path):
    assert evaluate(pipelines / "weak", corpus, "-o", tmp_path / "out", "--resamples", 0).exit_code == 0
    done = evaluate(pipelines / "weak", corpus, "-o", tmp_path / "out", "--no-text", "--resamples", 0)
    assert done.exit_code == 0, done.output
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"metrics.json", "errors.jsonl", "report.html"}
    assert "predictions" not in {path.name for path in (tmp_path / "out").iterdir()}
    sentences = {text for record in read_records(corpus) for text in [*record.sentence_texts, record.id]}
    for path in written:
        content = ("" if path.suffix == ".png" else path.read_text(encoding="utf-8")) + done.output
        assert not [sentence for sentence in sentences if sentence in content], path


def test_one_label_missing_is_told(pipelines, tmp_path):
    records = [labelled(f"R{i}", "胸水なし。\n右肺に結節あり。", ["NEGATIVE", "POSITIVE"]) for i in range(3)]
    write_records(records, tmp_path / "two.jsonl")
    assert evaluate(pipelines / "trained", tmp_path / "two.jsonl", "-o", tmp_path / "out").exit_code == 0
    report = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    assert "two: no sentence of the reference is BACKGROUND: macro F1 is over the labels that occur" in report


def test_bad_input(pipelines, corpus, tmp_path):
    unlabelled = tmp_path / "unlabelled.jsonl"
    write_records([unlabelled_record("R1", REPORTS[0])], unlabelled)
    other = tmp_path / "other.jsonl"
    write_records([labelled("R00", f"{CANARY}。", ["BACKGROUND"])], other)
    raw = tmp_path / "raw.jsonl"
    write_records([unlabelled_record(record.id, record.text) for record in read_records(corpus)], raw)
    (tmp_path / "empty").mkdir()
    blank_pipeline().to_disk(tmp_path / "blank")
    trained = pipelines / "trained"
    for args, message in [
        ((trained, unlabelled), "unlabelled: no sentence has a label: give reports that somebody has labelled."),
        ((other, corpus), "report 'R00' has another text in corpus"),
        ((tmp_path / "no_such", corpus), "no_such: cannot be loaded"),
        ((tmp_path / "empty", corpus), "empty: holds neither a pipeline (config.cfg) nor predictions"),
        ((tmp_path / "blank", corpus), 'the pipeline writes no doc.spans["radsent"]'),
        ((trained, tmp_path / "no_such.jsonl"), "no_such.jsonl: no such file"),
        ((trained, corpus, corpus), f"{corpus}: another of the corpora is named corpus, too: give it as NAME={corpus}"),
        ((trained, corpus, "--unit", "word"), "--unit 'word': use report or sentence."),
        ((trained, corpus, "--resamples", 5), "--resamples 5: give at least 100, or 0 for no intervals."),
        ((trained, corpus, "--seed", -1), "--seed -1: give 0 or more."),
        ((trained, corpus, "--gpu-id", 99), "--gpu-id 99: cannot be used"),
        ((trained, corpus, "-m", "no_such_package"), "no_such_package: cannot be loaded"),
        ((trained, tmp_path), "labelled reports are a .jsonl file of records, or of the paper's format"),
        (("", corpus), "A model or a corpus has no name"),
        ((f"{'x' * 300}=y", corpus), "y: cannot be loaded"),
        ((trained, corpus, "--batch-size", 0), "--batch-size 0: give 1 or more."),
        ((trained, corpus, "--max-errors", -1), "--max-errors -1: give 0 or more."),
        ((f"mine={raw}", corpus, "-m", f"llm={pipelines / 'llm'}"), "mine on corpus: no sentence got a label: give"),
    ]:
        done = evaluate(*args, "-o", tmp_path / "out")
        assert done.exit_code == 1, message
        assert message in " ".join(done.output.split()), (message, done.output)
        assert "Traceback" not in done.output
        assert CANARY not in done.output
        assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()], "nothing is half-written"


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (5, "input should be"),
        ({"scores": 5}, "scores: input should be a valid list"),
        ({"scores": [[0.1, 0.2, 0.3, 0.4]]}, "scores: has 1 items for 5 sentences"),
        ({"scores": [[0.1, 0.9]] * 5}, "scores.0: list should have at least 4 items"),
        ({"scores": [["0.25"] * 4] * 5}, "scores.0.0: input should be a valid number"),
        ({"scores": [[0, 0, 0, 2]] * 5}, "scores.0.3: input should be less than or equal to 1.001"),
        ({"scores": [[-1, 0, 1, 1]] * 5}, "scores.0.0: input should be greater than or equal to 0"),
        ({"on_gold": {}}, "on_gold.labels: field required"),
        ({"on_gold": {"labels": ["FOO"]}}, "on_gold.labels.0: input should be"),
        ({"on_gold": {"labels": [None]}}, "on_gold.labels: has 1 items for 5 sentences"),
    ],
)
def test_stored_predictions_that_are_malformed(tmp_path, prediction, message):
    gold = labelled("R1", REPORTS[0], GOLD[0].split())
    write_records([gold], tmp_path / "gold.jsonl")
    write_records([gold.model_copy(update={"meta": {"prediction": prediction}})], tmp_path / "stored.jsonl")
    done = evaluate(tmp_path / "stored.jsonl", tmp_path / "gold.jsonl", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "report 'R1': meta.prediction" in done.output and message in done.output
    assert not (tmp_path / "out").exists()


PIPELINE = """
import numpy, spacy
from spacy.tokens import Span
from spacy.language import Language

@Language.component("{name}")
def label(doc):
    spans = [Span(doc, s.start, s.end, label="{label}") for s in doc.sents if s.text.strip()]
    doc.spans["radsent"] = spans[::{step}]
    doc.spans["radsent"].attrs["scores"] = [numpy.array([0.1, 0.7, 0.1, 0.1], dtype="float32")] * len(spans)
    return doc
"""


def other_pipeline(folder, name, label="POSITIVE", step=1):
    """A pipeline of somebody else, who writes the span group without our components."""
    exec(PIPELINE.format(name=name, label=label, step=step), {})
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe(name)
    nlp.to_disk(folder / name)
    return folder / name


def test_pipelines_of_others(corpus, tmp_path):
    done = evaluate(other_pipeline(tmp_path, "with_numpy"), corpus, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (run,) = Evaluation.from_json((tmp_path / "out/metrics.json").read_bytes()).runs
    assert run.all.excluded.metrics["recall_1"].value == 1
    assert run.calibration.sentences == run.all.sentences
    for name, settings, message in [
        ("unknown_label", {"label": "FOO"}, "the pipeline writes the label 'FOO': use BACKGROUND"),
        ("backwards", {"step": -1}, "are not in order or overlap"),
    ]:
        done = evaluate(other_pipeline(tmp_path, name, **settings), corpus, "-o", tmp_path / "out2")
        assert done.exit_code == 1
        assert message in " ".join(done.output.split())


def test_a_pipeline_chained_with_ginza(pipelines, tmp_path):
    """As in the README; GiNZA's parser keeps no error handler."""
    if not spacy.util.is_package("ja_ginza"):
        pytest.skip("ja_ginza is not installed")
    labeller = spacy.load(pipelines / "trained")
    nlp = spacy.load("ja_ginza", exclude=["ner", "morphologizer", "compound_splitter", "bunsetu_recognizer"])
    nlp.add_pipe("radsent_sentencizer", first=True)
    nlp.add_pipe("radsent", source=labeller)
    nlp.to_disk(tmp_path / "chain")
    write_records([labelled("R1", REPORTS[0], GOLD[0].split())], tmp_path / "gold.jsonl")
    done = evaluate(tmp_path / "chain", tmp_path / "gold.jsonl", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output


def test_results_take_the_place_of_earlier_ones_and_of_nothing_else(pipelines, corpus, tmp_path):
    output = tmp_path / "out"
    for name in ("one", ".."):
        assert evaluate(f"{name}={pipelines / 'weak'}", f"[/x]={corpus}", "-o", output, "--resamples", 0).exit_code == 0
    assert [path.name for path in (output / "predictions").iterdir()] == ["unnamed"]
    assert (output / "predictions/unnamed/x.jsonl").exists() and (output / "x_confusion.png").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("")
    done = evaluate(pipelines / "weak", corpus, "-o", tmp_path / "other")
    assert done.exit_code == 1
    assert "other: holds something else (there is no metrics.json): name another folder." in done.output
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_the_best_of_a_column_is_marked_and_every_cell_escaped():
    sections = [Section("肺", tables=[Table("結節", ["F1"], [[Best("0.9 <")], ["0.8 <"]])])]
    page = to_html("評価", sections)
    assert "<td><strong>0.9 &lt;</strong></td>" in page and "<td>0.8 &lt;</td>" in page
    assert "| **0.9 &lt;** |" in to_markdown("評価", sections)


def test_errors_on_the_page_are_of_all_models(pipelines, corpus, tmp_path):
    args = (f"a={pipelines / 'weak'}", corpus, "-m", f"b={pipelines / 'weak'}", "--resamples", 0, "--max-errors", 4)
    assert evaluate(*args, "-o", tmp_path / "out").exit_code == 0
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert [page.count(f"<tr><td>{name}</td><td>corpus</td>") for name in "ab"] == [3, 3]  # with one in the overview


def test_the_page_is_filled_where_one_model_has_few_errors():
    errors = [SimpleNamespace(model="good" if i == 7 else "bad", corpus="corpus", i=i) for i in range(10)]
    assert [error.i for error in first_of_each(errors, 4)] == [0, 1, 2, 7]
    assert first_of_each(errors, 0) == []
    assert first_of_each(errors, 99) == errors


def test_without_the_extra(tmp_path):
    command = command_line("evaluate", "model", "corpus.jsonl", "-o", tmp_path, python=python_without(*EXTRAS, "scipy"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == 'Error: scipy is not installed: pip install "spacy-radsent[evaluation]".'


def test_a_name_may_be_given_or_not(pipelines, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(pipelines)
    assert evaluate("trained", corpus, "-o", tmp_path, "--resamples", 0).exit_code == 0
    (run,) = Evaluation.from_json((tmp_path / "metrics.json").read_bytes()).runs
    assert (run.model, run.corpus) == ("trained", "corpus")
    assert run.all.interval == "none"
    assert (Path(tmp_path) / "predictions/trained/corpus.jsonl").exists()
