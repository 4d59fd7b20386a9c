"""What must not leave the machine: reports that are not synthetic, and anything that looks like a person's data.

The screen is a second line of defence, by patterns: it finds what is written the usual way, and proves nothing.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

import sudachipy

from ..corpus.records import Record
from ..endpoint import Endpoint
from ..errors import RadsentError

# On NFKC text: full-width digits and letters are plain there.
PATTERNS = {
    "a name after its label": r"(?:氏名|患者名|お名前|姓名)\s*[:]?\s*[^\s:。、,]{2,}",
    "a date of birth": r"(?:生年月日|誕生日|出生日|birth\s*date|date\s+of\s+birth|\bDOB\b)"
    r"|\d{1,2}\s*[./月-]\s*\d{1,2}\s*日?\s*生(?![検理化食体存着命])",
    "a patient's number": r"(?:患者|カルテ|診察券|登録|受付|被保険者)\s*(?:ID|番号|No)",
    "an identifier": r"\b(?:MRN|ID)\s*[:#No.]*\s*(?:[A-Z]{0,3}-?\d[\d-]{2,})",
    # Nor dates, as 20240305, nor measurements.
    "a long number": r"(?<![\d.,/-])(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))\d{7,}(?!\d|\.\d)",
    "a phone number": r"(?<![\d.,/-])(?:\+81[- ]?\d{1,4}|0\d{1,4})[-() ]{1,2}\d{1,4}[-() ]{1,2}\d{3,4}(?!\d)"
    r"|(?<!\d)0[5789]0\d{8}(?!\d)",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.[\w.]+",
}
COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in PATTERNS.items()}
HONORIFICS = frozenset({"様", "さま", "氏", "さん", "殿", "ちゃん", "くん", "君"})
# With what stands before it on its line: a name and a given name.
AFTER_PATIENT = re.compile(r"患者\s*[:は]?\s*([^\n。、:]{1,12})")
BEFORE_HONORIFIC = re.compile(rf"[^\n。、:]{{1,16}}(?:{'|'.join(sorted(HONORIFICS))})")
# "Barrett様食道" is no patient, "Smith様右肺" may be one: listed, since a false alarm costs less than a name sent.
LIKE_AN_EPONYM = re.compile(
    r"(?<![A-Za-z])(?:Barrett|Brodie|Burkitt|Crohn|Ewing|Hodgkin|Kaposi|Klatskin|Krukenberg|Morton|Paget|Schwann)様"
    r"(?=食道|粘膜|上皮|神経|嚢胞|膿瘍|結節|病|腫|リンパ)"
)
PERSON = "人名"  # third of what Sudachi gives as part of speech: 名詞, 固有名詞, 人名, 姓


class IdentifierScreen:
    """Finds what looks like a person's data in a text."""

    @cached_property
    def tokenizer(self) -> sudachipy.Tokenizer:
        return sudachipy.Dictionary(dict="core").create(mode=sudachipy.SplitMode.C)

    def __call__(self, text: str) -> list[str]:
        """RETURNS (List[str]): What there is, by name and in order; the text itself is not quoted."""
        text = unicodedata.normalize("NFKC", text)
        found = [name for name, pattern in COMPILED.items() if pattern.search(text)]
        addressed = BEFORE_HONORIFIC.finditer(LIKE_AN_EPONYM.sub("", text))
        named = any(self._names_someone(match[0]) for match in addressed)
        if named or any(_is_name(self.tokenizer.tokenize(match[1])[0]) for match in AFTER_PATIENT.finditer(text)):
            found.append("a name")
        return found

    def _names_someone(self, text: str) -> bool:
        """RETURNS (bool): Whether a person's name stands before an honorific: "様" by itself is mostly "-like"."""
        words = [word for word in self.tokenizer.tokenize(text) if not word.surface().isspace()]
        return any(_is_name(name) and honorific.surface() in HONORIFICS for name, honorific in pairwise(words))


def _is_name(word: sudachipy.Morpheme) -> bool:
    return word.part_of_speech()[2] == PERSON


def guard(records: Iterable[Record], endpoint: Endpoint) -> None:
    """Refuse reports that may not go to a server, before anything is sent.

    records (Iterable[Record]): The reports.
    endpoint (Endpoint): The server; one on this machine may read everything.
    """
    settings = endpoint.settings
    if settings.is_local or settings.allow_remote_phi:
        return
    screen = IdentifierScreen()
    found: list[tuple[str, list[str]]] = []
    for record in records:
        if not endpoint.may_read(record.meta.get("source")):
            raise RadsentError(
                f"The report {record.id!r} is not marked synthetic, and {settings.base_url} is not on this machine: "
                f"set meta.source to 'synthetic' if it is, or allow it with --allow-remote-phi."
            )
        if names := screen(record.text):
            found.append((record.id, names))
    if found:
        id, names = found[0]
        raise RadsentError(
            f"The report {id!r} seems to hold {' and '.join(names)}, as do {len(found) - 1} others, and "
            f"{settings.base_url} is not on this machine: remove it, or allow it with --allow-remote-phi."
        )
