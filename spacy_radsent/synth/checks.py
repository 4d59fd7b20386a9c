"""Structural checks of generated reports, each with a name to count rejects by. What a report says is not judged."""

import json
import re
from collections import Counter
from collections.abc import Callable

from ..corpus.records import Record
from ..corpus.split import LEAK_MIN_CHARS
from .client import Rejected
from .privacy import IdentifierScreen

SENTENCES = (2, 60)
CHARACTERS = (30, 4000)
# Kana and kanji among all characters but white space. In the manner that uses the most English, nine in ten have more.
MIN_JAPANESE = 0.01

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿ｦ-ﾟ]")
HTML = "b|i|u|p|br|hr|li|ul|ol|em|h[1-6]|div|span|table|tr|td|strong"
MARKUP = re.compile(
    r"```|\*\*|^#{1,4} |</?(?:" + HTML + r")\b[^>]*>",
    re.MULTILINE | re.IGNORECASE,
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")
OTHER_SECTION = re.compile(
    r"^[\s【<＜■●\[]*(画像診断|診断|印象|結論|impression|conclusion|diagnosis)[】>＞\]]*\s*(?:[:：]|$)",
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


def check_report(report: Record) -> Record:
    """RETURNS (Record): The report, if it is built like a findings section. Raises Rejected with a name of CHECKS.

    "habits" of its `meta` (see `Attributes.institutions`) may ask for a section that is otherwise another one.
    """
    for reason, holds in CHECKS.items():
        if holds(report):
            raise Rejected(reason)
    return report


def _too_short(report: Record) -> bool:
    return len(report.text) < CHARACTERS[0] or len(report.sentences) < SENTENCES[0]


def _too_long(report: Record) -> bool:
    return len(report.text) > CHARACTERS[1] or len(report.sentences) > SENTENCES[1]


def _not_japanese(report: Record) -> bool:
    return len(JAPANESE.findall(report.text)) < MIN_JAPANESE * len("".join(report.text.split()))


def _other_section(report: Record) -> bool:
    asked_for = report.meta.get("habits", "").lower()
    return any(match[1].lower() not in asked_for for match in OTHER_SECTION.finditer(report.text))


def _repeats_itself(report: Record) -> bool:
    counts = Counter(sentence for sentence in report.sentence_texts if len(sentence) >= LEAK_MIN_CHARS)
    return max(counts.values(), default=0) > 2


_screen = IdentifierScreen()

CHECKS: dict[str, Callable[[Record], object]] = {
    "control_characters": lambda report: CONTROL.search(report.text),
    "too_short": _too_short,
    "too_long": _too_long,
    "not_japanese": _not_japanese,
    "markup": lambda report: MARKUP.search(report.text),
    "other_section": _other_section,
    "placeholder": lambda report: PLACEHOLDER.search(report.text),
    "repeats_itself": _repeats_itself,
    "identifier": lambda report: _screen(report.text),
}
