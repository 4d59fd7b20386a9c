"""A report as data: sections of text, tables and pictures, written as Markdown or as one HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..labels import LABELS
from ..markdown import escaped, markdown_table
from ..rendering import template
from .errors import WrongSentence
from .plots import Picture


class Best(str):
    """A cell that is marked: the best of its column."""

    best = True  # for the template, to which others are plain strings


@dataclass(frozen=True)
class Table:
    """A table.

    caption (str): What it shows.
    header (List[str]): Names of the columns.
    rows (List[List[str]]): Cells; a `Best` is marked.
    """

    caption: str
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    title (str): Its heading.
    text (str): What comes first.
    tables (List[Table]): Then these.
    pictures (List[Picture]): Then these.
    """

    title: str
    text: str = ""
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """RETURNS (str): Markdown; pictures by the names of their PNG files."""
    parts = [f"# {one_line(title)}\n"]
    for section in sections:
        parts.append(f"## {one_line(section.title)}\n")
        if section.text:
            parts.append(f"{escaped(section.text)}\n")
        for table in section.tables:
            rows = [[f"**{cell}**" if isinstance(cell, Best) else cell for cell in row] for row in table.rows]
            parts.append(f"{one_line(table.caption)}\n\n{markdown_table(table.header, rows)}")
        parts += [f"![{one_line(picture.caption)}]({picture.name}.png)\n" for picture in section.pictures]
    return "\n".join(parts)


def to_html(title: str, sections: Sequence[Section], errors: Sequence[WrongSentence] = (), note: str = "") -> str:
    """Write a page that loads nothing: sorted and filtered by its own script, light or dark as the reader's system.

    title (str): Of the page.
    sections (Sequence[Section]): Its content.
    errors (Sequence[WrongSentence]): Sentences to look at.
    note (str): What stands above them.
    RETURNS (str): HTML; every string in it is escaped.
    """
    page = template("evaluation.html")
    return page.render(title=title, sections=sections, errors=errors, note=note, labels=LABELS)


def one_line(text: str) -> str:
    """RETURNS (str): A name where Markdown wants one line."""
    return escaped(" ".join(text.split()))
