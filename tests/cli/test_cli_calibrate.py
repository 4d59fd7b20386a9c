"""`radsent calibrate`: what is fitted is in the pipeline, and the figures are of reports that it was not fitted on."""

import csv
import json
from dataclasses import asdict

import pytest
import spacy
from archives import write_rows
from spacy.training import Example
from tiny import make_pipeline
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import write_records

CANARY = "山田花子"
OVERCONFIDENT = 0.2


@pytest.fixture(scope="module")
def folder(bundled, tmp_path_factory):
    """A pipeline trained on 60 reports, far too certain, and 40 and 40 other reports."""
    folder = tmp_path_factory.mktemp("calibrate")
    spacy.util.fix_random_seed(0)
    nlp = make_pipeline()
    golds = [record_to_doc(record, nlp, Alignment()) for record in bundled[:60]]
    examples = [Example(nlp.make_doc(gold.text), gold) for gold in golds]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(6):
        for start in range(0, len(examples), 10):
            nlp.update(examples[start : start + 10], sgd=optimizer, drop=0.2)
    nlp.to_disk(folder / "trained")
    config = {"components": {"radsent": {"temperature": OVERCONFIDENT}}}
    spacy.load(folder / "trained", config=config).to_disk(folder / "model")
    (folder / "model/NOTES.md").write_text("ours", encoding="utf-8")
    write_records(bundled[60:100], folder / "dev.jsonl")
    write_records(bundled[100:140], folder / "test.jsonl")
    return folder


def calibrate(*args):
    return CliRunner().invoke(app, ["calibrate", *map(str, args)])


def test_what_is_fitted_is_in_the_pipeline(folder, tmp_path):
    options = ["--ppv", 0.8, "--review", 0.1, "--test", folder / "test.jsonl", "--output", tmp_path / "out"]
    done = calibrate(folder / "model", folder / "dev.jsonl", *options)
    assert done.exit_code == 0, done.output
    nlp = spacy.load(tmp_path / "out")
    decision = nlp.get_pipe("radsent").decision
    assert decision.positive_threshold is not None and 0 < decision.review_below < 1
    assert nlp.config["components"]["radsent"]["temperature"] == pytest.approx(decision.temperature) != 1.0
    assert f"positive_threshold {decision.positive_threshold:.3f}" in done.output
    stored = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf-8"))["calibration"]
    quality = stored["quality"]
    assert list(quality) == ["dev.jsonl, before", "dev.jsonl, cross-fitted", "test.jsonl, before", "test.jsonl, after"]
    assert stored["temperature"] == pytest.approx(decision.temperature)
    assert quality["test.jsonl, after"]["ece"] < 0.1 < quality["test.jsonl, before"]["ece"]
    assert quality["test.jsonl, after"]["accuracy_of_ok"] > quality["test.jsonl, after"]["accuracy"]
    assert 0.7 < quality["dev.jsonl, cross-fitted"]["ppv_1"] < 0.9
    assert "cross-fitted" in done.output

    assert (tmp_path / "out/NOTES.md").exists()

    # Again, from a calibrated pipeline: the same, since the model's own probabilities are fitted.
    before = (tmp_path / "out/radsent/model").read_bytes()
    assert calibrate(tmp_path / "out", folder / "dev.jsonl", *options[:4]).exit_code == 1, "it is not replaced unasked"
    assert calibrate(tmp_path / "out", folder / "dev.jsonl", *options[:4], "--overwrite").exit_code == 0
    again = spacy.load(tmp_path / "out").get_pipe("radsent")
    assert asdict(again.decision) == pytest.approx(asdict(decision))
    assert (tmp_path / "out/radsent/model").read_bytes() == before


