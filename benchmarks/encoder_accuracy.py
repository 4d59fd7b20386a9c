"""The CPU pipeline beside a transformer that reads each sentence once, the report at once, or a window per sentence.

    python benchmarks/encoder_accuracy.py /models/e5

Trained on four fifths of the bundled corpus, and on these with four fifths of the paper's validation split where that
is at hand (--jichi); scored on the fifths held out, and on external_dev (styles of two institutions never seen).
The transformers share the training of configs/joint.cfg and differ in what they read:
  joint: as in that config, each sentence by itself, the mixer over it seeing two on each side;
  report: all sentences of a report as one sequence (Cohan et al. 2019), no mixer;
  window: each sentence between two on each side (Kikuchi et al. 2026), no mixer.
The checkpoint is the last one: no test set chooses it. Every run adds its row to the JSON file, so that long runs can
be shared out by --models, --data and --seeds.
"""

import argparse
import itertools
import json
import math
import time
from pathlib import Path

from classification import (
    SCORES,
    add_corpus_argument,
    bundled_corpus,
    mean_and_range,
    score_pipeline,
    train_with,
    without_leaks,
)
from figures import FOLDER, save
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.util import load_config
from thinc.api import Config

from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc, write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.corpus.split import stratified_split

ROOT = Path(__file__).parents[1]


def config_of(model: str, encoder: str, reports: int, epochs: int) -> Config:
    config = load_config(ROOT / f"configs/{'cpu' if model == 'cpu' else 'joint'}.cfg", interpolate=False)
    config["corpora"]["train"]["augmenter"] = None  # what it gains: benchmarks/generalisation.py
    if model == "cpu":
        config["training"].update({"max_epochs": 8, "max_steps": 0})
        return config
    config["paths"]["encoder"] = encoder
    config["training"]["gpu_allocator"] = None
    pace(config, reports, epochs)
    if model != "joint":
        read_otherwise(config, model)
        config["components"]["radsent"]["model"]["mixer"] = None
    return config


def pace(config: Config, reports: int, epochs: int) -> None:
    """Let the learning rate rise and fall within so many passes over the reports."""
    steps = math.ceil(reports / config["training"]["batcher"]["size"]) * epochs
    config["training"]["optimizer"]["learn_rate"].update({"total_steps": steps, "warmup_steps": steps // 10})


def read_otherwise(config: Config, scheme: str) -> None:
    """Let a pipeline's encoder read a "window" for each sentence, or a "report" at once; all else stays."""
    encoder = config["components"]["radsent"]["model"]["encoder"]
    if scheme == "window":
        encoder.update({"before": 2, "after": 2})
    else:
        encoder["@architectures"] = "spacy_radsent.ReportEncoder.v1"
        del encoder["before"], encoder["after"]


def read_corpora(jichi: Path, part: str) -> tuple[dict[str, list[Record]], dict[str, list[Record]]]:
    """RETURNS (Tuple[Dict[str, List[Record]], Dict[str, List[Record]]]): Training data by name, test data by name."""
    tests = {"external_dev": list(import_records(ROOT / "assets/external_dev.jsonl"))}
    train = {"bundled": held_out_fifth("bundled", bundled_corpus(part), tests)}
    if jichi.exists():
        rest = held_out_fifth("jichi", list(import_records(jichi)), tests)
        train["bundled + jichi"] = train["bundled"] + rest
    all_tests = [record for records in tests.values() for record in records]
    return {name: without_leaks(records, all_tests) for name, records in train.items()}, tests


def held_out_fifth(name: str, records: list[Record], tests: dict[str, list[Record]]) -> list[Record]:
    styles = ["ending_style", "punctuation_style"]
    shares = {"train": 0.8, "test": 0.2}
    splits = stratified_split(records, shares, stratify=styles, group="institution", seed=0)
    tests[f"{name}, held out"] = splits["test"]
    return splits["train"]


def train_on(records: list[Record], config: Config, seed: int, folder: Path) -> Language:
    # Dev only fills the table that spaCy prints.
    for part, part_records in {"train": records, "dev": records[:20]}.items():
        write_docbin(part_records, folder / f"{part}.spacy")
        config["paths"][part] = str(folder / f"{part}.spacy")
    config["training"].update({"eval_frequency": 100, "patience": 0})
    config["system"]["seed"] = seed
    return train_with(config, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("encoder", help="folder of a checkpoint, or a model's name")
    parser.add_argument("--models", nargs="+", default=["cpu", "joint", "report", "window"])
    parser.add_argument("--data", nargs="+", default=["bundled", "bundled + jichi"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=4, help="of the transformers")
    add_corpus_argument(parser)
    parser.add_argument("--jichi", type=Path, default=ROOT / "../shared/data/jichi/validation.jsonl")
    parser.add_argument("--work", type=Path, default=Path("training/benchmark"))
    parser.add_argument("--output", type=Path, default=FOLDER / "encoder_accuracy.json")
    args = parser.parse_args()

    train, tests = read_corpora(args.jichi, args.corpus)
    nlp = blank_pipeline()
    golds = {name: [record_to_doc(r, nlp, Alignment()) for r in records] for name, records in tests.items()}
    for data, model, seed in itertools.product(args.data, args.models, args.seeds):
        if data not in train:
            continue
        config = config_of(model, args.encoder, len(train[data]), args.epochs)
        began = time.perf_counter()
        pipeline = train_on(train[data], config, seed, args.work / f"{model}-{data.replace(' ', '')}-{seed}")
        row = {
            "model": model,
            "data": data,
            "seed": seed,
            "training_reports": len(train[data]),
            "epochs": None if model == "cpu" else args.epochs,
            "seconds": time.perf_counter() - began,
            "scores": {test: score_pipeline(pipeline, golds[test]) for test in tests},
        }
        print(json.dumps(row), flush=True)
        add(row, args.output)
    show(json.loads(args.output.read_text(encoding="utf-8"))["runs"])


def add(row: dict, output: Path) -> None:
    """Write a run to the file, in place of an earlier one of the same kind."""
    key = ("model", "data", "seed")
    runs = json.loads(output.read_text(encoding="utf-8"))["runs"] if output.exists() else []
    save({"runs": [run for run in runs if any(run[k] != row[k] for k in key)] + [row]}, output)


def show(runs: list[dict]) -> None:
    for test in runs[0]["scores"]:
        table = Table("trained on", "model", *(name.removeprefix("radsent_") for name in SCORES), title=test)
        for data, model in dict.fromkeys((run["data"], run["model"]) for run in runs):
            same = [run["scores"][test] for run in runs if (run["data"], run["model"]) == (data, model)]
            table.add_row(data, model, *(mean_and_range([scores[name] for scores in same]) for name in SCORES))
        Console(width=120).print(table)


if __name__ == "__main__":
    main()
