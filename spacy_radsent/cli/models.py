"""What the commands that evaluate share: names of models and corpora, running one on the other, writing the results."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import track

from ..corpus.importers import import_records
from ..corpus.records import Record, record_line
from ..errors import RadsentError
from ..files import atomic_writer, file_name
from ..pipelines import use_gpu

if TYPE_CHECKING:  # needs the extra
    from ..evaluation.corpus import GoldCorpus
    from ..evaluation.outcome import Outcome


class Named(NamedTuple):
    """A model or a corpus as it is given: NAME=PATH, or a path that names itself."""

    name: str
    path: str

    @classmethod
    def parse(cls, argument: str, *, stem: bool = False) -> "Named":
        """RETURNS (Named): Where no name is given, `stem` takes the file's, else the folder's comes before it."""
        name, separator, path = argument.partition("=")
        if separator and name and path and not is_there(argument):
            return cls(name, path)
        parts = Path(argument.removesuffix(".jsonl")).parts
        if not parts:
            raise RadsentError("A model or a corpus has no name: give a path, or NAME=PATH.")
        return cls(parts[-1] if stem else "/".join(parts[-2:]), argument)

    def gold(self, name: str = "") -> "GoldCorpus":
        """RETURNS (GoldCorpus): The labelled reports that it names, under its name or another."""
        from ..evaluation.corpus import GoldCorpus

        if Path(self.path).suffix.lower() != ".jsonl":
            raise RadsentError(
                f"{self.path}: labelled reports are a .jsonl file of records, or of the paper's format: give one."
            )
        return GoldCorpus(name or self.name, list(import_records(self.path)))


def is_there(path: str) -> bool:
    """RETURNS (bool): Whether a path exists; one that is too long for a path does not."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def parse_names(arguments: Sequence[str], what: str, *, stem: bool = False) -> list[Named]:
    """RETURNS (List[Named]): Models or corpora, no two of one name."""
    given = [Named.parse(argument, stem=stem) for argument in arguments]
    names = [file_name(one.name) for one in given]
    for one, name in zip(given, names, strict=True):
        if names.count(name) > 1:
            raise RadsentError(
                f"{one.path}: another of the {what} is named {one.name}, too: give it as NAME={one.path}."
            )
    return given


def run_models(
    models: Sequence[Named], golds: Sequence["GoldCorpus"], *, batch_size: int, gpu_id: int, keep: Path | None
) -> list["Outcome"]:
    """Run models on corpora.

    models (Sequence[Named]): Pipelines, or predictions that were stored.
    golds (Sequence[GoldCorpus]): The corpora.
    batch_size (int): Reports to label at once.
    gpu_id (int): GPU to use; -1 for the CPU.
    keep (Optional[Path]): A folder to write the predictions to: MODEL/CORPUS.jsonl.
    RETURNS (List[Outcome]): Of each corpus all models, side by side.
    """
    from ..evaluation.outcome import Outcome
    from ..evaluation.predictions import predictions_of

    use_gpu(gpu_id)
    outcomes = []
    # All are loaded before one is run: a mistake shows at once.
    for model, predict in [(model, predictions_of(model.path, batch_size)) for model in models]:
        for gold in golds:
            predictions = _shown(predict(gold), f"{model.name} on {gold.name}", len(gold.records))
            path = keep / file_name(model.name) / f"{file_name(gold.name)}.jsonl" if keep else None
            with _kept(predictions, path) as stream:
                outcomes.append(Outcome.of(model.name, gold, stream))
    return [outcome for gold in golds for outcome in outcomes if outcome.corpus is gold]


def write_all(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files, each whole or not at all.

    folder (Path): Where.
    files (Mapping[str, Union[str, bytes]]): Content by name.
    """
    for name, content in files.items():
        with atomic_writer(folder / name, "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)


def _shown(predictions: Iterable[Record], title: str, total: int) -> Iterator[Record]:
    console = Console(stderr=True)
    yield from track(predictions, title, total, console=console, transient=True, disable=not sys.stderr.isatty())


@contextmanager
def _kept(predictions: Iterable[Record], path: Path | None) -> Iterator[Iterable[Record]]:
    """Write predictions as they are read."""
    if path is None:
        yield predictions
        return
    with atomic_writer(path) as file:

        def written() -> Iterator[Record]:
            for record in predictions:
                file.write(record_line(record))
                yield record

        yield written()
