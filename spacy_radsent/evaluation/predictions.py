"""Where predictions come from: a pipeline that is run now, or what one has written before."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.docbin import doc_to_record
from ..corpus.parts import part_files, read_parts
from ..corpus.records import Record, read_records
from ..errors import RadsentError, shown
from ..files import file_name
from ..labeller import SentenceLabeller
from ..labels import LABELS, SPANS_KEY
from ..pipelines import Unlabelled, label_stream, load_pipeline
from ..spans import covering_span
from .corpus import GoldCorpus


def predict(nlp: Language, records: Sequence[Record], batch_size: int = 64) -> Iterator[Record]:
    """Label reports.

    nlp (Language): A pipeline that writes `doc.spans["radsent"]`; its error handler must not raise.
    records (Sequence[Record]): Labelled reports.
    batch_size (int): Reports to label at once.
    YIELDS (Record): For each, in order, the sentences that the pipeline found, with their labels. `meta.prediction`
        holds "scores", "status" and "source", and where the pipeline split the report otherwise than the reference
        "on_gold": labels and scores that it gives to the reference's sentences. No sentences where it failed.
    """
    labellers = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, SentenceLabeller) and pipe.key == SPANS_KEY]
    reports = (Unlabelled(r.text, r.meta, i) for i, r in enumerate(records) if len(r.text) <= nlp.max_length)
    at = 0
    for doc, i in label_stream(nlp, reports, batch_size):
        yield from map(_failed, records[at:i])
        yield _prediction(doc, records[i], labellers[-1] if labellers else None)
        at = i + 1
    yield from map(_failed, records[at:])


def _failed(record: Record) -> Record:
    return Record(id=record.id, text=record.text, meta={"prediction": {"status": "error"}})


def _prediction(doc: Doc, record: Record, labeller: SentenceLabeller | None) -> Record:
    if SPANS_KEY not in doc.spans:
        raise RadsentError(
            f'the pipeline writes no doc.spans["{SPANS_KEY}"]: give one with the component radsent or radsent_llm.'
        )
    prediction = doc_to_record(doc, record.id, {})
    prediction.meta = {"prediction": {name: _plain(value) for name, value in prediction.meta["prediction"].items()}}
    for before, after in pairwise(prediction.sentences):
        if after.start < before.end:
            raise RadsentError(
                f'report {record.id!r}: the spans in doc.spans["{SPANS_KEY}"] are not in order or overlap: '
                f"write one for each sentence."
            )
    if unknown := {sentence.label for sentence in prediction.sentences} - {*LABELS, None}:
        raise RadsentError(
            f"report {record.id!r}: the pipeline writes the label {shown(str(unknown.pop()))}: use {', '.join(LABELS)}."
        )
    expected = [(sentence.start, sentence.end) for sentence in record.sentences]
    if labeller and expected and expected != [(s.start, s.end) for s in prediction.sentences]:
        spans = [covering_span(doc, start, end) for start, end in expected]
        if all(one.end <= other.start for one, other in pairwise(spans)):
            relabelled = labeller.relabelled(doc, spans)  # a span group does not keep its Doc alive
            group = relabelled.spans[SPANS_KEY]
            labels = [span.label_ or None for span in group]
            prediction.meta["prediction"]["on_gold"] = {"labels": labels, "scores": group.attrs["scores"]}
    return prediction


def _plain(value: Any) -> Any:
    """RETURNS (Any): Lists and numbers of Python where a pipeline writes arrays of numpy."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def read_predictions(path: Path, corpus: GoldCorpus) -> Iterator[Record]:
    """Read predictions that were stored.

    path (Path): A file of records, a folder with one for each corpus, named as the corpus, or one that `radsent apply`
        wrote.
    corpus (GoldCorpus): Which.
    RETURNS (Iterator[Record]): The predictions.
    """
    if path.is_dir() and part_files(path):
        return read_parts(path)
    return read_records(path / f"{file_name(corpus.name)}.jsonl" if path.is_dir() else path)


def predictions_of(model: str, batch_size: int = 64) -> Callable[[GoldCorpus], Iterator[Record]]:
    """Find out what a model is.

    model (str): Folder of a pipeline or name of a package, or a file or a folder of predictions.
    batch_size (int): Reports for the pipeline to label at once.
    RETURNS (Callable[[GoldCorpus], Iterator[Record]]): Gives its predictions for a corpus.
    """
    path = Path(model)
    if path.suffix == ".jsonl" or (path.is_dir() and not (path / "config.cfg").exists()):
        if path.is_dir() and not (any(path.glob("*.jsonl")) or part_files(path)):
            raise RadsentError(
                f"{model}: holds neither a pipeline (config.cfg) nor predictions (.jsonl files): "
                f"give a folder that does, e.g. training/model-best."
            )
        return partial(read_predictions, path)
    nlp = load_pipeline(model)
    return lambda corpus: predict(nlp, corpus.records, batch_size)
