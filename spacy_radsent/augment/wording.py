"""Families of changes to what sentences say: endings, terms, units, width of characters, misprints. None moves a label.

Each takes the sentences of a report, a source of chance, and the lexicon, and gives the changed sentences.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from .endings import change_endings
from .lexicon import Lexicon
from .report import Change, Piece

# A number with its unit; not one of several that share it, "5〜6mm", "4→8mm", "10/12mm", nor an area or a volume.
NUMBER_UNIT = re.compile(
    r"(?<![\d.．,，、・/→～〜~ー−–-])(?<!から)(\d+(?:\.\d+)?)[ \u3000]?"
    r"(mm|cm|㎜|㎝|ミリ|センチ|ｍｍ|ｃｍ)(?![A-Za-z0-9²³メ])"
)
YES_OR_NO = "ないずせません不無非未"
CROSS = re.compile(r"(?<=\d)(\s?)[×xX*＊](\s?)(?=\d)")
# Half-width katakana and its marks, from what NFKC makes of them.
HALF_KANA = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF61, 0xFFA0)} | {
    unicodedata.normalize("NFKC", chr(code) + mark): chr(code) + mark
    for code in range(0xFF66, 0xFF9E)
    for mark in "ﾞﾟ"
    if len(unicodedata.normalize("NFKC", chr(code) + mark)) == 1
}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
DIGITS_AND_LETTERS = {half: full for half, full in FULL_WIDTH.items() if chr(half).isalnum()}
BRACKETS_AND_SIGNS = {ord(char): FULL_WIDTH[ord(char)] for char in "()+-:/%~<>"}
TO_HALF = {full: half for half, full in FULL_WIDTH.items()}
HALF_WIDTH = re.compile("[!-~]+")
ABBREVIATION = re.compile(r"[A-Za-z]\.")


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
            lambda text: _translated(text, DIGITS_AND_LETTERS),
            lambda text: _translated(text, BRACKETS_AND_SIGNS),
            lambda text: _translated(text, FULL_WIDTH),
            lambda text: text.translate(TO_HALF),
            lambda text: "".join(HALF_KANA.get(char, char) if char > "\u3098" else char for char in text),
        )
    )
    return [replace(piece, body=change(piece.body)) for piece in pieces]


def _translated(text: str, table: Mapping[int, int]) -> str:
    """RETURNS (str): In full width, but for abbreviations: a full-width stop would end a sentence."""
    return HALF_WIDTH.sub(lambda run: run[0] if ABBREVIATION.search(run[0]) else run[0].translate(table), text)


def add_misprints(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Mistype some words, and leave out or double a character here and there; not those that say yes or no."""
    return [replace(piece, body=_mistyped(piece.body, rng, lexicon)) for piece in pieces]


def _mistyped(body: str, rng: Random, lexicon: Lexicon) -> str:
    for word, *wrong in lexicon.misprints:
        if word in body and rng.random() < 0.3:
            body = body.replace(word, rng.choice(wrong), 1)
    if len(body) > 12 and rng.random() < 0.1:
        # The end of a sentence says whether something is there: it is left alone.
        at = rng.randrange(len(body) - 8)
        if "\u3041" <= body[at] <= "\u9fff" and body[at] not in YES_OR_NO:
            body = body[:at] + rng.choice(("", body[at] * 2)) + body[at + 1 :]
    return body


WORDING: dict[str, Change] = {
    "endings": change_endings,
    "terms": change_terms,
    "units": change_units,
    "width": change_width,
    "misprints": add_misprints,
}
