"""How sentences end and how they go on: registers, and sentences joined in one."""

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ..choices import holds_choices
from .lexicon import CUT, FINISHED, LINK, OPINION, REGISTERS, Lexicon
from .report import STOPS, Piece

CONVERTED = 0.85  # share of the sentences that take the report's register: reports are not uniform
JOINED = 0.3  # share of the sentences that can be joined to the one before that are
MAX_JOINED = 70  # characters
WRITTEN = 3  # of `Lexicon.opinions`; the others are read only
NOUN_END = re.compile(r"[\u30a0-\u30ff\u3400-\u9fffA-Za-z0-9)）%％々]$")
VERBAL_NOUN = re.compile(r"[\u30a0-\u30ff\u4e00-\u9fff々]{2}$")
COMMA = re.compile(r"([、，,](?!\d)\s?)")
# Two sentences and the label of the one that says both: POSITIVE wins (docs/labels.md). Details are not joined: with
# fewer of them to learn from, a model takes them for something else.
JOINABLE = {
    ("POSITIVE", "NEGATIVE"): "POSITIVE",
    ("NEGATIVE", "POSITIVE"): "POSITIVE",
    ("POSITIVE", "POSITIVE"): "POSITIVE",
    ("NEGATIVE", "NEGATIVE"): "NEGATIVE",
}


def change_endings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Give the report one register: polite, plain, ending in nouns, telegraphic, or of opinion."""
    register = rng.choice((*REGISTERS, OPINION))
    return [
        replace(piece, body=in_register(piece.body, register, rng, lexicon, piece.label != "BACKGROUND"))
        if rng.random() < CONVERTED and not holds_choices(piece.body)  # whose last choice is no ending
        else piece
        for piece in pieces
    ]


def in_register(body: str, register: str, rng: Random, lexicon: Lexicon, finding: bool = True) -> str:
    """Change how a sentence and its clauses end.

    body (str): The sentence, without full stop.
    register (str): One of `lexicon.REGISTERS`, or "opinion".
    finding (bool): Whether it tells what is seen: "造影なし" is no finding, and does not become "造影を認めません";
        nobody thinks that an exam was done.
    RETURNS (str): The sentence in that register; what has no known ending stays.
    """
    if not finding:
        return body if register == OPINION else _end(body, register, rng, lexicon, finding)
    *clauses, last = COMMA.split(body)
    changed = [part if i % 2 else _clause(part, register, rng, lexicon) for i, part in enumerate(clauses)]
    return "".join(changed) + _end(last, register, rng, lexicon, finding)


def _end(clause: str, register: str, rng: Random, lexicon: Lexicon, finding: bool) -> str:
    stated = next((clause.removesuffix(o) for o in lexicon.opinions if clause.endswith(o) and clause != o), clause)
    has_opinion = stated != clause
    for form, of, group in lexicon.forms:
        if not ends_in(stated, form) or (has_opinion and of != "plain") or (LINK in group and not finding):
            continue
        if register == OPINION:
            plain = stated if of == "plain" else _exchanged(stated, form, group["plain"], rng)
            return clause if has_opinion else plain + rng.choice(lexicon.opinions[:WRITTEN])
        return stated if of == register else _exchanged(stated, form, group[register], rng)
    return clause


def _clause(clause: str, register: str, rng: Random, lexicon: Lexicon) -> str:
    """RETURNS (str): What stands before a comma, in a register; polite and plain language link in the same way."""
    for form, group in lexicon.links:
        if ends_in(clause, form):
            return _exchanged(clause, form, group[register if register in CUT else LINK], rng)
    return clause


def ends_in(text: str, form: str) -> bool:
    """RETURNS (bool): Whether a text ends in a form that means there what it means in the lexicon."""
    stem = text.removesuffix(form)
    # "悪性ではない", "境界明瞭であり", "認めました", "層をなし"
    if stem == text or not stem or stem.endswith(("で", "ま", "を")):
        return False
    if form[0] in "しさ":
        return bool(VERBAL_NOUN.search(stem))  # "増大しています", not "接しています"
    if form == "です" and stem.endswith("い"):  # "低いです"
        return False
    return not (form[0].isascii() and form[0].isalpha() and stem[-1].isascii() and stem[-1].isalpha())


def _exchanged(text: str, form: str, options: Sequence[str], rng: Random) -> str:
    stem = text.removesuffix(form)
    fitting = [option for option in options if option or NOUN_END.search(stem)]
    return stem + rng.choice(fitting) if fitting else text


def join_sentences(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Join sentences in one, with a comma; one that states something present beside something absent is POSITIVE."""
    joined: list[Piece] = []
    for piece in pieces:
        left = joined[-1] if joined else None
        label = JOINABLE.get((left.label, piece.label)) if left else None
        fits = left and left.body and piece.body and not piece.opening and len(left.body + piece.body) < MAX_JOINED
        if left and label and fits and rng.random() < JOINED:
            body = _going_on(left.body, rng, lexicon) + STOPS.sub("", left.closing).strip() + "、" + piece.body
            joined[-1] = replace(left, body=body, closing=piece.closing, label=label)
        else:
            joined.append(piece)
    return joined


def _going_on(body: str, rng: Random, lexicon: Lexicon) -> str:
    """RETURNS (str): A sentence as it stands before a comma."""
    if body.endswith(tuple(lexicon.opinions)):
        return body + "が" if not body.endswith("です") else body
    for form, of, group in lexicon.forms:
        if ends_in(body, form):
            if of not in FINISHED:
                return body
            return _exchanged(body, form, group[LINK], rng) if LINK in group else body + "が"
    return body
