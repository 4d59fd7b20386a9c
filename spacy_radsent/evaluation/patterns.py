"""What kinds of sentences go wrong: patterns that are found by rule, and how often each goes wrong.

The kinds are those that Kikuchi et al. 2026 found when they read the errors of their models. The cues are simple: they
say what a sentence holds, not why a model erred.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..boundaries import BRACKETS, FIGURE_MARK
from ..labels import LABELS

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
    r"認め(?!ず|な|ませ|られ(?:ず|な|ませ))|みられ(?!ず|な|ませ)|見られ(?!ず|な|ませ)|あり(?!ませ)|ある|有り|伴[いうっ]|呈し|存在|[(（][+＋][)）]"
)
NEGATIVE_CUE = re.compile(
    r"な[しいくかけ](?!り)|(?:認め|見られ|みられ|でき|され|せ|伴わ|及ば)(?:ず|ませ)|ありませ|なく|無し|無い|[(（][-−ー－][)）]|n\.?p\.?\b|正常|否定的"
)
OPENERS, CLOSERS = (re.escape("".join(marks)) for marks in (BRACKETS, BRACKETS.values()))
HEADING = re.compile(
    rf"\s*(?:[{OPENERS}<＜][^。．{CLOSERS}>＞]{{1,24}}[{CLOSERS}>＞]|[■□◆◇●○▪•]\s*[^。．、,:：]{{1,12}}|[^。．、,:：]{{1,20}}[:：])\s*"
)
# A predicate that is followed by more: "認めるが、", "であり、", "認めず，", "伴い，".
CLAUSE_END = re.compile(
    r"(?:[がしりずくてでびみいえきめ]|ものの|一方|ため|ければ|ながら|つつ)[、，,]\s*(?=\S)"
    r"|[、，,](?:一方|また|ただし|しかし|なお)|[(（][+＋\-−][)）][、，,]|→(?=\S)"
)
PREDICATE = re.compile(
    rf"{POSITIVE_CUE.pattern}|{NEGATIVE_CUE.pattern}|疑|考え|思|示唆|指摘|描出|保たれ|増大|縮小|拡張|肥厚|目立|不変|相応|して|おり|良好|です|ます|である"
)


@dataclass(frozen=True)
class Pattern:
    """A kind of sentence.

    name (str): In words.
    holds (Callable[[str], bool]): Whether a sentence is of it.
    gold, predicted (Optional[Set[str]]): Labels that an error of this kind has; None for any.
    """

    name: str
    holds: Callable[[str], bool]
    gold: frozenset[str] | None = None
    predicted: frozenset[str] | None = None

    def in_scope(self, text: str, gold: str) -> bool:
        """RETURNS (bool): Whether a sentence with this label of the reference can go wrong in this way."""
        return (self.gold is None or gold in self.gold) and self.holds(text)

    def explains(self, text: str, gold: str, predicted: str | None) -> bool:
        """RETURNS (bool): Whether a wrong label is an error of this kind."""
        return (self.predicted is None or predicted in self.predicted) and self.in_scope(text, gold)


def is_mixed(text: str) -> bool:
    """RETURNS (bool): Whether a sentence says of one thing that it is there and of another that it is not."""
    return bool(POSITIVE_CUE.search(text)) and bool(NEGATIVE_CUE.search(text))


def count_clauses(text: str) -> int:
    """RETURNS (int): Clauses of a sentence: parts with a predicate of their own, at least 1; a figure mark is none."""
    parts = CLAUSE_END.sub(lambda match: f"{match[0]}\n", FIGURE_MARK.sub("", text)).split("\n")
    return max(1, sum(bool(PREDICATE.search(part)) for part in parts))


def is_multi_clause(text: str) -> bool:
    """RETURNS (bool): Whether a sentence has more than one clause."""
    return count_clauses(text) > 1


PATTERNS = (
    Pattern(
        "history taken for a finding",
        lambda text: bool(HISTORY.search(text)),
        gold=frozenset({"BACKGROUND"}),
        predicted=frozenset({"POSITIVE", "CONTINUATION"}),
    ),
    Pattern("weak negation or stability", lambda text: bool(WEAK_NEGATION.search(text))),
    Pattern(
        "differential or interpretation of a finding",
        lambda text: bool(DIFFERENTIAL.search(text)),
        gold=frozenset({"POSITIVE", "CONTINUATION", "BACKGROUND"}),
        predicted=frozenset({"POSITIVE", "CONTINUATION", "BACKGROUND"}),
    ),
    Pattern("heading alone", lambda text: bool(HEADING.fullmatch(text))),
    Pattern("figure mark", lambda text: bool(FIGURE_MARK.search(text))),
    Pattern("mixed polarity", is_mixed),
    Pattern("multi-clause", is_multi_clause),
)
OTHER = "none of these"


def tags_of(text: str, gold: str, predicted: str | None) -> list[str]:
    """RETURNS (List[str]): Names of the patterns that a wrong sentence is of, or `OTHER`."""
    return [pattern.name for pattern in PATTERNS if pattern.explains(text, gold, predicted)] or [OTHER]


@dataclass(frozen=True)
class PatternCount:
    """How often sentences of a kind go wrong.

    name (str): The kind.
    sentences (int): How many are of it.
    wrong (int): How many of them are wrong in its way.
    """

    name: str
    sentences: int
    wrong: int


def count_patterns(sentences: Iterable[tuple[str, int]], wrong_tags: Iterable[list[str]]) -> list[PatternCount]:
    """Count.

    sentences (Iterable[Tuple[str, int]]): Text and code of the reference's label of all sentences.
    wrong_tags (Iterable[List[str]]): Tags of each wrong one.
    RETURNS (List[PatternCount]): For each pattern, and for sentences of none.
    """
    totals = dict.fromkeys([*(pattern.name for pattern in PATTERNS), OTHER], 0)
    wrong = dict(totals)
    for text, code in sentences:
        names = [pattern.name for pattern in PATTERNS if pattern.in_scope(text, LABELS[code])]
        for name in names or [OTHER]:
            totals[name] += 1
    for tags in wrong_tags:
        for tag in tags:
            wrong[tag] += 1
    return [PatternCount(name, totals[name], wrong[name]) for name in totals]
