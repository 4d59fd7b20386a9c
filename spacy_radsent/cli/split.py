"""`radsent split`: a corpus into train, dev and test."""

from collections import Counter
from pathlib import Path

import typer

from ..corpus.importers import import_records
from ..corpus.records import Record, write_records
from ..corpus.split import drop_leaks, group_of, stratified_split
from ..errors import RadsentError
from ..files import refuse_file, write_json
from .app import command

# Files of a corpus folder that are a split already, by their name.
GIVEN_SPLITS = {"train": "train", "dev": "dev", "validation": "dev", "test": "test"}
LEAKS = "leaks.json"  # what was dropped; tells that a folder holds a split
TRAIN_ONLY = "train_only"  # a folder in it, whose reports are added to train and are never tested on


@command("split")
def split(
    folder: Path = typer.Argument(..., metavar="FOLDER", help="A folder of .jsonl files (records, or the paper's)."),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="Where train.jsonl, dev.jsonl and test.jsonl go."),
    dev: float = typer.Option(0.1, help="Share of the reports for dev."),
    test: float = typer.Option(0.1, help="Share of the reports for test."),
    seed: int = typer.Option(0, help="Same seed, same split."),
    stratify: str = typer.Option("", help="Fields of meta, separated by commas, to spread evenly over the splits."),
    group: str = typer.Option(
        "", help="A field of meta, e.g. institution: reports with the same value of it stay in one split."
    ),
    held_out: Path | None = typer.Option(
        None, help="A further test set (.jsonl) that train and dev must share nothing with."
    ),
) -> None:
    """Split a corpus by report.

    Files named train, dev, validation or test.jsonl keep their role. All others are pooled: split if no train.jsonl is
    given, added to train if it is. Files in a folder train_only are added to train. With --group, what is pooled or in
    train_only is left out where its group stands in dev or test.
    Training reports that share a sentence of more than 12 characters with another split or with the held-out set are
    reported and dropped, and so are reports of dev that share one with test or with that.
    """
    group = group.strip()
    if not (dev > 0 and test > 0 and dev + test < 1):  # nan as well
        raise RadsentError(f"--dev {dev} and --test {test}: give shares above 0 that leave something to train on.")
    if folder.is_file():
        raise RadsentError(f"{folder}: is a file: give the folder that holds it.")
    if not folder.is_dir():
        raise RadsentError(f"{folder}: no such folder: check the path.")
    _refuse_loss(folder, output)
    splits = _read_splits(folder, {"train": 1 - dev - test, "dev": dev, "test": test}, stratify, group, seed)
    added = [record for path in _jsonl_files(folder / TRAIN_ONLY) for record in import_records(path)]
    splits["train"] += _kept_apart(added, splits, group, TRAIN_ONLY)
    ids = Counter(record.id for records in splits.values() for record in records)
    if twice := [id for id, count in ids.items() if count > 1]:
        raise RadsentError(f"{folder}: the id {twice[0]!r} stands twice: give every report an id of its own.")
    leaks = drop_leaks(splits, list(import_records(held_out)) if held_out else [])
    if empty := [name for name, records in splits.items() if not records]:
        advice = f"or do without --group {group}" if group else "or give more reports"
        raise RadsentError(f"{folder}: no report is left for {empty[0]}: add {empty[0]}.jsonl, {advice}.")
    write_json(output / LEAKS, [leak._asdict() for found in leaks.values() for leak in found])
    for name, records in splits.items():
        write_records(records, output / f"{name}.jsonl")
        print(f"{output / name}.jsonl: {len(records)} reports, {sum(len(r.sentences) for r in records)} sentences")
    for name, found in leaks.items():
        print(f"Leaks: {len(found)} reports dropped from {name}, since a sentence stands in another split as well")
        for leak in found:
            print(f"  {leak.id}: sentences {', '.join(map(str, leak.sentences))}")
    if group and not any(_groups_of(records, group) for records in splits.values()):
        print(f"Not grouped by {group}: no report has it in its meta, so that one may stand in several splits")


def _refuse_loss(folder: Path, output: Path) -> None:
    """Say so where files that are no earlier split would be replaced."""
    refuse_file(output)
    if output.resolve() in (folder.resolve(), (folder / TRAIN_ONLY).resolve()):
        raise RadsentError(f"{output}: is a folder of the corpus itself: name another one for the splits.")
    there = [name for name in ("train", "dev", "test") if (output / f"{name}.jsonl").exists()]
    if there and not (output / LEAKS).exists():
        raise RadsentError(
            f"{output}: its {there[0]}.jsonl is of no earlier split (there is no {LEAKS}): name another folder."
        )


def _groups_of(records: list[Record], group: str) -> set[str]:
    return {value for record in records if (value := group_of(record, group)) is not None}


def _kept_apart(added: list[Record], splits: dict[str, list[Record]], group: str, what: str) -> list[Record]:
    """RETURNS (List[Record]): Those of the groups that dev and test do not hold. Says so where others are there."""
    tested = _groups_of([*splits["dev"], *splits["test"]], group)
    kept = [record for record in added if group_of(record, group) not in tested]
    if len(kept) < len(added):
        print(f"Left out: {len(added) - len(kept)} reports of {what}, whose {group} stands in dev or test")
    return kept


def _jsonl_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() == ".jsonl")


def _read_splits(
    folder: Path, shares: dict[str, float], stratify: str, group: str, seed: int
) -> dict[str, list[Record]]:
    """Read the files of a folder; where train is not given, split the others among the splits not given."""
    files = _jsonl_files(folder)
    if not files:
        raise RadsentError(f"{folder}: no .jsonl file there: fetch the corpus first, or give the folder that holds it.")
    splits: dict[str, list[Record]] = {name: [] for name in shares}
    pool: list[Record] = []
    for path in files:
        role = GIVEN_SPLITS.get(path.stem.lower())
        (splits[role] if role else pool).extend(import_records(path))
    if both := _groups_of(splits["train"], group) & _groups_of([*splits["dev"], *splits["test"]], group):
        print(f"{len(both)} values of {group} stand in train and in dev or test: the files are split so")
    pool = _kept_apart(pool, splits, group, "the files to split")
    open_shares = {name: share for name, share in shares.items() if not splits[name]}
    if pool and not splits["train"]:
        total = sum(open_shares.values())
        open_shares = {name: share / total for name, share in open_shares.items()}
        fields = [field.strip() for field in stratify.split(",") if field.strip()]
        for field in fields:
            if not any(field in record.meta for record in pool):
                print(f"Not stratified by {field}: no report has it in its meta")
        splits.update(stratified_split(pool, open_shares, stratify=fields, group=group, seed=seed))
    else:
        splits["train"] += pool
    return splits
