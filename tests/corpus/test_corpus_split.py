"""Splits are reproducible, complete and disjoint, keep the mix of reports, and train shares no sentence with a test."""

from collections import Counter

import pytest
from nasty_texts import labelled_record

from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.split import LEAK_MIN_CHARS, Leak, find_leaks, stratified_split

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def ids(splits):
    return {name: [record.id for record in records] for name, records in splits.items()}


def test_split_is_complete_disjoint_and_in_order(bundled):
    splits = stratified_split(bundled, SHARES, seed=1)
    assert {name: len(records) for name, records in splits.items()} == {"train": 672, "dev": 84, "test": 84}
    order = {record.id: i for i, record in enumerate(bundled)}
    everything = [id for split in ids(splits).values() for id in split]
    assert sorted(everything, key=order.__getitem__) == list(order)
    for split in ids(splits).values():
        assert split == sorted(split, key=order.__getitem__)


def test_same_seed_same_split_other_seed_another(bundled):
    options = {"shares": SHARES, "stratify": ["modality"]}
    first = ids(stratified_split(bundled, seed=7, **options))
    assert ids(stratified_split(bundled, seed=7, **options)) == first
    other = ids(stratified_split(bundled, seed=8, **options))
    assert set(other["test"]) != set(first["test"])
    # Two draws of a tenth share about a tenth: not a shift of one and the same order.
    assert len(set(other["test"]) & set(first["test"])) < 40


@pytest.mark.parametrize("fields", [["heading_style"], ["punctuation_style", "age"]], ids=["one_field", "two_fields"])
def test_splits_keep_the_mix(fields, bundled):
    splits = stratified_split(bundled, SHARES, stratify=fields, seed=0)
    for field in fields:
        whole = Counter(record.meta[field] for record in bundled)
        for records in splits.values():
            part = Counter(record.meta[field] for record in records)
            for value, count in whole.items():
                assert part[value] / len(records) == pytest.approx(count / len(bundled), abs=0.03)


def test_small_strata_are_spread_over_the_splits():
    """Thirty kinds of report with three each: a tenth of every stratum would be none."""
    records = [labelled_record(f"{i}", "著変なし。") for i in range(90)]
    for i, record in enumerate(records):
        record.meta["site"] = f"部位{i % 30}"
    splits = stratified_split(records, SHARES, stratify=["site"])
    assert {name: len(split) for name, split in splits.items()} == {"train": 72, "dev": 9, "test": 9}


def test_field_that_only_some_reports_have():
    records = [labelled_record(f"{i}", "著変なし。") for i in range(40)]
    for record in records[:20]:
        record.meta["modality"] = "MRI"
    splits = stratified_split(records, {"train": 0.5, "test": 0.5}, stratify=["modality"])
    assert Counter(record.meta.get("modality") for record in splits["test"]) == {"MRI": 10, None: 10}


def test_groups_stay_together():
    """Twenty institutions of six reports each, and forty reports of none: a tenth of each, institutions as a whole."""
    records = [labelled_record(f"{i}", "著変なし。") for i in range(160)]
    for i, record in enumerate(records[:120]):
        record.meta["institution"] = f"{i // 6}"
    splits = stratified_split(records, SHARES, group="institution", seed=2)
    assert {name: len(split) for name, split in splits.items()} == {"train": 128, "dev": 16, "test": 16}
    seen = {name: {record.meta.get("institution") for record in split} - {None} for name, split in splits.items()}
    assert sum(map(len, seen.values())) == len(set().union(*seen.values())) == 20
    assert all(seen.values())
    whole = {name: sum("institution" in record.meta for record in split) for name, split in splits.items()}
    assert whole == {name: 6 * len(institutions) for name, institutions in seen.items()}


@pytest.mark.parametrize("seed", range(8))
def test_shares_are_of_reports_however_large_a_group_is(seed):
    """One hospital with 900 reports beside nine with ten: it is in train, and the others make dev and test."""
    records = [labelled_record(f"{i}", "著変なし。") for i in range(990)]
    for i, record in enumerate(records):
        record.meta["institution"] = "大学病院" if i < 900 else f"診療所{i // 10}"
    splits = stratified_split(records, SHARES, group="institution", seed=seed)
    assert sorted(len(split) for split in splits.values()) == [40, 50, 900]
    assert len(splits["train"]) == 900


def test_empty_corpus():
    assert stratified_split([], SHARES) == {"train": [], "dev": [], "test": []}


SHARED = "右肺S6に12mm大の結節。"
SHORT = "胆嚢：特に著変を認めず。"


def test_leaks_are_found_by_sentence():
    assert len(SHARED) >= LEAK_MIN_CHARS > len(SHORT)
    train = [
        labelled_record("clean", f"左肺S6に12mm大の結節。\n{SHORT}"),
        labelled_record("leaky", f"\u3000胸水なし。\r\n\u3000{SHARED}{SHORT}\n{SHARED}"),
        labelled_record("contains it", f"所見：{SHARED}"),
    ]
    tests = [labelled_record("dev-1", f"{SHORT}{SHARED}"), labelled_record("test-1", SHORT)]
    assert find_leaks(train, tests) == [Leak("leaky", [1, 3])]
    assert find_leaks(train, tests[1:]) == []
    assert find_leaks(train, []) == []


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bundled_corpus_is_clean_after_dropping_leaks(seed, bundled, shared_data):
    splits = stratified_split(bundled, SHARES, stratify=["heading_style"], seed=seed)
    external = list(import_records(shared_data("external_dev.jsonl")))
    tests = [*splits["dev"], *splits["test"], *external]
    leaks = find_leaks(splits["train"], tests)
    assert leaks, "a few reports repeat a sentence, so an empty list would mean that nothing was looked at"
    assert len(leaks) < 0.02 * len(splits["train"])
    dropped = {leak.id for leak in leaks}
    kept = {text for record in splits["train"] if record.id not in dropped for text in record.sentence_texts}
    tested = {text for record in tests for text in record.sentence_texts}
    assert max(map(len, kept & tested)) <= 12
