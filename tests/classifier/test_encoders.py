"""Pipelines on transformers: every kind of encoder trains, keeps what it learned, and gives one label per sentence."""

import json
import logging
import pickle
import re
import shutil
import socket
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
import torch
from corpus.nasty_texts import NASTY_TEXTS
from encoders import (
    KINDS,
    make_encoder_pipeline,
    run_offline,
    run_without_torch,
    shim_of,
    train_encoder,
)
from processes import FULL_PYTHON
from safetensors.torch import load_file
from spacy.cli.train import train as spacy_train
from thinc.api import Config
from tiny import GOLD, REPORTS, assert_knows_reports, labels_of, make_examples, scores_of

from spacy_radsent.batching import group_by_length
from spacy_radsent.classifier.texts import ragged_offsets
from spacy_radsent.classifier.transformer.layer import Sequence, make_batches, make_sequences
from spacy_radsent.corpus.docbin import blank_pipeline, write_docbin
from spacy_radsent.errors import RadsentError

ROOT = Path(__file__).parents[2]
SCHEMES = ("Sentence", "Report", "Window")


@pytest.fixture(scope="module")
def trained(checkpoint):
    return train_encoder(checkpoint("bert"))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_overfits_and_keeps_it_on_disk_and_in_bytes(checkpoint, kind, scheme, tmp_path):
    nlp = train_encoder(checkpoint(kind), scheme)
    assert_knows_reports(nlp)
    nlp.to_disk(tmp_path)
    for other in (spacy.load(tmp_path), make_encoder_pipeline("no/such-model", scheme).from_bytes(nlp.to_bytes())):
        assert_knows_reports(other)
        for text in REPORTS:
            assert numpy.allclose(scores_of(other(text)), scores_of(nlp(text)), atol=1e-5)


@pytest.mark.parametrize("config", ["joint", "mixed", "window"])
@pytest.mark.parametrize("kind", ["bert", "roberta", "modernbert"])
def test_spacy_train(checkpoint, bundled, kind, config, tmp_path, capsys):
    for name, records in {"train": bundled[:24], "dev": bundled[24:30]}.items():
        write_docbin(records, tmp_path / f"{name}.spacy")
    overrides = {
        "paths.train": str(tmp_path / "train.spacy"),
        "paths.dev": str(tmp_path / "dev.spacy"),
        "paths.encoder": str(checkpoint(kind)),
        "training.max_steps": 4,
        "training.eval_frequency": 2,
        "training.accumulate_gradient": 2,
        "training.logger.progress_bar": False,
    }
    spacy_train(ROOT / f"configs/{config}.cfg", tmp_path / "out", overrides=overrides)
    nlp = spacy.load(tmp_path / "out/model-best")
    doc = nlp(bundled[30].text)
    assert len(doc.spans["radsent"]) == len(list(doc.sents)) > 1
    assert nlp.meta["performance"]["radsent_macro_f"] > 0
    assert nlp.resume_training().learn_rate >= 0  # the optimizer of the config stands without the rest of it


def test_loads_without_network_cache_or_the_checkpoint(checkpoint, tmp_path):
    shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    nlp = train_encoder(tmp_path / "bert")
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(tmp_path / "bert")
    nowhere = {"PATH": "/usr/bin:/bin", "HF_HOME": str(tmp_path / "empty"), "HOME": str(tmp_path)}
    done = run_offline(FULL_PYTHON, tmp_path / "pipeline", env=nowhere)
    assert done.stdout.strip() == str(GOLD[0].split()), done.stderr


