"""How long `radsent evaluate` takes for stored predictions of a large archive, and how much memory.

Reports are the bundled ones over and over, under ids of their own; predictions are their labels with one in twenty
changed, and probabilities. Only the evaluation is timed, not the making of the files.

    python benchmarks/evaluation.py --sentences 1000000
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from figures import FOLDER, save

from spacy_radsent.corpus.importers import import_records
from spacy_radsent.labels import LABELS

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=1)
    parser.add_argument("--output", type=Path, default=FOLDER / "evaluation.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reports, sentences = write_corpus(folder, arguments.sentences, arguments.models)
        models = [f"model{i}={folder}/model{i}.jsonl" for i in range(arguments.models)]
        also = [part for model in models[1:] for part in ("--model", model)]
        command = [sys.executable, "-m", "spacy", "radsent", "evaluate", models[0], f"{folder}/gold.jsonl", *also]
        command += ["--by", "ending_style", "--no-text", "--output", f"{folder}/out"]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        accuracy = json.loads((folder / "out/metrics.json").read_text())["runs"][0]["all"]["counted_wrong"]["metrics"]
    figures = {
        "reports": reports,
        "sentences": sentences,
        "models": arguments.models,
        "resamples": 2000,
        "seconds": round(seconds, 1),
        "peak_memory_gb": round(peak, 2),
        "accuracy": accuracy["accuracy"],
    }
    print(f"{sentences:,} sentences of {reports:,} reports, {arguments.models} models: {seconds:.1f} s, {peak:.2f} GB")
    save(figures, arguments.output)


def write_corpus(folder: Path, sentences: int, models: int) -> tuple[int, int]:
    """RETURNS (Tuple[int, int]): Reports and sentences written."""
    records = [record for path in sorted((ROOT / "assets/bundled").glob("*.jsonl")) for record in import_records(path)]
    rng = random.Random(0)
    reports = written = 0
    with ExitStack() as stack:
        names = ["gold", *(f"model{i}" for i in range(models))]
        gold, *files = (stack.enter_context(open(folder / f"{name}.jsonl", "w", encoding="utf-8")) for name in names)
        while written < sentences:
            row = records[reports % len(records)].model_dump()
            row["id"] = f"{reports:07}"
            gold.write(json.dumps(row, ensure_ascii=False) + "\n")
            for file in files:
                file.write(json.dumps(predicted(row, rng), ensure_ascii=False) + "\n")
            reports += 1
            written += len(row["sentences"])
    return reports, written


def predicted(row: dict, rng: random.Random) -> dict:
    """RETURNS (Dict): The report with one label in twenty changed, and probabilities."""
    labels = [rng.choice(LABELS) if rng.random() < 1 / 15 else sentence["label"] for sentence in row["sentences"]]
    scores = []
    for label in labels:
        top = rng.uniform(0.5, 1)
        scores.append([round(top if name == label else (1 - top) / 3, 6) for name in LABELS])
    sentences = [{**sentence, "label": label} for sentence, label in zip(row["sentences"], labels, strict=True)]
    prediction = {"scores": scores, "status": ["ok"] * len(labels), "source": "radsent"}
    return {**row, "sentences": sentences, "meta": {"prediction": prediction}}


if __name__ == "__main__":
    main()
