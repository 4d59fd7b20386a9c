"""A labelled corpus as arrays, one row a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from ..corpus.records import Record
from ..errors import RadsentError
from ..metrics import NO_LABEL, code_of
from .patterns import find_cues


@dataclass(frozen=True)
class GoldCorpus:
    """Reports with the labels that count as right.

    name (str): How it is shown.
    records (List[Record]): The reports.
    """

    name: str
    records: list[Record]

    def __post_init__(self) -> None:
        if not (self.codes != NO_LABEL).any():
            raise RadsentError(f"{self.name}: no sentence has a label: give reports that somebody has labelled.")

    @cached_property
    def codes(self) -> Any:
        """RETURNS (ndarray): Codes of the labels, (sentences,); NO_LABEL where there is none."""
        codes = (code_of(sentence.label) for record in self.records for sentence in record.sentences)
        return numpy.fromiter(codes, dtype="int8")

    @cached_property
    def first(self) -> Any:
        """RETURNS (ndarray): Row of the first sentence of each report and, last, the number of rows; (reports + 1,)."""
        return numpy.cumsum([0, *(len(record.sentences) for record in self.records)])

    @cached_property
    def report(self) -> Any:
        """RETURNS (ndarray): The report of each sentence, (sentences,)."""
        return numpy.repeat(numpy.arange(len(self.records)), numpy.diff(self.first))

    @cached_property
    def cues(self) -> Any:
        """RETURNS (ndarray): See `patterns.find_cues`."""
        return find_cues([text for record in self.records for text in record.sentence_texts])

    @cached_property
    def index(self) -> dict[str, int]:
        """RETURNS (Dict[str, int]): Where the report with an id stands."""
        return {record.id: i for i, record in enumerate(self.records)}

    def groups(self, field: str) -> dict[str, Any]:
        """Group the reports by a field of their `meta`.

        field (str): Its name.
        RETURNS (Dict[str, ndarray]): For each value, by name, which reports have it, (reports,) of bool; empty where no
            report has the field.
        """
        values = numpy.array([shown_value(record.meta.get(field)) for record in self.records], dtype=object)
        names = sorted(set(values), key=lambda name: (name == NO_VALUE, name))
        return {} if names == [NO_VALUE] else {name: values == name for name in names}


NO_VALUE = "(not given)"


def shown_value(value: Any) -> str:
    """RETURNS (str): A value of `meta` as the name of a group."""
    if value is None or value in ("", []):
        return NO_VALUE
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def fields_of(corpora: Sequence[GoldCorpus], fields: Sequence[str]) -> list[str]:
    """RETURNS (List[str]): The fields of `meta` by which reports can be grouped. Says so where none of them has one."""
    there = [field for field in fields if any(corpus.groups(field) for corpus in corpora)]
    for field in fields:
        if field not in there:
            known = sorted({name for corpus in corpora for record in corpus.records for name in record.meta})
            print(f"Not grouped by {field}: no report has it in its meta, which holds {', '.join(known) or 'nothing'}")
    return there