def test_saved_pipeline_holds_safetensors_and_no_pickle(trained, tmp_path):
    trained.to_disk(tmp_path)
    message = srsly.msgpack_loads((tmp_path / "radsent/model").read_bytes())
    (shim,) = [shim for shims in message["shims"] for shim in shims]
    weights = srsly.msgpack_loads(shim)["weights"]
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    assert any(name.startswith("encoder.layer.0") for name in header)
    assert b"torch._utils" not in (tmp_path / "radsent/model").read_bytes()  # what torch.save's pickles name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_training_and_inference_read_the_same_sequences(checkpoint, scheme, monkeypatch):
    """What differs between the two in the paper's own demo: here one function lays out both."""
    nlp = train_encoder(checkpoint("bert"), scheme, steps=1, max_length=24)
    shim = shim_of(nlp)
    seen = []
    call = type(shim).__call__

    def look(self, inputs, is_train):
        seen.append([(batch.ids.tolist(), batch.core.tolist()) for batch in inputs[0]])
        return call(self, inputs, is_train)

    monkeypatch.setattr(type(shim), "__call__", look)
    nlp.get_pipe("radsent").update(make_examples(nlp))
    docs = [nlp.get_pipe("radsent_sentencizer")(nlp.make_doc(text)) for text in REPORTS]
    nlp.get_pipe("radsent").predict(docs)
    in_training, in_inference = seen
    assert in_training == in_inference


def test_window_shows_two_sentences_on_each_side_between_separators(checkpoint):
    nlp = train_encoder(checkpoint("bert"), "Window", steps=1)
    shim, layer = shim_of(nlp), nlp.get_pipe("radsent").model.layers[0]
    pieces = [[11], [12, 12], [13], [14], [15], [16]]
    begin, end = shim.tokenizer.begin, shim.tokenizer.end
    sequences = make_sequences(shim, pieces, [4, 2], **layer._func.keywords)
    assert sequences[0] == Sequence([begin, end, 11, end, 12, 12, 13, end], 2, 3)
    assert sequences[3] == Sequence([begin, 12, 12, 13, end, 14, end, end], 5, 6)
    assert sequences[4] == Sequence([begin, end, 15, end, 16, end], 2, 3)


def test_sentence_without_neighbours_stands_alone_and_the_mixer_shows_it_the_report(checkpoint):
    nlp = train_encoder(checkpoint("bert"))
    shim = shim_of(nlp)
    (layer,) = [node for node in nlp.get_pipe("radsent").model.walk() if node.name == "sentence_encoder"]
    begin, end = shim.tokenizer.begin, shim.tokenizer.end
    sequences = make_sequences(shim, [[11, end], [12, 12, end]], [2], **layer._func.keywords)
    assert sequences == [Sequence([begin, 11, end], 1, 3), Sequence([begin, 12, 12, end], 1, 4)]
    first = REPORTS[0].partition("\n")[0]
    assert not numpy.allclose(scores_of(nlp(REPORTS[0]))[0], scores_of(nlp(first))[0], atol=1e-3)


def test_batches_are_padded_little_and_put_back_in_order():
    sequences = [Sequence([5] * 30, 1, 29), Sequence([6] * 4, 1, 3), Sequence([7] * 28, 2, 5), Sequence([8] * 5, 0, 5)]
    batches, order = make_batches(sequences, pad=9, max_pieces=64)
    assert [batch.ids.shape for batch in batches] == [(2, 5), (2, 30)]
    assert all(batch.ids.size <= 64 for batch in batches)
    assert [batch.mask.sum() for batch in batches] == [9, 58]
    cores = numpy.concatenate([batch.ids[batch.core.astype(bool)] for batch in batches])[order]
    assert cores.tolist() == [5] * 28 + [6] * 2 + [7] * 3 + [8] * 5
    assert set(batches[0].ids[batches[0].mask == 0]) == {9}


