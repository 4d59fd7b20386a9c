"""Statistics of a corpus, against counts by hand; near-duplicates; the command that writes them."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.duplicates import Sketch, find_near_duplicates
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import Record, Sentence, write_records
from spacy_radsent.corpus.stats import GroupStats, corpus_stats, to_markdown


def labelled(id, text, labels, **meta):
    record = unlabelled_record(id, text, meta=meta)
    names = {"B": "BACKGROUND", "P": "POSITIVE", "N": "NEGATIVE", "C": "CONTINUATION", "-": None}
    sentences = [
        Sentence(start=sentence.start, end=sentence.end, label=names[code])
        for sentence, code in zip(record.sentences, labels, strict=True)
    ]
    return Record(id=id, text=text, sentences=sentences, meta=meta)


RECORDS = [
    labelled("a", "胸部CT。\n右肺に結節あり。[#1]\n胸水なし", "BPN", institution="A大学"),
    labelled("b", "・肝に嚢胞(+)\n・脾 n.p.", "PN", institution="<b>$B$</b>"),
    labelled(
        "c", "【頭部】梗塞を認めます．\n2.5cm大です(Se3 Im45)。出血なし.\n1) 副鼻腔炎", "PCN-", institution="A大学"
    ),
]


def test_by_hand():
    group = GroupStats.of("train", "all", RECORDS)
    assert (group.reports, group.sentences) == (3, 9)
    assert group.labels == {"BACKGROUND": 1, "POSITIVE": 3, "NEGATIVE": 3, "CONTINUATION": 1, "": 1}
    assert [len(record.text) for record in RECORDS] == [23, 16, 45]
    assert group.characters_mean == 28
    assert group.characters_sd == pytest.approx(229**0.5)
    assert (group.sentences_mean, group.sentences_sd) == (3, 1)
    # 胸水なし, 肝に嚢胞(+) and 副鼻腔炎; "n.p." ends with one, and so does what stands before a figure mark.
    assert group.without_period == pytest.approx(3 / 9)
    assert group.figure_marks == pytest.approx(2 / 3)
    assert group.bullets == pytest.approx(2 / 3)
    assert group.headings == pytest.approx(1 / 3)
    assert group.latin == pytest.approx(len("CTnpcmSeIm") / sum(len("".join(r.text.split())) for r in RECORDS))


def test_groups_by_split_and_institution():
    groups = corpus_stats({"train": RECORDS, "test": [labelled("d", "著変なし。", "N")]})
    assert [(group.split, group.institution, group.reports) for group in groups] == [
        *[("train", "all", 3), ("train", "<b>$B$</b>", 1), ("train", "A大学", 2)],
        ("test", "all", 1),
    ]
    assert groups[-1].characters_sd == 0


def test_reports_without_sentences():
    group = GroupStats.of("x", "all", [unlabelled_record("e", "")])
    assert (group.sentences, group.without_period, group.latin) == (0, 0, 0)


def test_markdown():
    table = to_markdown(corpus_stats({"tr|ain": RECORDS}))
    assert (
        "| tr\\|ain | all | 3 | 9 | 1 (11.1%) | 3 (33.3%) | 3 (33.3%) | 1 (11.1%) | 1 (11.1%) | 28.0 (15.1) |" in table
    )
    assert "| tr\\|ain | A大学 |" in table


def test_command(tmp_path):
    write_records(RECORDS, tmp_path / "corpus/train.jsonl")
    write_records([labelled("d", RECORDS[0].text + "。", "BPN")], tmp_path / "corpus/test.jsonl")
    done = CliRunner().invoke(app, ["corpus-stats", str(tmp_path / "corpus"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "Near-duplicates of a report before them: 1" in done.output
    assert (tmp_path / "out/corpus_stats.md").read_text(encoding="utf-8") in done.output
    figures = json.loads((tmp_path / "out/corpus_stats.json").read_text(encoding="utf-8"))
    assert figures["near_duplicates"] == 1
    assert [row["reports"] for row in figures["groups"]] == [1, 3, 1, 2]
    picture = ElementTree.parse(tmp_path / "out/corpus_stats.svg")
    texts = {element.text for element in picture.iter() if element.tag.endswith("}text")}
    assert {"train, A大学 (2)", "train, <b>$B$</b> (1)", "POSITIVE", "without label"} <= texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl"], "none.jsonl: no such file"),
        (["empty"], "empty: no .jsonl file there"),
        (["a/x.jsonl", "b/x.jsonl"], "b/x.jsonl: a file named x is given already"),
    ],
)
def test_bad_input(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("a", "b"):
        write_records(RECORDS, tmp_path / name / "x.jsonl")
    done = CliRunner().invoke(app, ["corpus-stats", *arguments, "-o", "out"])
    assert done.exit_code == 1
    assert message in done.output
    assert not (tmp_path / "out").exists()


def jaccard(one, other):
    sets = [{text[i : i + 5] for i in range(len(text) - 4)} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def near(texts):
    return find_near_duplicates(map(Sketch.of, texts))


def test_near_duplicates(bundled):
    texts = [record.text for record in bundled[:60]]
    assert near(texts) == []
    cut, half = texts[7][:-20], texts[8][: len(texts[8]) // 2]
    found = near([*texts, cut, half, texts[3]])
    assert [(one.place, one.of) for one in found] == [(60, 7), (62, 3)]
    plain = ["".join(text.split()) for text in (cut, texts[7])]
    assert found[0].similarity == pytest.approx(jaccard(*plain))
    assert found[1].similarity == 1
    assert near(["", "a", ""]) == [(2, 0, 1.0)]
