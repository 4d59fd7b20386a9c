"""Choices on a form, read as what was chosen: "胸水 □有 ☑無" as "胸水 (-)".

Both "有" and "無" stand there whatever was chosen, in a notation of the institution's own, which a model of words reads
only where training held it. So what was not chosen is left out, and what was is put as reports commonly have it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .lesions import NAMES

PRESENT = (*"有＋+⊕Y", "有り", "あり", "ある", "はい", "Yes", "yes", "陽性", "該当", "present")
ABSENT = (*"無－−-⊖N", "無し", "なし", "ない", "いいえ", "No", "no", "陰性", "非該当", "absent", "none")
SIGNS = {**dict.fromkeys(PRESENT, "(+)"), **dict.fromkeys(ABSENT, "(-)")}
# Where one of these is printed, what stands beside it is another choice: not so in "肝・【胆嚢】".
OTHERS = (
    *("正常", "異常", "異常あり", "異常なし", "著変なし", "n.p.", "普通", "疑い", "疑", "±", "不明"),
    *("要", "不要", "可", "不可"),
)
CHOICES = {*SIGNS, *OTHERS}
YES, NO = ("|".join(re.escape(word) for word in words if word not in "YN") for words in (PRESENT, ABSENT))
IS_LESION = re.compile(f"(?:{NAMES})$", re.IGNORECASE)
NORMAL = {"正常", "異常なし", "著変なし", "n.p.", "普通", *ABSENT}

# Boxes before each choice: ticked ones, and empty ones of the same kind.
BOXES = [
    (r"[\[［]\s?[xXｘvVｖ✓✔○〇●レ■☑]\s?[\]］]", r"[\[［][\s□☐]*[\]］]"),
    (r"[(（]\s?[xXｘvVｖ✓✔○〇●レ■☑]\s?[)）]", r"[(（][\s□☐]*[)）]"),
    (rf"(?:[☑☒✓✔■◼✅▣]|(?<!\w)レ(?=\s?(?:{YES}|{NO})))", r"[□◻☐⬜]"),
    (r"[●◉]", r"[○◯〇]"),
]
ANY_BOX = "|".join(box for kind in BOXES for box in kind)
SLASH = r"\s?[・／/|｜]\s?"
OF_BOX = rf"\s?(\([＋+\-－]\)|(?:(?!{SLASH}(?:{ANY_BOX})|{ANY_BOX})[^\s、，,。．;；|｜／/(（.]|\.(?=\w)|/(?=\d))*)"
BEFORE_BOX = rf"((?:(?!{ANY_BOX})[^\s、，,。．;；:：|｜／/(（.])+)\s?"
TICKED_AND_EMPTY = [tuple(re.compile(box + OF_BOX) for box in kind) for kind in BOXES]
BEHIND_CHOICES = [tuple(re.compile(BEFORE_BOX + box) for box in kind) for kind in BOXES]

# Choices behind each other, the chosen one in brackets or with a mark.
BRACKETS = ("()", "（）", "【】", "〔〕", "[]", "＿＿", "**", "<>", "＜＞", "「」")
OPENING, CLOSING = ("".join(map(re.escape, side)) for side in zip(*BRACKETS, strict=True))
MARKS_BEFORE, MARKS_AFTER, ARROWS = "○〇◎✓レ", "○〇◎✓", "→⇒"
WORD = rf"(?:\([+＋\-－]\)|[^\s・／/|｜、，。．,:：;；{OPENING}{CLOSING}{MARKS_BEFORE}{ARROWS}]{{1,10}})"
CHOICE = re.compile(rf"([{OPENING}{MARKS_BEFORE}{ARROWS}]?)({WORD})([{CLOSING}{MARKS_AFTER}]?)")


def _one_of(words: Iterable[str]) -> str:
    """RETURNS (str): The pattern of a choice that is one of these words."""
    return CHOICE.pattern.replace(WORD, "|".join(map(re.escape, sorted(words, key=len, reverse=True))))


KNOWN_CHOICE = _one_of(CHOICES)
SAID = _one_of(("有", "有り", "あり", "はい", "無", "無し", "なし", "いいえ"))
WITHIN_WORD = "所占共固含特保有皆"  # "占有", "有無"
START = rf"(?:(?<![^\s:：、，,{OPENING}])|(?=[【〔（＿]))"
END = r"(?![^\s、，,。．）)；;（(.])"
BEHIND_EACH_OTHER = [
    re.compile(rf"{START}{CHOICE.pattern}(?:{SLASH}{CHOICE.pattern})+{END}"),
    re.compile(rf"{START}{KNOWN_CHOICE}(?:\s{{1,2}}{KNOWN_CHOICE})+{END}"),
    re.compile(rf"{START}(?:【(?:{YES}|{NO})】(?:{YES}|{NO})|(?:{YES}|{NO})【(?:{YES}|{NO})】){END}"),
    re.compile(rf"(?<![{WITHIN_WORD}]){SAID}(?:{SLASH}{SAID})+{END}"),  # "胸水あり・【なし】"
]
PRINTED_CHOICES = rf"{START}(?P<printed>{WORD}(?:{SLASH}{WORD})+)\s?"
POINTED_AT = [
    re.compile(rf"{PRINTED_CHOICES}[{ARROWS}]\s?(?P<bracket>[〔【＿])?(?P<chosen>{WORD})(?(bracket)[〕】＿]){END}"),
    re.compile(rf"{PRINTED_CHOICES}[〔【](?P<chosen>{WORD})[〕】]{END}"),
]

# In few sentences: the others are not looked at closely, which would take four times as long.
MARK = rf"[{OPENING}{CLOSING}{MARKS_BEFORE}{ARROWS}⊕⊖]"
HINT = re.compile(rf"{ANY_BOX}|{MARK}[^\s・／/|｜]{{0,10}}[\s・／/|｜]|[\s・／/|｜][^\s・／/|｜]{{0,10}}{MARK}")
LONGEST = 1000  # characters: the time grows with their square
QUESTION = re.compile(r"(?:[がは]?(?:あるか|ありますか|認めるか|認めますか))?[?？]?[\s:：（]*(\([+-]\))）?")

# Both printed, in whatever notation: "(レ)あり ( )なし", "有・無", not "結節あり、胸水なし".
PRINTED = re.compile(rf"(?:{YES})[^\w、，,。]{{1,8}}(?:{NO})|(?:{NO})[^\w、，,。]{{1,8}}(?:{YES})")

# Both beside each other and nothing but marks between, in a notation that is not read: not "有意狭窄なし / 無気肺あり",
# nor "骨転移あり→なし".
SAYS_YES = r"[(（][+＋][)）]|有り?|あり|はい|陽性|該当|[＋⊕]"
SAYS_NO = r"[(（][\-－][)）]|無し?|なし|いいえ|陰性|非該当|[－⊖]"
BETWEEN = rf"(?!\s?[{ARROWS}]\s?(?:{SAYS_YES}|{SAYS_NO}))(?:[^\w、，,。#+\-]|[レvV①-⑳\d]){{1,8}}"
UNREAD = re.compile(rf"(?:(?:{SAYS_YES}){BETWEEN}(?:{SAYS_NO})|(?:{SAYS_NO}){BETWEEN}(?:{SAYS_YES}))(?!\w)")


class Edit(NamedTuple):
    """What to put in place of a part of a sentence."""

    start: int
    end: int
    text: str


def read_choices(sentence: str) -> str:
    """RETURNS (str): A sentence with what was chosen alone; as it is where nothing is a choice."""
    if len(sentence) > LONGEST or not HINT.search(sentence):
        return sentence
    sentence = sentence.replace("\N{VARIATION SELECTOR-16}", "")  # with which a tick is typed as an emoji
    edits = [*_boxes(sentence)] or [*_pointed_at(sentence), *_behind_each_other(sentence)]
    if not edits:
        return sentence
    pieces, last = [], 0
    for start, end, text in sorted(edits):
        if start >= last:
            pieces += [sentence[last:start], text]
            last = end
    read = QUESTION.sub(r" \1", "".join([*pieces, sentence[last:]]))
    return re.sub(r"\s{2,}", " ", read).strip() or sentence


def holds_choices(sentence: str) -> bool:
    """RETURNS (bool): Whether choices are printed in a sentence, be it in a notation that cannot be read."""
    return bool(PRINTED.search(sentence)) or read_choices(sentence) != sentence


def unread_choices(sentence: str) -> bool:
    """RETURNS (bool): Whether what was chosen remains unknown: "あり" beside "なし", in a notation that is not read."""
    return bool(UNREAD.search(sentence) and UNREAD.search(read_choices(sentence)))


def _boxes(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): "□有 ☑無", "有□ 無☑": for each box, where ticked and empty ones of a kind stand together."""
    for before, behind in zip(TICKED_AND_EMPTY, BEHIND_CHOICES, strict=True):
        chosen, others = _of_kind(sentence, before)
        boxes = sorted(chosen + others, key=lambda box: box.start())
        if _stand_behind(sentence, boxes):
            chosen, others = _of_kind(sentence, behind)
        elif _begins_with_bullet(sentence, boxes, chosen):
            chosen, others = ([box for box in kind if sentence[: box.start()].strip()] for kind in (chosen, others))
        if chosen and others:
            # "腸重積 ●有 ○無 型 ●回腸結腸 ○小腸小腸": the empty ones are of two questions
            printed = {box[1] for box in others} if not any(box[1] in CHOICES for box in chosen) else set()
            starts, end, between = {box.start() for box in chosen + others}, 0, ""
            for box in sorted(chosen + others, key=lambda box: box.start()):
                start = box.start() if box in chosen else max(end, len(sentence[: box.start()].rstrip()))
                slash = re.compile(SLASH).match(sentence, box.end())
                joined = slash[0] if slash and slash.end() in starts else ""
                end = box.end() + len(joined)
                yield Edit(start, end, between + _put(box[1], printed) if box in chosen else "")
                between = joined and (joined if box in chosen else between)  # "☑結節・☑腫瘤・□石灰化"


