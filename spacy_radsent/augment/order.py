"""Families of changes to what a report tells and in which order: findings left out, shuffled, told in one sentence."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from .endings import join_sentences
from .lexicon import Lexicon
from .report import Piece, bullet_of

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
    groups = groups_of(pieces)
    kept = [group for group in groups if group[0].heading_alone or rng.random() >= DROPPED]
    return [piece for group in kept or groups for piece in group]


def shuffle_findings(pieces: Sequence[Piece], rng: Random, lexicon: Lexicon) -> list[Piece]:
    """Change the order of findings and of what is absent; background and headings stay in place."""
    shuffled: list[Piece] = []
    run: list[list[Piece]] = []

    def flush() -> None:
        # The place of a sentence decides the white space before it, and its number.
        places = [(group[0].before, group[0].opening) for group in run]
        rng.shuffle(run)
        for (before, opening), group in zip(places, run, strict=True):
            shuffled.append(replace(group[0], before=before, opening=opening))
            shuffled.extend(group[1:])
        run.clear()

    for group in groups_of(pieces):
        first = group[0]
        if first.label == "BACKGROUND" or first.heading_alone:
            flush()
            shuffled.extend(group)
        elif bullet_of(first.opening) < len(first.opening):  # a heading on its line: a section of its own
            flush()
            run.append(group)
        else:
            run.append(group)
    flush()
    return shuffled


ORDER: dict[str, Callable[[Sequence[Piece], Random, Lexicon], list[Piece]]] = {
    "dropout": drop_findings,
    "shuffle": shuffle_findings,
    "joins": join_sentences,
}
