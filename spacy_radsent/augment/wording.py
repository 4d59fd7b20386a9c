"""Families of changes to what sentences say: endings, terms, units, width of characters, misprints. None moves a label.

Each takes the sentences of a report, a source of chance, and the lexicon, and gives the changed sentences.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from .endings import change_endings
from .lexicon import Lexicon
from .report import Piece

# A number with its unit; not the end of a range, "5〜6mm", whose beginning has none.
NUMBER_UNIT = re.compile(r"(?<![\d.〜~–-])(\d+(?:\.\d+)?)[ \u3000]?(mm|cm|㎜|㎝|ミリ|センチ|ｍｍ|ｃｍ)(?![A-Za-z0-9])")
CROSS = re.compile(r"(?<=\d)(\s?)[×xX*＊](\s?)(?=\d)")
# Half-width katakana and its marks, from what NFKC makes of them.
HALF_KANA = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF61, 0xFFA0)} | {
    unicodedata.normalize("NFKC", chr(code) + mark): chr(code) + mark
    for code in range(0xFF66, 0xFF9E)
    for mark in "ﾞﾟ"
    if len(unicodedata.normalize("NFKC", chr(code) + mark)) == 1
}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
DIGITS_AND_LETTERS = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F) if chr(c).isalnum()})
BRACKETS_AND_SIGNS = str.maketrans({char: chr(ord(char) + 0xFEE0) for char in "()+-:/%~<>"})
TO_HALF = str.maketrans({chr(c + 0xFEE0): chr(c) for c in range(0x21, 0x7F)})


def change_terms(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Exchange terms, abbreviations, English words and arrows, each group with even chance, in the whole report."""
    bodies = [piece.body for piece in pieces]
    for pattern, group in lexicon.patterns:
        if rng.random() < 0.5:
            word = rng.choice(group)
            bodies = [pattern.sub(lambda _, word=word: word, body) for body in bodies]  # type: ignore[misc]
    return [replace(piece, body=body or piece.body) for piece, body in zip(pieces, bodies, strict=True)]


def change_units(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Write measures in another way: "8mm", "8 mm", "0.8cm", "8ミリ", "8㎜"; "3×4", "3x4", "3 x 4"."""
    space = rng.choice(("", " "))
    unit = rng.choice(("mm", "cm", "㎜", "ミリ", "mm"))
    cross = rng.choice(("×", "x", " x ", "X", "*", " × "))

    def measure(match: re.Match) -> str:
        millimetres = float(match[1]) * (10 if match[2] in ("cm", "㎝", "センチ", "ｃｍ") else 1)
        value = millimetres / 10 if unit == "cm" else millimetres
        return f"{value:.10g}{space}{unit}"

    def changed(body: str) -> str:
        # In "30×20mm" the first number has the unit of the last: a report with such keeps its unit.
        body = body if CROSS.search(body) else NUMBER_UNIT.sub(measure, body)
        return CROSS.sub(cross, body)

    return [replace(piece, body=changed(piece.body)) for piece in pieces]


def change_width(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Write digits, letters, signs or katakana in full or half width, in the whole report."""
    change = rng.choice(
        (
            lambda text: text.translate(DIGITS_AND_LETTERS),
            lambda text: text.translate(BRACKETS_AND_SIGNS),
            lambda text: text.translate(FULL_WIDTH),
            lambda text: text.translate(TO_HALF),
            lambda text: "".join(HALF_KANA.get(char, char) if char > "\u3098" else char for char in text),
        )
    )
    return [replace(piece, body=change(piece.body)) for piece in pieces]


def add_misprints(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Mistype some words, and leave out or double a character here and there; endings and signs stay."""
    return [replace(piece, body=_mistyped(piece.body, rng, lexicon)) for piece in pieces]


def _mistyped(body: str, rng: Random, lexicon: Lexicon) -> str:
    for word, *wrong in lexicon.misprints:
        if word in body and rng.random() < 0.3:
            body = body.replace(word, rng.choice(wrong), 1)
    if len(body) > 12 and rng.random() < 0.1:
        # The end of a sentence says whether something is there: it is left alone.
        at = rng.randrange(len(body) - 8)
        if "\u3041" <= body[at] <= "\u9fff":
            body = body[:at] + rng.choice(("", body[at] * 2)) + body[at + 1 :]
    return body


WORDING: dict[str, Callable[[Sequence[Piece], Random, Lexicon], list[Piece]]] = {
    "endings": change_endings,
    "terms": change_terms,
    "units": change_units,
    "width": change_width,
    "misprints": add_misprints,
}
