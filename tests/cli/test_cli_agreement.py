"""`radsent agreement`, and `radsent reproduce` with the paper's figures beside ours."""

import json

import pytest
from sklearn.metrics import cohen_kappa_score
from tiny import GOLD, REPORTS
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import read_records, write_records


def run(*args):
    return CliRunner().invoke(app, list(map(str, args)))


@pytest.fixture
def files(tmp_path):
    """The same twelve reports as two annotators label them; the second disagrees in some, and leaves one out."""
    for name in ("first", "second"):
        records = []
        for i in range(12):
            record = unlabelled_record(f"R{i:02}", REPORTS[i % 3], meta={"institution": "甲" if i < 6 else "乙"})
            for sentence, label in zip(record.sentences, GOLD[i % 3].split(), strict=True):
                sentence.label = label
            records.append(record)
        if name == "second":
            for i in (0, 3, 7):
                records[i].sentences[2].label = "POSITIVE"
            records[11].sentences[0].label = None
        write_records(records, tmp_path / f"{name}.jsonl")
    return tmp_path


def test_agreement(files):
    done = run("agreement", files / "first.jsonl", f"乙医師={files / 'second.jsonl'}", "-o", files / "out")
    assert done.exit_code == 0, done.output
    assert "乙医師" in done.output
    result = json.loads((files / "out/agreement.json").read_text(encoding="utf-8"))
    both = [
        (one.label, other.label)
        for r, q in zip(read_records(files / "first.jsonl"), read_records(files / "second.jsonl"), strict=True)
        for one, other in zip(r.sentences, q.sentences, strict=True)
        if other.label
    ]
    assert result["annotators"] == ["first", "乙医師"]
    assert result["no_label"] == 1
    metrics = result["excluded"]["metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(1 - 3 / len(both))
    assert metrics["kappa"]["value"] == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))
    assert metrics["kappa"]["low"] < metrics["kappa"]["value"] < metrics["kappa"]["high"]
    assert result["confusion"][3][1] == 3
    assert result["excluded"]["per_label"]["CONTINUATION"]["recall"]["value"] == pytest.approx(1 - 3 / 12)
    assert (result["projected"], result["unlabelled"]) == (0, 0)
    report = (files / "out/agreement.md").read_text(encoding="utf-8")
    assert "| CONTINUATION | 12 | 9 |" in report

    # What a pipeline said of them, the second annotator's draft, is not what the annotator says.
    drafts = list(read_records(files / "second.jsonl"))
    for record, given in zip(drafts, read_records(files / "first.jsonl"), strict=True):
        labels = [sentence.label for sentence in given.sentences]
        record.meta["prediction"] = {"on_gold": {"labels": labels}, "scores": [[1, 0, 0, 0]]}
    write_records(drafts, files / "drafts.jsonl")
    done = run("agreement", files / "first.jsonl", f"乙医師={files / 'drafts.jsonl'}", "-o", files / "again")
    assert done.exit_code == 0, done.output
    assert json.loads((files / "again/agreement.json").read_text(encoding="utf-8")) == result
    assert (files / "out/agreement.png").read_bytes().startswith(b"\x89PNG")


def test_annotators_that_cannot_be_compared(files, tmp_path):
    records = list(read_records(files / "second.jsonl"))
    write_records(records[:5], tmp_path / "part.jsonl")
    for record in records:
        for sentence in record.sentences:
            sentence.label = None
    write_records(records, tmp_path / "none.jsonl")
    for other, message in [
        ("part.jsonl", "part: lacks 7 of the 12 reports of first, e.g. 'R05': give a file that holds all of them."),
        ("none.jsonl", "none: no sentence has a label"),
        ("first.jsonl", "another of the annotators is named first, too"),
    ]:
        done = run("agreement", files / "first.jsonl", tmp_path / other)
        assert done.exit_code == 1
        assert message in " ".join(done.output.split())


def test_reproduce_without_a_model(files):
    """The corpora, and the paper's own figures."""
    done = run("reproduce", files / "paper", "-m", "training/nothing", "--internal", files / "first.jsonl")
    assert done.exit_code == 0, done.output
    report = (files / "paper/paper.md").read_text(encoding="utf-8")
    assert "| internal: first | here | 12 |" in report
    assert "| fine-tuned models, lowest to highest | paper | 0.780 to 0.810 | - | - | 0.700 to 0.730 |" in report
    assert "No model is there" in report


