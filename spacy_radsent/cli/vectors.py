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
from ..corpus.importers import Reading, import_records
from ..corpus.records import Record
from ..corpus.rows import Layout
from ..errors import RadsentError
from ..files import result_folder, write_json
from ..pipelines import load_pipeline, use_gpu
from .app import ENCODING, command

SUMMARY = "word_vectors.json"


@command("vectors")
def vectors(
    pipeline: str = typer.Argument(..., metavar="PIPELINE", help="A trained pipeline with a transformer."),
    reports: list[Path] = typer.Argument(..., metavar="REPORTS", help="Whose words: records, .csv, folder of .txt."),
    output: Path = typer.Option(..., "--output", "-o", help="Folder to write, for paths.vectors of a config."),
    width: int = typer.Option(200, min=1, help="Width of the vectors; less where the transformer has less."),
    copies: int = typer.Option(3, min=0, help="How many variants of each report to take words from as well."),
    text_column: str = typer.Option("text", help="Column or field with the reports."),
    id_column: str = typer.Option("id", help="Column or field with their ids."),
    encoding: str = ENCODING,
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Make word vectors of what a pipeline's transformer knows of each word.

    Train with them: --paths.vectors OUTPUT. Earlier vectors there are replaced, another folder is not touched.
    """
    use_gpu(gpu_id)
    layers = [layer for layer in encoder_layers(load_pipeline(pipeline)) if layer.has_dim("nO")]
    if len(layers) != 1:
        raise RadsentError(
            f"{pipeline}: holds {len(layers)} trained encoders: give a pipeline with one, as configs/mixed.cfg and "
            f"joint.cfg make it."
        )
    nlp = blank_pipeline()
    with result_folder(output, SUMMARY) as folder:
        reading = Reading(layout=Layout(text_column, id_column, encoding), corpus=False)
        records = (record for path in reports for record in import_records(path, reading=reading))
        words = sorted({token.text for doc in _docs(records, nlp, copies) for token in doc if not token.is_space})
        if not words:
            raise RadsentError(f"{', '.join(map(str, reports))}: hold no word: give reports like those to train on.")
        data = word_vectors(layers[0], words, width)
        nlp.vocab.vectors = Vectors(data=data, keys=[nlp.vocab.strings.add(word) for word in words], name="radsent")
        nlp.to_disk(folder)
        summary = {"words": len(words), "width": data.shape[1], "copies": copies}
        write_json(folder / SUMMARY, summary)
    print(f"{output}: vectors of {len(words):,} words, {data.shape[1]} wide")


def _docs(records: Iterable[Record], nlp: Language, copies: int) -> Iterator[Doc]:
    """YIELDS (Doc): Each report as it is, and as other institutions might write it."""
    augment = build_report_style_augmenter(copies)
    for record in records:
        doc = record_to_doc(record, nlp, Alignment())
        if doc is None:  # two sentences share a token
            doc = nlp.make_doc(record.text)
        yield from (example.reference for example in augment(nlp, Example(doc, doc)))
