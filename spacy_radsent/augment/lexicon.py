"""The words that the augmenter exchanges: lexicon.yaml beside this file, or one of the user's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import srsly

from ..errors import RadsentError
from ..files import read_text

BUNDLED = Path(__file__).parent / "lexicon.yaml"
FINISHED = ("polite", "plain")  # whole sentences, linked by `LINK` or "が"
CUT = ("noun", "telegraphic")  # the same words before a comma and at the end
REGISTERS = (*FINISHED, *CUT)
OPINION = "opinion"  # the plain form, and one of `opinions`
ARROWS = ("↑", "↓", "→")  # of many meanings: they are written, never read
LINK = "link"  # what polite and plain sentences have before a comma


@dataclass(frozen=True)
class Lexicon:
    """See lexicon.yaml for what each part is.

    endings (Sequence[Dict[str, List[str]]]): Groups of sentence endings, by register; some with `LINK`.
    opinions (Sequence[str]): What makes an opinion of a plain form.
    unchanged (Dict[str, List[str]]): Endings that say of a known finding that it is as before, by register.
    terms (Sequence[Sequence[str]]): Words that stand for each other.
    headings (Sequence[Dict[str, List[str]]]): Names of headings, and the words that they fit.
    misprints (Sequence[Sequence[str]]): A word, and how it is mistyped.
    """

    endings: Sequence[dict[str, list[str]]]
    opinions: Sequence[str]
    unchanged: dict[str, list[str]]
    terms: Sequence[Sequence[str]]
    headings: Sequence[dict[str, list[str]]]
    misprints: Sequence[Sequence[str]]

    @cached_property
    def forms(self) -> list[tuple[str, str, dict[str, list[str]]]]:
        """RETURNS (List[Tuple[str, str, Dict]]): Each ending with its register and its group, the longest first."""
        forms = [
            (form, register, group) for group in self.endings for register in REGISTERS for form in group[register]
        ]
        return sorted((form for form in forms if form[0]), key=lambda form: -len(form[0]))

    @cached_property
    def links(self) -> list[tuple[str, dict[str, list[str]]]]:
        """RETURNS (List[Tuple[str, Dict]]): What may stand before a comma within a sentence, and its group."""
        groups = [group for group in self.endings if LINK in group]
        forms = [(form, group) for group in groups for name in (LINK, *CUT) for form in group[name]]
        return sorted((form for form in forms if form[0]), key=lambda form: -len(form[0]))

    @cached_property
    def patterns(self) -> list[tuple[re.Pattern, Sequence[str]]]:
        """RETURNS (List[Tuple[Pattern, Sequence[str]]]): What finds the words of a group of terms; the group."""
        read = [([word for word in group if word not in ARROWS], group) for group in self.terms]
        return [(any_of(words), group) for words, group in read if words]


def any_of(words: Sequence[str]) -> re.Pattern:
    """RETURNS (Pattern): Finds any of these words, the longest first; Latin ones as whole words."""
    parts = [_whole(word) for word in sorted(words, key=len, reverse=True)]
    return re.compile("|".join(parts))


def _whole(word: str) -> str:
    left = r"(?<![A-Za-z])" if word[0].isascii() and word[0].isalpha() else r"(?<!大)"  # 大動脈瘤 is no 動脈瘤
    right = r"(?![A-Za-z])" if word[-1].isascii() and word[-1].isalpha() else r"(?![門野尖底動静脈瘤術性])"  # 右肺門
    return f"{left}{re.escape(word)}{right}"


def read_lexicon(path: str | Path | None = None) -> Lexicon:
    """Read a lexicon.

    path (Optional[Union[str, Path]]): A YAML file; the bundled one if None.
    RETURNS (Lexicon): What it holds.
    RAISES (RadsentError): Where it is no lexicon, saying where.
    """
    path = path or BUNDLED
    text = read_text(path)
    try:
        data = srsly.yaml_loads(text)
    except ValueError:
        raise RadsentError(f"{path}: is no YAML: copy {BUNDLED} and edit it.") from None
    fields = list(Lexicon.__dataclass_fields__)
    if not isinstance(data, dict) or {*map(str, data)} != {*fields}:
        raise RadsentError(f"{path}: a lexicon has the parts {', '.join(fields)}: copy {BUNDLED} and edit it.")
    _check_words(data["opinions"], f"{path}: opinions")
    for name in ("terms", "misprints"):
        for i, group in enumerate(_list(data[name], f"{path}: {name}")):
            _check_words(group, f"{path}: {name}, group {i + 1}", at_least=2)
    _check_group(data["unchanged"], REGISTERS, f"{path}: unchanged")
    for name, keys in (("endings", REGISTERS), ("headings", ("names", "words"))):
        for i, group in enumerate(_list(data[name], f"{path}: {name}")):
            _check_group(group, keys, f"{path}: {name}, group {i + 1}", may_be_empty=name == "endings")
    return Lexicon(**data)


def _check_group(group: Any, keys: Sequence[str], where: str, may_be_empty: bool = False) -> None:
    if not isinstance(group, dict) or {*map(str, group)} - {LINK} != {*keys}:
        raise RadsentError(f"{where}: give {', '.join(keys)}.")
    for key in group:
        _check_words(group[key], f"{where}, {key}", may_be_empty=may_be_empty)


def _check_words(words: Any, where: str, at_least: int = 1, may_be_empty: bool = False) -> None:
    if len(_list(words, where)) < at_least:
        raise RadsentError(f"{where}: give at least {at_least} words.")
    for i, word in enumerate(words):
        if not isinstance(word, str) or not (word or may_be_empty):
            raise RadsentError(f"{where}: entry {i + 1} is no word: put it in quotation marks.")


def _list(value: Any, where: str) -> list:
    if not isinstance(value, list) or not value:
        raise RadsentError(f"{where}: give a list.")
    return value
