"""`radsent shift`: what differs between reports is told, what does not is not, and no text leaves."""

import json

import pytest
from spacy.language import Language
from spacy.tokens import Span
from tiny import train_tiny
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import write_records
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.shift import measure_shift
from spacy_radsent.spans import trimmed_sentences

CANARY = "山田花子"


@pytest.fixture(scope="module")
def pipeline():
    return train_tiny()


def distances(shift):
    return {row.name: row.distance for row in shift.rows}


def test_reports_of_the_same_kind_are_alike(pipeline, bundled):
    shift = measure_shift(pipeline, bundled[:400], bundled[400:560], bundled[560:720])
    assert (shift.held_out, shift.reports) == (160, 160)
    assert {row.verdict for row in shift.rows} == {"alike"}
    empty = [unlabelled_record(f"{i}", " ") for i in range(3)]
    few = measure_shift(pipeline, bundled[:400], bundled[400:560], [*bundled[560:572], *empty])
    assert (few.held_out, few.reports) == (160, 12)
    assert {row.verdict for row in few.rows} == {"alike"}, "what chance gives among twelve reports is no difference"
    assert shift.accuracy_expected == pytest.approx(shift.accuracy_held_out, abs=0.05)
    assert "--target" not in shift.as_markdown()


def test_other_frequencies_of_labels_are_told(pipeline, bundled):
    negative = [
        unlabelled_record(r.id, "胸水を認めません。\n腹水を認めません。\n胆石を認めません。") for r in bundled[500:560]
    ]
    assert (
        "`radsent calibrate --target`"
        in measure_shift(pipeline, bundled[:400], bundled[400:460], negative).as_markdown()
    )


def test_what_was_changed_is_what_differs(pipeline, bundled):
    held_out = bundled[400:460]
    without_periods = [
        unlabelled_record(r.id, r.text.replace("。", "\n").replace("．", "\n")) for r in bundled[500:560]
    ]
    shift = measure_shift(pipeline, bundled[:400], held_out, without_periods)
    changed = distances(shift)
    assert changed["sentences without a period"] > 0.5 and changed["sentences with a figure mark"] < 0.25
    (row,) = [row for row in shift.rows if row.name == "sentences without a period"]
    assert row.reports > 0.9 > row.held_out and row.verdict == "far"

    foreign = [unlabelled_record(record.id, "Zygomatic lorem ipsum dolor sit amet。" * 5) for record in held_out]
    changed = distances(measure_shift(pipeline, bundled[:400], held_out, foreign))
    assert changed["words never seen in training"] == changed["Latin letters"] == 1.0


def test_the_command_writes_figures_and_no_text(pipeline, bundled, tmp_path):
    pipeline.to_disk(tmp_path / "model")
    write_records(bundled[:100], tmp_path / "train.jsonl")
    write_records(bundled[100:120], tmp_path / "held.jsonl")
    rows = [f"{i},{CANARY}、右肺に結節{i}。" for i in range(12)]
    (tmp_path / "own.csv").write_text("\n".join(["番号,所見", *rows]), encoding="utf-8")
    options = ["--training", str(tmp_path / "train.jsonl"), "--held-out", str(tmp_path / "held.jsonl")]
    options += ["--text-column", "所見", "--id-column", "番号"]
    command = ["shift", str(tmp_path / "model"), str(tmp_path / "own.csv"), *options, "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "out/shift.json").read_text(encoding="utf-8"))
    assert (figures["held_out"], figures["reports"]) == (20, 12)
    assert {row["name"]: row["verdict"] for row in figures["rows"]}["characters"] == "far"
    texts = [
        done.output,
        *((tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("shift.md", "shift.json")),
    ]
    assert not any(CANARY in text or "結節" in text for text in texts)
    assert texts[1] in texts[0]
    blank_pipeline().to_disk(tmp_path / "blank")
    refused = CliRunner().invoke(app, [command[0], str(tmp_path / "blank"), *command[2:]])
    assert refused.exit_code == 1 and 'blank: writes no doc.spans["radsent"]' in refused.output


def test_a_pipeline_without_probabilities(bundled):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("says_nothing_of_its_certainty")
    with pytest.raises(RadsentError, match="tells no probabilities, by which to expect anything: give another one"):
        measure_shift(nlp, bundled[:20], bundled[20:40], bundled[40:60])


@Language.component("says_nothing_of_its_certainty")
def says_nothing_of_its_certainty(doc):
    doc.spans["radsent"] = [Span(doc, sent.start, sent.end, label="NEGATIVE") for sent in trimmed_sentences(doc)]
    return doc


def test_too_few_reports(pipeline, bundled):
    with pytest.raises(RadsentError, match="3 other reports with text: at least 10 are needed"):
        measure_shift(pipeline, bundled[:20], bundled[20:40], bundled[40:43])
    with pytest.raises(RadsentError, match="2 held-out reports with text: at least 10"):
        measure_shift(pipeline, bundled[:20], bundled[20:22], bundled[40:60])
