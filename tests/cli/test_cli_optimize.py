"""`radsent optimize`: a pipeline in fewer bits labels as before, and cannot be trained by mistake."""

from pathlib import Path

import pytest
import spacy
import torch
from encoders import run_without_torch, shim_of, train_encoder
from tiny import GOLD, REPORTS, assert_knows_reports, labels_of, make_examples, make_pipeline, scores_of
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.errors import RadsentError


@pytest.fixture(scope="module")
def trained(checkpoint, tmp_path_factory):
    """The folder of a trained pipeline."""
    folder = tmp_path_factory.mktemp("trained") / "pipeline"
    train_encoder(checkpoint("bert")).to_disk(folder)
    return folder


def optimize(*args: str | Path):
    return CliRunner().invoke(app, ["optimize", *map(str, args)])


def test_optimized_to_int8_runs_without_torch(trained, tmp_path):
    (trained / "LICENSE").write_text("CC BY-NC-SA 4.0", encoding="utf-8")
    (trained / "docs/vocab").mkdir(parents=True)
    (trained / "docs/vocab/terms.txt").write_text("結節", encoding="utf-8")
    (trained / ".git").mkdir()
    (trained / "away").symlink_to(tmp_path / "nowhere")
    done = optimize(trained, tmp_path / "int8")
    assert (tmp_path / "int8/LICENSE").read_text(encoding="utf-8") == "CC BY-NC-SA 4.0"
    assert (tmp_path / "int8/docs/vocab/terms.txt").exists()
    assert not (tmp_path / "int8/.git").exists()
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'int8'}: the pipeline in int8\n")
    nlp = spacy.load(tmp_path / "int8")
    assert_knows_reports(nlp)
    assert_knows_reports(spacy.blank("ja").from_config(nlp.config).from_bytes(nlp.to_bytes()))
    done = run_without_torch(tmp_path / "int8")
    assert done.stdout.strip() == str(GOLD[0].split()), done.stderr
    docs = nlp.pipe(REPORTS * 2, n_process=2, batch_size=1)
    assert [labels_of(doc) for doc in docs] == [gold.split() for gold in GOLD * 2]
    with pytest.raises(RadsentError, match="train the one that it was made from"):
        nlp.update(make_examples(nlp), sgd=False)


@pytest.mark.parametrize("kind", ["modernbert", "xlm-roberta", "deberta-v2"])
def test_int8_of_every_kind_reads_texts_of_all_lengths(checkpoint, kind):
    nlp = train_encoder(checkpoint(kind))
    texts = [*REPORTS, "肝。", "\n".join(REPORTS * 5)]
    before = [scores_of(doc) for doc in nlp.pipe(texts)]
    shim_of(nlp).optimize("int8")
    after = [scores_of(doc) for doc in nlp.pipe(texts)]
    assert all(abs(one - other).mean() < 0.05 for one, other in zip(before, after, strict=True))


def test_optimized_to_bfloat16(trained, tmp_path):
    assert optimize(trained, tmp_path / "half", "--precision", "bfloat16").exit_code == 0
    nlp = spacy.load(tmp_path / "half")
    assert shim_of(nlp).backend.encoder.dtype == torch.bfloat16
    assert_knows_reports(nlp)
    with pytest.raises(RadsentError, match="in half precision: train the one"):
        nlp.update(make_examples(nlp), sgd=False)
    sizes = [(folder / "radsent/model").stat().st_size for folder in (trained, tmp_path / "half")]
    assert sizes[1] < 0.7 * sizes[0]


def test_bad_input(trained, tmp_path):
    make_pipeline().to_disk(tmp_path / "cpu")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/config.cfg").write_bytes((tmp_path / "cpu/config.cfg").read_bytes())
    assert optimize(trained, tmp_path / "half", "--precision", "bfloat16").exit_code == 0
    for source, output, message in [
        (trained, tmp_path, "is there already"),
        (trained, trained / "fast", "fast: is inside of the pipeline's own folder: name one outside of it."),
        (tmp_path / "none", tmp_path / "out", "is no pipeline's folder"),
        (tmp_path / "cpu", tmp_path / "out", "has no encoder to optimize"),
        (tmp_path / "damaged", tmp_path / "out", "cannot be loaded (OSError"),
        (tmp_path / "half", tmp_path / "out", "is in fewer bits already"),
        (trained, tmp_path / "cpu/config.cfg/models/out", "cannot be written (Not a directory)"),
    ]:
        done = optimize(source, output)
        assert done.exit_code == 1
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cpu", "damaged", "half"]