@pytest.mark.parametrize(("ppv", "costs"), [(0.97, True), (0, False)])
def test_a_precision_that_costs_accuracy(folder, tmp_path, ppv, costs):
    done = calibrate(folder / "model", folder / "dev.jsonl", "--ppv", ppv, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    quality = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf-8"))["calibration"]["quality"]
    before, after = (quality[f"dev.jsonl, {when}"]["accuracy"] for when in ("before", "cross-fitted"))
    assert (after < before - 0.01) is costs
    told = f"Accuracy to expect is {after:.3f}, less than {before:.3f} before: ask for less precision with --ppv"
    assert (told in done.output) is costs


def test_most_probable_label_on_request(folder, tmp_path):
    done = calibrate(folder / "model", folder / "dev.jsonl", "--ppv", 0, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    decision = spacy.load(tmp_path / "out").get_pipe("radsent").decision
    assert (decision.positive_threshold, decision.review_below) == (None, 0.0)
    # In place of it, on request.
    assert calibrate(folder / "model", folder / "dev.jsonl", "--output", tmp_path / "out").exit_code == 1
    done = calibrate(folder / "model", folder / "dev.jsonl", "--ppv", 0.8, "--output", tmp_path / "out", "--overwrite")
    assert done.exit_code == 0, done.output
    assert spacy.load(tmp_path / "out").get_pipe("radsent").decision.positive_threshold is not None


def test_reports_with_other_frequencies(folder, bundled, tmp_path):
    """The pipeline is for reports full of findings, and none of them is labelled."""
    share = {r.id: sum(s.label == "POSITIVE" for s in r.sentences) / len(r.sentences) for r in bundled}
    full = [record for record in bundled[140:] if share[record.id] >= 0.5][:60]
    write_records(full, tmp_path / "full.jsonl")
    # Addenda have the id of their report.
    with open(tmp_path / "target.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *((record.id[:2], record.text) for record in full)])
    options = ["--ppv", 0, "--target", tmp_path / "target.csv", "--test", tmp_path / "full.jsonl"]
    done = calibrate(folder / "model", folder / "dev.jsonl", *options, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    weights = spacy.load(tmp_path / "out").get_pipe("radsent").decision.label_weights
    assert weights[1] > 1.2 > 1.0 > weights[2]
    told = " ".join(done.output.split())
    assert f"POSITIVE is {weights[1]:.2f} times as frequent in" in told
    quality = json.loads((tmp_path / "out/meta.json").read_text(encoding="utf-8"))["calibration"]["quality"]
    plain = calibrate(folder / "model", folder / "dev.jsonl", "--ppv", 0, *options[4:], "--output", tmp_path / "plain")
    assert plain.exit_code == 0
    without = json.loads((tmp_path / "plain/meta.json").read_text(encoding="utf-8"))["calibration"]["quality"]
    assert quality["full.jsonl, after"]["recall_1"] > without["full.jsonl, after"]["recall_1"]


def test_few_reports_that_are_all_normal(folder, tmp_path):
    """Empty ones are not counted; what was rare in the others stays possible."""
    normal = [{"id": f"{i}", "text": f"胸部{i}。\n肺野に異常なし。\n胸水なし。" if i < 12 else " "} for i in range(20)]
    write_rows(tmp_path / "normal.jsonl", normal)
    options = ["--ppv", 0, "--target", tmp_path / "normal.jsonl", "--output", tmp_path / "out"]
    done = calibrate(folder / "model", folder / "dev.jsonl", *options)
    assert done.exit_code == 0, done.output
    weights = spacy.load(tmp_path / "out").get_pipe("radsent").decision.label_weights
    assert weights[1] == 0.2
    assert "POSITIVE is 0.20 times as frequent in" in done.output
    assert "or beyond that: give more reports, of all kinds" in " ".join(done.output.split())
    write_rows(tmp_path / "normal.jsonl", normal[10:])
    few = calibrate(folder / "model", folder / "dev.jsonl", *options, "--overwrite")
    assert "2 reports with text, 10 are needed" in few.output


def test_bad_input(folder, bundled, tmp_path):
    model, dev = folder / "model", folder / "dev.jsonl"
    blank_pipeline().to_disk(tmp_path / "blank")
    write_records(bundled[:3], tmp_path / "few.jsonl")
    write_records([unlabelled_record("R", f"{CANARY}。")], tmp_path / "unlabelled.jsonl")
    negative = [record.model_copy(deep=True) for record in bundled[:12]]
    for record in negative:
        for sentence in record.sentences:
            sentence.label = "NEGATIVE"
    write_records(negative, tmp_path / "negative.jsonl")
    inverted = [record.model_copy(deep=True) for record in bundled[60:100]]
    for record in inverted:
        for sentence in record.sentences:
            sentence.label = "NEGATIVE" if sentence.label == "POSITIVE" else "POSITIVE"
    write_records(inverted, tmp_path / "inverted.jsonl")
    (tmp_path / "there").mkdir()
    (tmp_path / "there/notes.txt").write_text("ours", encoding="utf-8")
    for args, message in [
        ((tmp_path / "nothing", dev), "nothing: is no pipeline's folder"),
        ((model, tmp_path / "nothing.jsonl"), "nothing.jsonl: no such file"),
        ((model, tmp_path / "few.jsonl"), "few.jsonl: 3 labelled reports, 10 are needed: label more."),
        ((model, tmp_path / "unlabelled.jsonl"), "unlabelled.jsonl: no sentence has a label"),
        ((model, tmp_path / "negative.jsonl"), "negative.jsonl: no sentence is POSITIVE: give reports with findings."),
        ((tmp_path / "blank", dev), "blank: has no component radsent"),
        ((model, tmp_path / "inverted.jsonl"), "No threshold gives POSITIVE a precision of 0.95"),
        ((model, dev, "--test", tmp_path / "dev.jsonl"), "dev.jsonl: two files have this name"),
        ((model, dev, "--ppv", 1.2), "--ppv 1.2: give a number from 0 to less than 1."),
        ((model, dev, "--review", -1), "--review -1.0: give a number from 0 to less than 1."),
        ((model, dev, "--output", tmp_path / "there"), "there: is there already: name a folder that is not, or give"),
        ((model, dev, "--output", model), "model: is there already"),
        ((model, dev, "--output", model / "vocab/new"), "vocab/new: is inside of the pipeline's own folder: name one"),
        ((model, dev, "--ppv", 0, "--output", tmp_path / "there", "--overwrite"), "there: holds something else"),
        ((model, dev, "--target", tmp_path / "few.jsonl"), "few.jsonl: 3 reports with text, 10 are needed: give more."),
        ((model, dev, "--target", tmp_path / "nowhere.jsonl"), "nowhere.jsonl: no such file"),
    ]:
        done = calibrate(*args, *([] if "--output" in args else ["--output", tmp_path / "new"]))
        assert done.exit_code == 1, (message, done.output)
        assert not (tmp_path / "new").exists() and not (model / "vocab/new").exists()
        assert message in " ".join(done.output.split()), (message, done.output)
        assert CANARY not in done.output
    assert spacy.load(model).get_pipe("radsent").decision.temperature == OVERCONFIDENT
    assert (tmp_path / "there/notes.txt").read_text(encoding="utf-8") == "ours"