def test_many_short_sequences_are_not_padded_to_a_long_one():
    lengths = [7, 8, 7, 90, 8, 7, 9, 400, 91, 7]
    assert group_by_length(lengths, max_tokens=4096, max_padding=64) == [[0, 2, 5, 9, 1, 4, 6], [3, 8], [7]]
    assert group_by_length([500, 9], max_tokens=64, max_padding=9000) == [[1], [0]]  # one that is longer is alone


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", [name for name in NASTY_TEXTS if name != "100_000_characters"])
def test_one_label_per_sentence_of_nasty_text(checkpoint, scheme, name):
    nlp = train_encoder(checkpoint("modernbert"), scheme, steps=1, max_length=64)
    doc = nlp(NASTY_TEXTS[name])
    assert doc.text == NASTY_TEXTS[name]
    assert doc.spans["radsent"].attrs["status"] == ["ok"] * len(doc.spans["radsent"])
    assert len(doc.spans["radsent"]) == sum(bool(sent.text.strip()) for sent in doc.sents)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_wordpieces_of_a_long_sentence_count(checkpoint, scheme):
    """The last word decides, far behind the end of the first window."""
    nlp = train_encoder(checkpoint("bert"), scheme, steps=1, max_length=32)
    ends = [scores_of(nlp("肝" * 300 + end + "。"))[0] for end in ("結節", "胸水")]
    assert not numpy.allclose(*ends, atol=1e-7)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pipe_equals_call(checkpoint, scheme):
    nlp = train_encoder(checkpoint("xlm-roberta"), scheme, steps=3, max_batch_pieces=128)
    texts = [*REPORTS, "", " \n　", "異常なし"]
    for doc, text in zip(nlp.pipe(iter(texts), batch_size=4), texts, strict=True):
        assert labels_of(doc) == labels_of(nlp(text))
        assert numpy.allclose(scores_of(doc), scores_of(nlp(text)), atol=1e-5)


def test_several_processes_after_a_prediction(trained):
    """Threads do not survive a fork: a worker that waits for them would hang for ever."""
    alone = [labels_of(doc) for doc in trained.pipe(REPORTS * 4)]
    assert [labels_of(doc) for doc in trained.pipe(REPORTS * 4, n_process=2, batch_size=3)] == alone


def test_activations_are_not_kept(trained):
    doc = trained(REPORTS[0])
    assert not [key for key in doc.user_data if key[0] == "._."]
    assert doc.tensor.size == 0


def test_gradient_is_that_of_torch_alone(checkpoint):
    """Windows, batches, order and pooling, differentiated by hand here and by autograd there."""
    nlp = train_encoder(checkpoint("xlm-roberta"), "Report", steps=1, max_length=24, max_batch_pieces=60)
    shim, layer, pooling = shim_of(nlp), *nlp.get_pipe("radsent").model.layers[:2]
    encoder = without_dropout(shim)
    docs = [eg.reference for eg in make_examples(nlp)]
    sentences = ragged_offsets([list(doc.spans["radsent"]) for doc in docs], layer.ops)
    pieces, backprop = layer((docs, sentences), is_train=True)
    vectors, backprop_pooling = pooling(pieces, is_train=True)
    d_vectors = numpy.random.default_rng(0).normal(size=vectors.shape).astype("f")
    backprop(backprop_pooling(d_vectors))
    ours = encoder.encoder.layer[0].output.dense.weight.grad.clone()
    encoder.zero_grad()
    rows = []
    sentence_pieces, counts = shim.tokenizer(texts_of(docs), close=True), sentences.lengths.tolist()
    for sequence in make_sequences(shim, sentence_pieces, counts, **layer._func.keywords):
        hidden = encoder(input_ids=torch.tensor([sequence.ids])).last_hidden_state[0]
        rows.extend(hidden[sequence.core_start : sequence.core_end])
    split = torch.split(torch.stack(rows), pieces.lengths.tolist())
    pooled = torch.stack([part.mean(dim=0) for part in split])
    assert numpy.allclose(vectors, pooled.detach().numpy(), atol=1e-5)
    pooled.backward(torch.from_numpy(d_vectors))
    assert torch.allclose(encoder.encoder.layer[0].output.dense.weight.grad, ours, atol=1e-4)
    assert ours.abs().sum() > 0


def texts_of(docs):
    return [span.text for doc in docs for span in doc.spans["radsent"]]


def without_dropout(shim):
    for module in shim.backend.encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    shim.backend.encoder.config.attention_probs_dropout_prob = 0.0
    for module in shim.backend.encoder.modules():
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    return shim.backend.encoder


def test_gradient_accumulation_equals_one_large_batch(checkpoint):
    grads = []
    for parts in ([slice(0, 3)], [slice(0, 1), slice(1, 3)]):
        nlp = train_encoder(checkpoint("electra"), steps=1)  # before it, the classifier is zero and so is the gradient
        without_dropout(shim_of(nlp))
        examples = make_examples(nlp)
        for part in parts:
            nlp.update(examples[part], sgd=False)
        grads.append(shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight.grad.clone())
    assert torch.allclose(*grads, atol=1e-5)
    assert grads[0].abs().sum() > 0


