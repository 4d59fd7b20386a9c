"""`radsent split`: given splits keep their role, the rest is split, leaks are dropped, mistakes cost nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import LIGHT_PYTHON
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.records import read_records, write_records
from spacy_radsent.labels import LABELS

ROOT = Path(__file__).parents[2]
CANARY = "山田花子"
NAMES = ("train", "dev", "test")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def split(*args: str):
    return CliRunner().invoke(app, ["split", *args])


def record(id: str, *lines: str, **meta: str) -> dict:
    text, sentences = "", []
    for i, line in enumerate(lines):
        sentences.append({"start": len(text), "end": len(text) + len(line), "label": LABELS[(i + 1) % 4]})
        text += line + "\n"
    return {"id": id, "text": text, "sentences": sentences, "meta": meta}


def write(path: Path, *rows: dict | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def reports(prefix: str, count: int) -> list[dict]:
    """RETURNS (List[dict]): Reports without a sentence in common, and with a name that no output may show."""
    return [record(f"{prefix}{i}", f"{CANARY}様の右肺S6に{prefix}-{i}mm大の結節。", "胸水なし。") for i in range(count)]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ids(folder: Path) -> dict[str, list[str]]:
    return {name: [record.id for record in read_records(folder / f"{name}.jsonl")] for name in NAMES}


def test_files_that_are_no_split_are_kept(folder):
    """A second run would take splits in the corpus itself for further reports."""
    write(folder / "in/a.jsonl", *reports("a", 15))
    write(folder / "in/train_only/train.jsonl", *reports("t", 3))
    write(folder / "mine/test.jsonl", *reports("m", 3))
    before = files(folder)
    for output, why in (
        ("./in", "is a folder of the corpus itself"),
        ("in/train_only", "is a folder of the corpus itself"),
        ("mine", "its test.jsonl is of no earlier split"),
    ):
        result = split("in", output)
        assert result.exit_code == 1
        assert why in result.stderr
    assert files(folder) == before
    assert [split("in", "out").exit_code for _ in range(2)] == [0, 0]


def test_names_in_capital_letters_keep_their_role(folder):
    write(folder / "in/A.JSONL", *reports("a", 12))
    write(folder / "in/Test.jsonl", *reports("t", 2))
    assert split("in", "out").exit_code == 0
    assert ids(folder / "out")["test"] == ["t0", "t1"]


def test_an_empty_institution_is_no_group(folder):
    rows = [{**row, "meta": {"institution": ""}} for row in reports("a", 20)]
    write(folder / "in/a.jsonl", *rows[1:])
    write(folder / "in/dev.jsonl", rows[0])
    result = split("in", "out", "--group", "institution")
    assert result.exit_code == 0
    assert sum(map(len, ids(folder / "out").values())) == 20
    assert "Not grouped by institution" in result.stdout


def test_pool_is_split(folder):
    write(folder / "in/a.jsonl", *reports("a", 15))
    write(folder / "in/b.jsonl", *reports("b", 5))
    result = split("in", "out/corpus", "--dev", "0.2", "--test", "0.1", "--seed", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "out/corpus/train.jsonl: 14 reports, 28 sentences",
        "out/corpus/dev.jsonl: 4 reports, 8 sentences",
        "out/corpus/test.jsonl: 2 reports, 4 sentences",
        "Leaks: 0 reports dropped from dev, since a sentence stands in another split as well",
        "Leaks: 0 reports dropped from train, since a sentence stands in another split as well",
    ]
    written = ids(folder / "out/corpus")
    assert sorted(id for split_ids in written.values() for id in split_ids) == sorted(
        f"{p}{i}" for p, n in (("a", 15), ("b", 5)) for i in range(n)
    )
    # Whole records, labels and meta included.
    source = {r.id: r for name in "ab" for r in read_records(folder / f"in/{name}.jsonl")}
    for name in NAMES:
        assert all(r == source[r.id] for r in read_records(folder / f"out/corpus/{name}.jsonl", labelled=True))
    assert json.loads((folder / "out/corpus/leaks.json").read_bytes()) == []
    assert split("in", "again", "--dev", "0.2", "--test", "0.1", "--seed", "3").exit_code == 0
    assert ids(folder / "again") == written
    assert split("in", "other", "--dev", "0.2", "--test", "0.1", "--seed", "4").exit_code == 0
    assert ids(folder / "other") != written


def test_leaks_are_dropped_and_listed(folder):
    shared, held = "左腎下極に21mm大の嚢胞あり。", "肝S8に径15mm大の血管腫疑い。"
    write(
        folder / "in/train.jsonl",
        record("clean", "膵：特に著変を認めません。", "短い文。"),
        record("leaks dev", "前回と著変なし。", shared),
        record("leaks held-out", held, held),
    )
    tested = "骨：転移を疑う所見なし、前回同様。"
    write(folder / "in/dev.jsonl", record("d1", shared, "短い文。"), record("leaks test", tested))
    write(folder / "in/test.jsonl", record("t1", tested))
    write(folder / "held.jsonl", record("h1", held))
    result = split("in", "out", "--held-out", "held.jsonl")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-5:] == [
        "Leaks: 1 reports dropped from dev, since a sentence stands in another split as well",
        "  leaks test: sentences 0",
        "Leaks: 2 reports dropped from train, since a sentence stands in another split as well",
        "  leaks dev: sentences 1",
        "  leaks held-out: sentences 0, 1",
    ]
    assert ids(folder / "out") == {"train": ["clean"], "dev": ["d1"], "test": ["t1"]}
    assert json.loads((folder / "out/leaks.json").read_bytes()) == [
        {"id": "leaks test", "sentences": [0]},
        {"id": "leaks dev", "sentences": [1]},
        {"id": "leaks held-out", "sentences": [0, 1]},
    ]


@pytest.mark.parametrize("dev_name", ["dev", "validation"])
def test_given_splits_keep_their_role(dev_name, folder):
    write(folder / "in/train.jsonl", *reports("a", 2))
    write(folder / f"in/{dev_name}.jsonl", *reports("b", 3))
    write(folder / "in/test.jsonl", *reports("c", 4))
    write(folder / "in/more.jsonl", *reports("d", 2))
    assert split("in", "out").exit_code == 0
    expected = {"train": ["a0", "a1", "d0", "d1"], "dev": ["b0", "b1", "b2"], "test": ["c0", "c1", "c2", "c3"]}
    assert ids(folder / "out") == expected


def test_pool_fills_the_splits_that_are_not_given(folder):
    write(folder / "in/test.jsonl", *reports("t", 3))
    write(folder / "in/pool.jsonl", *reports("p", 20))
    assert split("in", "out", "--dev", "0.1", "--test", "0.1").exit_code == 0
    written = ids(folder / "out")
    assert written["test"] == ["t0", "t1", "t2"]
    assert [len(written["train"]), len(written["dev"])] == [18, 2]


def test_paper_files(folder):
    for name, count in (("train", 3), ("validation", 1), ("test", 1)):
        rows = [
            {"finding_lines": [s := f"右肺に{name}{i}mm大の結節。"], "sentence_class": {s: 1}} for i in range(count)
        ]
        write(folder / f"in/{name}.jsonl", *rows)
    assert split("in", "out").exit_code == 0
    assert ids(folder / "out")["train"] == ["train-00001", "train-00002", "train-00003"]
    assert ids(folder / "out")["dev"] == ["validation-00001"]


@pytest.mark.parametrize("fields", ["modality,site", " modality, site,"])
def test_stratify(fields, folder):
    rows = [
        record(f"{i}", f"右肺S6に{i}番の結節。", modality="CT" if i % 4 else "MRI", site=f"{i % 2}") for i in range(40)
    ]
    write(folder / "in/a.jsonl", *rows)
    assert split("in", "out", "--dev", "0.2", "--test", "0.2", "--stratify", fields).exit_code == 0
    for name, count in (("train", 24), ("dev", 8), ("test", 8)):
        kinds = [(r.meta["modality"], r.meta["site"]) for r in read_records(folder / f"out/{name}.jsonl")]
        assert len(kinds) == count
        assert abs(kinds.count(("MRI", "0")) - count / 4) <= 1
        assert abs(kinds.count(("CT", "1")) - count / 2) <= 1


@pytest.mark.parametrize("shares", ["0.1 0.1", "0.25 0.1"])
def test_bundled_corpus(shares, folder):
    dev, test = shares.split()
    external = ROOT / "assets" / "external_dev.jsonl"
    args = ["--dev", dev, "--test", test, "--stratify", "heading_style,punctuation_style", "--held-out", str(external)]
    args += ["--group", "institution"]
    result = split(str(ROOT / "assets" / "bundled"), "out", *args)
    assert (result.exit_code, result.stderr) == (0, "")
    records = {name: list(read_records(folder / f"out/{name}.jsonl", labelled=True)) for name in NAMES}
    leaks = json.loads((folder / "out/leaks.json").read_bytes())
    # Complete and disjoint: what is in no split is a leak.
    everything = [record.id for split_records in records.values() for record in split_records]
    everything += [leak["id"] for leak in leaks]
    assert len(everything) == len(set(everything)) == 10416
    assert len(records["dev"]) == pytest.approx(10416 * float(dev), abs=10)
    assert len(records["test"]) == pytest.approx(10416 * float(test), abs=10)
    seen = [
        {r.meta["institution"] for r in split_records if "institution" in r.meta} for split_records in records.values()
    ]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 1064
    assert leaks and " reports dropped from train, since" in result.stdout
    texts = {
        name: {text for r in split_records for text in r.sentence_texts} for name, split_records in records.items()
    }
    held_out = {text for r in read_records(external) for text in r.sentence_texts}
    assert max(map(len, texts["train"] & (texts["dev"] | texts["test"] | held_out))) <= 12
    assert max(map(len, texts["dev"] & (texts["test"] | held_out))) <= 12
    for leak in leaks:
        assert f"  {leak['id']}: sentences {', '.join(map(str, leak['sentences']))}\n" in result.stdout


GOOD = reports("a", 20)
# What is wrong -> the files, further arguments, and what the line on stderr must name.
BAD_INPUTS: dict[str, tuple[dict[str, list], list[str], str]] = {
    "missing_folder": ({}, [], "in: no such folder"),
    "folder_without_jsonl": ({"in/README.md": [CANARY], "in/sub/a.jsonl": GOOD}, [], "in: no .jsonl file there"),
    "a_file_for_a_folder": ({"in": GOOD}, [], "in: is a file: give the folder that holds it."),
    "dev_negative": ({"in/a.jsonl": GOOD}, ["--dev", "-0.1"], "--dev -0.1 and --test 0.1: give shares above 0"),
    "test_negative": ({"in/a.jsonl": GOOD}, ["--test=-1"], "--dev 0.1 and --test -1.0: give shares"),
    "nothing_to_train_on": ({"in/a.jsonl": GOOD}, ["--dev", "0.5", "--test", "0.5"], "--dev 0.5 and --test 0.5: give"),
    "share_over_1": ({"in/a.jsonl": GOOD}, ["--test", "80"], "--dev 0.1 and --test 80.0: give shares"),
    "share_is_nan": ({"in/a.jsonl": GOOD}, ["--dev", "nan"], "--dev nan and --test 0.1: give shares"),
    "too_few_reports": ({"in/a.jsonl": GOOD[:2]}, [], "in: no report is left for"),
    "no_share_for_dev": ({"in/a.jsonl": GOOD}, ["--dev", "0"], "--dev 0.0 and --test 0.1: give shares above 0"),
    "only_a_test_set": ({"in/test.jsonl": GOOD}, [], "in: no report is left for train"),
    "all_of_train_leaks": (
        {"in/train.jsonl": reports("x", 1), "in/dev.jsonl": [{**reports("x", 1)[0], "id": "d"}], "in/test.jsonl": GOOD},
        [],
        "in: no report is left for train",
    ),
    "id_in_two_files": ({"in/a.jsonl": GOOD, "in/b.jsonl": GOOD[3:4]}, [], "in: the id 'a3' stands twice"),
    "id_in_two_splits": ({"in/train.jsonl": GOOD, "in/test.jsonl": GOOD[:1]}, [], "in: the id 'a0' stands twice"),
    "bad_line": ({"in/a.jsonl": [*GOOD, f'{{"id": "{CANARY}"']}, [], "in/a.jsonl, line 21: not valid JSON"),
    "bad_sentence": (
        {"in/a.jsonl": [*GOOD[:2], {**GOOD[2], "sentences": [{"start": 0, "end": 3}]}]},
        [],
        "in/a.jsonl, line 3 (id 'a2'): characters 3 to",
    ),
    "empty_file": ({"in/a.jsonl": GOOD, "in/b.jsonl": [""]}, [], "in/b.jsonl: the corpus is empty"),
    "held_out_missing": ({"in/a.jsonl": GOOD}, ["--held-out", "h.jsonl"], "h.jsonl: no such file"),
    "held_out_bad": ({"in/a.jsonl": GOOD, "h.jsonl": ["[]"]}, ["--held-out", "h.jsonl"], "h.jsonl, line 1: expected"),
    "output_is_a_file": ({"in/a.jsonl": GOOD, "out": [""]}, [], "out: is a file: name a folder."),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input(case, folder):
    inputs, args, expected = BAD_INPUTS[case]
    for name, rows in inputs.items():
        write(folder / name, *rows)
    if "out" not in inputs:  # of an earlier run
        write(folder / "out/train.jsonl", *reports("old", 1))
        write(folder / "out/leaks.json", "[]")
    before = files(folder)
    result = split("in", "out", *args)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.endswith(".\n"), result.stderr
    assert result.stderr.startswith(f"Error: {expected}"), result.stderr
    assert CANARY not in result.output
    assert files(folder) == before


def test_institutions_stay_in_one_split(folder):
    rows = [record(f"{i}", f"右肺S6に{i}番の結節。", institution=f"{i // 4}") for i in range(40)]
    write(folder / "in/a.jsonl", *rows)
    result = split("in", "out", "--dev", "0.2", "--test", "0.2", "--group", "institution")
    assert result.exit_code == 0, result.output
    kinds = {name: {r.meta["institution"] for r in read_records(folder / f"out/{name}.jsonl")} for name in NAMES}
    assert {name: len(found) for name, found in kinds.items()} == {"train": 6, "dev": 2, "test": 2}
    assert len(set().union(*kinds.values())) == 10
    told = split("in", "other", "--group", "instituton").stdout.splitlines()
    assert told[-1].startswith("Not grouped by instituton: no report has it in its meta")


def test_further_reports_of_institutions_that_are_tested_are_left_out(folder):
    write(
        folder / "in/a.jsonl",
        *(record(f"{i}", f"右肺S6に{i}番の結節。", institution=f"{i // 4}") for i in range(40)),
    )
    more = [record(f"more {i}", f"左肺S3に{i}番の嚢胞。", institution=f"{i}") for i in range(12)]
    more += [record("of none", "左肺S4に13番の嚢胞。")]
    write(folder / "in/train_only/b.jsonl", *more)
    result = split("in", "out", "--dev", "0.2", "--test", "0.2", "--group", "institution")
    assert result.exit_code == 0, result.output
    kinds = {name: {r.meta.get("institution") for r in read_records(folder / f"out/{name}.jsonl")} for name in NAMES}
    assert len(kinds["train"]) == 6 + 3  # of two that no report of the corpus is of, and of none
    assert not kinds["train"] & (kinds["dev"] | kinds["test"])
    assert "Left out: 4 reports of train_only, whose institution stands in dev or test" in result.stdout
    # What is split already stays as it is, and is told.
    write(folder / "given/train.jsonl", *(record(f"{i}", f"右肺S6に{i}番の結節。", institution="A") for i in range(9)))
    write(folder / "given/dev.jsonl", record("d", "左肺S6に9番の結節。", institution="A"))
    write(folder / "given/test.jsonl", record("t", "左肺S6に8番の結節。", institution="B"))
    told = split("given", "out", "--group", "institution").stdout
    assert "1 values of institution stand in train and in dev or test: the files are split so" in told


@pytest.mark.parametrize("seed", range(4))
def test_institutions_of_a_given_test_set_are_not_pooled(seed, folder):
    write(folder / "in/test.jsonl", *(record(f"t{i}", f"右肺S6に{i}番の結節。", institution="A") for i in range(4)))
    pooled = (record(f"{k}{i}", f"左肺S3に{k}{i}番の嚢胞。", institution=k) for k in "ABCDEFGH" for i in range(4))
    write(folder / "in/pool.jsonl", *pooled)
    result = split("in", "out", "--group", "institution", "--seed", str(seed))
    assert result.exit_code == 0, result.output
    kinds = {name: {r.meta["institution"] for r in read_records(folder / f"out/{name}.jsonl")} for name in NAMES}
    assert kinds["test"] == {"A"}
    assert kinds["train"] | kinds["dev"] == set("BCDEFGH")
    assert "Left out: 4 reports of the files to split, whose institution stands in dev or test" in result.stdout


def test_too_few_institutions_to_keep_apart(folder):
    write(folder / "in/a.jsonl", *(record(f"{i}", f"右肺S6に{i}番の結節。", institution=f"{i % 2}") for i in range(40)))
    result = split("in", "out", "--group", "institution")
    assert result.exit_code == 1
    assert "in: no report is left for dev: add dev.jsonl, or do without --group institution." in result.output


def test_a_field_that_no_report_has_is_told(folder):
    write(folder / "in/a.jsonl", *reports("a", 20))
    assert "Not stratified by instituton" in split("in", "out", "--stratify", "instituton").stdout


def test_as_a_process(folder, bundled):
    write_records(bundled[:30], folder / "in/a.jsonl")
    command = [*LIGHT_PYTHON, "-m", "spacy", "radsent", "split", "in"]
    good = subprocess.run([*command, "out"], capture_output=True, encoding="utf-8", timeout=120)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("out/train.jsonl: 24 reports, ")
    assert {name: len(found) for name, found in ids(folder / "out").items()} == {"train": 24, "dev": 3, "test": 3}
    shutil.rmtree(folder / "out")
    script = [str(Path(sys.executable).with_name("radsent")), "split", "in", "out", "--dev", "1"]
    bad = subprocess.run(script, capture_output=True, encoding="utf-8", timeout=120)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("Error: --dev 1.0 and --test 0.1: ") and bad.stderr.count("\n") == 1
    assert not (folder / "out").exists()


def test_reports_for_train_alone(folder):
    write(folder / "in/a.jsonl", *reports("a", 15))
    write(folder / "held.jsonl", *reports("h", 1))
    assert split("in", "before", "--seed", "3").exit_code == 0
    leak = record("leak", f"{CANARY}様の右肺S6にh-0mm大の結節。", "右肺S1の結節は前回と比べて不変です。")
    write(folder / "in/train_only/b.jsonl", *reports("b", 20), leak)
    result = split("in", "after", "--seed", "3", "--held-out", "held.jsonl")
    assert result.exit_code == 0, result.output
    before, after = ids(folder / "before"), ids(folder / "after")
    assert after == {**before, "train": before["train"] + [f"b{i}" for i in range(20)]}
    assert "  leak: sentences 0\n" in result.output


def test_report_for_train_alone_with_the_id_of_another(folder):
    write(folder / "in/a.jsonl", *reports("a", 15))
    write(folder / "in/train_only/b.jsonl", *reports("a", 1))
    result = split("in", "out")
    assert result.exit_code == 1
    assert "in: the id 'a0' stands twice" in result.output
    assert not (folder / "out").exists()
