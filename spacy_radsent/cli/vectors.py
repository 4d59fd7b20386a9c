"""`radsent vectors`: word vectors from a trained pipeline with a transformer, for one without."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vectors import Vectors

from ..augment.style import build_report_style_augmenter
from ..classifier.transformer.layer import encoder_layers
from ..classifier.transformer.word_vectors import word_vectors
from ..corpus.docbin import Alignment, blank_pipeline, record_to_doc
from ..corpus.importers import import_records
from ..corpus.records import Record
from ..errors import RadsentError
from ..files import atomic_folder, refuse_existing
from ..pipelines import load_pipeline, use_gpu
from .app import command


@command("vectors")
def vectors(
    pipeline: str = typer.Argument(..., metavar="PIPELINE", help="A trained pipeline with a transformer."),
    reports: list[Path] = typer.Argument(..., metavar="REPORTS...", help="Whose words: records, .csv, folder of .txt."),
    output: Path = typer.Option(..., "--output", "-o", help="Folder to write, for paths.vectors of a config."),
    width: int = typer.Option(200, help="Width of the vectors."),
    copies: int = typer.Option(3, min=0, help="How many variants of each labelled report to take words from as well."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Make word vectors of what a pipeline's transformer knows of each word.

    Train with them: --paths.vectors OUTPUT.
    """
    refuse_existing(output)
    use_gpu(gpu_id)
    nlp = load_pipeline(pipeline)
    layers = encoder_layers(nlp)
    if not layers:
        raise RadsentError(f"{pipeline}: has no transformer: train one first, with configs/mixed.cfg or joint.cfg.")
    records = (record for path in reports for record in import_records(path))
    words = sorted({token.text for doc in _docs(records, nlp, copies) for token in doc if not token.is_space})
    if not words:
        raise RadsentError(f"{', '.join(map(str, reports))}: hold no word: give reports like those to train on.")
    data = word_vectors(layers[0], words, width)
    blank = blank_pipeline()
    blank.vocab.vectors = Vectors(data=data, keys=[blank.vocab.strings.add(word) for word in words], name="radsent")
    with atomic_folder(output) as folder:
        blank.to_disk(folder)
    print(f"{output}: vectors of {len(words):,} words, {width} wide")


def _docs(records: Iterable[Record], nlp: Language, copies: int) -> Iterator[Doc]:
    """RETURNS (Iterator[Doc]): As training sees them: as they are, and as other institutions might write them."""
    augment = build_report_style_augmenter(copies)
    for record in records:
        doc = record_to_doc(record, nlp, Alignment()) or nlp.make_doc(record.text)
        yield from (example.reference for example in augment(nlp, Example(doc, doc)))
