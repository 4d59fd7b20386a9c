"""Between records and spaCy: gold-standard Docs with `doc.spans["radsent"]`, and back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from ..files import atomic_writer
from ..labels import SPANS_KEY
from ..spans import covering_span, text_offsets, write_sentences
from .records import Record, Sentence


@dataclass
class Alignment:
    """What became of sentences whose edges fall inside a token.

    moved (List[str]): "id: sentence i" whose edge was moved to the edge of that token.
    left_out (List[str]): Ids of reports that could not be kept, since two sentences share one token.
    """

    moved: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def blank_pipeline() -> Language:
    """RETURNS (Language): An empty Japanese pipeline with GiNZA's tokenization, for input of any length."""
    return spacy.blank("ja", config={"nlp": {"tokenizer": {"@tokenizers": "spacy_radsent.JapaneseTokenizer.v1"}}})


def record_to_doc(record: Record, nlp: Language, alignment: Alignment, spans_key: str = SPANS_KEY) -> Doc | None:
    """Make the gold-standard Doc of a record.

    record (Record): A report; sentences without a label get an empty one.
    nlp (Language): Whose tokenizer to use.
    alignment (Alignment): Is told what did not fit the tokens.
    RETURNS (Optional[Doc]): With sentence boundaries and the span group; None where two sentences share one token.
    """
    doc = nlp.make_doc(record.text)
    spans: list[Span] = []
    moved = []
    for i, sentence in enumerate(record.sentences):
        span = covering_span(doc, sentence.start, sentence.end, sentence.label or "")
        if spans and span.start < spans[-1].end:
            span = Span(doc, spans[-1].end, max(span.end, spans[-1].end), label=span.label)
        if not len(span):
            alignment.left_out.append(record.id)
            return None
        if (span.start_char, span.end_char) != (sentence.start, sentence.end):
            moved.append(f"{record.id}: sentence {i}")
        spans.append(span)
    alignment.moved += moved
    write_sentences(doc, spans, spans_key)
    return doc


def doc_to_record(doc: Doc, id: str, meta: dict[str, Any], spans_key: str = SPANS_KEY) -> Record:
    """RETURNS (Record): The labelled sentences of a Doc; `meta`, with the span group's attributes as "prediction"."""
    group = doc.spans[spans_key]
    sentences = []
    for span in group:
        start, end = text_offsets(span)
        sentences.append(Sentence(start=start, end=end, label=span.label_ or None))
    return Record(id=id, text=doc.text, sentences=sentences, meta={**meta, "prediction": dict(group.attrs)})


def write_docbin(records: Iterable[Record], path: str | Path) -> Alignment:
    """Write records as a DocBin for `spacy train` and `spacy evaluate`.

    RETURNS (Alignment): The sentences whose edges fall inside a token.
    """
    nlp, alignment = blank_pipeline(), Alignment()
    docs = (record_to_doc(record, nlp, alignment) for record in records)
    data = DocBin(docs=(doc for doc in docs if doc is not None)).to_bytes()
    with atomic_writer(path, "wb") as file:
        file.write(data)
    return alignment
