"""`radsent train-lora`: an adapter changes what a model answers, in both modes; what it does not fit is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from llms import (
    KINDS,
    LORA_CONFIG,
    LORA_FAST,
    LORA_SHAPE,
    make_llm_pipeline,
    memorize_reports,
    save_llm,
    train_lora,
    write_lora_corpus,
)
from safetensors.numpy import load_file
from tiny import GOLD, REPORTS, labels_of
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.errors import RadsentError
from spacy_radsent.labels import LABELS
from spacy_radsent.version import __version__

# Every label wrong: what the base models of these tests answer.
WRONG = [" ".join(LABELS[(LABELS.index(label) + 1) % 4] for label in gold.split()) for gold in GOLD]


@pytest.fixture(scope="module", params=KINDS)
def base(request, tmp_path_factory):
    folder = save_llm(request.param, tmp_path_factory.mktemp("base") / request.param, **LORA_SHAPE)
    memorize_reports(folder, WRONG, steps=150, learn_rate=0.005)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_lora_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def adapter(base, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "adapter"
    done = train_lora(base, corpus, folder, **LORA_FAST)
    assert done.exit_code == 0, done.output
    assert f"{folder}: an adapter for {base}, macro F1 1.000 on dev\n" in done.output
    return folder


@pytest.mark.parametrize("mode", ["score", "generate"])
def test_both_modes_know_what_the_adapter_learned(base, adapter, mode):
    for labels, settings in {tuple(WRONG): {}, tuple(GOLD): {"adapter": str(adapter)}}.items():
        docs = make_llm_pipeline(base, mode=mode, **settings).pipe(REPORTS)
        assert [labels_of(doc) for doc in docs] == [label.split() for label in labels]


def test_adapter_says_where_it_comes_from(base, adapter, corpus):
    assert {path.name for path in adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "radsent.json",
        "README.md",
    }
    record = json.loads((adapter / "radsent.json").read_text())
    assert (record["base_model"], record["base_dtype"], record["prompt"]) == (str(base), "float32", "ja_v1")
    assert record["scores"] == {"accuracy": 1, "macro_f1": 1, "precision_positive": 1}
    assert record["spacy_radsent"] == __version__
    assert record["settings"]["training"]["epochs"] == 3
    card = (adapter / "README.md").read_text()
    assert record["train_sha256"] in card and f'base_model: "{base}"' in card
    assert not any(text[:8] in card for text in REPORTS)
    assert not adapter.with_name("adapter.checkpoints").exists()


def test_run_that_was_cut_off_goes_on_to_the_same_weights(base, corpus, tmp_path, monkeypatch):
    from spacy_radsent.llm.lora_trainer import LabelTrainer

    settings = {**LORA_FAST, "training.learn_rate": 0.001}
    corpus = shutil.copytree(corpus, tmp_path / "corpus")
    for part in ("train", "dev"):
        (corpus / f"{part}.jsonl").write_text("".join((corpus / f"{part}.jsonl").read_text().splitlines(True)[:6]))
    assert train_lora(base, corpus, tmp_path / "whole", **settings).exit_code == 0

    step = LabelTrainer.training_step

    def cut_off(self, *args, **kwargs):
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(LabelTrainer, "training_step", cut_off)
        assert train_lora(base, corpus, tmp_path / "cut", **settings).exit_code == 130
    assert not (tmp_path / "cut").exists()
    told = {
        (): "cut.checkpoints: is of a run that was cut off: give --resume to go on, or remove it.",
        ("--resume",): "is of a run with other settings or other data: resume it with the same.",
    }
    for flags, message in told.items():
        done = train_lora(base, corpus, tmp_path / "cut", *flags, **{**settings, "training.seed": 1})
        assert (done.exit_code, message in done.stderr) == (1, True)
    half_written = tmp_path / "cut.checkpoints/checkpoint-99"
    half_written.mkdir()
    assert train_lora(base, corpus, tmp_path / "cut", "--resume", **settings).exit_code == 0
    whole, resumed = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "cut"))
    assert all((whole[name] == resumed[name]).all() for name in whole)


def test_overwrite_replaces_an_adapter_and_nothing_else(base, adapter, corpus, tmp_path):
    (tmp_path / "reports").mkdir()
    for name in ("reports/a.txt", "file"):
        (tmp_path / name).write_text("胸水なし。")
    for name, message in {
        "reports": "reports: holds something else (there is no adapter_config.json): name another folder.",
        "file": "file: is a file: name a folder.",
    }.items():
        done = train_lora("/no/model", corpus, tmp_path / name, "--overwrite")  # told before the model is looked for
        assert (done.exit_code, message in done.stderr) == (1, True)
    assert [(tmp_path / name).read_text() for name in ("reports/a.txt", "file")] == ["胸水なし。"] * 2
    earlier = shutil.copytree(adapter, tmp_path / "adapter")
    (earlier / "radsent.json").unlink()
    settings = {**LORA_FAST, "training.epochs": 1, "training.accumulate_gradient": 8}
    assert train_lora(base, corpus, earlier, **settings).exit_code == 1
    assert train_lora(base, corpus, earlier, "--overwrite", **settings).exit_code == 0
    assert json.loads((earlier / "radsent.json").read_text())["settings"]["training"]["epochs"] == 1


def test_adapter_for_another_model_or_prompt(base, adapter, tmp_path):
    kind = base.name
    other = save_llm(kind, tmp_path / "other", seed=1, **LORA_SHAPE)
    message = f"{adapter}: was trained for {base}, whose weights are not those of {other}: use it with that model."
    with pytest.raises(RadsentError, match=message):
        make_llm_pipeline(other, adapter=str(adapter))(REPORTS[0])
    small = save_llm(kind, tmp_path / "small")
    unknown = shutil.copytree(adapter, tmp_path / "unknown")
    (unknown / "radsent.json").unlink()
    with pytest.raises(RadsentError, match=f"{unknown}: does not fit {small} .* it was trained for {base}"):
        make_llm_pipeline(small, adapter=str(unknown))(REPORTS[0])
    record = json.loads((adapter / "radsent.json").read_text())
    (unknown / "radsent.json").write_text(json.dumps({**record, "prompt": "ja_v0"}))
    with pytest.raises(RadsentError, match="was trained with the prompt 'ja_v0', not 'ja_v1': set prompt = 'ja_v0'"):
        make_llm_pipeline(base, adapter=str(unknown))(REPORTS[0])
    (unknown / "radsent.json").write_text(json.dumps({**record, "prompt_sha256": "0"}))
    with pytest.raises(RadsentError, match="was trained with another text of the prompt 'ja_v1': use it with spacy-"):
        make_llm_pipeline(base, adapter=str(unknown))(REPORTS[0])
    (unknown / "radsent.json").write_text("{")
    with pytest.raises(RadsentError, match=r"radsent.json: is damaged: copy the adapter again"):
        make_llm_pipeline(base, adapter=str(unknown))(REPORTS[0])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"training.epochs": "many"}, "training.epochs is 'many'"),
        ({"training.epoch": 1}, "--training.epoch: there is no such setting: see configs/lora.cfg"),
        ({"traning.epochs": 1}, "--traning.epochs: there is no such setting: see configs/lora.cfg"),
        ({"model.device": "cuda:1"}, "model.device is 'cuda:1': give cpu or cuda, and choose a GPU by"),
        ({"training.loss": "all"}, "training.loss is 'all': Input should be 'answer' or 'labels'"),
        (
            {"adapter.target_modules": '["q_proj", "v_porj", "proj", "self_attn.k_proj"]'},
            "has no v_porj, proj, named in adapter.target_modules: name layers of this model.",
        ),
        ({"adapter.target_modules": '["self_attn"]'}, "cannot adapt all of adapter.target_modules, self_attn: name"),
        ({"training.epochs": "true"}, "training.epochs is True: Input should be a valid integer"),
        ({"adapter.dropout": "false"}, "adapter.dropout is False: Input should be a valid number"),
        ({"training.max_length": 64}, "fits training.max_length = 64: raise it"),
        ({"model.load_in_4bit": "true", "model.device": "cpu"}, "load_in_4bit needs a GPU, and none is at hand"),
        ({"model.name": "/no/model"}, "/no/model: no such folder: give the folder of a checkpoint, or a model's name"),
        ({"model.name": ""}, "'': no such folder: give the folder of a checkpoint, or a model's name on the hub"),
        ({"model.name": LORA_CONFIG}, "lora.cfg: no such folder: give the folder of a checkpoint"),
        ({"paths.train": "/no/train.jsonl"}, "/no/train.jsonl: no such file"),
        ({"paths.dev": LORA_CONFIG}, "lora.cfg, line 1: not valid JSON"),
    ],
)
def test_settings_that_cannot_be(base, corpus, tmp_path, overrides, message):
    done = train_lora(base, corpus, tmp_path / "adapter", **overrides)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpu_that_is_not_there(corpus, tmp_path):
    base = save_llm("qwen3", tmp_path / "base")
    done = train_lora(base, corpus, tmp_path / "adapter", **{"model.device": "cuda"})
    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [base])
    assert done.stderr.startswith("Error: device is 'cuda', which torch cannot use here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--verbose"], "'--verbose': is no setting, nor the value of one: write e.g. --training.epochs 1."),
        (["-v"], "'-v': is no setting"),
        (["--training.epochs", "1", "2"], "'2': is no setting"),
        (["--training.epochs=1", "2"], "'2': is no setting"),
        (["--training.epochs", "--training.seed", "3"], "training.epochs is True: Input should be a valid integer"),
    ],
)
def test_words_that_are_no_setting(tmp_path, words, message):
    done = CliRunner().invoke(app, ["train-lora", str(LORA_CONFIG), str(tmp_path / "adapter"), *words])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ") and message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--overwrite"]])
def test_output_that_cannot_be_written(corpus, tmp_path, options):
    (tmp_path / "file").write_text("胸水なし。")
    for output in (tmp_path / "file" / "adapter", Path("/proc/none/adapter")):
        done = train_lora("/no/model", corpus, output, *options)  # told before the model is looked for
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Error: {output}: cannot be written (")
        assert done.stderr.endswith("): choose a writable folder.\n")


def test_config_that_is_none(tmp_path):
    (tmp_path / "bad.cfg").write_text("epochs 3")
    for name, message in {"none.cfg": "no such config", "bad.cfg": "is no config"}.items():
        done = CliRunner().invoke(app, ["train-lora", str(tmp_path / name), str(tmp_path / "adapter")])
        assert (done.exit_code, message in done.stderr) == (1, True)
