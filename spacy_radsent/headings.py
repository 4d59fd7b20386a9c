"""Headings of a report: "【胸部】", "■腹部", "Liver:", "1. 胸部", alone on their line or before what they are about."""

import re
from typing import NamedTuple

# What may stand before a heading: bullets and numbers.
BULLET = r"\s*(?:[・･○●◯*＊\-‐–—]\s*|(?:\d{1,2}|[①-⑳])\s*[.．)）、]?\s*|[(（]\d{1,2}[)）]\s*)?"
BRACKETED = re.compile(
    rf"{BULLET}(?:【([^】\n]{{1,24}})】|[<＜〈《]([^>＞〉》\n]{{1,24}})[>＞〉》]|［([^］#＃\n]{{1,24}})］)\s*[:：]?"
)
SYMBOL = re.compile(r"\s*[■□◆◇▪▼●]\s*([^。．、，,:：\n]{1,12})[:：]?\s*")
# Before what they are about, these hold more often a verdict: "[無] 胸水".
ALONE = re.compile(
    rf"{BULLET}(?:\[([^\]#＃\d\n]{{1,24}})\]|〔([^〕#＃\d\n]{{1,24}})〕|[#＃]+\s*([^\d\s#＃。．、，,:：][^#＃。．、，,:：\n]{{0,11}}))"
    rf"\s*[:：]?\s*"
)
COLON = re.compile(
    rf"{BULLET}([^\s。．、，,:：()（）\[\]［］【】][^。．、，:：()（）\[\]［］【】\n]{{0,19}})[:：](?!\s*\d)"
)
# Nouns alone: "胸部", "2. 肝・胆", "その他"; not "6M後".
BARE = re.compile(
    rf"(?!\s*\d+[^\d.．)）、]){BULLET}"
    r"((?:その他|そのほか|ほか|[一-龥々ァ-ヶー・･/／とA-Za-zＡ-Ｚａ-ｚ]){1,12}[①-⑳]?)\s*"
)
# Why and how one looked: "SAH精査", "右側腹部痛", "造影"; not "下腹部正中".
INDICATION = re.compile(r".*(?:精査|評価|観察|検診|健診|再検|対比|比較|造影|単純|打撲|追記|[痛後と・･/／]|(?<!正)中)")
# "【#1】", "＜図1＞", "Se3 Im:": what points to an image is no heading.
FIGURE = re.compile(r"[#＃]|(?:図|画像|fig|im|se)\w{0,6}\s*\d|.*\d\s*im(?:age|g)?$", re.IGNORECASE)


class Heading(NamedTuple):
    """A heading.

    name (str): Without its brackets, bullet and colon.
    alone (bool): Whether nothing follows it in its sentence.
    until_next (bool): Whether it holds until the next heading: one with brackets or a symbol, or alone on its line. One
        with a colon before its content holds until the end of the line.
    end (int): Where its brackets and colon end in the sentence.
    """

    name: str
    alone: bool
    until_next: bool
    end: int


def find_bare_heading(line: str) -> Heading | None:
    """RETURNS (Optional[Heading]): A line as a heading without any sign. Only what stands around it can tell that it
    is one: it is no finding, and one follows."""
    match = BARE.fullmatch(line)
    if match is None or INDICATION.fullmatch(match[1]):
        return None
    return Heading(match[1], alone=True, until_next=True, end=match.end())


def find_heading(sentence: str) -> Heading | None:
    """RETURNS (Optional[Heading]): The heading that a sentence is or begins with."""
    if match := BRACKETED.match(sentence) or ALONE.fullmatch(sentence):
        name, until_next = next(group for group in match.groups() if group), True
    elif match := SYMBOL.fullmatch(sentence):
        name, until_next = match[1], True
    elif match := COLON.match(sentence):
        name, until_next = match[1], False
    else:
        return None
    if FIGURE.match(name.strip()):
        return None
    alone = not sentence[match.end() :].strip()
    return Heading(name.strip(), alone, until_next or alone, match.end())
