"""A run over an archive: parts that are done stay done, however the run ended; several machines share one output."""

import json
import multiprocessing
import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import Any

import spacy
from spacy.language import Language

from ..corpus.parts import RUN_FILE
from ..corpus.rows import NO_TEXT, Row
from ..corpus.sources import Source
from ..errors import RadsentError
from ..files import refuse_file, sha256_of, write_json
from ..pipelines import load_labeller
from ..version import __version__
from .label import Counts, Part, label_part
from .ray_engine import label_on_cluster


@dataclass(frozen=True)
class Settings:
    """How to label an archive.

    model (str): Folder of a pipeline, or name of a package.
    format (str): A key of `writer.ENDINGS`.
    part_size (int): Rows a part: what a crash costs at most, for each process.
    shard, shards (int): This machine labels every `shards`-th part, from the `shard`-th (1 is the first).
    n_process (int): Processes, each with a pipeline of its own.
    batch_size (int): Reports to label at once.
    gpu_id (int): GPU to use; -1 for the CPU.
    engine (str): "local", processes of this machine; "ray", actors of a Ray cluster.
    retry_errors (bool): Label parts again on whose rows a component failed.
    """

    model: str
    format: str = "jsonl"
    part_size: int = 1000
    shard: int = 1
    shards: int = 1
    n_process: int = 1
    batch_size: int = 64
    gpu_id: int = -1
    engine: str = "local"
    retry_errors: bool = False


@dataclass
class Progress:
    """Where a run stands.

    counts (Counts): Of the parts that were labelled now.
    before (Counts): Of the parts that were there.
    failed_before (int): On how many of their rows a component failed.
    elsewhere (int): Rows of other shards.
    """

    counts: Counts = field(default_factory=Counts)
    before: Counts = field(default_factory=Counts)
    failed_before: int = 0
    elsewhere: int = 0

    @property
    def skipped(self) -> int:
        """RETURNS (int): Rows of the parts that were there."""
        return self.before.labelled + self.before.rejected

    @property
    def rows(self) -> int:
        """RETURNS (int): Rows that are done with, one way or the other."""
        return self.counts.labelled + self.counts.rejected + self.skipped + self.elsewhere


def apply(source: Source, output: Path, settings: Settings) -> Iterator[Progress]:
    """Label an archive.

    source (Source): The reports.
    output (Path): A folder for part-000000.jsonl and so on, rejects-000000.jsonl, run.json, and a manifest at the end.
        Parts that are there are not labelled again.
    settings (Settings): How.
    YIELDS (Progress): After each part.
    """
    identity = _identity(source, settings)
    _claim(output, identity)
    progress = Progress()
    yield progress
    with closing(_parts(source, output, settings, progress)) as parts:
        for counts in _label_all(parts, output, settings):
            progress.counts += counts
            yield progress
    yield progress
    _write_manifest(output, identity, settings, progress)


