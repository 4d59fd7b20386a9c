"""Where the sentences of a Japanese radiology report begin and end, by rule on the raw text.

Pure functions on strings: the sentencizer, the raw-text importer and the tokenizer (which cuts over-long
input at sentence ends) all share them, so a report is split the same way wherever it enters.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from .marks import BEHIND_STOP, HALF_WIDTH

# Latin abbreviations after which a full stop never ends a sentence. "n.p." is not among them: it often does.
DEFAULT_ABBREVIATIONS = (
    *("rt", "lt", "bil", "bilat", "ant", "post", "sup", "inf", "lat", "med", "int", "ext", "prox", "dist"),
    *("no", "nos", "fig", "se", "im", "vs", "cf", "c.f", "e.g", "i.e", "approx", "ca", "dr", "st", "susp"),
    *("asc", "desc", "meta", "pul", "seg"),
)
BRACKETS = {
    "(": ")",
    "（": "）",
    "「": "」",
    "『": "』",
    "[": "]",
    "［": "］",
    "【": "】",
    "〔": "〕",
    "〈": "〉",
    "《": "》",
}
CLOSERS = "".join(BRACKETS.values()) + "\"'”’"

# "[#1]", "[#1-2]", "(Se3 Im45)", "(IM:32)", "(画像1)", "※図2": what may follow a full stop and still belong before it.
FIGURE_MARK = re.compile(
    r"[\[［(（]\s*(?:[#＃]\s*\d|(?:se|im|series|image|画像|図|fig)[\s.:：]*\d)[^\[\]［］()（）\n]{0,30}[\]］)）]|※\s*図\s*\d+",
    re.IGNORECASE,
)
# What opens a new item of a report, so that the line before it is not continued by it (hard-wrapped text). A round
# bracket or a decimal ("3.5cm") may as well begin a line in the middle of a sentence.
ITEM_OPENER = re.compile(
    r"\s*(?:[・･\-‐–—*＊○●◯◎□■◆◇▪•<＜【\[［]|[①-⑳]|[(（]\s*(?:\d{1,2}|[A-Za-z])\s*[)）]"
    r"|\d{1,2}\s*[.．)）、:：](?!\d)|[^\s。．、]{1,12}[:：])"
)
# "1.", "#1.", "No.1.", "(1).", "1-1.", "①.", "IV."
ENUMERATOR = re.compile(
    r"[\s・･\-○●■(（#＃]*(?:(?:No[.．]?\s?)?\d{1,3}(?:[-.]\d{1,2}){0,2}"
    r"|[A-ZＡ-Ｚⅰ-ⅻア-オ①-⑳]|[IVX]{2,4})[)）]?$",
    re.IGNORECASE,
)
# "1. 肝嚢胞 2. 腎嚢胞": the number of an item on the same line, and of the one that may stand before it.
ITEM = re.compile(r"(?:(?<![A-Za-z])|(?<=\d[cm]m))[\s、，,][#＃(（]?(\d{1,2})$")
FIRST_ITEM = re.compile(r"[\s・･\-○●■(（#＃]*(\d{1,2})$")
SMALL_LETTER = re.compile(r"\s+[a-z]")
# "GGN.胸水なし" are two, "n.p.です" is one, and so are "H.ピロリ" and "L.N.腫大".
KANJI_OR_KATAKANA = re.compile(r"[々一-鿿ァ-ヺ]")
INITIALS = re.compile(r"(?!n\.[cp]$)(?:[a-z]\.)*[a-z]", re.IGNORECASE)
LATIN_WORD = re.compile(r"[A-Za-zＡ-Ｚａ-ｚ./]+$")
# "2024. 5. 1": its full stops have spaces behind them.
SPACED_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[.．] ?\d{1,2}[.．] ?\d")
MIN_WRAPPED = 30  # columns, two for a full-width character: nobody breaks lines at a smaller width
MAX_WORD = 40  # looking no further back for a word keeps a line of 100,000 characters from taking quadratic time


@dataclass(frozen=True)
class SentenceRules:
    """What ends a sentence, besides a line break.

    terminators (str): Characters that end a sentence. "." and "．" are kept where they are part of a number, an
        enumeration or an abbreviation.
    hard_wrap (bool): Lines were broken at a fixed width, so a line break after a full-width line ends no sentence.
    split_in_brackets (bool): Let terminators inside a balanced pair of brackets end a sentence.
    abbreviations (Tuple[str, ...]): Lower-case Latin abbreviations, without their last full stop.
    """

    terminators: str = "。｡．."
    hard_wrap: bool = False
    split_in_brackets: bool = False
    abbreviations: tuple[str, ...] = DEFAULT_ABBREVIATIONS


def sentence_offsets(text: str, rules: SentenceRules = SentenceRules()) -> list[tuple[int, int]]:
    """Split a text into sentences.

    text (str): The report, as it is.
    rules (SentenceRules): What ends a sentence.
    RETURNS (List[Tuple[int, int]]): Character offsets, in order, free of surrounding white space; together they
        cover all but white space.
    """
    offsets = []
    for line_start, line_end in _lines(text, rules):
        line = text[line_start:line_end]
        start = 0
        for end in [*_ends_in_line(line, rules), len(line)]:
            if sentence := line[start:end].strip():
                left = line_start + start + line[start:end].index(sentence[0])
                offsets.append((left, left + len(sentence)))
            start = end
    return offsets


def _lines(text: str, rules: SentenceRules) -> Iterator[tuple[int, int]]:
    """Yield the offsets of each line, or of each run of lines that hard wrapping tore apart."""
    lines = text.splitlines(keepends=True)
    # A line is wrapped when it is about as wide as the widest of its report (which may hold short items only).
    width = max(MIN_WRAPPED, 0.9 * max(map(_display_width, lines), default=0)) if rules.hard_wrap else 0.0
    start = end = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        end += len(line)
        wrapped = rules.hard_wrap and _display_width(line) >= width and not _ends_sentence(line, rules)
        if not (wrapped and following.strip() and not ITEM_OPENER.match(following)):
            yield start, end
            start = end


def _display_width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "FWA" else 1 for char in line.rstrip())


def _ends_sentence(line: str, rules: SentenceRules) -> bool:
    return any(not line[end:].strip() for end in _ends_in_line(line, rules))


def _ends_in_line(line: str, rules: SentenceRules) -> Iterator[int]:
    """Yield the offsets at which a sentence ends before the end of its line does."""
    depth = [0] * len(line) if rules.split_in_brackets else _bracket_depth(line)
    terminator, tail = _patterns(rules.terminators)
    start, folded, item = 0, "", 0
    for match in terminator.finditer(line):
        at = match.start()
        if at < start or depth[at]:
            continue
        if match.group() in ".．" and not line[at + 1 : at + 2].isdigit():
            item, begins = _item(line, at, start, item)
            if begins > start:
                start = begins
                yield start
        folded = folded or line.translate(HALF_WIDTH)
        end = tail.match(folded, match.end()).end()  # type: ignore[union-attr]  # the pattern matches the empty string
        if match.group() in ".．" and not _is_full_stop(line, at, start, end, rules):
            continue
        yield end
        start = end


def _item(line: str, at: int, start: int, item: int) -> tuple[int, int]:
    """Find the item of an enumeration on a line whose number ends in a dot.

    line (str): The line; `line[at]` is the dot.
    start (int): Where the current sentence starts.
    item (int): Number of the item before, 0 if there is none.
    RETURNS (Tuple[int, int]): Its number, and where it begins; `item` and `start` where the dot is of no such number.
    """
    before = line[max(start, at - MAX_WORD) : at]
    following = ITEM.search(before) if item else None
    if following and int(following[1]) == item + 1:
        return item + 1, at - len(following[0]) + 1
    first = FIRST_ITEM.match(before) if at - start <= MAX_WORD else None
    return int(first[1]) if first else item, start


@lru_cache
def _patterns(terminators: str) -> tuple[re.Pattern, re.Pattern]:
    """RETURNS (Tuple[Pattern, Pattern]): A terminator; what stays with the sentence that it ends."""
    marks = re.escape(terminators)
    # A figure mark, a closing bracket and further terminators stay with the sentence that they follow.
    closing = re.escape((terminators + CLOSERS).translate(HALF_WIDTH))
    tail = rf"(?:[{closing}]|[ \t]*(?:{FIGURE_MARK.pattern}|{BEHIND_STOP}))*"
    return re.compile(f"[{marks}]" if marks else "(?!)"), re.compile(tail, re.IGNORECASE)


def _is_full_stop(line: str, at: int, start: int, end: int, rules: SentenceRules) -> bool:
    """Tell a full stop from the dot of a number, an enumeration or an abbreviation.

    line (str): The line; `line[at]` is "." or "．".
    start (int): Where the current sentence starts.
    end (int): Where it would end, closing brackets and figure marks included.
    """
    before, after = line[max(start, at - MAX_WORD) : at], line[at + 1 : at + 2]
    if before[-1:].isdigit() and (
        after.isdigit() or any(SPACED_DATE.match(line, max(0, at - n)) for n in (4, 6, 7, 8))
    ):
        return False  # of a number, or of a date whose year begins so many characters before
    if at - start <= MAX_WORD and ENUMERATOR.match(before):
        return False
    word = LATIN_WORD.search(before)
    if line[at] == "．":
        # It glues: "rt．lung", "No．5"; "胃ca．胸水なし．" are two.
        following = unicodedata.normalize("NFKC", after)
        if word is None or not (following.isascii() and following.isalnum()):
            return True
        return unicodedata.normalize("NFKC", word.group()).lower() not in rules.abbreviations
    if word is None or before[: word.start()][-1:].isdigit():
        glued = before[-1:] + after if word is None else ""
        return not (len(glued) == 2 and glued.isascii() and glued.isalnum())
    # Behind a Latin word a full stop wants a space or a new word, and no small letter behind it: "n.p.です", "n.p.、"
    # and "asc. aorta" go on. (A measure such as "13mm" is no word.)
    goes_on = line[end : end + 1].strip() or SMALL_LETTER.match(line, end)
    if KANJI_OR_KATAKANA.match(line, end):
        goes_on = INITIALS.fullmatch(word.group())
    return not goes_on and word.group().lower() not in rules.abbreviations


def _bracket_depth(line: str) -> list[int]:
    """RETURNS (List[int]): How many balanced brackets hold each character; an unbalanced bracket holds none."""
    change = [0] * len(line)
    closers, openings = "", []
    for i, char in enumerate(line):
        if char in BRACKETS:
            closers += BRACKETS[char]
            openings.append(i)
        elif (inner := closers.rfind(char)) >= 0:
            change[openings[inner]] += 1
            change[i] -= 1
            closers = closers[:inner]
            del openings[inner:]
    return list(accumulate(change))