def _of_kind(sentence: str, kind: tuple[re.Pattern[str], ...]) -> list[list[re.Match[str]]]:
    """RETURNS (List[List[Match]]): The ticked boxes of a kind, and the empty ones."""
    return [[*pattern.finditer(sentence)] for pattern in kind]


def _stand_behind(sentence: str, boxes: list[re.Match[str]]) -> bool:
    """RETURNS (bool): Whether boxes stand behind their choices: one before the first of them, none behind the last."""
    if not boxes:
        return False
    word = re.search(rf"{BEFORE_BOX}$", sentence[: boxes[0].start()])
    return word is not None and word[1] in CHOICES and not boxes[-1][1]


def _begins_with_bullet(sentence: str, boxes: list[re.Match[str]], chosen: list[re.Match[str]]) -> bool:
    """RETURNS (bool): Whether the first box marks what the choices are of, as in "○胸水 ●有 ○無"."""
    if not boxes or sentence[: boxes[0].start()].strip():
        return False
    first, *others = [box[1] for box in boxes]
    is_choice = len(others) == 1 and boxes[0] in chosen  # "☑骨折 □なし"
    return first not in CHOICES and bool(others) and CHOICES.issuperset(others) and not is_choice


def _pointed_at(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): "なし・疑い・あり →あり", "有・無〔無〕"."""
    for pattern in POINTED_AT:
        for match in pattern.finditer(sentence):
            printed = re.split(SLASH, match["printed"])
            if match["chosen"] in printed and CHOICES & {*printed}:
                yield Edit(*match.span(), _put(match["chosen"], {*printed}))


def _behind_each_other(sentence: str) -> Iterator[Edit]:
    """YIELDS (Edit): "有・【無】", "はい○・いいえ", "(Y)/N", "○有 無"."""
    for pattern in BEHIND_EACH_OTHER:
        for match in pattern.finditer(sentence):
            choices = [*CHOICE.finditer(match[0])]
            # "(+)" may be marked, and may be how it is printed: "(+)・-", "(+)／【(-)】".
            marked = [c for c in choices if _is_marked(c)] or [c for c in choices if c[1] + c[3] == "()"]
            printed = {c[2] if c[2] in CHOICES else c[2].rstrip(".") for c in choices if c not in marked}
            if len(marked) == 1 and CHOICES & printed:
                yield Edit(*match.span(), _put(marked[0][2], printed))


def _is_marked(choice: re.Match[str]) -> bool:
    before, word, after = choice.groups()
    if before == "レ" and word not in CHOICES:
        return False  # "レベルII"
    return before + after in (*BRACKETS[1:], *MARKS_BEFORE, *ARROWS) or after in [*MARKS_AFTER] or word in ("⊕", "⊖")


def _put(choice: str, printed: set[str]) -> str:
    """RETURNS (str): A choice as reports commonly have it, "(+)" where it is what is not normal of those printed."""
    sign = SIGNS.get(choice.strip("()"))
    if sign:
        return f" {sign}"
    if choice == "異常":  # which alone reads as "異常なし" cut short
        return "異常あり"
    is_name = choice not in CHOICES and choice[:1].isalpha()
    is_finding = not NORMAL.isdisjoint(printed) or IS_LESION.search(choice)
    return f"{choice} (+)" if is_name and is_finding else choice