def test_reproduce_with_what_is_there(files):
    folder = files / "predictions"
    folder.mkdir()
    for name in ("first", "other"):
        write_records(read_records(files / "second.jsonl"), folder / f"{name}.jsonl")
    done = run(
        *("reproduce", files / "paper", "-m", f"ours={folder}", "-m", "missing=training/nothing"),
        *("--internal", files / "nothing.jsonl", "--internal", files / "first.jsonl"),
        *("--external", "", "--external", f"other={files / 'first.jsonl'}"),
        *("--annotators", files / "first.jsonl", files / "second.jsonl"),
    )
    assert done.exit_code == 0, done.output
    assert "Left out, since it is not there: training/nothing" in done.output
    report = (files / "paper/paper.md").read_text(encoding="utf-8")
    assert [line for line in report.splitlines() if line.startswith("## ")] == [
        "## Table 2: corpora",
        "## Table 3: the internal test set",
        "## Table 4: the external test set",
        "## Table 5: by institution",
        "## Figure 2: agreement of annotators",
        "## Figure 3: confusion matrices, and what the paper does not show",
    ]
    assert "| GPT-4.1-mini, the annotator | paper | 0.942 | 0.929 | 0.931 | 0.956 | - | 0.917 | - |" in report
    accuracy = 1 - 3 / 55
    assert f"| ours | GPT-4.1-mini, the annotator | {accuracy - 0.942:+.3f} |" in report
    assert f"| ours | fine-tuned models, lowest to highest | {accuracy - 0.81:+.3f} |" in report  # external
    assert "| ours | fine-tuned models, lowest to highest | +0.000 |" in report  # internal: within the range
    assert "[1]" in report  # the sentence without label, in Table 5
    assert "first and second" in report
    page = (files / "paper/paper.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "fine-tuned models, lowest to highest" in page


def test_reproduce_tells_test_sets_of_one_name_apart(files):
    (files / "a").mkdir()
    write_records(read_records(files / "first.jsonl"), files / "a/first.jsonl")
    for role in ("internal", "external"):
        (files / "predictions").mkdir(exist_ok=True)
        write_records(read_records(files / "second.jsonl"), files / f"predictions/{role}-first.jsonl")
    arguments = (
        "--internal",
        files / "first.jsonl",
        "--external",
        files / "typo.jsonl",
        "--external",
        files / "a/first.jsonl",
    )
    done = run("reproduce", files / "paper", "-m", f"ours={files / 'predictions'}", *arguments)
    assert done.exit_code == 0, done.output
    assert "Left out, since it is not there" in done.output and "typo.jsonl" in done.output
    report = (files / "paper/paper.md").read_text(encoding="utf-8")
    assert "| internal: internal-first | here |" in report and "| external: external-first | here |" in report
    assert report.count("| ours | here |") == 2


def test_reproduce_without_a_test_set(files):
    done = run("reproduce", files / "paper", "-m", "ours=nothing", "--internal", "assets/jichi/test.jsonl")
    assert done.exit_code == 1
    assert "none of the test sets is there" in done.output


CORPORA = "corpora: {internal: {title: a, reports: 1, sentences: 9}, external: {title: b, reports: 1, sentences: 9}}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("corpora: {a: 1", "line 1: not valid YAML"),
        (f"{CORPORA}\nsplits: {{}}\nresults: [{{model: m, corpus: x}}]", "corpus 'x' of 'm' is none of"),
        ("corpora: {}\nsplits: {}\nresults: []", "corpora lacks 'internal'"),
        (CORPORA.replace("1", "0"), "reports: Input should be greater than 0"),
        ("corpora: {}\nsplits: {}\nresults: [{model: m, corpus: x, accuracy: high}]", "results.0.accuracy"),
    ],
)
def test_published_figures_that_cannot_be_read(files, content, message):
    (files / "mine.yaml").write_text(content, encoding="utf-8")
    arguments = ("-m", "ours=x", "--internal", files / "first.jsonl", "--published", files / "mine.yaml")
    done = run("reproduce", files / "paper", *arguments)
    assert done.exit_code == 1
    assert message in done.output
