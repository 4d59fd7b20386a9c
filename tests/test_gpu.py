"""On a GPU: what is trained there labels there and on the CPU alike, and language models fit the memory there is.

Skipped without a GPU and CuPy.
"""

from pathlib import Path

import numpy
import pytest
import spacy
import torch
from encoders import make_encoder_pipeline, make_mixed_pipeline
from llms import (
    LORA_FAST,
    LORA_SHAPE,
    make_llm_pipeline,
    memorize_reports,
    save_llm,
    train_lora,
    write_lora_corpus,
)
from spacy.cli.train import train as spacy_train
from thinc.api import CupyOps
from tiny import (
    GOLD,
    NO_FINDINGS,
    REPORTS,
    assert_knows_reports,
    labels_of,
    learn_reports,
    make_examples,
    make_pipeline,
    scores_of,
    train_tiny,
)
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import blank_pipeline, write_docbin
from spacy_radsent.corpus.records import write_records
from spacy_radsent.llm.decode import LabelDecoder
from spacy_radsent.llm.fixed_point import FixedPointDecoder
from spacy_radsent.llm.model import has_four_bits, load_model
from spacy_radsent.llm.settings import LLMSettings

ROOT = Path(__file__).parents[1]

cupy = pytest.importorskip("cupy")
pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is at hand"),
    # What Thinc 8.3 calls, and CuPy 14 will drop.
    pytest.mark.filterwarnings("ignore:.*ndarray.scatter_add.* is deprecated"),
    pytest.mark.filterwarnings("ignore:.*Use the cupy.from_dlpack"),
]


@pytest.fixture
def gpu():
    spacy.require_gpu()
    yield
    spacy.require_cpu()
    cupy.cuda.set_allocator(cupy.get_default_memory_pool().malloc)  # which a config may have set to torch's


