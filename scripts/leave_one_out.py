"""Train once for each value of a field of `meta` on all other reports, and predict those with it: as if never seen.

Writes OUTPUT/predictions.jsonl and OUTPUT/corpus.jsonl, for `radsent evaluate`. What is trained already is not
trained again.
"""

import subprocess
import sys
from pathlib import Path

from spacy_radsent.corpus.docbin import write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record, write_records
from spacy_radsent.corpus.split import find_leaks, stratified_split
from spacy_radsent.errors import RadsentError
from spacy_radsent.evaluation.predictions import predict
from spacy_radsent.pipelines import load_pipeline

MIN_REPORTS = 20  # of the others, to train on


def main(
    corpus: str, field: str, config: str, output: str, gpu_id: str, seed: str, encoder: str, normalize: str
) -> None:
    records = [record for path in sorted(Path(corpus).glob("*.jsonl")) for record in import_records(path)]
    values = sorted({str(record.meta[field]) for record in records if record.meta.get(field)})
    if len(values) < 2:
        known = sorted({name for record in records for name in record.meta})
        raise RadsentError(
            f"{corpus}: {field} has {len(values)} values among its reports, and at least 2 are needed: "
            f"use another field of meta ({', '.join(known) or 'there are none'})."
        )
    settings = ["--gpu-id", gpu_id, "--system.seed", seed, "--paths.encoder", encoder, "--paths.normalize", normalize]
    left_out, predictions = [], []
    for i, value in enumerate(values, 1):
        print(f"{i} of {len(values)}: without {field} {value!r}", flush=True)
        held_out = [record for record in records if str(record.meta.get(field)) == value]
        folder = Path(output) / f"fold{i:02}"
        if not (folder / "model-best").exists():
            fit(records, held_out, folder, int(seed), [config, *settings])
        left_out += held_out
        predictions += predict(load_pipeline(str(folder / "model-best")), held_out)
    write_records(left_out, Path(output) / "corpus.jsonl")
    write_records(predictions, Path(output) / "predictions.jsonl")


def fit(records: list[Record], held_out: list[Record], folder: Path, seed: int, arguments: list[str]) -> None:
    """Train on all reports but those held out and those that share a sentence with them."""
    ids = {record.id for record in held_out}
    others = [record for record in records if record.id not in ids]
    splits = stratified_split(others, {"train": 0.9, "dev": 0.1}, seed=seed)
    leaks = {leak.id for leak in find_leaks(splits["train"], [*held_out, *splits["dev"]])}
    splits["train"] = [record for record in splits["train"] if record.id not in leaks]
    if len(splits["train"]) < MIN_REPORTS or not splits["dev"]:
        raise RadsentError(f"{len(splits['train'])} reports are left to train on, at least {MIN_REPORTS} are needed.")
    for name, members in splits.items():
        write_docbin(members, folder / f"{name}.spacy")
    paths = [part for name in splits for part in (f"--paths.{name}", str(folder / f"{name}.spacy"))]
    command = [sys.executable, "-m", "spacy", "train", *arguments, "--output", str(folder), *paths]
    if subprocess.run(command).returncode:
        raise RadsentError(f"{folder}: the training failed, see above.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RadsentError as error:
        sys.exit(f"Error: {error}")
