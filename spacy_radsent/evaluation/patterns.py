"""What kinds of sentences go wrong: patterns that are found by rule, and how often each goes wrong.

The kinds are those that Kikuchi et al. 2026 found when they read the errors of their models. The cues are simple: they
say what a sentence holds, not why a model erred.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy

from ..headings import find_heading
from ..labels import LABELS
from ..marks import find_marks

HISTORY = re.compile(
    r"術後|既往|前回|以前|治療|加療|切除後|摘出後|フォロー|経過観察|精査|スクリーニング|目的|依頼|主訴|臨床|紹介|指摘され|放射線照射後|化学療法|[Ss]/[Pp]|f/u"
)
WEAK_NEGATION = re.compile(
    r"明らか|目立[たっ]|はっきり|有意|顕著|著明な[^。]{0,12}(?:な[いくし]|ず|ませ)|指摘(?:でき|され?)(?:ず|な|ませ)|指摘し[なま]"
    r"|著変|(?:変化|増悪|変わり)(?:は|も)?(?:な[いくし]|認め[なずま]|[乏み])|不変|同程度|同様|変わら|否定(?:でき|的)|乏し|n\.?c\.?\b"
)
DIFFERENTIAL = re.compile(
    r"疑[いうわ]|考え|鑑別|可能性|思わ|思い|示唆|相当|矛盾|との印象|[Ss]/[Oo]|[Rr]/[Oo]|[Ss]usp|DDx?\b|compatible|likely"
)
POSITIVE_CUE = re.compile(
    r"認め(?!ず|な|ませ|られ(?:ず|な|ませ))|みられ(?!ず|な|ませ)|見られ(?!ず|な|ませ)|(?<!で)あり(?!ませ)|(?<!で)ある|有り|伴[いうっ]|呈し|存在|[(（][+＋][)）]"
)
NEGATIVE_CUE = re.compile(
    r"(?<!少)な[しいくかけ](?!り)|(?:認め|見られ|みられ|でき|され|せ|伴わ|及ば)(?:ず|ませ)|ありませ|無し|無い|[(（][-−ー－][)）]|n\.?p\.?\b|正常|否定的"
)
# A predicate that is followed by more: "認めるが、", "であり、", "認めず，", "伴い，".
CLAUSE_END = re.compile(
    r"(?:[がしりずくてでびみいえきめ]|ものの|一方|ため|ければ|ながら|つつ)[、，,]\s*(?=\S)"
    r"|[、，,](?:一方|また|ただし|しかし|なお)|[(（][+＋\-−][)）][、，,]|→(?=\S)"
)
PREDICATE = re.compile(
    rf"{POSITIVE_CUE.pattern}|{NEGATIVE_CUE.pattern}|疑|考え|思|示唆|指摘|描出|保たれ|増大|縮小|拡張|肥厚|目立|不変|相応|して|おり|良好|です|ます|であ"
)


class Pattern(NamedTuple):
    """A kind of sentence.

    name (str): In words.
    holds (Callable[[str], bool]): Whether a sentence is of it.
    gold, predicted (Sequence[str]): Labels that an error of this kind has; "" for none.
    """

    name: str
    holds: Callable[[str], bool]
    gold: Sequence[str] = LABELS
    predicted: Sequence[str] = (*LABELS, "")


def is_mixed(text: str) -> bool:
    """RETURNS (bool): Whether a sentence says of one thing that it is there and of another that it is not."""
    return bool(POSITIVE_CUE.search(text)) and bool(NEGATIVE_CUE.search(text))


def is_heading(text: str) -> bool:
    """RETURNS (bool): Whether a sentence is a heading and nothing else."""
    heading = find_heading(text)
    return heading is not None and heading.alone


def count_clauses(text: str) -> int:
    """RETURNS (int): Clauses of a sentence: parts with a predicate of their own, at least 1."""
    parts = CLAUSE_END.sub(lambda match: f"{match[0]}\n", text).split("\n")
    return max(1, sum(bool(PREDICATE.search(part)) for part in parts))


def is_multi_clause(text: str) -> bool:
    """RETURNS (bool): Whether a sentence has more than one clause."""
    return count_clauses(text) > 1


MIXED, MULTI_CLAUSE = "mixed polarity", "multi-clause"
PATTERNS = (
    Pattern(
        "history taken for a finding",
        lambda text: bool(HISTORY.search(text)),
        gold=("BACKGROUND",),
        predicted=("POSITIVE", "CONTINUATION"),
    ),
    Pattern("weak negation or stability", lambda text: bool(WEAK_NEGATION.search(text))),
    Pattern(
        "differential or interpretation of a finding",
        lambda text: bool(DIFFERENTIAL.search(text)),
        gold=("POSITIVE", "CONTINUATION", "BACKGROUND"),
        predicted=("POSITIVE", "CONTINUATION", "BACKGROUND"),
    ),
    Pattern("heading alone", is_heading),
    Pattern("figure mark", lambda text: bool(find_marks(text))),
    Pattern(MIXED, is_mixed),
    Pattern(MULTI_CLAUSE, is_multi_clause),
)
OTHER = "none of these"
# (patterns, codes): whether the pattern can explain an error with that label.
GOLD_FITS = numpy.array([[label in pattern.gold for label in LABELS] for pattern in PATTERNS])
PREDICTED_FITS = numpy.array([[label in pattern.predicted for label in (*LABELS, "")] for pattern in PATTERNS])


def find_cues(texts: Sequence[str]) -> Any:
    """RETURNS (ndarray): Which sentence is of which pattern, (sentences, patterns) of bool."""
    cues = [pattern.holds(text) for text in texts for pattern in PATTERNS]
    return numpy.array(cues, dtype=bool).reshape(len(texts), len(PATTERNS))


def explain(cues: Any, gold: Any, predicted: Any) -> Any:
    """Find the patterns that wrong sentences are of.

    cues (ndarray): See `find_cues`.
    gold, predicted (ndarray): Codes of their labels, (sentences,).
    RETURNS (ndarray): Which sentence is wrong in which way, (sentences, patterns) of bool.
    """
    return cues & GOLD_FITS[:, gold].T & PREDICTED_FITS[:, predicted].T


def names_of(row: Any) -> list[str]:
    """RETURNS (List[str]): Names of the patterns of a sentence, or `OTHER`."""
    return [pattern.name for pattern, holds in zip(PATTERNS, row, strict=True) if holds] or [OTHER]


@dataclass(frozen=True)
class PatternCount:
    """How often sentences of a kind go wrong.

    name (str): The kind.
    sentences (int): How many are of it, and have a label that can go wrong in its way.
    wrong (int): How many of them are wrong in its way.
    """

    name: str
    sentences: int
    wrong: int


def count_patterns(cues: Any, gold: Any, predicted: Any) -> list[PatternCount]:
    """RETURNS (List[PatternCount]): For each pattern, and for sentences of none; arguments as for `explain`."""
    in_scope = cues & GOLD_FITS[:, gold].T
    wrong = explain(cues, gold, predicted) & (gold != predicted)[:, None]
    counts = [
        PatternCount(pattern.name, int(sentences), int(errors))
        for pattern, sentences, errors in zip(PATTERNS, in_scope.sum(0), wrong.sum(0), strict=True)
    ]
    others = ~in_scope.any(1)
    return [*counts, PatternCount(OTHER, int(others.sum()), int((others & (gold != predicted)).sum()))]
