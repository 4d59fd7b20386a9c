"""Labels equal greedy decoding restricted to the labels, one token after the other."""

import pytest
import torch
from llms import KINDS, save_llm
from transformers import AutoModelForCausalLM, AutoTokenizer

from spacy_radsent.llm.decode import WATCHED, LabelDecoder
from spacy_radsent.llm.fixed_point import FixedPointDecoder
from spacy_radsent.llm.skeleton import SkeletonBuilder


@pytest.fixture(scope="module", params=KINDS)
def model_and_builder(request, tmp_path_factory):
    folder = save_llm(request.param, tmp_path_factory.mktemp("llm") / request.param)
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float64).eval()
    return model, SkeletonBuilder(AutoTokenizer.from_pretrained(folder), "ja_v1")


@pytest.fixture(params=[LabelDecoder, FixedPointDecoder])
def make_decoder(request):
    return request.param


@torch.inference_mode()
def greedy(model, skeleton, label_ids):
    """The reference: one whole pass for each label, no cache, no batch, all of the vocabulary."""
    ids, rows = list(skeleton.ids), []
    for place in skeleton.places:
        logits = model(input_ids=torch.tensor([ids[:place]])).logits[0, -1, label_ids]
        ids[place] = label_ids[int(logits.argmax())]
        rows.append(logits.softmax(dim=-1))
    return torch.stack(rows)


def assert_equal(rows, reference):
    assert torch.allclose(torch.tensor(rows, dtype=torch.float64), reference, atol=1e-9)


def layouts(builder, records):
    return [builder.build(record.text, record.sentence_texts) for record in records]


def test_equals_greedy_decoding_in_batches_of_all_lengths(model_and_builder, make_decoder, bundled):
    model, builder = model_and_builder
    skeletons = layouts(builder, bundled[:5])
    decoder = make_decoder(model, builder.label_ids, builder.prefix)
    expected = [greedy(model, skeleton, builder.label_ids) for skeleton in skeletons]
    assert len({int(label) for rows in expected for label in rows.argmax(dim=-1)}) > 1
    for batch in (skeletons, skeletons[:1], skeletons[2:4]):
        for rows, reference in zip(decoder(batch), expected[skeletons.index(batch[0]) :], strict=False):
            assert_equal(rows, reference)


def test_labels_hang_on_those_before_them(model_and_builder, bundled):
    """Else the test above would hold for labels that are judged each for itself."""
    model, builder = model_and_builder
    sentences = bundled[0].sentence_texts
    last = [
        greedy(model, builder.build(bundled[0].text, sentences, known=[code] * (len(sentences) - 1)), builder.label_ids)
        for code in (1, 2)
    ]
    assert not torch.allclose(*last, atol=1e-3)


def test_a_batch_takes_as_many_passes_as_its_longest_report_has_sentences(model_and_builder, bundled):
    model, builder = model_and_builder
    skeletons = layouts(builder, bundled[:5])
    decoder = LabelDecoder(model, builder.label_ids, builder.prefix)
    decoder(skeletons)
    assert decoder.passes == max(len(skeleton.places) for skeleton in skeletons)


def test_guessing_takes_fewer_passes_than_there_are_sentences(model_and_builder, bundled):
    model, builder = model_and_builder
    skeletons = layouts(builder, bundled[:5])
    decoder = FixedPointDecoder(model, builder.label_ids, builder.prefix)
    decoder(skeletons)
    assert 1 < decoder.passes < max(len(skeleton.places) for skeleton in skeletons)


def test_both_ways_watch_how_probable_the_labels_are(model_and_builder, bundled):
    model, builder = model_and_builder
    skeletons = layouts(builder, bundled[:12])
    masses = []
    for make_decoder in (LabelDecoder, FixedPointDecoder):
        decoder = make_decoder(model, builder.label_ids, builder.prefix)
        for skeleton in skeletons:
            decoder([skeleton])
        masses.append(decoder.label_mass)
    assert len(masses[0]) >= WATCHED
    assert masses[1][:WATCHED] == pytest.approx(masses[0][:WATCHED], abs=1e-9)


def test_without_a_shared_prefix(model_and_builder, make_decoder, bundled):
    model, builder = model_and_builder
    skeleton = layouts(builder, bundled[:1])[0]
    rows = make_decoder(model, builder.label_ids, skeleton.ids[1:9])([skeleton])[0]
    assert torch.allclose(
        torch.tensor(rows, dtype=torch.float64), greedy(model, skeleton, builder.label_ids), atol=1e-9
    )


def test_known_labels_are_kept(model_and_builder, make_decoder, bundled):
    model, builder = model_and_builder
    sentences = bundled[0].sentence_texts
    skeleton = builder.build(bundled[0].text, sentences, known=[3, 3, 1])
    rows = make_decoder(model, builder.label_ids, builder.prefix)([skeleton])[0]
    assert len(rows) == len(sentences) - 3
    assert torch.allclose(
        torch.tensor(rows, dtype=torch.float64), greedy(model, skeleton, builder.label_ids), atol=1e-9
    )
