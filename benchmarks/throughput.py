"""Reports per second and peak memory of a packaged pipeline beside the full ja_ginza pipeline, on the same reports.

    python benchmarks/throughput.py ja_radsent_sm --stream 100000

Every pipeline runs in a process of its own, one after the other, in this run. Prints a table and writes JSON.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one process, one thread: numpy must not have more than ja_ginza's BLAS

import argparse
import json
import multiprocessing
import random
import re
import resource
import time
from pathlib import Path

import spacy
from figures import FOLDER, save
from rich.console import Console
from rich.progress import track
from rich.table import Table
from spacy.language import Language

from spacy_radsent.corpus.records import read_records

ROOT = Path(__file__).parents[1]
ALL_COMPONENTS = ("radsent_sentencizer", "radsent")
GINZA_COMPONENTS = ("tok2vec", "parser", "ner", "morphologizer", "compound_splitter", "bunsetu_recognizer")


def reports(count: int, seed: int = 0) -> list[str]:
    """The bundled reports over and over, with other numbers each time so that none is seen twice."""
    texts = [r.text for path in sorted((ROOT / "assets/bundled").glob("*.jsonl")) for r in read_records(path)]
    rng = random.Random(seed)
    return [re.sub(r"\d", lambda _: str(rng.randint(0, 9)), texts[i % len(texts)]) for i in range(count)]


def measure(model: str, count: int, exclude: tuple[str, ...] = ()) -> dict:
    """Load a pipeline and run it over `count` reports. RETURNS (dict): seconds, rates, and peak memory in MB."""
    start = time.perf_counter()
    nlp = spacy.load(model, exclude=list(exclude))
    loaded = time.perf_counter()
    texts = reports(count)
    for _ in nlp.pipe(texts[:10]):  # the first call fills caches
        pass
    began = time.perf_counter()
    characters = sum(len(doc.text) for doc in nlp.pipe(texts))
    seconds = time.perf_counter() - began
    return {
        "pipeline": model + (", tokenizer only" if exclude else ""),
        "reports": count,
        "load_seconds": loaded - start,
        "reports_per_second": count / seconds,
        "characters_per_second": characters / seconds,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def stream(nlp: Language, count: int) -> dict:
    """Stream reports through `nlp.pipe`. RETURNS (dict): Resident memory in MB after every tenth of them."""
    resident, began = [], time.perf_counter()
    step = max(1, count // 10)
    chunks = (reports(step, seed=chunk) for chunk in range(10))
    texts = (text for chunk in chunks for text in chunk)
    for i, _ in enumerate(track(nlp.pipe(texts), total=step * 10, description="Streaming"), 1):
        if i % step == 0:
            resident.append(resident_mb())
    return {
        "reports": step * 10,
        "reports_per_second": step * 10 / (time.perf_counter() - began),
        "resident_mb": resident,
        "growth_mb_after_first_tenth": resident[-1] - resident[0],
    }


def load_and_stream(model: str, count: int) -> dict:
    return stream(spacy.load(model), count)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def in_own_process(function, *args):
    """Run a measurement in a fresh interpreter, so that memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, args)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="ja_radsent_sm", help="an installed pipeline, or a folder")
    parser.add_argument("--reports", type=int, default=1000, help="reports for the pipeline")
    parser.add_argument("--ginza-reports", type=int, default=100, help="reports for ja_ginza, which is slow")
    parser.add_argument("--stream", type=int, default=0, help="then stream this many reports and watch the memory")
    parser.add_argument("--output", type=Path, default=FOLDER / "throughput.json")
    args = parser.parse_args()
    ginza = in_own_process(measure, "ja_ginza", args.ginza_reports)
    ours = in_own_process(measure, args.model, args.reports)
    tokenizer = in_own_process(measure, args.model, args.reports, ALL_COMPONENTS)
    ginza_tokenizer = in_own_process(measure, "ja_ginza", args.reports, GINZA_COMPONENTS)
    again = in_own_process(measure, "ja_ginza", args.ginza_reports)  # a noisy machine shows in the difference
    table = Table("pipeline", "reports/s", "characters/s", "load, s", "peak memory, MB", "x ja_ginza")
    rows = [ginza, again, ours, tokenizer, ginza_tokenizer]
    for row in rows:
        row["ratio_to_ja_ginza"] = row["reports_per_second"] / max(g["reports_per_second"] for g in (ginza, again))
        numbers = ("reports_per_second", "characters_per_second", "load_seconds", "peak_memory_mb")
        table.add_row(row["pipeline"], *(f"{row[key]:,.1f}" for key in numbers), f"{row['ratio_to_ja_ginza']:.1f}")
    Console(width=120).print(table)
    figures = {"pipelines": rows}
    if args.stream:
        figures["stream"] = in_own_process(load_and_stream, args.model, args.stream)
        print(json.dumps(figures["stream"], indent=2))
    save(figures, args.output)


if __name__ == "__main__":
    main()