@pytest.mark.parametrize(("kind", "layers"), [("bert", "encoder.layer"), ("modernbert", "layers")])
def test_frozen_layers_stay_as_they_are(checkpoint, kind, layers):
    nlp = train_encoder(checkpoint(kind), steps=0, freeze_layers=1)
    before = {name: tensor.clone() for name, tensor in shim_of(nlp).backend.encoder.state_dict().items()}
    examples = make_examples(nlp)
    for _ in range(2):
        nlp.update(examples, sgd=nlp.create_optimizer())
    after = shim_of(nlp).backend.encoder.state_dict()
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert not {name for name in changed if name.startswith(("embeddings.", f"{layers}.0."))}
    assert {name for name in changed if name.startswith(f"{layers}.1.")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_lowest_layers_alone_can_be_taken(checkpoint, kind, tmp_path):
    whole, lowest = train_encoder(checkpoint(kind), steps=0), train_encoder(checkpoint(kind), steps=0, layers=1)
    weights, kept = (shim_of(nlp).backend.encoder.state_dict() for nlp in (whole, lowest))
    left_out = {name for name in weights if name not in kept}
    assert left_out == {name for name in weights if re.search(r"layers?\.1\.", name)}
    assert all(torch.equal(tensor, weights[name]) for name, tensor in kept.items())
    nlp = train_encoder(checkpoint(kind), layers=1)
    assert_knows_reports(nlp)
    nlp.to_disk(tmp_path)
    assert numpy.allclose(scores_of(spacy.load(tmp_path)(REPORTS[0])), scores_of(nlp(REPORTS[0])), atol=1e-5)


def test_layers_other_than_those_that_were_saved_are_refused(trained):
    with pytest.raises(RadsentError, match="layers is 1: the saved encoder has 2: give that, or null"):
        make_encoder_pipeline("no/such-model", layers=1).from_bytes(trained.to_bytes())


def test_averages_are_of_the_encoder_as_well(checkpoint):
    nlp = train_encoder(checkpoint("bert"), steps=0)
    optimizer = nlp.create_optimizer()
    examples = make_examples(nlp)
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
    weight = shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight
    last = weight.clone()
    optimizer.averages = {
        (shim_of(nlp).backend.id, name): numpy.zeros(tuple(tensor.shape), dtype="f")
        for name, tensor in shim_of(nlp).backend._model.named_parameters()
    }
    with nlp.use_params(optimizer.averages):
        assert not shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight.any()
    assert torch.equal(shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight, last)


def test_mixed_precision_trains(checkpoint):
    assert_knows_reports(train_encoder(checkpoint("bert"), mixed_precision=True))


def test_attention_dropout_replaces_the_checkpoints(checkpoint):
    nlp = train_encoder(checkpoint("bert"), steps=0, attention_dropout=0.0)
    assert shim_of(nlp).checkpoint.config["attention_probs_dropout_prob"] == 0.0
    assert shim_of(train_encoder(checkpoint("bert"), steps=0)).checkpoint.config["attention_probs_dropout_prob"] == 0.1
    nlp = train_encoder(checkpoint("bert"), steps=1)
    other = make_encoder_pipeline("x", attention_dropout=0.3).from_bytes(nlp.to_bytes())
    assert shim_of(other).backend.encoder.config.attention_probs_dropout_prob == 0.3


def docs_config(path):
    """The config of the documentation, with a tiny encoder."""
    (block,) = re.findall(r"```ini\n(.*?)```", (ROOT / "docs/encoders.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    config = Config().from_str("[components]\n\n[components.radsent]\n\n" + block)["components"]
    config["transformer"]["model"]["name"] = str(path)
    return config


def test_initialize_starts_from_the_pretrained_weights_again(checkpoint):
    nlp = train_encoder(checkpoint("bert"), steps=3)
    learned = shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight.clone()
    nlp.initialize(lambda: make_examples(nlp))
    pretrained = load_file(checkpoint("bert") / "model.safetensors")["encoder.layer.0.output.dense.weight"]
    assert torch.equal(shim_of(nlp).backend.encoder.encoder.layer[0].output.dense.weight, pretrained)
    assert not torch.equal(learned, pretrained)


def test_training_goes_on_without_the_checkpoint(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = make_encoder_pipeline("/no/such/folder")
    nlp.config["initialize"]["components"]["radsent"] = {"weights": str(tmp_path)}
    nlp.initialize(lambda: make_examples(nlp))
    assert_knows_reports(nlp)
    nlp.update(make_examples(nlp))


def test_component_can_be_sent_to_another_process(trained):
    pipe = pickle.loads(pickle.dumps(trained.get_pipe("radsent")))
    doc = trained.get_pipe("radsent_sentencizer")(trained.make_doc(REPORTS[0]))
    assert labels_of(pipe(doc)) == GOLD[0].split()


def test_modernbert_keeps_its_settings_and_its_angles(checkpoint, tmp_path):
    nlp = train_encoder(checkpoint("modernbert"), steps=1)
    saved = shim_of(nlp).to_bytes()
    assert type(shim_of(nlp))(shim_of(nlp).settings).from_bytes(saved).to_bytes() == saved
    shim_of(nlp).optimize("bfloat16")
    nlp.to_disk(tmp_path)
    for shim in (shim_of(nlp), shim_of(spacy.load(tmp_path))):
        assert shim.backend.encoder.config.reference_compile is False
        assert shim.backend.encoder.config._attn_implementation == "sdpa"
        assert shim.backend.encoder.dtype == torch.bfloat16
        angles = {name: buffer for name, buffer in shim.backend.encoder.named_buffers() if "inv_freq" in name}
        assert angles
        assert {buffer.dtype for buffer in angles.values()} == {torch.float32}


def test_shared_transformer_with_a_listener(checkpoint, tmp_path):
    """One encoder for several components, spacy-transformers' own: the config of the documentation."""
    spacy.util.fix_random_seed(0)
    config = docs_config(checkpoint("xlm-roberta"))
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("transformer", config={"model": config["transformer"]["model"]})
    nlp.add_pipe("radsent", config={"model": config["radsent"]["model"]})
    encoder = nlp.get_pipe("transformer").model
    learns_reports(nlp, lambda: encoder.transformer.encoder.layer[0].output.dense.weight)
    nlp.to_disk(tmp_path)
    assert_knows_reports(spacy.load(tmp_path))


def test_tok2vec_transformer_inside_the_component(checkpoint, tmp_path):
    spacy.util.fix_random_seed(0)
    config = docs_config(checkpoint("xlm-roberta"))
    tok2vec = {
        **config["transformer"]["model"],
        "@architectures": "spacy-transformers.Tok2VecTransformer.v3",
        "pooling": {"@layers": "reduce_mean.v1"},
        "tokenizer_config": {},
    }
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config={"model": {**config["radsent"]["model"], "tok2vec": tok2vec}})
    (encoder,) = [node for node in nlp.get_pipe("radsent").model.walk() if node.name == "transformer"]
    learns_reports(nlp, lambda: encoder.transformer.encoder.layer[0].output.dense.weight)


def learns_reports(nlp, weight_of):
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.003
    before = weight_of().clone()
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    assert not torch.equal(before, weight_of())
    assert_knows_reports(nlp)


def break_tokenizer(folder):
    for name in ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink()


def break_vocabulary(folder):
    with (folder / "vocab.txt").open("a") as file:
        file.write("\n" + "\n".join(f"語{i}" for i in range(100)))


def change_config(**settings):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **settings}))

    return change


