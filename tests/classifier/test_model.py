"""The layers of the CPU model: shapes, gradients, and features that fold what only style changes."""

import numpy
import pytest
from spacy.ml.models.tok2vec import MultiHashEmbed
from thinc.api import Linear, Model, NumpyOps, chain
from thinc.types import Ragged

from spacy_radsent.classifier.embed import build_embed_distinct, distinct_tokens
from spacy_radsent.classifier.ensemble import build_sentence_ensemble
from spacy_radsent.classifier.model import mix_sentences, use_fast_gemm
from spacy_radsent.classifier.ngrams import CharNgramEmbed, ngram_rows, normalize
from spacy_radsent.corpus.docbin import blank_pipeline

TEXT = "肝S6に12mmの嚢胞。胆嚢は正常。"


@pytest.fixture(scope="module")
def docs_sentences():
    """Two sentences, an empty document, and one sentence."""
    nlp = blank_pipeline()
    docs = [nlp.make_doc(text) for text in (TEXT, "", "脾腫なし")]
    first_end = next(token.i for token in docs[0] if token.text == "。") + 1
    offsets = [(0, first_end), (first_end, len(docs[0])), (0, len(docs[2]))]
    return docs, Ragged(numpy.array(offsets, dtype="i"), numpy.array([2, 0, 1], dtype="i"))


def sum_rows(width):
    """A mixer that gives every sentence the sum of all sentences of its report."""

    def forward(model, reports, is_train):
        summed = [numpy.repeat(rows.sum(axis=0, keepdims=True), len(rows), axis=0) for rows in reports]

        def backprop(gradients):
            return [numpy.repeat(rows.sum(axis=0, keepdims=True), len(rows), axis=0) for rows in gradients]

        return summed, backprop

    return Model("sum_rows", forward, dims={"nO": width, "nI": width})


def test_ngram_embedding_sums_the_rows_of_each_sentence(docs_sentences):
    model = CharNgramEmbed(width=3, rows=64, max_n=2, feature_dropout=0.0).initialize()
    vectors = model.predict(docs_sentences)
    rows = ngram_rows(normalize("脾腫なし"), 2, 64)
    expected = model.get_param("E")[rows].sum(axis=0) / numpy.sqrt(len(rows))
    assert vectors.shape == (3, 3)
    assert numpy.allclose(vectors[2], expected, atol=1e-6)


def test_ngram_embedding_gradient_matches_finite_differences(docs_sentences):
    model = CharNgramEmbed(width=2, rows=16, max_n=1, feature_dropout=0.0).initialize()
    weight = numpy.arange(6, dtype="f").reshape(3, 2)
    _, backprop = model.begin_update(docs_sentences)
    backprop(weight)
    gradient = model.get_grad("E")
    table = model.get_param("E").copy()
    for row, column in numpy.ndindex(table.shape):
        shifted = table.copy()
        shifted[row, column] += 1.0
        model.set_param("E", shifted)
        upper = (model.predict(docs_sentences) * weight).sum()
        model.set_param("E", table)
        lower = (model.predict(docs_sentences) * weight).sum()
        assert gradient[row, column] == pytest.approx(upper - lower, abs=1e-3)


def test_feature_dropout_acts_in_training_only(docs_sentences):
    model = CharNgramEmbed(width=4, rows=512, max_n=3, feature_dropout=0.5).initialize()
    expected = model.predict(docs_sentences)
    assert numpy.array_equal(model.predict(docs_sentences), expected)
    assert not numpy.allclose(model.begin_update(docs_sentences)[0], expected)
    model.attrs["feature_dropout"] = 1.0  # even then a sentence keeps a feature
    assert numpy.isfinite(model.begin_update(docs_sentences)[0]).all()


def test_mixing_stays_within_the_report(docs_sentences):
    sentences = CharNgramEmbed(width=3, rows=64, max_n=2, feature_dropout=0.0)
    model = mix_sentences(sentences, sum_rows(3)).initialize(X=docs_sentences)
    alone, mixed = sentences.predict(docs_sentences), model.predict(docs_sentences)
    assert numpy.allclose(mixed[0], alone[0] + alone[1], atol=1e-6)
    assert numpy.allclose(mixed[1], mixed[0])
    assert numpy.allclose(mixed[2], alone[2])


def test_mixing_passes_gradients_to_both_layers(docs_sentences):
    sentences = CharNgramEmbed(width=3, rows=64, max_n=2, feature_dropout=0.0)
    linear = Linear(nO=3, nI=3)
    per_report = chain(sum_rows(3), Model("each", each_forward, init=each_init, layers=[linear]))
    model = mix_sentences(sentences, per_report).initialize(X=docs_sentences)
    mixed, backprop = model.begin_update(docs_sentences)
    backprop(numpy.ones_like(mixed))
    # The sum of the outputs grows by 1 for each of the three sentences when a bias grows by 1.
    assert linear.get_grad("b").tolist() == [3.0, 3.0, 3.0]
    assert sentences.get_grad("E").any()


def each_forward(model, reports, is_train):
    results = [model.layers[0](report, is_train) for report in reports]

    def backprop(gradients):
        return [callback(gradient) for (_, callback), gradient in zip(results, gradients, strict=True)]

    return [output for output, _ in results], backprop


