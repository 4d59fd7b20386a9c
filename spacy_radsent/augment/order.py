"""Families of changes to what a report tells and in which order: findings left out, shuffled, told in one sentence."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from .endings import join_sentences
from .lexicon import Lexicon
from .report import STOPS, Change, Piece

DROPPED = 0.2  # share of the findings


def groups_of(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """RETURNS (List[List[Piece]]): Each sentence with the continuations behind it: they can only be moved together."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        if groups and piece.label == "CONTINUATION":
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def drop_findings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Leave out some findings with all their details, and some sentences without: the share of details stays."""
    left_out: list[bool] = []
    for group in groups_of(pieces):
        drop = not group[0].heading_alone and rng.random() < DROPPED
        left_out += [drop] * len(group)
    return _without(pieces, left_out)


def _without(pieces: Sequence[Piece], left_out: Sequence[bool]) -> list[Piece]:
    """RETURNS (List[Piece]): The others, or all if there are none; what begins a line now has the break before it."""
    kept: list[Piece] = []
    before = ""  # of the line whose beginning was left out
    for piece, is_left_out in zip(pieces, left_out, strict=True):
        if is_left_out:
            before = before or (piece.before if piece.starts_line else "")
        else:
            kept.append(replace(piece, before=before) if before and not piece.starts_line else piece)
            before = ""
    return kept or list(pieces)


def shuffle_findings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Change the order of findings and of what is absent; background and headings stay in place."""
    shuffled: list[Piece] = []
    run: list[list[Piece]] = []

    def flush() -> None:
        # The place of a sentence decides the white space before it, and its number.
        places = [(group[0].before, group[0].opening) for group in run]
        rng.shuffle(run)
        for (before, opening), group in zip(places, run, strict=True):
            if shuffled and "\n" not in before and not STOPS.search(shuffled[-1].closing):
                before = "\n"  # one that had a line to itself stands before it now
            shuffled.append(replace(group[0], before=before, opening=opening))
            shuffled.extend(group[1:])
        run.clear()

    on_line = False  # whether the section is a line that begins with its heading
    for group in groups_of(pieces):
        first = group[0]
        if first.heading or (on_line and first.starts_line):
            flush()
            on_line = bool(first.heading) and not first.heading_alone
        if first.heading or first.label == "BACKGROUND":
            flush()
            shuffled.extend(group)  # what a heading stands before stays with it
        else:
            run.append(group)
    flush()
    return shuffled


def drop_details(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Leave out all details: in brief reports one finding follows the other."""
    return _without(pieces, [piece.label == "CONTINUATION" for piece in pieces])


ORDER: dict[str, Change] = {
    "dropout": drop_findings,
    "brief": drop_details,
    "shuffle": shuffle_findings,
    "joins": join_sentences,
}
