"""Split a corpus into train, dev and test by report, with no sentence in two of them."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .records import Record

# Shorter sentences ("胆嚢：著変なし。") recur in any two reports without one being copied from the other.
LEAK_MIN_CHARS = 13


class Leak(NamedTuple):
    """A report that shares sentences with reports it is to be tested on."""

    id: str
    sentences: list[int]


def group_of(record: Record, field: str) -> str | None:
    """RETURNS (Optional[str]): The value of a field of `meta` that keeps reports together; None where it is empty."""
    value = record.meta.get(field)
    return None if value is None or value in ("", []) else str(value)


def stratified_split(
    records: Sequence[Record],
    shares: dict[str, float],
    *,
    stratify: Iterable[str] = (),
    group: str = "",
    seed: int = 0,
) -> dict[str, list[Record]]:
    """Split by report, each split with the same mix of the given `meta` fields.

    records (Sequence[Record]): The corpus.
    shares (Dict[str, float]): Name of a split -> its share; they add up to 1.
    stratify (Iterable[str]): Fields of `meta`; each combination of their values is spread evenly.
    group (str): A field of `meta`; reports with the same value of it stay together, so that a split holds
        institutions, say, that no other has seen. Reports without one are on their own.
    seed (int): Same seed, same split.
    RETURNS (Dict[str, List[Record]]): The splits, each in the order of the corpus.
    """
    fields, rng = list(stratify), random.Random(seed)
    alone: list[list[int]] = []
    groups: dict[str, list[int]] = defaultdict(list)
    for i, record in enumerate(records):
        value = group_of(record, group)
        if value is None:
            alone.append([i])
        else:
            groups[value].append(i)
    chosen: dict[str, list[int]] = {name: [] for name in shares}
    for units in (list(groups.values()), alone):
        strata: dict[str, list[list[int]]] = defaultdict(list)
        for unit in units:
            strata[repr([records[unit[0]].meta.get(field) for field in fields])].append(unit)
        dealt = dict.fromkeys(shares, 0)
        for key in sorted(strata):
            rng.shuffle(strata[key])
            for unit in sorted(strata[key], key=len, reverse=True):  # small ones can even out what large ones left
                # To the split that is furthest behind its share: even within strata smaller than 1/share.
                done = sum(dealt.values()) + len(unit)
                behind = max(shares, key=lambda name: shares[name] * done - dealt[name])
                dealt[behind] += len(unit)
                chosen[behind] += unit
    return {name: [records[i] for i in sorted(indices)] for name, indices in chosen.items()}


def find_leaks(train: Iterable[Record], tests: Iterable[Record]) -> list[Leak]:
    """Find reports with a sentence of at least `LEAK_MIN_CHARS` characters that stands in a test report too.

    train (Iterable[Record]): Reports to train on, or to choose by.
    tests (Iterable[Record]): Reports to evaluate on, of all test sets.
    RETURNS (List[Leak]): The reports to drop from these, with the indices of their leaking sentences.
    """
    known: set[str] = {text for record in tests for text in record.sentence_texts if len(text) >= LEAK_MIN_CHARS}
    leaks = (Leak(record.id, [i for i, text in enumerate(record.sentence_texts) if text in known]) for record in train)
    return [leak for leak in leaks if leak.sentences]


def without_leaks(train: Sequence[Record], tests: Iterable[Record]) -> tuple[list[Record], list[Leak]]:
    """RETURNS (Tuple[List[Record], List[Leak]]): The reports that share no sentence with tests, and those that do."""
    leaks = find_leaks(train, tests)
    ids = {leak.id for leak in leaks}
    return [record for record in train if record.id not in ids], leaks


def drop_leaks(splits: dict[str, list[Record]], held_out: Sequence[Record]) -> dict[str, list[Leak]]:
    """Drop what leaks: from dev, by which a checkpoint is chosen, and from train.

    splits (Dict[str, List[Record]]): "train", "dev" and perhaps "test"; changed in place.
    held_out (Sequence[Record]): Further reports to evaluate on.
    RETURNS (Dict[str, List[Leak]]): What was dropped from train and from dev.
    """
    tests = [*held_out, *splits.get("test", [])]
    found = {}
    for name in ("dev", "train"):
        splits[name], found[name] = without_leaks(splits[name], tests)
        tests += splits[name]
    return found
