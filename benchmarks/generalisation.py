"""What style augmentation gains on reports in a style that training never saw.

    python benchmarks/generalisation.py --conditions none all --tests institutions final
    python benchmarks/generalisation.py --conditions endings terms --copies 1 --corpus styles
    python benchmarks/generalisation.py --conditions config --tests final --model mixed --encoder /models/e5
    python benchmarks/generalisation.py --conditions config --tests final --size 0 --teacher mixed --vectors vectors

"folds" leaves each style of endings of the bundled corpus out of training and labels its reports. "institutions" leaves
out a quarter of the institutions with all their reports, four times, those of one author together. "findings" leaves
out the reports with at least half of their sentences POSITIVE. On these, settings are chosen. "final" trains on all and
labels external_dev and, where it is at hand (--jichi), the paper's validation split: these are reported, nothing is
chosen by them. With --corpus styles, training has the reports in sampled styles alone, and the reports of all
institutions are labelled at once.

A condition is "none", "all" (the defaults of `spacy_radsent.report_style.v1`), "config" (as the model's config has
it) or one family alone. All see each report as often (--visits), as itself or as a variant. The checkpoint is the last
one. Every run adds its row to the JSON file, and one that is there is not done again, so that long runs can be shared
out; for another encoder, precision or teacher name another --output, which a row does not tell apart.
A pipeline with --teacher and --vectors is what the project's workflow "distill" makes.
"reweighted" is the same pipeline told how frequent labels are in the test, as estimated from its texts, beside how
frequent they were in training.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
from classification import ROOT, add_corpus_argument, bundled_corpus, mean_and_range, train_with, without_leaks
from encoder_accuracy import pace
from figures import FOLDER, save
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import GroupKFold
from spacy.language import Language
from spacy.util import load_config
from thinc.api import Config

from spacy_radsent.augment.style import FAMILIES
from spacy_radsent.corpus.docbin import write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.evaluation.corpus import GoldCorpus
from spacy_radsent.evaluation.operating_point import ScoredSentences, fit_label_weights
from spacy_radsent.labels import LABELS
from spacy_radsent.metrics import confusion, measure
from spacy_radsent.pipelines import use_gpu

STYLE = "ending_style"
SCORES = ("accuracy", "macro_f1", "precision_1", "recall_1")
FINDINGS = "full of findings"
INSTITUTIONS = "institutions"
FOLDS = 4
EXTERNAL, JICHI = "external_dev", "jichi validation"
KIND = ("model", "corpus", "corpus_reports", "condition", "copies", "visits")
LEARNT_FROM = {"teacher": "taught", "vectors": "vectors of a transformer"}  # arguments, and what rows call them
ALONE = 0.5  # probability of a family that is tried alone


def augmenter_of(condition: str, copies: int, seed: int) -> dict | None:
    if condition == "none":
        return None
    families = None if condition == "all" else {condition: ALONE}
    settings = {"copies": copies, "families": families, "seed": seed, "lexicon": None}
    return {"@augmenters": "spacy_radsent.report_style.v1", **settings}


def configure(condition: str, seed: int, reports: int, args: argparse.Namespace) -> Config:
    copies = 0 if condition == "none" else args.copies
    epochs = max(1, round(args.visits / (1 + copies)))
    config = load_config(ROOT / f"configs/{args.model}.cfg", interpolate=False)
    if args.model == "cpu" and args.size:
        config["components"]["radsent"]["model"]["size"] = args.size
    if condition != "config":
        config["corpora"]["train"]["augmenter"] = augmenter_of(condition, copies, seed)
        config["training"].update({"max_epochs": epochs, "max_steps": 0})
        if args.model != "cpu":
            pace(config, reports * (1 + copies), epochs)
    if args.encoder:
        config["paths"]["encoder"] = args.encoder
    if args.model == "joint":
        config["components"]["radsent"]["model"]["encoder"].update(
            {"mixed_precision": args.mixed_precision, "layers": args.layers}
        )
    config["paths"]["teacher"] = args.teacher
    if args.vectors:
        config["paths"]["vectors"] = args.vectors
    config["training"].update({"eval_frequency": 10_000, "patience": 0, "gpu_allocator": None})
    config["system"]["seed"] = seed
    return config


def train(records: list[Record], config: Config, folder: Path) -> Language:
    for part, members in {"train": records, "dev": records[:5]}.items():  # dev only fills spaCy's table
        write_docbin(members, folder / f"{part}.spacy")
        config["paths"][part] = str(folder / f"{part}.spacy")
    return train_with(config, folder)


def sentences_of(nlp: Language, records: list[Record]) -> ScoredSentences:
    """RETURNS (ScoredSentences): As given, not as the pipeline splits: labels alone are judged."""
    return ScoredSentences.of(nlp, GoldCorpus("gold", records))


def confusion_of(sentences: ScoredSentences, weights: numpy.ndarray | float = 1.0) -> list[list[int]]:
    """RETURNS (List[List[int]]): Gold by predicted label, the probabilities of the labels multiplied by weights."""
    return confusion(sentences.gold, (sentences.scores * weights).argmax(axis=1))[0].tolist()


def label_weights(sentences: ScoredSentences, training: list[Record]) -> numpy.ndarray:
    known = numpy.bincount(GoldCorpus("training", training).codes, minlength=len(LABELS))
    return fit_label_weights(sentences.scores, known / known.sum())


def share_of_positive(record: Record) -> float:
    return sum(sentence.label == "POSITIVE" for sentence in record.sentences) / len(record.sentences)


def folds_of_institutions(records: list[Record], at_once: bool) -> Iterator[dict[str, list[Record]]]:
    """YIELDS (Dict[str, List[Record]]): Name of a test -> its reports, of each fold."""
    records = [record for record in records if "institution" in record.meta]
    authors = [record.meta["author"] for record in records]
    folds = [range(len(records))] if at_once else [test for _, test in GroupKFold(FOLDS).split(records, groups=authors)]
    for number, fold in enumerate(folds):
        manners: dict[str, list[Record]] = {}
        for i in fold:
            manners.setdefault(f"{INSTITUTIONS} {number}, {records[i].meta['manner']}", []).append(records[i])
        yield manners


def scores_of(matrix: numpy.ndarray) -> dict[str, float]:
    metrics = measure(matrix)
    return {name: float(metrics[name]) for name in SCORES}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--conditions", nargs="+", default=["none", *FAMILIES, "all"])
    parser.add_argument("--tests", nargs="+", default=["folds"], choices=["folds", "findings", "institutions", "final"])
    add_corpus_argument(parser)
    parser.add_argument("--styles", nargs="+", default=[""], help="what the names of the folds begin with")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--visits", type=int, default=12)
    parser.add_argument("--size", type=int, default=1, help="members of the CPU model; 0: as in the config")
    parser.add_argument("--model", default="cpu", choices=["cpu", "joint", "mixed"], help="which of the configs")
    parser.add_argument("--encoder", help="a checkpoint, for joint and mixed")
    parser.add_argument("--mixed-precision", action="store_true", help="bfloat16 in joint's encoder")
    parser.add_argument("--layers", type=int, help="so many of the lowest layers of joint's encoder; all if not given")
    parser.add_argument("--teacher", help="a pipeline trained on the same reports, to learn from")
    parser.add_argument("--vectors", help="word vectors, as `radsent vectors` makes them, in place of the config's")
    parser.add_argument("--gpu-id", type=int, default=-1, help="GPU to use; -1 for the CPU")
    parser.add_argument("--jichi", type=Path, default=ROOT / "../shared/data/jichi/validation.jsonl")
    parser.add_argument("--work", type=Path, default=Path("training/benchmark"))
    parser.add_argument("--output", type=Path, default=FOLDER / "generalisation.json")
    args = parser.parse_args()
    if (args.model == "cpu") != (args.encoder is None):
        parser.error("--encoder is for --model joint and mixed, which need it.")
    if (args.mixed_precision or args.layers) and args.model != "joint":
        parser.error("--mixed-precision and --layers are for --model joint.")
    if (args.teacher or args.vectors) and args.tests != ["final"]:
        parser.error("--teacher and --vectors are for --tests final alone: made from what the other tests leave out.")
    return args


def folds_of(records: list[Record], args: argparse.Namespace) -> Iterator[dict[str, list[Record]]]:
    """YIELDS (Dict[str, List[Record]]): What a run leaves out: name of a test -> its reports."""
    if "final" in args.tests:
        final = {EXTERNAL: list(import_records(ROOT / "assets/external_dev.jsonl"))}
        yield final | ({JICHI: list(import_records(args.jichi))} if args.jichi.exists() else {})
    if "folds" in args.tests:
        styles = sorted({record.meta[STYLE] for record in records if STYLE in record.meta})
        for style in [style for style in styles if style.startswith(tuple(args.styles))]:
            yield {style: [record for record in records if record.meta.get(STYLE) == style]}
    if INSTITUTIONS in args.tests:
        yield from folds_of_institutions(bundled_corpus(), at_once=args.corpus == "styles")
    if "findings" in args.tests:
        yield {FINDINGS: [record for record in records if share_of_positive(record) >= 0.5]}


def name_of_model(args: argparse.Namespace, ways: list[str]) -> str:
    model = f"cpu, {args.size or 'all'} members" if args.model == "cpu" else args.model
    layers = [f"{args.layers} layers"] if args.layers else []
    return ", ".join([model, *layers, *(LEARNT_FROM[name] for name in ways)])


def main() -> None:
    args = arguments()
    use_gpu(args.gpu_id)
    records = bundled_corpus(args.corpus)
    ways = [name for name in LEARNT_FROM if getattr(args, name)]
    everything = {"model": name_of_model(args, ways), "corpus": args.corpus, "corpus_reports": len(records)}
    for seed, condition, tests in itertools.product(args.seeds, args.conditions, folds_of(records, args)):
        run = {**everything, "condition": condition, "seed": seed, "copies": args.copies, "visits": args.visits}
        if condition == "config":
            run |= {"copies": None, "visits": None}  # it has its own
        done = [test for test in tests if any({**row, **run, "test": test} == row for row in rows_of(args.output))]
        if len(done) == len(tests):
            continue
        held_out = [record for members in tests.values() for record in members]
        ids = {record.id for record in held_out}
        others = without_leaks([record for record in records if record.id not in ids], held_out)
        began = time.perf_counter()
        folder = args.work / "-".join([args.model, *ways, condition, str(seed), str(len(others))])
        nlp = train(others, configure(condition, seed, len(others), args), folder)
        how = {"training_reports": len(others), "seconds": time.perf_counter() - began, "gpu": args.gpu_id >= 0}
        how |= {"mixed_precision": args.mixed_precision}
        for test in [test for test in tests if test not in done]:
            sentences = sentences_of(nlp, tests[test])
            row = {**run, "test": test, **how, "confusion": confusion_of(sentences)}
            row["reweighted"] = confusion_of(sentences, label_weights(sentences, others))
            scores = scores_of(numpy.array(row["confusion"]))
            print(condition, seed, test, {name: round(value, 4) for name, value in scores.items()}, flush=True)
            save({"runs": [*rows_of(args.output), row]}, args.output)
    show(rows_of(args.output))


def kind_of(row: dict) -> tuple:
    return tuple(row[name] for name in KIND)


def rows_of(output: Path) -> list[dict]:
    return json.loads(output.read_text(encoding="utf-8"))["runs"] if output.exists() else []


def title_of(test: str) -> str:
    if test.startswith(INSTITUTIONS):
        return f"left-out {INSTITUTIONS}, {test.rpartition(', ')[2]}"
    return test if test in (EXTERNAL, JICHI, FINDINGS) else "left-out styles"


def show(rows: list[dict]) -> None:
    """Print means and ranges over seeds; folds are pooled, so that each sentence counts once."""
    told = [row for row in rows if "reweighted" in row]
    rows += [{**row, "condition": f"{row['condition']}, reweighted", "confusion": row["reweighted"]} for row in told]
    for title in dict.fromkeys(title_of(row["test"]) for row in rows):
        table = Table(*KIND, "seeds", *SCORES, title=title)
        chosen = [row for row in rows if title_of(row["test"]) == title]
        for kind in dict.fromkeys(kind_of(row) for row in chosen):
            same = [row for row in chosen if kind_of(row) == kind]
            pooled = [
                scores_of(sum(numpy.array(row["confusion"]) for row in same if row["seed"] == seed))
                for seed in sorted({row["seed"] for row in same})
            ]
            cells = [mean_and_range([scores[name] for scores in pooled]) for name in SCORES]
            table.add_row(*map(str, kind), str(len(pooled)), *cells)
        Console(width=140).print(table)


if __name__ == "__main__":
    main()