BROKEN = {
    "no tokenizer": (break_tokenizer, "tokenizer is missing or cannot be read"),
    "other vocabulary": (break_vocabulary, r"\d+ entries, its weights are made for \d+"),
    "smaller vocabulary": (
        change_config(vocab_size=400),
        r"\d+ entries, its weights are made for 400",
    ),
    "no config": (lambda folder: (folder / "config.json").unlink(), "holds no config.json"),
    "config is no JSON": (
        lambda folder: (folder / "config.json").write_text("{"),
        "config.json is missing or cannot be read",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "weights is missing or cannot be read"),
    "cut weights": (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 100), "weights is missing or"),
    "decoder": (change_config(model_type="gpt2"), "is of the type 'gpt2': use one of bert"),
    "remote code": (
        change_config(model_type="own", auto_map={"AutoModel": "modeling.Own"}),
        "needs code of its own, which is never run",
    ),
    "other weights": (change_config(num_hidden_layers=3), "weights lack 16 tensors of the encoder"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_checkpoint_is_refused_in_one_sentence(checkpoint, name, tmp_path):
    damage, message = BROKEN[name]
    shutil.copytree(checkpoint("bert"), tmp_path / "ck")
    damage(tmp_path / "ck")
    nlp = make_encoder_pipeline(tmp_path / "ck")
    with pytest.raises(RadsentError, match=message) as caught:
        nlp.initialize(lambda: make_examples(nlp))
    assert str(tmp_path / "ck") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["/no/such/folder", "./here", "a/b/c"])
