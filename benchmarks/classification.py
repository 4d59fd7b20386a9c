"""The CPU pipeline beside two baselines: same training reports, same test reports, one run.

    python benchmarks/classification.py --seeds 3

(a) spaCy's own `spancat_singlelabel` with sentences as candidates, on the same tokens, vectors and training schedule;
(b) a logistic regression on character 1-4-grams of the sentence and of one neighbour on each side.
All are trained on the whole bundled corpus and scored on external_dev (styles of two institutions never seen) and,
where it is at hand (--jichi), on the paper's validation split. Prints a table and writes JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import spacy
from figures import FOLDER, save
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_pipeline
from spacy.util import load_config, registry
from thinc.api import Config
from thinc.types import Ragged

from spacy_radsent.classifier.scorer import label_score
from spacy_radsent.corpus import split
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc, write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.spans import trimmed_sentences

ROOT = Path(__file__).parents[1]
SCORES = ("radsent_acc", "radsent_macro_f", "radsent_ppv_1", "radsent_recall_1", "radsent_f_1")

SPANCAT = """
[spancat]
factory = "spancat_singlelabel"
spans_key = "radsent"
negative_weight = 1.0

[spancat.suggester]
@misc = "benchmark.sentence_suggester.v1"

[spancat.model]
@architectures = "spacy.SpanCategorizer.v1"

[spancat.model.reducer]
@layers = "spacy.mean_max_reducer.v1"
hidden_size = 128

[spancat.model.scorer]
@layers = "spacy.LinearLogistic.v1"
nO = null
nI = null

