"""What a few labelled reports of a new institution gain, and what is forgotten for it.

    python benchmarks/adaptation.py

Each with a tenth of the training reports held out to see what is forgotten:
  unusual institutions, common institutions: trained without a quarter of the invented institutions, adapted to 5 of
    the 9 reports of one of them, tested on its other 4; 10 of them, for each seed;
  style: trained without one style of endings of the bundled corpus, adapted to 10, 20 and 40 reports in it, tested on
    the others in it;
  external: trained on the bundled corpus, adapted to 5 and 10 reports of an institution of external_dev, tested on its
    other 10; and to 20 of both, tested on the other 20.
What --settings does not name stays in the JSON file as it is: give runs with another --corpus a file of their own.
Adapted as `spacy project run adapt` does, and, for comparison, on the new reports alone ("without replay").
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy
from classification import ROOT, add_corpus_argument, bundled_corpus, without_leaks
from figures import FOLDER, save
from generalisation import SCORES, confusion_of, folds_of_institutions, rows_of, scores_of, sentences_of, train
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.util import load_config
from thinc.api import Config

from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.corpus.replay import is_local, replay_mixture
from spacy_radsent.corpus.split import stratified_split

STYLE = "電報調・記号多用（(-), (+), n.p., →, ↑）"  # the one that is hardest to label without
SHARE, LEARN_RATE = 0.5, 0.001  # as in project.yml
Trials = list[tuple[str, list[Record], list[Record]]]  # name, reports to learn from, reports to test on


def config_for(args: argparse.Namespace) -> Config:
    config = load_config(ROOT / "configs/cpu.cfg", interpolate=False)
    config["components"]["radsent"]["model"]["size"] = args.size
    config["training"].update({"eval_frequency": 10_000, "patience": 0})
    return config


def adapt(
    base: Path, local: Sequence[Record], corpus: Sequence[Record], replay: bool, args: argparse.Namespace, folder: Path
) -> Language:
    config = config_for(args)
    config["corpora"]["train"]["augmenter"] = None
    config["training"]["optimizer"]["learn_rate"] = LEARN_RATE
    config["training"]["max_epochs"] = 1
    config["paths"]["resume"] = str(base)
    mixture = replay_mixture(local, corpus, SHARE)
    if not replay:
        mixture = [record for record in mixture if is_local(record)]
    return train(mixture, config, folder)


def curve(name: str, corpus: list[Record], trials: Trials, args: argparse.Namespace) -> list[dict]:
    """RETURNS (List[Dict]): A row for each trial: what it is called, reports to learn from, reports to test on."""
    splits = stratified_split(corpus, {"train": 0.9, "held out": 0.1}, seed=0)
    known = without_leaks(splits["train"], splits["held out"])
    base = train(known, config_for(args), args.work / f"base-{name}")
    held_out_before = confusion_of(sentences_of(base, splits["held out"]))
    rows = []
    for trial, local, test in trials:
        for way in ("before", "adapted", "without replay"):
            began = time.perf_counter()
            base_folder = args.work / f"base-{name}/model-last"
            nlp = base if way == "before" else adapt(base_folder, local, known, way == "adapted", args, args.work / "a")
            row = {"setting": name, "trial": trial, "reports": len(local), "way": way}
            row["seconds"] = time.perf_counter() - began
            row["confusion"] = confusion_of(sentences_of(nlp, test))
            row["held_out"] = held_out_before if nlp is base else confusion_of(sentences_of(nlp, splits["held out"]))
            print(trial, len(local), way, scores_of(numpy.array(row["confusion"])), flush=True)
            rows.append(row)
    return rows


def institution_trials(manner: str, records: list[Record], seeds: Sequence[int]) -> tuple[list[Record], Trials]:
    """RETURNS (Tuple[List[Record], Trials]): Reports without the first fold of institutions, and trials on these."""
    fold = next(iter(folds_of_institutions(bundled_corpus(), at_once=False).values()))
    left_out = [record for members in fold.values() for record in members]
    names = sorted({record.meta["institution"] for record in left_out if record.meta["manner"] == manner})
    trials = []
    for seed in seeds:
        for name in random.Random(seed).sample(names, 10):
            own = [record for record in left_out if record.meta["institution"] == name]
            own = random.Random(seed).sample(own, len(own))
            trials.append((f"{name}, seed {seed}", own[:5], own[5:]))
    ids = {record.id for record in left_out}
    return without_leaks([record for record in records if record.id not in ids], left_out), trials


def style_trials(records: list[Record], seeds: Sequence[int]) -> tuple[list[Record], Trials]:
    of_style = [record for record in records if record.meta.get("ending_style") == STYLE]
    trials = []
    for seed in seeds:
        shuffled = random.Random(seed).sample(of_style, len(of_style))
        trials += [(f"seed {seed}", shuffled[:count], shuffled[40:]) for count in (10, 20, 40)]
    return without_leaks([record for record in records if record not in of_style], of_style), trials


def external_trials(records: list[Record], seeds: Sequence[int]) -> tuple[list[Record], Trials]:
    external = list(import_records(ROOT / "assets/external_dev.jsonl"))
    trials = []
    for seed in seeds:
        halves: list[list[Record]] = [[], []]
        for institution in ("H", "K"):
            own = [record for record in external if record.meta["institution"] == institution]
            own = random.Random(seed).sample(own, len(own))
            trials += [(f"{institution}, seed {seed}", own[:count], own[10:]) for count in (5, 10)]
            halves[0] += own[:10]
            halves[1] += own[10:]
        trials.append((f"both, seed {seed}", *halves))
    return without_leaks(records, external), trials


SETTINGS: dict[str, Callable[[list[Record], Sequence[int]], tuple[list[Record], Trials]]] = {
    "unusual institutions": partial(institution_trials, "unusual"),
    "common institutions": partial(institution_trials, "common"),
    "style": style_trials,
    "external": external_trials,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    add_corpus_argument(parser)
    parser.add_argument("--size", type=int, default=1, help="members of the CPU model")
    parser.add_argument("--work", type=Path, default=Path("training/benchmark"))
    parser.add_argument("--output", type=Path, default=FOLDER / "adaptation.json")
    args = parser.parse_args()
    records = bundled_corpus(args.corpus)
    rows = rows_of(args.output)
    for name in args.settings:
        corpus, trials = SETTINGS[name](records, args.seeds)
        rows = [row for row in rows if row["setting"] != name] + curve(name, corpus, trials, args)
        save({"runs": rows}, args.output)
    show(rows)


def show(rows: list[dict]) -> None:
    """Print the scores of all trials of a kind together: each sentence of their tests counts once."""
    table = Table("setting", "reports", "way", "trials", *SCORES, "accuracy on what was known", title="adaptation")
    for kind in dict.fromkeys((row["setting"], row["reports"], row["way"]) for row in rows):
        same = [row for row in rows if (row["setting"], row["reports"], row["way"]) == kind]
        scores = scores_of(sum(numpy.array(row["confusion"]) for row in same))
        known = scores_of(sum(numpy.array(row["held_out"]) for row in same))["accuracy"]
        table.add_row(*map(str, kind), str(len(same)), *(f"{scores[name]:.3f}" for name in SCORES), f"{known:.3f}")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
