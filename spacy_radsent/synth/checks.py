"""Structural checks of generated reports, each with a name to count rejects by. What a report says is not judged."""

import json
import re
from collections import Counter
from collections.abc import Callable

from ..boundaries import sentence_offsets
from ..corpus.split import LEAK_MIN_CHARS
from .client import Rejected
from .privacy import IdentifierScreen

SENTENCES = (2, 60)
CHARACTERS = (30, 4000)
# Kana and kanji among all characters but white space. The most English of the bundled reports have 0.05.
MIN_JAPANESE = 0.04

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")
MARKUP = re.compile(r"```|\*\*|^#{1,4} |</?[a-z]+\b[^>]*>", re.MULTILINE | re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")
OTHER_SECTION = re.compile(
    r"^[\s【<＜■●\[]*(?:所見|診断|画像診断|印象|結論|impression|conclusion|findings|diagnosis)[】>＞\]]*\s*(?:[:：]|$)",
    re.MULTILINE | re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"[〇○◯]{2,}|XX+|＿{2,}|__+|\[(?:氏名|日付|施設名)\]")


def read_findings(answer: str) -> str:
    """Read the answer of a model that was asked for a report.

    answer (str): A JSON object with the text as "findings".
    RETURNS (str): The text, without white space around it. Raises Rejected("not_json").
    """
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        raise Rejected("not_json") from None
    if not (isinstance(value, dict) and list(value) == ["findings"] and isinstance(value["findings"], str)):
        raise Rejected("not_json")
    return value["findings"].strip()


def check_report(text: str) -> str:
    """RETURNS (str): The text, if it is built like a findings section. Raises Rejected with the first of CHECKS."""
    for reason, holds in CHECKS.items():
        if holds(text):
            raise Rejected(reason)
    return text


def _too_short(text: str) -> bool:
    return len(text) < CHARACTERS[0] or len(sentence_offsets(text)) < SENTENCES[0]


def _too_long(text: str) -> bool:
    return len(text) > CHARACTERS[1] or len(sentence_offsets(text)) > SENTENCES[1]


def _not_japanese(text: str) -> bool:
    return len(JAPANESE.findall(text)) < MIN_JAPANESE * len("".join(text.split()))


def _repeats_itself(text: str) -> bool:
    counts = Counter(text[start:end] for start, end in sentence_offsets(text) if end - start >= LEAK_MIN_CHARS)
    return max(counts.values(), default=0) > 2


CHECKS: dict[str, Callable[[str], object]] = {
    "control_characters": CONTROL.search,
    "too_short": _too_short,
    "too_long": _too_long,
    "not_japanese": _not_japanese,
    "markup": MARKUP.search,
    "other_section": OTHER_SECTION.search,
    "placeholder": PLACEHOLDER.search,
    "repeats_itself": _repeats_itself,
    "identifier": IdentifierScreen(),
}
