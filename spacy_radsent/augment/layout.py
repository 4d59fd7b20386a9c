"""Families of changes to how a report is laid out: full stops, lines, bullets, headings, figure marks, hard wraps.

Each takes the sentences of a report, a source of chance, and the lexicon, and gives the changed sentences.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from random import Random

from ..boundaries import FIGURE_MARK
from ..headings import find_bare_heading
from .lexicon import Lexicon
from .report import STOPS, Change, Piece, bullet_of, on_lines

ALL_STOPS = ("。", "．", ".", "")
BULLETS = ("・", "- ", "○", "●", "＊", "-", "・ ")
NUMBERINGS: tuple[Callable[[int], str], ...] = (
    lambda n: f"{n}. ",
    lambda n: f"{n}) ",
    lambda n: f"({n}) ",
    lambda n: f"{n}．",
    lambda n: chr(0x2460 + n - 1) if n <= 20 else f"({n})",
)
MIN_BODY = 6  # characters of a sentence that can do without its heading
# How headings are written, and where: on the line of what they head, on a line of their own, or either.
INLINE, ALONE = "inline", "alone"
HEADING_STYLES = (
    *((style, place) for style in ("【{name}】", "<{name}>", "＜{name}＞", "［{name}］") for place in (INLINE, ALONE)),
    *((style, ALONE) for style in ("■{name}", "◆{name}", "{number}. {name}", "({number}) {name}")),
    *((style, INLINE) for style in ("{name}：", "{name}:", "{name}: ")),
)


def change_stops(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """End sentences in "。", "．", "." or nothing; write commas to match. Without full stops, each is on its line."""
    stop = rng.choice(ALL_STOPS)
    comma = {"．": "，", ".": rng.choice((", ", "、"))}.get(stop, "、")
    changed = []
    for piece in pieces:
        marks = STOPS.sub("", piece.closing)
        closing = marks if piece.heading_alone else rng.choice((stop + marks, marks + stop)) if marks else stop
        body = re.sub(r"[、，]|,(?= ?[^\x00-\x7f])", comma, piece.body).replace("  ", " ")
        changed.append(replace(piece, body=body, closing=closing))
    if stop == ".":
        changed = [piece if piece.before else replace(piece, before=" ") for piece in changed]
    return changed if stop else on_lines(changed)


def change_lines(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Put each sentence on its line, or let sentences that end in full stops run on."""
    if rng.random() < 0.5:
        between = rng.choice(("\n", "\n", "\n\n", "\r\n", "\n　"))
        return [replace(piece, before=between if i else "") for i, piece in enumerate(pieces)]
    gap = rng.choice(("", "", " ", "　"))
    joined = [pieces[0]]
    for left, piece in pairwise(pieces):
        run_on = STOPS.search(left.closing) and not piece.opening and not left.heading_alone
        joined.append(replace(piece, before=gap) if run_on else piece)
    return joined


