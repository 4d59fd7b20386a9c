"""Which sentences make a finding: each POSITIVE or NEGATIVE with the CONTINUATIONs that detail it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, get_args

from ..errors import RadsentError
from ..headings import SYMBOL, Heading, find_bare_heading, find_heading

RULE = re.compile(r"\s*([^\w\s])\1{2,}\s*")  # "------"
# "No.2 右S6 5mm", "病変3", "結節②"; not "結節2mm大", "病変1個", "No 2 mm".
LESION_NUMBER = re.compile(
    r"\s{0,3}[・\-]?\s{0,3}(?:(?:No|Ｎｏ)[.．]\s{0,2}|(?:病変|結節|lesion)\s{0,2}(?:No[.．]?\s{0,2})?[#＃]?)(?:\d{1,3}|[①-⑳])"
    r"(?![\d.．]|\s{0,2}(?:[mc㎜㎝ｍｃ]|個|ヶ|[かカケヵ]所|箇所|つ|倍|[%％]|年|月|日|x|×|[-~〜]\d))",
    re.IGNORECASE,
)

AfterNegative = Literal["negative", "positive", "own", "drop"]
AfterBackground = Literal["finding", "own", "drop"]
Alone = Literal["own", "drop"]
Joined = Literal["own", "join"]


@dataclass(frozen=True)
class Policies:
    """What becomes of a CONTINUATION whose finding does not stand right before it.

    after_negative (str): "negative" joins it to the negative statement that it follows; "positive" to the last positive
        finding of its section, if there is one; "own" makes it a finding of its own; "drop" leaves it out.
    after_background (str): "finding" joins it to the last finding of its section, over the background in between;
        "own"; "drop".
    first (str): Where no finding stands before it in the report: "own" or "drop".
    across_headings (str): A heading alone on its line stands between it and the finding: "own" or "join".
    numbered (str): It begins with the number of a lesion ("No.2 右S6 5mm"): "own" or "join".
    """

    after_negative: AfterNegative = "negative"
    after_background: AfterBackground = "finding"
    first: Alone = "own"
    across_headings: Joined = "own"
    numbered: Joined = "own"

    def __post_init__(self) -> None:
        for name, annotation in self.__annotations__.items():
            value, allowed = getattr(self, name), get_args(annotation)
            if value not in allowed:
                raise RadsentError(f"{name} = {value!r}: use one of {', '.join(allowed)}.")


class Group(NamedTuple):
    """The sentences of a finding.

    sentences (List[int]): Which, in order.
    polarity (Optional[str]): "POSITIVE" or "NEGATIVE"; None for continuations on their own.
    heading (str): The heading in force; "" for none.
    """

    sentences: list[int]
    polarity: str | None
    heading: str


def group_sentences(
    texts: Sequence[str], labels: Sequence[str], ends_line: Sequence[bool], policies: Policies = Policies()
) -> list[Group]:
    """Group the sentences of a report.

    texts (Sequence[str]): The sentences.
    labels (Sequence[str]): Their labels; "" for none.
    ends_line (Sequence[bool]): Whether a line break follows each.
    policies (Policies): Where continuations go.
    RETURNS (List[Group]): In the order of their first sentences.
    """
    groups: list[Group] = []
    section_start = 0  # first group since the last heading that stands alone
    block, inline = "", ""  # headings in force
    last_label = ""
    for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
        heading = _heading(i, texts, labels, ends_line)
        if heading and heading.until_next:
            block, inline = heading.name, ""
            if heading.alone:
                section_start = len(groups)
        elif heading:
            inline = heading.name
        if (heading and heading.alone) or RULE.fullmatch(text):
            label = ""  # whatever it was given
        if label in ("POSITIVE", "NEGATIVE"):
            groups.append(Group([i], label, inline or block))
        elif label == "CONTINUATION":
            goal = _goal(groups, section_start, last_label, text, policies)
            if isinstance(goal, Group):
                goal.sentences.append(i)
            elif goal == "own":
                groups.append(Group([i], None, inline or block))
        if label:
            last_label = label
        if ends_line[i]:
            inline = ""
    return groups


def _heading(i: int, texts: Sequence[str], labels: Sequence[str], ends_line: Sequence[bool]) -> Heading | None:
    """RETURNS (Optional[Heading]): The heading that sentence i is or begins with."""
    heading = find_heading(texts[i])
    if heading:
        states = heading.alone and labels[i] in ("POSITIVE", "NEGATIVE", "CONTINUATION")
        # "【胸水なし】" states something, "【胸部】" nothing; "■ 肝" may be one of several places with metastases.
        nothing = find_bare_heading(heading.name) and not SYMBOL.fullmatch(texts[i])
        return None if states and not nothing else heading
    own_line = ends_line[i] and (i == 0 or ends_line[i - 1])
    return find_bare_heading(texts[i]) if own_line and labels[i] == "BACKGROUND" else None


def _goal(groups: list[Group], section_start: int, last_label: str, text: str, policies: Policies) -> Group | str:
    """RETURNS (Union[Group, str]): The finding that a continuation joins, or "own" or "drop"."""
    if not groups:
        return policies.first
    if policies.numbered == "own" and LESION_NUMBER.match(text):
        return "own"
    section = len(groups) - (section_start if policies.across_headings == "own" else 0)
    if not section:
        return "own"
    latest = groups[-1]
    if last_label == "BACKGROUND" and policies.after_background != "finding":
        return policies.after_background
    if latest.polarity == "NEGATIVE":
        if policies.after_negative in ("own", "drop"):
            return policies.after_negative
        if policies.after_negative == "positive":
            in_section = islice(reversed(groups), section)
            return next((group for group in in_section if group.polarity == "POSITIVE"), latest)
    return latest