def _parts(source: Source, output: Path, settings: Settings, progress: Progress) -> Generator[Part, None, None]:
    """YIELDS (Part): Those of this shard that are to be labelled. Rows with an id that stood before are rejected."""
    seen: set[int] = set()
    read = (row if row.reason or row.text.strip() else row._replace(reason=NO_TEXT) for row in source.read())
    for number, rows in enumerate(_chunks(read, settings.part_size)):
        if number % settings.shards != settings.shard - 1:
            progress.elsewhere += len(rows)
            seen.update(hash(row.id) for row in rows if not row.reason)
            continue
        part = Part(number, [])
        for row in rows:
            if hash(row.id) in seen and not row.reason:
                row = row._replace(reason="its id stands in an earlier row")
            if not row.reason:
                seen.add(hash(row.id))
            part.rows.append(row)
        done = part.path(output, settings.format).exists()
        before, failed = part.outcome(output) if done else (Counts(), 0)
        if done and not (settings.retry_errors and failed):
            progress.before += before
            progress.failed_before += failed
        else:
            yield part


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _label_all(parts: Iterator[Part], output: Path, settings: Settings) -> Iterator[Counts]:
    if settings.engine == "ray":
        yield from label_on_cluster(parts, output, settings)
        return
    if settings.n_process == 1:
        nlp = None  # loaded with the first part: there may be none left
        for part in parts:
            nlp = nlp or load_labeller(settings.model, settings.gpu_id)
            yield label_part(nlp, part, output, settings.format, settings.batch_size)
        return
    # spawn: a fork of a process with threads (torch, BLAS) can hang.
    pool = ProcessPoolExecutor(settings.n_process, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        with pool:
            yield from _in_order_of_completion(pool, parts, output, settings)
    except BrokenProcessPool:
        raise RadsentError(
            f"{output}: a process was killed or could not start (out of memory?): what is done is kept, run the "
            f"command again, with a smaller --n-process or --batch-size."
        ) from None


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed: it would wait for parts forever."""

    def wait_for_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait_for_parent, daemon=True).start()


def _in_order_of_completion(
    pool: ProcessPoolExecutor, parts: Iterator[Part], output: Path, settings: Settings
) -> Iterator[Counts]:
    """YIELDS (Counts): Of each part; no more than two a process are read before they are labelled."""
    waiting: set[Future] = set()
    for part in parts:
        waiting.add(pool.submit(_label_in_worker, part, output, settings))
        if len(waiting) >= 2 * settings.n_process:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in waiting)


def _label_in_worker(part: Part, output: Path, settings: Settings) -> Counts:
    nlp = _load_once(settings.model, settings.gpu_id)
    return label_part(nlp, part, output, settings.format, settings.batch_size)


@lru_cache(maxsize=1)
def _load_once(model: str, gpu_id: int) -> Language:
    """RETURNS (Language): The pipeline of this process."""
    return load_labeller(model, gpu_id)


def _identity(source: Source, settings: Settings) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): What makes a run the same: the input, the pipeline, and how it is cut into parts."""
    return {
        "input": source.fingerprint(),
        "pipeline": pipeline_fingerprint(settings.model),
        "part_size": settings.part_size,
        "format": settings.format,
        "version": __version__,
    }


def pipeline_fingerprint(model: str) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): Name and version of a pipeline, and SHA-256 of all its files."""
    path = Path(model)
    if not path.exists():
        if not spacy.util.is_package(model):
            raise RadsentError(f"{model}: no such folder or package: give a pipeline that is there.")
        path = spacy.util.get_package_path(model)
    files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    metas = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.name == "meta.json"][:1]
    names = {key: meta.get(key) for meta in metas for key in ("lang", "name", "version")}
    return {**names, "sha256": sha256_of(files, below=path)}


def _claim(output: Path, identity: dict[str, Any]) -> None:
    """Say what the output is of, or see that it is of the same."""
    path = output / RUN_FILE
    refuse_file(output)
    if path.exists() and any(output.glob("part-*")):
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise RadsentError(f"{path}: cannot be read: name another folder, or remove this one.") from None
        if before != identity:
            differing = [key for key in identity if before.get(key) != identity[key]]
            raise RadsentError(
                f"{output}: holds parts of another run (another {', '.join(differing)}): name another folder."
            )
        return
    if not path.exists() and output.exists() and any(not file.name.startswith(".") for file in output.iterdir()):
        raise RadsentError(f"{output}: is not empty, and not of a run: name another folder.")
    write_json(path, identity)


def _write_manifest(output: Path, identity: dict[str, Any], settings: Settings, progress: Progress) -> None:
    content = {
        **identity,
        "shard": f"{settings.shard}/{settings.shards}",
        "settings": asdict(settings),
        "counts": {
            **(progress.counts + progress.before)._asdict(),
            "done_before": progress.skipped,
            "failed_before": progress.failed_before,
            "of_other_shards": progress.elsewhere,
        },
    }
    write_json(output / f"manifest-{settings.shard}-of-{settings.shards}.json", content)