def each_init(model, X=None, Y=None):
    model.layers[0].initialize()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("結節を認める。", "結節を認める"),
        ("ＣＴで１２ｍｍ．", "CTで35mm"),
        ("SUVmax 3.5", "suvmax 4.8 "),
        ("ﾘﾝﾊﾟ節", "リンパ節"),
    ],
)
def test_normalize_folds_style(left, right):
    assert normalize(left) == normalize(right)


def test_normalize_keeps_what_changes_the_meaning():
    assert len({normalize(text) for text in ("腫瘤(+)", "腫瘤(-)", "腫瘤あり", "腫瘤なし")}) == 4


def test_ngram_rows_are_the_same_on_every_platform():
    """Trained weights hang on these numbers: they must never change."""
    assert ngram_rows("肝", 4, 1 << 16).tolist() == [4682, 12671, 22630, 37211, 57120, 62028]
    assert len(ngram_rows("", 4, 1 << 16)) == 3  # begin, end, and both together
    assert ngram_rows("あいう", 2, 1 << 16).tolist() == sorted(set(ngram_rows("あいう", 2, 1 << 16).tolist()))


def test_fast_gemm_replaces_numpy_ops_only():
    model = use_fast_gemm(chain(Linear(2, 2), Linear(2, 2)))
    assert [node.ops.use_blis for node in model.walk()] == [False] * 3
    other = Linear(2, 2)
    other.ops = type("OtherOps", (NumpyOps,), {})()
    assert use_fast_gemm(other).ops.use_blis


def softmax_of(logits):
    """A classifier with fixed logits for three sentences, and the gradient it was given."""
    model = Model("fixed", fixed_forward, dims={"nO": 2}, attrs={"gradient": None})
    model.attrs["probabilities"] = numpy.exp(logits) / numpy.exp(logits).sum(axis=1, keepdims=True)
    return model


def fixed_forward(model, inputs, is_train):
    def backprop(gradient):
        model.attrs["gradient"] = gradient

    return model.attrs["probabilities"], backprop


def test_ensemble_gives_the_mean_and_teaches_each_member_its_own_errors(docs_sentences):
    model = build_sentence_ensemble(softmax_of(numpy.array([[2.0, 0.0], [0.0, 0.0], [1.0, 0.0]])), size=2)
    first, second = model.layers
    second.attrs["probabilities"] = numpy.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])
    assert first.id != second.id  # else they would share the optimizer's moments
    mean, backprop = model.begin_update(docs_sentences)
    assert numpy.allclose(mean, (first.attrs["probabilities"] + second.attrs["probabilities"]) / 2)
    target = numpy.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    gradient = mean - target
    gradient[2] = 0.0  # a sentence without label
    backprop(gradient)
    for member in (first, second):
        assert numpy.allclose(member.attrs["gradient"][:2], (member.attrs["probabilities"] - target)[:2])
        assert not member.attrs["gradient"][2].any()


def test_members_start_from_different_weights(docs_sentences):
    model = build_sentence_ensemble(CharNgramEmbed(width=3, rows=64, max_n=2, feature_dropout=0.0), size=3)
    model.initialize(X=docs_sentences)
    outputs = [member.predict(docs_sentences) for member in model.layers]
    assert not numpy.allclose(outputs[0], outputs[1])
    assert not numpy.allclose(outputs[1], outputs[2])
    assert {member.ops.use_blis for member in model.layers} == {False}


def make_hash_embed():
    return MultiHashEmbed(
        width=8, attrs=["NORM", "TAG", "SHAPE", "LEMMA"], rows=[50, 50, 50, 50], include_static_vectors=False
    )


def test_embedding_distinct_tokens_gives_the_same_vectors_and_gradients(docs_sentences):
    docs, _ = docs_sentences
    docs = [*docs, docs[0]]
    plain, distinct = make_hash_embed(), build_embed_distinct(make_hash_embed())
    plain.initialize(X=docs)
    distinct.initialize(X=docs).layers[0].from_bytes(plain.to_bytes())
    expected, backprop_plain = plain.begin_update(docs)
    vectors, backprop_distinct = distinct.begin_update(docs)
    assert [v.shape for v in vectors] == [v.shape for v in expected]
    for ours, theirs in zip(vectors, expected, strict=True):
        assert numpy.allclose(ours, theirs, atol=1e-6)
    rng = numpy.random.default_rng(0)
    gradients = [rng.normal(size=v.shape).astype("f") for v in vectors]
    backprop_plain(gradients)
    backprop_distinct(gradients)
    grads = [
        [node.get_grad(name) for node in m.walk() for name in node.grad_names] for m in (plain, distinct.layers[0])
    ]
    assert len(grads[0]) > 4
    for ours, theirs in zip(*grads, strict=True):
        assert numpy.allclose(ours, theirs, atol=1e-4)


def test_distinct_tokens_tell_homographs_apart(docs_sentences):
    """The same word with another tag is another token."""
    docs, _ = docs_sentences
    other = docs[2].copy()
    other[0].tag_ = "名詞-固有名詞-一般"
    distinct, places = distinct_tokens([docs[2], other, docs[2]])
    size = len(docs[2])
    assert len(distinct) == size + 1
    assert places[:size].tolist() == places[2 * size :].tolist()
    assert [distinct[int(i)].tag_ for i in places] == [token.tag_ for doc in (docs[2], other, docs[2]) for token in doc]