# How each kind of pipeline is made, and the rate at which it learns.
KINDS = {
    "cpu": (lambda checkpoint: make_pipeline(), 0.01),
    "joint": (lambda checkpoint: make_encoder_pipeline(checkpoint("electra")), 0.003),
    "half": (lambda checkpoint: make_encoder_pipeline(checkpoint("modernbert"), mixed_precision=True), 0.003),
    "mixed": (lambda checkpoint: make_mixed_pipeline(checkpoint("xlm-roberta")), 0.003),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_on_the_gpu_labels_there_and_on_the_cpu_alike(gpu, checkpoint, kind, tmp_path):
    make, learn_rate = KINDS[kind]
    nlp = make(checkpoint)
    learn_reports(nlp, learn_rate)
    assert isinstance(nlp.get_pipe("radsent").model.ops, CupyOps)
    optimizer = nlp.resume_training()
    nlp.rehearse(make_examples(nlp), sgd=optimizer)  # towards what it says already
    assert_knows_reports(nlp)
    there = [scores_of(doc) for doc in nlp.pipe(REPORTS)]
    nlp.to_disk(tmp_path)
    for require in (spacy.require_gpu, spacy.require_cpu):
        require()
        for doc, scores in zip(spacy.load(tmp_path).pipe(REPORTS), there, strict=True):
            assert numpy.allclose(scores_of(doc), scores, atol=0.02 if kind == "half" else 1e-3)


def test_learns_from_a_teacher(gpu, tmp_path):
    train_tiny().to_disk(tmp_path)
    nlp = make_pipeline()
    nlp.config["initialize"]["components"]["radsent"] = {"teacher": str(tmp_path), "teacher_share": 1.0}
    learn_reports(nlp, 0.01, examples=make_examples(nlp, NO_FINDINGS))
    assert_knows_reports(nlp)


def word_vectors(text, folder):
    nlp = blank_pipeline()
    for token in nlp(text):
        nlp.vocab.set_vector(token.text, numpy.random.default_rng(0).normal(size=8).astype("f"))
    nlp.to_disk(folder)
    return folder


@pytest.mark.parametrize("config", ["cpu", "joint", "mixed"])
def test_the_project_trains_and_its_commands_label(gpu, checkpoint, bundled, config, tmp_path):
    parts = {"train": bundled[:24], "dev": bundled[24:36]}
    for name, records in parts.items():
        write_docbin(records, tmp_path / f"{name}.spacy")
        write_records(records, tmp_path / f"{name}.jsonl")
    overrides = {f"paths.{name}": str(tmp_path / f"{name}.spacy") for name in parts}
    if config != "cpu":
        overrides["paths.encoder"] = str(checkpoint("electra"))
    if config != "joint":
        overrides["paths.vectors"] = str(word_vectors(bundled[0].text, tmp_path / "vectors"))
    overrides |= {"training.max_steps": 4, "training.eval_frequency": 2, "training.logger.progress_bar": False}
    spacy_train(ROOT / f"configs/{config}.cfg", tmp_path / "out", use_gpu=0, overrides=overrides)
    model, gold = str(tmp_path / "out/model-last"), str(tmp_path / "dev.jsonl")
    if config != "cpu":
        words = ["vectors", model, gold, "--width", "8", "--output", str(tmp_path / "words"), "--gpu-id", "0"]
        assert CliRunner().invoke(app, words).exit_code == 0
    for command in (
        ["evaluate", model, gold, "--output", str(tmp_path / "scores"), "--gpu-id", "0"],
        ["calibrate", model, gold, "--ppv", "0", "--output", str(tmp_path / "calibrated"), "--gpu-id", "0"],
        ["apply", model, gold, str(tmp_path / "labelled"), "--gpu-id", "0"],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    labelled = [path.read_text().splitlines() for path in (tmp_path / "labelled").glob("part-*.jsonl")]
    assert sum(map(len, labelled)) == 12


@pytest.mark.parametrize("mode", ["score", "generate"])
def test_a_language_model_goes_to_the_gpu_and_says_the_same(tmp_path, mode):
    memorize_reports(save_llm("qwen3", tmp_path, **LORA_SHAPE), steps=150, learn_rate=0.005, device="cuda")
    assert load_model(LLMSettings(model=str(tmp_path))).device.type == "cuda"
    for device, dtype in {"auto": "bfloat16", "cuda": "float32", "cpu": "float32"}.items():
        nlp = make_llm_pipeline(tmp_path, mode=mode, device=device, dtype=dtype)
        if mode == "score":
            decoder = nlp.get_pipe("radsent_llm").reader.decoder
            assert type(decoder) is (LabelDecoder if device == "cpu" else FixedPointDecoder)
        assert [labels_of(doc) for doc in nlp.pipe(REPORTS)] == [labels.split() for labels in GOLD]


@pytest.mark.filterwarnings("ignore:.*gives its labels")
def test_batches_are_halved_where_the_memory_runs_out(tmp_path, institutions):
    shape = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 8, "head_dim": 128}
    save_llm("qwen3", tmp_path, **shape, initializer_range=0.05)
    texts = [record.text for record in institutions[:60]]
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    expected = list(make_llm_pipeline(tmp_path, max_batch_tokens=4000, device="cuda").pipe(texts, batch_size=60))
    share = 1.2 * torch.cuda.max_memory_reserved() / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        with pytest.warns(UserWarning, match="set max_batch_tokens = "):
            docs = list(make_llm_pipeline(tmp_path, max_batch_tokens=100_000, device="cuda").pipe(texts, batch_size=60))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    for doc, other in zip(docs, expected, strict=True):
        assert numpy.allclose(scores_of(doc), scores_of(other), atol=1e-3)


@pytest.mark.parametrize("in_4bit", ["false", "true"])
def test_an_adapter_is_trained_in_half_precision_and_in_4_bits(tmp_path, in_4bit):
    if in_4bit == "true" and not has_four_bits():
        pytest.skip("bitsandbytes is not installed")
    base = save_llm("qwen3", tmp_path / "base", **LORA_SHAPE)
    memorize_reports(base, NO_FINDINGS, steps=150, learn_rate=0.005, device="cuda")
    corpus, adapter = tmp_path / "corpus", tmp_path / "adapter"
    corpus.mkdir()
    done = train_lora(base, write_lora_corpus(corpus), adapter, **LORA_FAST, **{"model.load_in_4bit": in_4bit})
    assert done.exit_code == 0, done.output
    for mode in ("score", "generate"):
        nlp = make_llm_pipeline(base, adapter=str(adapter), mode=mode, load_in_4bit=in_4bit == "true")
        assert [labels_of(doc) for doc in nlp.pipe(REPORTS)] == [labels.split() for labels in GOLD]
