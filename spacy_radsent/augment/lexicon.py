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
REGISTERS = ("polite", "plain", "noun", "telegraphic")
OPINION = "opinion"  # the plain form, and one of `opinions`
LINK = "link"  # what polite and plain sentences have before a comma


@dataclass(frozen=True)
class Lexicon:
    """See lexicon.yaml for what each part is.

    endings (Sequence[Dict[str, List[str]]]): Groups of sentence endings, by register; some with `LINK`.
    opinions (Sequence[str]): What makes an opinion of a plain form.
    terms (Sequence[Sequence[str]]): Words that stand for each other.
    headings (Sequence[Dict[str, List[str]]]): Names of headings, and the words that they fit.
    misprints (Sequence[Sequence[str]]): A word, and how it is mistyped.
    """

    endings: Sequence[dict[str, list[str]]]
    opinions: Sequence[str]
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
        forms = [(form, group) for group in groups for name in (LINK, *REGISTERS[2:]) for form in group[name]]
        return sorted((form for form in forms if form[0]), key=lambda form: -len(form[0]))

    @cached_property
    def patterns(self) -> list[tuple[re.Pattern, Sequence[str]]]:
        """RETURNS (List[Tuple[Pattern, Sequence[str]]]): What finds the words of a group of terms; the group."""
        return [(any_of(group), group) for group in self.terms]


def any_of(words: Sequence[str]) -> re.Pattern:
    """RETURNS (Pattern): Finds any of these words, the longest first; Latin ones as whole words."""
    parts = [_whole(word) for word in sorted(words, key=len, reverse=True)]
    return re.compile("|".join(parts))


def _whole(word: str) -> str:
    left = r"(?<![A-Za-z])" if word[0].isascii() and word[0].isalpha() else ""
    right = r"(?![A-Za-z])" if word[-1].isascii() and word[-1].isalpha() else ""
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
    if not isinstance(data, dict) or sorted(data) != sorted(fields):
        raise RadsentError(f"{path}: a lexicon has the parts {', '.join(fields)}: copy {BUNDLED} and edit it.")
    for name in ("opinions", "terms", "misprints"):
        _check_words(data[name], f"{path}: {name}", nested=name != "opinions")
    for name, keys in (("endings", REGISTERS), ("headings", ("names", "words"))):
        for i, group in enumerate(data[name] or []):
            if not isinstance(group, dict) or sorted({*group} - {LINK}) != sorted(keys):
                raise RadsentError(f"{path}: {name}, group {i + 1}: give {', '.join(keys)}.")
            for key in group:
                _check_words(group[key], f"{path}: {name}, group {i + 1}, {key}", may_be_empty=name == "endings")
    return Lexicon(**data)


def _check_words(words: Any, where: str, nested: bool = False, may_be_empty: bool = False) -> None:
    if not isinstance(words, list) or not words:
        raise RadsentError(f"{where}: give a list of words.")
    for i, word in enumerate(words):
        if nested:
            _check_words(word, f"{where}, group {i + 1}")
        elif not isinstance(word, str) or not (word or may_be_empty):
            raise RadsentError(f"{where}: entry {i + 1} is no word: put it in quotation marks.")