[spancat.model.tok2vec]
"""


@registry.misc("benchmark.sentence_suggester.v1")
def build_sentence_suggester() -> Callable[..., Ragged]:
    def suggest(docs: Iterable[Doc], *, ops=None) -> Ragged:
        ops = ops or spacy.util.get_current_ops()
        spans = [trimmed_sentences(doc) for doc in docs]
        rows = [(span.start, span.end) for sentences in spans for span in sentences]
        return Ragged(ops.asarray2i(rows), ops.asarray1i([len(sentences) for sentences in spans]))

    return suggest


def bundled_corpus(part: str = "bundled") -> list[Record]:
    """RETURNS (List[Record]): All, or the 840 reports in sampled "styles" alone, without those of institutions."""
    pattern = "part*.jsonl" if part == "styles" else "*.jsonl"
    return [r for path in sorted((ROOT / "assets/bundled").glob(pattern)) for r in import_records(path)]


def add_corpus_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", default="bundled", choices=["bundled", "styles"], help="what to train on")


def without_leaks(train: list[Record], tests: list[Record]) -> list[Record]:
    return split.without_leaks(train, tests)[0]


def train_ours(config: Config, seed: int, folder: Path) -> Language:
    config = Config(config).copy()
    config["system"]["seed"] = seed
    return train_with(config, folder / f"radsent-{seed}")


def train_spancat(config: Config, seed: int, folder: Path) -> Language:
    config = Config(config).copy()
    spancat = Config().from_str(SPANCAT, interpolate=False)["spancat"]
    spancat["model"]["tok2vec"] = config["components"]["radsent"]["model"]["member"]["tok2vec"]
    config["components"] = {"radsent_sentencizer": config["components"]["radsent_sentencizer"], "spancat": spancat}
    config["nlp"]["pipeline"] = ["radsent_sentencizer", "spancat"]
    config["training"]["annotating_components"] = ["radsent_sentencizer"]
    config["training"]["score_weights"] = {"spans_radsent_f": 1.0}
    config["system"]["seed"] = seed
    return train_with(config, folder / f"spancat-{seed}")


def train_with(config: Config, folder: Path) -> Language:
    nlp = init_nlp(config)
    folder.mkdir(parents=True, exist_ok=True)
    train_pipeline(nlp, folder)
    return spacy.load(folder / "model-last")


def score_pipeline(nlp: Language, golds: list[Doc]) -> dict:
    examples = [Example(nlp(gold.text), gold) for gold in golds]
    return scores_of(examples)


def train_regression(records: list[Record]) -> Callable[[list[Record]], list[str]]:
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4)).fit(sentences_of(records))
    classifier = LogisticRegression(C=20, max_iter=1000)
    classifier.fit(regression_features(vectorizer, records), [s.label for r in records for s in r.sentences])
    return lambda tests: list(classifier.predict(regression_features(vectorizer, tests)))


def sentences_of(records: list[Record]) -> list[str]:
    return [text for record in records for text in record.sentence_texts]


def regression_features(vectorizer: TfidfVectorizer, records: list[Record]) -> csr_matrix:
    own = vectorizer.transform(sentences_of(records))
    report = [i for i, record in enumerate(records) for _ in record.sentences]
    return hstack([own, shifted(own, report, -1), shifted(own, report, 1)]).tocsr()


def shifted(rows: csr_matrix, report: list[int], by: int) -> csr_matrix:
    """The rows of the neighbours; zeros where there is none in the report."""
    pairs = [(i, i + by) for i in range(len(report)) if 0 <= i + by < len(report) and report[i] == report[i + by]]
    here, there = zip(*pairs, strict=True)
    return csr_matrix(([1.0] * len(pairs), (here, there)), shape=(len(report), len(report))) @ rows


def score_regression(predict: Callable[[list[Record]], list[str]], records: list[Record], golds: list[Doc]) -> dict:
    labels = iter(predict(records))
    examples = []
    for gold in golds:
        predicted = gold.copy()
        predicted.spans["radsent"] = [
            Span(predicted, span.start, span.end, label=next(labels)) for span in gold.spans["radsent"]
        ]
        examples.append(Example(predicted, gold))
    return scores_of(examples)


def scores_of(examples: list[Example]) -> dict:
    scores = label_score(examples)
    return {name: scores[name] for name in SCORES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/cpu.cfg")
    add_corpus_argument(parser)
    parser.add_argument("--jichi", type=Path, default=ROOT / "../shared/data/jichi/validation.jsonl")
    parser.add_argument("--work", type=Path, default=Path("training/benchmark"))
    parser.add_argument("--output", type=Path, default=FOLDER / "classification.json")
    args = parser.parse_args()

    tests = {"external_dev": list(import_records(ROOT / "assets/external_dev.jsonl"))}
    if args.jichi.exists():
        tests["jichi validation"] = list(import_records(args.jichi))
    train = without_leaks(bundled_corpus(args.corpus), tests["external_dev"])
    nlp = blank_pipeline()
    golds = {name: [record_to_doc(r, nlp, Alignment()) for r in records] for name, records in tests.items()}
    # The checkpoint is the last one: dev only fills the table that spaCy prints.
    write_docbin(train, args.work / "train.spacy")
    write_docbin(train[:20], args.work / "dev.spacy")
    config = load_config(args.config, interpolate=False)
    config["paths"]["train"], config["paths"]["dev"] = str(args.work / "train.spacy"), str(args.work / "dev.spacy")
    config["training"]["eval_frequency"] = 1000
    config["training"]["patience"] = 0  # or training ends where patience does, since dev is looked at only once

    runs: dict[str, list[dict]] = {}
    for name, train_one in {"radsent (CPU)": train_ours, "spancat_singlelabel": train_spancat}.items():
        for seed in range(args.seeds):
            began = time.perf_counter()
            pipeline = train_one(config, seed, args.work)
            scores = {test: score_pipeline(pipeline, golds[test]) for test in tests}
            runs.setdefault(name, []).append({"seed": seed, "seconds": time.perf_counter() - began, **scores})
            print(name, "seed", seed, json.dumps(scores), flush=True)
    predict = train_regression(train)
    scores = {test: score_regression(predict, tests[test], golds[test]) for test in tests}
    runs["character n-gram logistic regression"] = [{"seed": None, **scores}]

    for test in tests:
        table = Table("trained on the bundled corpus", *(name.removeprefix("radsent_") for name in SCORES), title=test)
        for name, results in runs.items():
            table.add_row(name, *(mean_and_range([result[test][score] for result in results]) for score in SCORES))
        Console(width=120).print(table)
    save({"training_reports": len(train), "runs": runs}, args.output)


def mean_and_range(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}-{max(values):.3f})"


if __name__ == "__main__":
    main()
