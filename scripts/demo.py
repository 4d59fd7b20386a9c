"""Label reports with an installed pipeline: print a table, and write a page."""

import sys
from pathlib import Path

import spacy
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from spacy_radsent.corpus.records import read_records
from spacy_radsent.files import atomic_writer
from spacy_radsent.rendering import render


def main(model: str, samples: str, output: str) -> None:
    nlp = spacy.load(model)
    records = list(read_records(samples))
    docs = list(nlp.pipe(record.text for record in records))
    for record, doc in zip(records, docs, strict=True):
        table = Table("label", "probability", Column("sentence", overflow="fold"), title=record.id)
        for sentence in doc.spans["radsent"]:
            label = sentence._.radsent_label
            # A Text, since a string such as "[#1]" would be read as markup.
            table.add_row(label, f"{sentence._.radsent_scores[label]:.2f}", Text(sentence.text))
        Console().print(table)
    with atomic_writer(output) as file:
        file.write(render(docs, [record.id for record in records], title=f"Labelled by {model}"))
    print(f"Open in a browser: {Path(output).resolve()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
