"""Choices on a form, read as what was chosen: "胸水 □有 ☑無" as "胸水 (-)".

Both "有" and "無" stand there whatever was chosen, in a notation of the institution's own, which a model of words reads
only where training held it. So what was not chosen is left out, and what was is put as reports commonly have it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

PRESENT = ("有", "有り", "あり", "ある", "＋", "+", "⊕", "はい", "Yes", "YES", "yes", "Y", "陽性", "該当", "present")
ABSENT = (
    "無",
    "無し",
    "なし",
    "ない",
    "－",
    "−",
    "-",
    "⊖",
    "いいえ",
    "No",
    "NO",
    "no",
    "N",
    "陰性",
    "非該当",
    "absent",
)
SIGNS = {**dict.fromkeys(PRESENT, "(+)"), **dict.fromkeys((*ABSENT, "none"), "(-)")}
# Where one of these is printed, what stands beside it is another choice: not so in "肝・【胆嚢】".
CHOICES = {
    *SIGNS,
    "正常",
    "異常",
    "異常なし",
    "n.p.",
    "普通",
    "疑い",
    "疑",
    "不明",
    "要",
    "不要",
    "可",
    "不可",
    "著変なし",
}

# Boxes before each choice, ticked and empty ones of a kind.
KINDS = [
    (re.compile(r"[☑☒✓✔■✅▣]\s?"), re.compile(r"[□☐⬜]\s?")),
    (re.compile(r"[●◉]\s?"), re.compile(r"[○◯]\s?")),
    (re.compile(r"[\[［]\s?[xXｘ✓○●レ]\s?[\]］]\s?"), re.compile(r"[\[［]\s*[\]］]\s?")),
]
ANY_BOX = re.compile("|".join(box.pattern for kind in KINDS for box in kind))
UNTIL_ITS_END = re.compile(rf"(?:(?!{ANY_BOX.pattern})[^\s、，,。．;；|｜／/(（.]|\.(?=\w))*")

# Choices behind each other, the chosen one in brackets or beside a mark.
BRACKETS = ("()", "（）", "【】", "〔〕", "[]", "＿＿", "**", "<>", "＜＞", "「」")
OPENING, CLOSING = ("".join(map(re.escape, side)) for side in zip(*BRACKETS, strict=True))
MARKS = "○◎✓レ→⇒"
WORD = rf"(?:\([+＋\-－]\)|[^\s・／/|｜、，。．,:：;；{OPENING}{CLOSING}{MARKS}]{{1,10}})"
CHOICE = re.compile(rf"([{OPENING}{MARKS}]?)({WORD})([{CLOSING}{MARKS}]?)")
SLASH = r"\s?[・／/|｜]\s?"
START, END = rf"(?:(?<![^\s:：、，,{OPENING}])|(?=[【〔（＿]))", r"(?![^\s、，,。．）)；;（(.])"
LISTED = re.compile(rf"{START}{CHOICE.pattern}(?:{SLASH}{CHOICE.pattern})+{END}")
KNOWN = "|".join(map(re.escape, sorted(CHOICES, key=len, reverse=True)))
SPACED_CHOICE = rf"[{OPENING}{MARKS}]?(?:{KNOWN})[{CLOSING}{MARKS}]?"
SPACED = re.compile(rf"{START}{SPACED_CHOICE}(?:\s{{1,2}}{SPACED_CHOICE})+{END}")
POINTED = re.compile(rf"{START}({WORD}(?:{SLASH}{WORD})+)\s?[→⇒]\s?(?P<chosen>{WORD}){END}")
# In few sentences; the rest is not looked at closely, which would take twenty times as long.
HINT = re.compile(
    rf"{ANY_BOX.pattern}|[{OPENING}{MARKS}⊕⊖][^\s・／/|｜]{{0,10}}[\s・／/|｜]|[・／/|｜\s][^\s・／/|｜]{{0,10}}[{CLOSING}{MARKS}⊕⊖]"
)
QUESTION = re.compile(r"(?:[がは]?(?:あるか|ありますか|認めるか|認めますか))?[?？]?[\s:：（]*(\([+-]\))）?")


class Edit(NamedTuple):
    """What to put in place of a part of a sentence."""

    start: int
    end: int
    text: str


def read_choices(sentence: str) -> str:
    """RETURNS (str): A sentence with what was chosen alone; as it is where nothing is a choice."""
    if not HINT.search(sentence):
        return sentence
    edits = [*_boxes(sentence)] or [*_pointed(sentence)] or [*_listed(sentence)]
    if not edits:
        return sentence
    parts, last = [], 0
    for start, end, text in sorted(edits):
        if start >= last:
            parts += [sentence[last:start], text]
            last = end
    read = "".join([*parts, sentence[last:]])
    read = QUESTION.sub(r" \1", read)
    return re.sub(r"\s{2,}", " ", read).strip() or sentence


def _boxes(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): For each box, where ticked and empty ones of a kind stand together."""
    for ticked, empty in KINDS:
        chosen, others = [*ticked.finditer(sentence)], [*empty.finditer(sentence)]
        if chosen and others:
            for box in (*chosen, *others):
                choice = UNTIL_ITS_END.match(sentence, box.end())
                assert choice  # as a choice may be empty
                if box in chosen:
                    yield Edit(box.start(), choice.end(), _put(choice[0]))
                else:
                    yield Edit(len(sentence[: box.start()].rstrip()), choice.end(), "")


def _pointed(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): "なし・疑い・あり →あり"."""
    for match in POINTED.finditer(sentence):
        printed = re.split(SLASH, match[1])
        if match["chosen"] in printed and CHOICES & {*printed}:
            yield Edit(match.start(), match.end(), _put(match["chosen"]))


def _listed(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): "有・【無】", "はい○・いいえ", "(Y)/N", "○有 無"."""
    for pattern in (LISTED, SPACED):
        for match in pattern.finditer(sentence):
            choices = [*CHOICE.finditer(match[0])]
            # "(+)" may be marked, and may be how it is printed: "(+)・-", "(+)／【(-)】".
            marked = [c for c in choices if _is_marked(c)] or [c for c in choices if c[1] + c[3] == "()"]
            printed = {c[2] for c in choices if c not in marked}
            if len(marked) == 1 and CHOICES & printed:
                yield Edit(match.start(), match.end(), _put(marked[0][2]))


def _is_marked(choice: re.Match[str]) -> bool:
    before, word, after = choice.groups()
    by_mark = f"{before} "[0] in MARKS or f"{after} "[0] in MARKS or word in ("⊕", "⊖")
    return by_mark or before + after in BRACKETS[1:]


def _put(choice: str) -> str:
    """RETURNS (str): A choice as reports commonly have it."""
    sign = SIGNS.get(choice.strip("()"))
    return f" {sign}" if sign else choice
