"""The project workflow from corpus to installed package, small, in a copy of the project."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from encoders import run_without_torch
from llms import save_llm
from processes import FULL_PYTHON, LIGHT_PYTHON
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from stub_server import serve
from synth_answers import right

from spacy_radsent.corpus.records import read_records
from spacy_radsent.evaluation.results import Evaluation

ROOT = Path(__file__).parents[1]
PACKAGE = "ja_radsent_smoke"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with 180 reports in sampled styles, and 72 of institutions."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("project.yml", "configs", "scripts"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "assets/bundled").mkdir(parents=True)
    for name in (
        "external_dev.jsonl",
        "samples.jsonl",
        *(f"bundled/part0{i}.jsonl" for i in range(3)),
        "bundled/institutions0.jsonl",
    ):
        shutil.copy(ROOT / "assets" / name, folder / "assets" / name)
    yield folder
    subprocess.run([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", PACKAGE], check=False)


SHORT = {
    "training.max_epochs": "3",
    "training.eval_frequency": "8",
    "training.logger.progress_bar": "false",
    "corpora.train.augmenter.copies": "0",
}
FAST = {**SHORT, "components.radsent.model.size": "1"}


def run_project(folder, *arguments, check=True, overrides=FAST, python=LIGHT_PYTHON):
    done = subprocess.run(
        [*python, "-m", "spacy", "project", "run", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "SPACY_CONFIG_OVERRIDES": " ".join(f"--{key} {value}" for key, value in overrides.items()),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def test_whole_workflow(project):
    done = run_project(project, "all", ".", "--vars.name", PACKAGE.removeprefix("ja_"))
    assert (project / "packages" / f"{PACKAGE}-0.1.0-py3-none-any.whl").exists()
    meta = json.loads((project / "training/model-best/meta.json").read_text())
    for score in ("radsent_acc", "radsent_macro_f", "radsent_ppv_1", "radsent_recall_1", "radsent_f_1"):
        assert 0.0 <= meta["performance"][score] <= 1.0
    assert set(meta["performance"]["radsent_per_type"]) == {"BACKGROUND", "POSITIVE", "NEGATIVE", "CONTINUATION"}
    evaluation = Evaluation.from_json((project / "metrics/encoder/metrics.json").read_bytes())
    assert [run.corpus for run in evaluation.runs] == ["test", "external_dev"]
    external = evaluation.runs[1]
    accuracy = external.all.counted_wrong.metrics["accuracy"].value
    assert accuracy > 0.4  # three short epochs on 180 reports: far better than chance, far from good
    assert external.segmentation.split_exactly > 0.97 * external.segmentation.reports
    assert [group.name for group in external.groups["institution"]] == ["H", "K"]
    assert "RADSENT_ACC" in done.stdout  # the training table
    assert re.search(rf"encoder +external_dev +{accuracy:.3f} ", done.stdout)
    assert (project / "metrics/encoder/report.html").exists()
    page = (project / "demo/reports.html").read_text(encoding="utf-8")
    for line in (project / "assets/samples.jsonl").read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["text"].split("\n")[0].split("。")[0] in page

    again = run_project(project, "all", ".", "--vars.name", PACKAGE.removeprefix("ja_"))
    assert "Skipping 'train'" in again.stdout  # nothing changed, nothing is done twice


def test_packaged_pipeline_loads_without_network_and_torch(project):
    done = run_without_torch(PACKAGE)
    assert len(ast.literal_eval(done.stdout)) == 5, done.stderr


def test_python_of_the_readme_works_as_pasted(project):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    code = "\n".join(blocks).replace("ja_radsent_sm", PACKAGE)
    done = subprocess.run([*LIGHT_PYTHON, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"(POSITIVE|NEGATIVE|BACKGROUND|CONTINUATION) 0\.\d+ 右肺S1に径8mmの結節を認めます。\[#1\]", done.stdout
    )
    assert "('結節', '" in done.stdout


def test_workflow_with_a_transformer_resumed_and_distilled(project, checkpoint):
    """A model by its folder, trained, then trained again from where it ended; then the CPU pipeline, made from it."""
    arguments = ["train", ".", "--vars.config", "configs/mixed.cfg", "--vars.encoder", str(checkpoint("bert"))]
    shutil.move(project / "training", project / "training-cpu")
    try:
        losses = []
        for resume in ([], ["--vars.resume", "resumed-from/model-last"]):
            done = run_project(project, *arguments, *resume, overrides=SHORT, python=FULL_PYTHON)
            losses.append(float(re.search(r"^ +0 +0 +(\d+\.\d+)", done.stdout, re.M)[1]))
            if not resume:
                shutil.move(project / "training", project / "resumed-from")
        assert losses[1] < losses[0]
        done = run_project(project, "distill", ".", overrides=FAST, python=FULL_PYTHON)
        assert re.search(r"training/vectors: vectors of \d,\d{3} words, 32 wide", done.stdout)
        paths = load_config(project / "training/distilled/model-best/config.cfg")["paths"]
        assert (paths["vectors"], paths["teacher"]) == ("training/vectors", "training/model-best")
        evaluation = Evaluation.from_json((project / "metrics/distilled/metrics.json").read_bytes())
        assert [run.model for run in evaluation.runs_on("external_dev")] == ["teacher", "distilled"]
        distilled = ["--vars.pipeline", "training/distilled/model-best", "--vars.name", "radsent_distilled"]
        one_member = {"components.radsent.model.size": "1"}
        for command in ("package", "mix-local", "train-adapted"):
            own = ["--vars.local", "assets/external_dev.jsonl", "--vars.local_test", "assets/samples.jsonl"]
            run_project(project, command, ".", *distilled, *own, overrides=one_member)
        packaged = project / "packages/ja_radsent_distilled-0.1.0/ja_radsent_distilled/ja_radsent_distilled-0.1.0"
        for pipeline in (packaged, project / "training/adapted/model-last"):
            assert spacy.load(pipeline).vocab.vectors_length == 32
    finally:
        for folder in ("resumed-from", "training"):
            shutil.rmtree(project / folder, ignore_errors=True)
        shutil.move(project / "training-cpu", project / "training")


def test_spacy_commands_work_unmodified(project, tmp_path):
    spacy = [*LIGHT_PYTHON, "-m", "spacy"]
    for command in (
        [*spacy, "debug", "config", "configs/cpu.cfg"],
        [*spacy, "debug", "data", "configs/cpu.cfg"],
        [*spacy, "apply", "training/model-best", "assets/samples.jsonl", str(tmp_path / "out.spacy"), "-b", "8"],
        [*spacy, "evaluate", "training/model-best", "corpus/external_dev.spacy", "--output", str(tmp_path / "m.json")],
    ):
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.spacy").exists()
    scores = json.loads((tmp_path / "m.json").read_text())
    ours = Evaluation.from_json((project / "metrics/encoder/metrics.json").read_bytes()).runs_on("external_dev")[0].all
    for theirs, name in (("acc", "accuracy"), ("macro_f", "macro_f1"), ("ppv_1", "ppv_1"), ("recall_1", "recall_1")):
        assert scores[f"radsent_{theirs}"] == pytest.approx(ours.counted_wrong.metrics[name].value), name


def test_workflow_that_leaves_one_out(project):
    """Two values of a field: two trainings, each tested on what the other one saw; then the paper's tables."""
    corpus = project / "assets/two"
    corpus.mkdir()
    records = [json.loads(line) for line in (ROOT / "assets/bundled/part00.jsonl").read_text("utf-8").splitlines()]
    for i, record in enumerate(records):
        record["meta"] = {"institution": "甲" if i % 2 else "乙"}
    (corpus / "two.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    variables = ["--vars.corpus", "two", "--vars.leave_out", "institution"]
    names = {record["text"]: record["meta"]["institution"] for record in records}
    done = run_project(project, "leave-one-out", ".", *variables, overrides={**FAST, "training.max_epochs": "1"})
    assert "1 of 2: without institution '乙'" in done.stdout
    (run,) = Evaluation.from_json((project / "metrics/without_institution/metrics.json").read_bytes()).runs
    assert run.model == "unseen"
    assert [(group.name, group.reports) for group in run.groups["institution"]] == [("乙", 30), ("甲", 30)]
    folds = sorted((project / "training/without_institution").glob("fold-*"))
    assert len(folds) == 2
    seen = []
    for fold in folds:  # nothing of the institution that is left out is trained on or chosen by
        docs = [
            doc for name in ("train", "dev") for doc in DocBin().from_disk(fold / f"{name}.spacy").get_docs(Vocab())
        ]
        seen.append({names[doc.text] for doc in docs})
    assert sorted(map(sorted, seen)) == [["乙"], ["甲"]]
    again = run_project(
        project, "leave-one-out", ".", *variables, "--force", overrides={**FAST, "training.max_epochs": "1"}
    )
    assert "RADSENT_ACC" in done.stdout and "RADSENT_ACC" not in again.stdout  # finished models are used again
    failed = run_project(project, "train-without", ".", "--vars.corpus", "two", "--vars.leave_out", "age", check=False)
    assert failed.returncode != 0
    assert "age has 0 values among its reports" in failed.stdout + failed.stderr

    run_project(project, "reproduce", ".")
    report = (project / "metrics/paper/paper.md").read_text(encoding="utf-8")
    assert "| encoder | here |" in report
    assert "| fine-tuned models, lowest to highest | paper |" in report
    assert "H (20 reports, 225 sentences)" in report


def test_learning_rate_of_adapting_is_a_variable(project):
    for variables, rate in (((), "0.001"), (("--vars.adapt_learn_rate", "2e-5"), "2e-05")):
        done = run_project(project, "train-adapted", ".", "--dry", *variables)
        assert f"--training.optimizer.learn_rate {rate} " in " ".join(done.stdout.split())


def test_workflow_that_adapts_to_reports_of_ones_own(project):
    """Ten reports of institution H are learnt from; before and after, ten others, and what must not be forgotten."""
    lines = (ROOT / "assets/external_dev.jsonl").read_text("utf-8").splitlines()
    own = [line for line in lines if json.loads(line)["meta"]["institution"] == "H"]
    for name, part in (("own", own[:10]), ("others", own[10:])):
        (project / f"{name}.jsonl").write_text("\n".join(part), encoding="utf-8")
    fast = {name: FAST[name] for name in ("training.logger.progress_bar", "components.radsent.model.size")}
    variables = ["--vars.local", "own.jsonl", "--vars.local_test", "others.jsonl", "--vars.share", "0.3"]
    done = run_project(project, "adapt", ".", *variables, overrides=fast)
    assert "10 reports of your own, repeated to" in done.stdout
    evaluation = Evaluation.from_json((project / "metrics/adapted/metrics.json").read_bytes())
    accuracy = {(run.model, run.corpus): run.all.counted_wrong.metrics["accuracy"].value for run in evaluation.runs}
    assert accuracy["adapted", "others"] > accuracy["before", "others"]
    assert accuracy["adapted", "test"] > accuracy["before", "test"] - 0.02
    missing = run_project(project, "mix-local", ".", "--force", check=False)
    assert "No reports of your own are given: add --vars.local my_reports.jsonl." in missing.stdout + missing.stderr


def test_a_calibrated_pipeline_is_calibrated_again(project):
    calibrated = project / "training/calibrated"
    for pipeline in ("training/model-best", "training/calibrated"):
        run_project(project, "calibrate", ".", "--vars.pipeline", pipeline)
        assert load_config(calibrated / "config.cfg")["components"]["radsent"]["positive_threshold"] is not None
    failed = run_project(project, "calibrate", ".", "--vars.pipeline", "corpus", check=False)
    assert failed.returncode != 0
    assert "corpus: is no pipeline's folder" in failed.stdout + failed.stderr
    assert (calibrated / "config.cfg").exists()  # what was there stays


def test_a_corpus_of_the_paper_given_as_a_folder(project, shared_data, tmp_path):
    """`--vars.corpora FOLDER --vars.corpus jichi` takes the paper's files as they are."""
    folder = tmp_path / "jichi"
    folder.mkdir()
    shutil.copy(shared_data("jichi/validation.jsonl"), folder / "part.jsonl")
    run_project(project, "split", ".", "--vars.corpora", str(tmp_path), "--vars.corpus", "jichi")
    sizes = {
        name: len((project / f"corpus/{name}.jsonl").read_text().splitlines()) for name in ("train", "dev", "test")
    }
    assert sizes["dev"] + sizes["test"] in range(60, 75)
    assert sizes["train"] > 200  # of 268, those that share sentences with dev and test are dropped


def test_a_corpus_that_is_not_there(project):
    done = run_project(project, "split", ".", "--vars.corpus", "jichi", check=False)
    assert done.returncode != 0
    assert "assets/jichi" in done.stdout + done.stderr


def test_workflow_of_a_language_model(project, tmp_path):
    save_llm("qwen3", project / "models/tiny", num_hidden_layers=1, initializer_range=0.02)
    corpus = tmp_path / "corpora/few"
    corpus.mkdir(parents=True)
    lines = (ROOT / "assets/bundled/part00.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (corpus / "few.jsonl").write_text("".join(lines[:20]), encoding="utf-8")
    external = (ROOT / "assets/external_dev.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (project / "assets/external_dev.jsonl").write_text("".join(external[:3]), encoding="utf-8")
    config = (project / "configs/lora.cfg").read_text(encoding="utf-8")
    config = config.replace("epochs = 3", "epochs = 1").replace("max_length = 2048", "max_length = 8192")
    (project / "configs/lora.cfg").write_text(config, encoding="utf-8")
    variables = {"corpora": corpus.parent, "corpus": "few", "llm": "models/tiny"}
    done = run_project(
        project,
        "llm",
        ".",
        *(part for name, value in variables.items() for part in (f"--vars.{name}", str(value))),
        overrides={},
        python=FULL_PYTHON,
    )
    assert "epoch 1  dev loss" in done.stdout
    run = Evaluation.from_json((project / "metrics/llm/metrics.json").read_bytes()).runs_on("external_dev")[0]
    assert run.all.no_label == 0
    assert 0 <= run.all.counted_wrong.metrics["macro_f1"].value <= 1
    assert run.calibration.sentences == run.all.sentences
    assert (project / "training/lora/adapter_model.safetensors").exists()
    doc = spacy.load(project / "training/llm")("胸水なし。")  # from another folder than the project's
    assert doc.spans["radsent"].attrs["status"] == ["ok"]
    command = ["scripts/assemble_llm.py", "configs/llm.cfg", str(tmp_path / "llm"), "on/hub", "no/adapter"]
    subprocess.run([sys.executable, *command], cwd=project, check=True, capture_output=True)
    paths = load_config(tmp_path / "llm/config.cfg")["paths"]
    assert (paths["llm"], paths["adapter"]) == ("on/hub", "no/adapter")


def test_workflow_of_synthetic_data(project):
    """From attributes to a corpus that the main workflow splits and converts."""
    with serve(right) as (stub, url):
        variables = ["--vars.reports", "12", "--vars.server", url]
        done = run_project(project, "synth", ".", *variables, python=FULL_PYTHON)
        assert len(stub.requests) == 24
        assert "12 answers" in done.stdout
        again = run_project(project, "synth", ".", *variables, "--force", python=FULL_PYTHON)
        assert "0 answers" in again.stdout
        assert len(stub.requests) == 24
    assert "| synth | all | 12 |" in (project / "metrics/synth/corpus_stats.md").read_text(encoding="utf-8")
    alike = ("--vars.stratify", "institution", "--vars.group", "")
    run_project(project, "split", ".", "--vars.corpus", "synth", *alike)
    parts = {name: list(read_records(project / f"corpus/{name}.jsonl")) for name in ("train", "dev", "test")}
    leaks = json.loads((project / "corpus/leaks.json").read_text(encoding="utf-8"))  # the stub may answer alike
    assert sum(map(len, parts.values())) + len(leaks) == 12 and len(parts["train"]) >= 8


def test_no_workflow_but_synth_asks_a_server():
    workflows = srsly.read_yaml(ROOT / "project.yml")["workflows"]
    asking = {name for name, steps in workflows.items() if {"generate", "annotate"} & set(steps)}
    assert asking == {"synth"}
