"""`radsent vectors`: word vectors from a pipeline's transformer, and the CPU model that is trained with them."""

import json
from itertools import islice
from pathlib import Path

import numpy
import pytest
import spacy
from encoders import make_encoder_pipeline
from spacy.util import load_config, load_model_from_config
from thinc.api import Ragged
from tiny import make_examples, make_pipeline
from typer.testing import CliRunner

from spacy_radsent.classifier.transformer.layer import encoder_layers
from spacy_radsent.classifier.transformer.word_vectors import LENGTH
from spacy_radsent.cli import app
from spacy_radsent.corpus.records import Record, write_records

CPU = Path(__file__).parents[2] / "configs/cpu.cfg"


def run(*arguments):
    return CliRunner().invoke(app, ["vectors", *map(str, arguments)])


def save_pipeline(checkpoint, scheme, folder):
    nlp = make_encoder_pipeline(checkpoint("xlm-roberta"), scheme)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def pipeline(checkpoint, tmp_path_factory):
    return save_pipeline(checkpoint, "Sentence", tmp_path_factory.mktemp("pipeline"))


@pytest.fixture
def reports(bundled, tmp_path):
    write_records(bundled[:6], tmp_path / "labelled.jsonl")
    texts = [Record(id="1", text="肝S8にSOLあり。\n\n膵 n.p."), Record(id="2", text="")]
    write_records(texts, tmp_path / "unlabelled.jsonl")
    return [tmp_path / "labelled.jsonl", tmp_path / "unlabelled.jsonl"]


def read_alone(nlp, word):
    """RETURNS (Floats1d): Mean of the wordpieces of a report of this one word."""
    (layer,) = encoder_layers(nlp)
    doc = nlp.make_doc(word)
    one = Ragged(layer.ops.asarray2i([[0, len(doc)]]), layer.ops.asarray1i([1]))
    return layer.predict(([doc], one)).dataXd.mean(axis=0)


def cosines(rows):
    rows = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("scheme", ["Sentence", "Window", "Report"])
def test_words_are_as_alike_as_the_transformer_makes_them_alone(scheme, checkpoint, reports, bundled, tmp_path):
    pipeline = save_pipeline(checkpoint, scheme, tmp_path / "pipeline")
    done = run(pipeline, *reports, "--output", tmp_path / "vectors", "--width", "32", "--copies", "0")
    assert done.exit_code == 0, done.output
    vocab = spacy.load(tmp_path / "vectors").vocab
    words = [vocab.strings[key] for key in vocab.vectors.key2row]
    nlp = spacy.load(pipeline)
    texts = [*(record.text for record in bundled[:6]), "肝S8にSOLあり。膵 n.p."]
    assert set(words) == {token.text for text in texts for token in nlp.make_doc(text) if not token.is_space}
    assert f"vectors of {len(words):,} words, 32 wide" in done.output
    some = words[::5]
    vectors = numpy.array([vocab.get_vector(word) for word in some])
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), LENGTH, rtol=1e-4)
    alone = {word: read_alone(nlp, word) for word in words}
    centre = numpy.mean(list(alone.values()), axis=0)
    assert numpy.allclose(cosines(vectors), cosines(numpy.array([alone[word] for word in some]) - centre), atol=1e-3)


def test_a_few_components_hold_most_of_it_and_variants_have_their_words(pipeline, reports, tmp_path):
    for name, width, copies in (("all", 32, 0), ("few", 8, 3)):
        assert run(pipeline, *reports, "-o", tmp_path / name, "--width", width, "--copies", copies).exit_code == 0
    everything, few = (spacy.load(tmp_path / name).vocab for name in ("all", "few"))
    assert few.vectors.shape[1] == 8
    assert len(few.vectors.data) > 1.1 * len(everything.vectors.data)  # as other institutions would write them
    words = [everything.strings[key] for key in islice(everything.vectors.key2row, 60)]
    both = (cosines(numpy.array([vocab.get_vector(word) for word in words])) for vocab in (everything, few))
    assert numpy.corrcoef(*(rows[numpy.triu_indices(60, 1)] for rows in both))[0, 1] > 0.8


def test_the_cpu_model_is_trained_with_them(pipeline, reports, tmp_path):
    assert run(pipeline, *reports, "--output", tmp_path / "vectors", "--width", "8").exit_code == 0
    nlp = load_model_from_config(load_config(CPU, overrides={"paths.vectors": str(tmp_path / "vectors")}))
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.vocab.vectors_length == 8
    assert nlp.vocab.has_vector("結節")


def test_they_are_no_wider_than_the_transformer_and_take_the_place_of_earlier_ones(pipeline, reports, tmp_path):
    for width in (8, 200):
        done = run(pipeline, *reports, "--output", tmp_path / "vectors", "--width", width)
        assert (done.exit_code, f"words, {min(width, 32)} wide" in done.output) == (0, True), done.output
    assert json.loads((tmp_path / "vectors/word_vectors.json").read_text())["width"] == 32


def test_words_of_a_table_as_japanese_excel_saves_it(pipeline, tmp_path):
    """An id twice, as addenda have, is no matter: words alone are taken."""
    (tmp_path / "reports.csv").write_text("番号,所見\n1,肝に嚢胞あり。\n1,胸水なし。\n", encoding="cp932")
    columns = ("--text-column", "所見", "--id-column", "番号", "--encoding", "cp932")
    done = run(pipeline, tmp_path / "reports.csv", "-o", tmp_path / "vectors", "--width", "8", *columns)
    assert done.exit_code == 0, done.output
    assert spacy.load(tmp_path / "vectors").vocab.has_vector("嚢胞")


def test_refuses_what_holds_no_transformer_or_no_word(pipeline, reports, tmp_path):
    make_pipeline().to_disk(tmp_path / "cpu")
    make_encoder_pipeline("no/such-model").to_disk(tmp_path / "untrained")
    write_records([Record(id="1", text=" \n")], tmp_path / "empty.jsonl")
    for arguments, message in (
        ([tmp_path / "cpu", *reports, "-o", tmp_path / "v"], "cpu: holds 0 trained encoders: give a pipeline"),
        ([tmp_path / "untrained", *reports, "-o", tmp_path / "v"], "untrained: holds 0 trained encoders"),
        ([tmp_path / "none", *reports, "-o", tmp_path / "v"], "none: cannot be loaded"),
        ([pipeline, tmp_path / "empty.jsonl", "-o", tmp_path / "v"], "empty.jsonl: hold no word: give reports"),
        ([pipeline, tmp_path / "no.jsonl", "-o", tmp_path / "v"], "no.jsonl: no such file"),
        ([pipeline, *reports, "-o", pipeline], "holds something else (there is no word_vectors.json)"),
    ):
        done = run(*arguments)
        assert (done.exit_code, message in done.output) == (1, True), done.output
    assert not [path for path in tmp_path.iterdir() if path.name.lstrip(".").startswith("v")]
