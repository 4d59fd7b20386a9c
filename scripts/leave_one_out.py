"""Train once for each value of a field of `meta` on all other reports, and predict those with it: as if never seen.

Writes OUTPUT/predictions.jsonl and OUTPUT/corpus.jsonl, for `radsent evaluate`. A model that is finished is not trained
again, unless its reports, its config or its settings are others.
"""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from spacy_radsent.corpus.docbin import write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record, write_records
from spacy_radsent.corpus.split import drop_leaks, stratified_split
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.corpus import NO_VALUE, shown_value
from spacy_radsent.evaluation.predictions import predict
from spacy_radsent.pipelines import load_pipeline, use_gpu
from spacy_radsent.version import __version__

MIN_REPORTS = 20  # of the others, to train on
FINISHED = "finished"  # an empty file: a training that was cut off has a model-best, too


def main(
    corpus: str, field: str, config: str, output: str, gpu_id: str, seed: str, encoder: str, normalize: str
) -> None:
    for name, value in (("seed", seed), ("gpu_id", gpu_id.removeprefix("-"))):
        if not value.isdecimal():
            raise RadsentError(f"{name} {value}: give a whole number.")
    if not Path(corpus).is_dir():
        raise RadsentError(f"{corpus}: no such folder: run split first.")
    records = [record for path in sorted(Path(corpus).glob("*.jsonl")) for record in import_records(path)]
    if twice := [id for id, count in Counter(record.id for record in records).items() if count > 1]:
        raise RadsentError(f"{corpus}: the id {twice[0]!r} stands twice: give every report an id of its own.")
    values = sorted({shown_value(record.meta.get(field)) for record in records} - {NO_VALUE})
    if len(values) < 2:
        known = sorted({name for record in records for name in record.meta})
        raise RadsentError(
            f"{corpus}: {field} has {len(values)} values among its reports, and at least 2 are needed: "
            f"use another field of meta ({', '.join(known) or 'there are none'})."
        )
    use_gpu(int(gpu_id))
    settings = ["--gpu-id", gpu_id, "--system.seed", seed, "--paths.encoder", encoder, "--paths.normalize", normalize]
    left_out, predictions = [], []
    for i, value in enumerate(values, 1):
        print(f"{i} of {len(values)}: without {field} {value!r}", flush=True)
        held_out = [record for record in records if shown_value(record.meta.get(field)) == value]
        left_out += held_out
        folder = fit(records, held_out, Path(output), int(seed), [config, *settings])
        predictions += predict(load_pipeline(str(folder / "model-best")), held_out)
    write_records(left_out, Path(output) / "corpus.jsonl")
    write_records(predictions, Path(output) / "predictions.jsonl")


def fit(records: list[Record], held_out: list[Record], output: Path, seed: int, arguments: list[str]) -> Path:
    """Train on all reports but those held out and those that share a sentence with them.

    RETURNS (Path): The folder with the model, named by all that it depends on: one that is finished is used again.
    """
    ids = {record.id for record in held_out}
    others = [record for record in records if record.id not in ids]
    splits = stratified_split(others, {"train": 0.9, "dev": 0.1}, seed=seed)
    drop_leaks(splits, held_out)
    if len(splits["train"]) < MIN_REPORTS or not splits["dev"]:
        raise RadsentError(f"{len(splits['train'])} reports are left to train on, at least {MIN_REPORTS} are needed.")
    data = {name: [record.model_dump(exclude={"meta"}) for record in members] for name, members in splits.items()}
    basis = json.dumps([data, arguments, Path(arguments[0]).read_text(encoding="utf-8"), __version__])
    folder = output / f"fold-{hashlib.sha256(basis.encode()).hexdigest()[:16]}"
    if (folder / FINISHED).exists():
        return folder
    for name, members in splits.items():
        if left_out := write_docbin(members, folder / f"{name}.spacy").left_out:
            print(f"Left out of {name}, since two of their sentences share a token: {', '.join(left_out)}")
    paths = [part for name in splits for part in (f"--paths.{name}", str(folder / f"{name}.spacy"))]
    command = [sys.executable, "-m", "spacy", "train", *arguments, "--output", str(folder), *paths]
    if subprocess.run(command).returncode:
        raise RadsentError(f"{folder}: the training failed, see above.")
    (folder / FINISHED).touch()
    return folder


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RadsentError as error:
        sys.exit(f"Error: {error}")
