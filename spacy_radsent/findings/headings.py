"""Headings of a report: "【胸部】", "■腹部", "Liver:", alone on their line or before what they are about."""

import re
from typing import NamedTuple

# What may stand before a heading: bullets and numbers.
BULLET = r"\s*(?:[・･○●◯*＊\-‐–—]\s*|(?:\d{1,2}|[①-⑳])\s*[.．)）、]?\s*|[(（]\d{1,2}[)）]\s*)?"
BRACKETED = re.compile(
    rf"{BULLET}(?:【([^】\n]{{1,24}})】|[<＜〈《]([^>＞〉》\n]{{1,24}})[>＞〉》]|［([^］#＃\n]{{1,24}})］)\s*[:：]?"
)
SYMBOL = re.compile(r"\s*[■□◆◇▪▼●]\s*([^。．、，,:：\n]{1,12})[:：]?\s*")
COLON = re.compile(rf"{BULLET}([^\s。．、，,:：(（\[［【][^。．、，:：\n]{{0,19}})[:：](?!\d)")


class Heading(NamedTuple):
    """A heading.

    name (str): Without its brackets, bullet and colon.
    alone (bool): Whether nothing follows it in its sentence.
    until_next (bool): Whether it holds until the next heading: one with brackets or a symbol, or alone on its line. One
        with a colon before its content holds until the end of the line.
    """

    name: str
    alone: bool
    until_next: bool


def find_heading(sentence: str) -> Heading | None:
    """RETURNS (Optional[Heading]): The heading that a sentence is or begins with."""
    if match := BRACKETED.match(sentence):
        name = next(group for group in match.groups() if group)
        return Heading(name.strip(), not sentence[match.end() :].strip(), True)
    if match := SYMBOL.fullmatch(sentence):
        return Heading(match[1].strip(), True, True)
    if match := COLON.match(sentence):
        alone = not sentence[match.end() :].strip()
        return Heading(match[1].strip(), alone, alone)
    return None
