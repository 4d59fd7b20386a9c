"""Resident memory of a pipeline with a transformer over a long stream of reports, no two alike.

    python benchmarks/encoder_memory.py training/model-best --reports 10000

As it is and in int8, each in a process of its own. Prints the figures and writes JSON.
"""

import argparse
import json
from pathlib import Path

import spacy
from figures import FOLDER, save
from throughput import in_own_process, stream

from spacy_radsent.classifier.transformer.layer import encoder_layers, encoder_shim


def load_and_stream(pipeline: Path, precision: str | None, count: int) -> dict:
    nlp = spacy.load(pipeline)
    if precision is not None:
        for layer in encoder_layers(nlp):
            encoder_shim(layer).optimize(precision)
    return stream(nlp, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--output", type=Path, default=FOLDER / "encoder_memory.json")
    args = parser.parse_args()
    pipelines = {
        name: in_own_process(load_and_stream, args.pipeline, precision, args.reports)
        for name, precision in {"joint": None, "int8": "int8"}.items()
    }
    print(json.dumps(pipelines, indent=2))
    save({"pipelines": pipelines}, args.output)


if __name__ == "__main__":
    main()
