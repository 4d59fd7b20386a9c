"""Families of changes to how it is told whether something is there: as known from before, on a form, in a list."""

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from ..choices import holds_choices
from .endings import COMMA, JOINABLE, NOUN_END, ends_in
from .lexicon import FINISHED, Lexicon
from .report import STOPS, Change, Piece

ANSWERED = 0.85  # share of the sentences that a form fits which are put on it
KNOWN = 0.4  # share of the findings that can be which are known from before
LISTED = 0.5  # share of the sentences that can go on a line with the one before which do
REST = 0.1  # share of the findings behind which all else is called normal
MAX_ITEM, MAX_LINE = 24, 70  # characters
CHANGE = re.compile(r"前|変|既知|以前|今回|新|増|減|拡大|縮|消|出現|初|→|↑|↓|->")
# What is printed for present and absent, and how the one that is chosen is told from the other.
OPTIONS = [("有", "無"), ("あり", "なし"), ("有り", "無し"), ("+", "-"), ("＋", "－"), ("Yes", "No"), ("Y", "N")]
OPTIONS += [("陽性", "陰性"), ("該当", "非該当"), ("はい", "いいえ")]
MARKED = [("☑{}", "□{}"), ("☑{}", "☐{}"), ("■{}", "□{}"), ("●{}", "○{}"), ("◉{}", "○{}"), ("[x]{}", "[ ]{}")]
MARKED += [("✓{}", "{}"), ("レ{}", "{}"), ("○{}", "{}"), ("◎{}", "{}"), ("→{}", "{}"), ("{}○", "{}"), ("{}✓", "{}")]
MARKED += [("({})", "{}"), ("〔{}〕", "{}"), ("【{}】", "{}"), ("＿{}＿", "{}"), ("<{}>", "{}"), ("*{}*", "{}")]
BETWEEN = (" ", "　", "・", " ・ ", "/", "／", "|")
BEFORE = (" ", "　", "：", ": ", "")
# Present and absent where the thing itself is marked.
TICKED = [("☑{}", "□{}"), ("■{}", "□{}"), ("●{}", "○{}"), ("[x]{}", "[ ]{}"), ("[○]{}", "[×]{}"), ("{} ○", "{} ×")]
TICKED += [("{}：○", "{}：×"), ("{} ✓", "{} －"), ("{}＋", "{}－"), ("{}：有", "{}：無"), ("{} Y", "{} N")]
SEPARATORS = ("、", "，", ", ", " ", "　", "／", " / ", "・", "; ", "｜")
ALL_ELSE = ("他は異常なし", "他 n.p.", "その他は正常", "以外に異常なし", "他に異常を認めず", "他は著変なし")


class Answer(NamedTuple):
    """What a sentence says of one thing.

    thing (str): The sentence without its ending.
    is_there (bool): Whether it is there.
    register (str): Of `lexicon.REGISTERS`: that of the ending.
    stated (bool): Whether the ending says this alone, as in "結節を認める", not in "増大している".
    """

    thing: str
    is_there: bool
    register: str
    stated: bool


def answer_of(body: str, lexicon: Lexicon) -> Answer | None:
    """RETURNS (Optional[Answer]): What a sentence says that names one thing and whether it is there."""
    if holds_choices(body):
        return None
    for form, register, group in lexicon.forms:
        if ends_in(body, form):
            thing, signs = body.removesuffix(form).rstrip(), group["telegraphic"]
            if not ({"(+)", "(-)"} & {*signs}) or COMMA.search(thing) or not NOUN_END.search(thing):
                return None
            return Answer(thing, "(+)" in signs, register, any(one.startswith("を認め") for one in group["polite"]))
    return None


def tell_as_known(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Say of findings that they are as before: at their first mention they are POSITIVE all the same."""
    return [
        replace(piece, body=answer.thing + rng.choice(lexicon.unchanged[answer.register]))
        if piece.label == "POSITIVE"
        and (answer := answer_of(piece.body, lexicon))
        and answer.is_there
        and answer.stated
        and not CHANGE.search(answer.thing)
        and rng.random() < KNOWN
        else piece
        for piece in pieces
    ]


def answer_on_form(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Tell what is there and what is not by choices on a form, in one notation for the report."""
    options, (chosen, other) = rng.choice(OPTIONS), rng.choice(MARKED)
    between, before, order = rng.choice(BETWEEN), rng.choice(BEFORE), rng.choice((1, -1, 0))
    ticked = rng.choice(TICKED) if rng.random() < 0.25 else None

    def on_form(answer: Answer) -> str:
        if ticked:
            return ticked[not answer.is_there].format(answer.thing)
        cells = [(chosen if i != answer.is_there else other).format(option) for i, option in enumerate(options)]
        return answer.thing + before + between.join(cells[:: order or rng.choice((1, -1))])

    return [
        replace(piece, body=on_form(answer))
        if piece.label != "BACKGROUND"
        and (answer := answer_of(piece.body, lexicon))
        and (piece.label == "CONTINUATION" or answer.is_there == (piece.label == "POSITIVE"))  # else it is of a detail
        and len(answer.thing) <= MAX_ITEM
        and rng.random() < ANSWERED
        else piece
        for piece in pieces
    ]


def list_on_line(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Put several things on one line, as in a list; a line that says that something is there is POSITIVE."""
    separator = rng.choice(SEPARATORS)
    listed: list[Piece] = []
    items = 1
    for piece in pieces:
        if piece.label == "POSITIVE" and _is_item(piece, lexicon) and rng.random() < REST:
            piece = replace(piece, body=piece.body + separator + rng.choice(ALL_ELSE))
        left = listed[-1] if listed else None
        label = JOINABLE.get((left.label, piece.label)) if left else None
        fits = left and not piece.opening and _is_item(piece, lexicon) and (items > 1 or _is_item(left, lexicon))
        if left and label and fits and len(left.body + piece.body) < MAX_LINE and rng.random() < LISTED:
            body = left.body + STOPS.sub("", left.closing).strip() + separator + piece.body
            listed[-1] = replace(left, body=body, closing=piece.closing, label=label)
            items += 1
        else:
            listed.append(piece)
            items = 1
    return listed


def _is_item(piece: Piece, lexicon: Lexicon) -> bool:
    """RETURNS (bool): Whether a sentence is short, and no whole sentence with a verb."""
    if not piece.body or len(piece.body) > MAX_ITEM + len("：☑有 □無"):
        return False
    register = next((register for form, register, _ in lexicon.forms if ends_in(piece.body, form)), "noun")
    return register not in FINISHED and not piece.body.endswith(tuple(lexicon.opinions))


ANSWERS: dict[str, Change] = {"known": tell_as_known, "choices": answer_on_form, "lists": list_on_line}
