"""`radsent convert`: reports in any known format to records, to a DocBin, or to a sheet to label by hand."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import track

from ..boundaries import SentenceRules
from ..corpus.docbin import Alignment, write_docbin
from ..corpus.importers import IMPORTERS, Reading, import_records
from ..corpus.records import WRITTEN, Record, write_records
from ..corpus.rows import Layout
from ..corpus.sheet import with_labels_of, write_sheet
from ..errors import RadsentError
from ..files import read_bytes
from ..labels import LABELS
from .app import ENCODING, command

# Of a record or of the paper's format, also where a line is damaged; in a report's text the quotes are escaped.
A_LABEL = re.compile(rf'"label": *"({"|".join(LABELS)})"|"sentence_class"'.encode())


@command("convert")
def convert(
    source: Path = typer.Argument(
        ...,
        metavar="INPUT",
        help="A .jsonl, .csv, .tsv, .parquet or .txt file, a folder of .txt, or one of radsent apply.",
    ),
    target: Path = typer.Argument(
        ..., metavar="OUTPUT", help="A .jsonl file (records), a .spacy file (DocBin), or a .csv file (sheet)."
    ),
    source_format: str = typer.Option("auto", "--from", help=f"auto, {', '.join(IMPORTERS)}."),
    meta: list[str] = typer.Option([], "--meta", help="KEY=VALUE to add to the meta of every record."),
    text_column: str = typer.Option("text", help="Column or field with the reports."),
    id_column: str = typer.Option("id", help="Column or field with their ids."),
    encoding: str = ENCODING,
    hard_wrap: bool = typer.Option(False, "--hard-wrap", help="Lines of raw text were broken at a fixed width."),
    labels: Path | None = typer.Option(None, help="A sheet of these reports, labelled: its labels are taken."),
) -> None:
    """Convert reports to records (.jsonl), to a DocBin for `spacy train` (.spacy), or to a sheet to label in (.csv).

    Reports without sentences are split by rule. Offsets always refer to the text as it came in. A sheet, a row a
    sentence, is no corpus: its labels come back with --labels. No labels are lost: a .jsonl file that holds some is not
    replaced by one without.
    """
    suffix = target.suffix if target.suffix.lower() == ".spacy" else target.suffix.lower()  # spaCy reads no .SPACY
    if suffix not in (".jsonl", ".spacy", ".csv"):
        raise RadsentError(f"{target}: cannot write {target.suffix!r}: name a .jsonl, .spacy or .csv file.")
    if suffix == ".csv" and target.exists():
        raise RadsentError(f"{target}: is there already, and may hold labels: name a file that is not, or remove it.")
    if source.resolve() == target.resolve():
        raise RadsentError(f"{target}: is the input itself: name another file to write to.")
    added = dict(_key_value(item) for item in meta)
    counts: Counter = Counter()
    reading = Reading(SentenceRules(hard_wrap=hard_wrap), Layout(text_column, id_column, encoding))
    records = import_records(source, source_format, reading)
    records = _counted(with_labels_of(records, labels) if labels else records, counts, added)
    title = f"{source.name} -> {target.name}"
    progress = track(records, title, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    alignment = None
    if suffix == ".jsonl":
        write_records(_refuse_loss(progress, target), target)
    elif suffix == ".csv":
        write_sheet(progress, target)
    else:
        alignment = write_docbin(progress, target)
    _summarize(target, counts, alignment)


def _key_value(item: str) -> tuple:
    key, separator, value = item.partition("=")
    if not (key and separator):
        raise RadsentError(f"--meta {item!r}: write KEY=VALUE, e.g. --meta source=synthetic.")
    if key in WRITTEN:
        raise RadsentError(f"--meta {item!r}: pipelines write their own {key!r} into meta: give it another name.")
    return key, value


def _counted(records: Iterable[Record], counts: Counter, added: dict[str, str]) -> Iterator[Record]:
    for record in records:
        record.meta.update(added)
        counts["reports"] += 1
        counts["sentences"] += len(record.sentences)
        counts.update(sentence.label or "without label" for sentence in record.sentences)
        yield record


def _refuse_loss(records: Iterable[Record], target: Path) -> Iterator[Record]:
    """YIELDS (Record): As given. An error at the end if none has a label, and the file to be replaced holds some."""
    labelled = False
    for record in records:
        labelled = labelled or any(sentence.label for sentence in record.sentences)
        yield record
    if not labelled and target.exists() and A_LABEL.search(read_bytes(target)):
        raise RadsentError(
            f"{target}: is there already and holds labels, and this would leave none: name another file, or remove it."
        )


def _summarize(target: Path, counts: Counter, alignment: Alignment | None) -> None:
    reports, sentences = counts.pop("reports", 0), counts.pop("sentences", 0)
    labels = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    print(f"{target}: {reports} reports, {sentences} sentences" + (f" ({labels})" if labels else ""))
    if alignment:
        print(
            f"Not aligned with tokens: {len(alignment.moved)} sentences, moved to the nearest token edge; "
            f"{len(alignment.left_out)} reports left out, since two of their sentences share a token."
        )
        for where in alignment.moved + alignment.left_out:
            print(f"  {where}")
