"""Tables in Markdown."""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """RETURNS (str): A table; white space in cells becomes one space, and no cell can break out of its column."""
    cells = [list(header), ["---"] * len(header), *map(list, rows)]
    cells = [[escaped(" ".join(cell.split())).replace("|", "\\|") for cell in row] for row in cells]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def escaped(text: str) -> str:
    """RETURNS (str): Text that a viewer of Markdown takes for no HTML, link or image."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("](", "]\\(")