def change_bullets(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Take bullets and numbers from the lines, or give them to those that name a finding or its absence."""
    bare = [_without_bullet(piece) for piece in pieces]
    if rng.random() < 0.4:
        return bare
    bullet, numbering = rng.choice(BULLETS), rng.choice(NUMBERINGS)
    numbered = rng.random() < 0.5
    listed, count = [], 0
    for i, piece in enumerate(bare):
        if (i and not piece.starts_line) or piece.heading_alone or piece.label == "BACKGROUND":
            listed.append(piece)
        elif piece.label == "CONTINUATION":
            mark = "" if numbered else rng.choice(("  ", bullet, ""))
            if mark.isspace():  # which no sentence begins with
                listed.append(replace(piece, before=piece.before + mark))
            else:
                listed.append(replace(piece, opening=mark + piece.opening))
        else:
            count += 1
            listed.append(replace(piece, opening=(numbering(count) if numbered else bullet) + piece.opening))
    return listed


def _without_bullet(piece: Piece) -> Piece:
    if piece.heading_alone:
        return piece
    return replace(piece, opening=piece.opening[bullet_of(piece.opening) :])


def change_headings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Take headings away, write them in another way, or put new ones before what they fit."""
    how = rng.choice((_remove_headings, _restyle_headings, _insert_headings))
    changed = how(pieces, rng, lexicon)
    return changed if any(piece.body for piece in changed) else list(pieces)


def _remove_headings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    return [
        replace(piece, opening="") if _can_stand_alone(piece) else piece for piece in pieces if not piece.heading_alone
    ]


def _restyle_headings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    style = rng.choice(HEADING_STYLES)
    changed: list[Piece] = []
    number = 0
    for piece in pieces:
        number += bool(piece.heading)
        fits = piece.heading and (style[1] == INLINE or _can_stand_alone(piece) or piece.heading_alone)
        changed += _headed(piece, piece.heading, number, style) if fits else [piece]
    return changed


def _can_stand_alone(piece: Piece) -> bool:
    """RETURNS (bool): Whether a sentence says all without its heading: not "腹水：なし", "気胸：あり 左優位"."""
    names_place = bool(piece.heading) and find_bare_heading(piece.heading) is not None
    return names_place and piece.label in ("POSITIVE", "NEGATIVE") and len(piece.body) >= MIN_BODY


def _insert_headings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    style = rng.choice(HEADING_STYLES)
    changed: list[Piece] = []
    number, last = 0, None
    for piece in pieces:
        fitting = [group for group in lexicon.headings if any(word in piece.body for word in group["words"])]
        if fitting and fitting[0] is not last and not piece.opening and piece.label in ("POSITIVE", "NEGATIVE"):
            number, last = number + 1, fitting[0]
            changed += _headed(replace(piece, before="\n"), rng.choice(last["names"]), number, style)
        else:
            changed.append(piece)
    return changed


def _headed(piece: Piece, name: str, number: int, style: tuple[str, str]) -> list[Piece]:
    """RETURNS (List[Piece]): A sentence with its heading, which is a sentence of its own on a line of its own."""
    template, place = style
    heading = template.format(name=name, number=number)
    before = piece.before if piece.starts_line else "\n"
    if place == INLINE or not piece.body:
        return [replace(piece, opening=heading, before=before)]
    return [Piece(before, heading, "", "", "BACKGROUND"), replace(piece, before="\n", opening="")]


def change_marks(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Take figure marks away, or put some behind findings and their details."""
    if rng.random() < 0.4:
        return [
            replace(piece, closing=FIGURE_MARK.sub("", piece.closing).strip()) if piece.body else piece
            for piece in pieces
        ]
    style = rng.choice(
        (
            lambda n: f"[#{n}]",
            lambda n: f"[#{n}-{rng.randint(1, 3)}]",
            lambda n: f" (Se{rng.randint(2, 9)} Im{rng.randint(2, 180)})",
            lambda n: f"(IM:{rng.randint(2, 180)})",
            lambda n: f"(画像{n})",
            lambda n: f"※図{n}",
        )
    )
    marked, count = [], 0
    for piece, following in zip_longest(pieces, pieces[1:]):
        shown = piece.label == "POSITIVE" or (piece.label == "CONTINUATION" and rng.random() < 0.3)
        if shown and piece.body and rng.random() < 0.6 and not FIGURE_MARK.search(piece.closing):
            count += 1
            mark = style(count)
            closing = mark + piece.closing if rng.random() < 0.5 else piece.closing + mark
            adjoins = following is not None and not following.before
            if not (adjoins and closing[-1].isdigit() and following.text[0].isdigit()):  # else "図112mm"
                piece = replace(piece, closing=closing)
        marked.append(piece)
    return marked


def wrap_lines(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Break lines at a fixed width, in the middle of sentences."""
    width = rng.choice((30, 35, 40))
    column = 0
    wrapped = []
    for piece in pieces:
        column = 0 if piece.starts_line else column + len(piece.before)
        column += len(piece.opening)
        body = ""
        for char in piece.body:
            if body and column >= width and char not in "、。，．,.)）]":
                body, column = body + "\n", 0
            body, column = body + char, column + 1
        column += len(piece.closing)
        wrapped.append(replace(piece, body=body))
    return wrapped


LAYOUT: dict[str, Change] = {
    "stops": change_stops,
    "lines": change_lines,
    "bullets": change_bullets,
    "headings": change_headings,
    "marks": change_marks,
    "wraps": wrap_lines,
}