def test_missing_folder(name):
    nlp = make_encoder_pipeline(name)
    with pytest.raises(RadsentError, match=f"{name}: no such folder: give the folder"):
        nlp.initialize(lambda: make_examples(nlp))


def test_no_network_and_no_local_copy(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *args: (_ for _ in ()).throw(OSError("blocked")))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: (_ for _ in ()).throw(OSError("blocked")))
    nlp = make_encoder_pipeline("tohoku-nlp/bert-base-japanese-v3")
    with pytest.raises(RadsentError, match="hub cannot be reached.*hf download tohoku-nlp/bert-base-japanese-v3"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"normalize": "zenkaku"}, "normalize is 'zenkaku'"),
        ({"max_length": 4}, "max_length is 4"),
        ({"freeze_layers": 9}, "freeze_layers is 9: the encoder has 2 layers"),
        ({"layers": 9}, "layers is 9: .* has 2: give no more than that"),
        ({"layers": 0}, "layers is 0: give a number of at least 1"),
        ({"scheme": "Window", "before": -1}, "before is -1"),
    ],
)
def test_settings_that_cannot_be(checkpoint, settings, message):
    with pytest.raises(RadsentError, match=message):
        train_encoder(checkpoint("bert"), steps=0, **settings)


def test_damaged_weights_are_told(trained, tmp_path):
    trained.to_disk(tmp_path)
    path = tmp_path / "radsent/model"
    message = srsly.msgpack_loads(path.read_bytes())
    place = next(i for i, shims in enumerate(message["shims"]) if shims)
    shim = srsly.msgpack_loads(message["shims"][place][0])
    shim["weights"] = shim["weights"][:1000]
    message["shims"][place] = [srsly.msgpack_dumps(shim)]
    path.write_bytes(srsly.msgpack_dumps(message))
    with pytest.raises(RadsentError, match="weights of the pipeline's encoder are damaged"):
        spacy.load(tmp_path)


def test_a_tokenizer_file_cannot_leave_its_folder(trained):
    shim = shim_of(trained)
    message = srsly.msgpack_loads(shim.to_bytes())
    message["tokenizer"]["../evil"] = b"x"
    with pytest.raises(RadsentError, match="outside of its folder"):
        type(shim)(shim.settings).from_bytes(srsly.msgpack_dumps(message))


def test_without_weights_it_says_so(checkpoint):
    nlp = make_encoder_pipeline(checkpoint("bert"))
    with pytest.raises(RadsentError, match="not trained"):
        nlp(REPORTS[0])


def test_no_report_text_in_logs(trained, caplog):
    with caplog.at_level(logging.INFO):
        trained("カナリア" * 3000 + "。")
    assert "カナリア" not in caplog.text


def test_missing_extra_is_named(trained, tmp_path):
    trained.to_disk(tmp_path)
    assert 'torch is not installed: pip install "spacy-radsent[transformers]"' in run_without_torch(tmp_path).stderr
