"""Figure marks: where a report points to an image, "[#1]", "(Se3 Im45)", "(IM:32)", "※図2", and what they point to."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# A range of more images than this is a misprint, or no range.
MAX_RANGE = 500
# Half-width forms of full-width characters, one for one, so that offsets stay.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
HALF_WIDTH |= dict.fromkeys(map(ord, "‐‑‒–—−"), ord("-")) | dict.fromkeys(map(ord, "〜∼"), ord("~"))

CIRCLED = "[①-⑳]"
NUMBER = rf"(?:\d{{1,4}}|{CIRCLED})"
IM = "im(?:ages?|g)?"
NUMBERS = (
    rf"{NUMBER}(?:[ \t]?(?:[,、・&+]|と|[~-][ \t]?(?:\#|{IM}[ \t.:]?)?)[ \t]?{NUMBER}|{CIRCLED})*(?![\dA-Za-z]|\.\d)"
)
OF_ALL = r"(?:[ \t]?/[ \t]?\d{1,4}(?![\dA-Za-z/.]))?"  # "Image 55/120"
HASH = rf"\#\s*(?P<hash>{NUMBERS})"
FIGURE = rf"(?:図|fig(?:ure)?s?\.?|写真)\s*[.:#]?\s*(?P<figure>{NUMBERS}|\d{{1,4}}(?=[a-f](?![\dA-Za-z])))[a-f]?"
SERIES = r"(?:series|シリーズ|ser|se)[\s.:#]{0,2}(?P<series>\d{1,4})(?![\d])"
IMAGE = (
    rf"(?:images?|画像|イメージ|img|im|slices?|スライス|sl)\s*(?:no\.?|番号)?[\s.:#]{{0,2}}(?P<image>{NUMBERS}){OF_ALL}"
)
SHORT = rf"s(?P<short>\d{{1,4}})(?:\s*[/,:]\s*|\s)im?(?P<of>{NUMBERS})"  # together alone: "S3" is a segment
ITEM = rf"{HASH}|{FIGURE}|{SERIES}(?:\s*[/:]\s*(?P<slash>{NUMBERS}))?|{SHORT}|{IMAGE}"
BETWEEN = r"[\s,、;:/・&+]*"
CONTENT = re.compile(
    rf"\s*(?:see\s+|key\s*|キー|ｷｰ)?(?:{ITEM})(?:{BETWEEN}(?:{re.sub(r'[?]P<[a-z]+>', '?:', ITEM)}))*"
    rf"\s*(?:参照|を参照|[:、]?\s?(?:矢印|矢頭))?\s*",
    re.IGNORECASE,
)
ITEMS = re.compile(ITEM, re.IGNORECASE)
BRACKETED = re.compile(r"[\[(【〔<《]([^\[\]()【】〔〕<>《》\n]{2,60})[\])】〕>》]")
# What may follow a full stop and still belong before it.
BEHIND_STOP = re.sub(
    r"[?]P<[a-z]+>",
    "?:",
    rf"[\[(【〔<《](?:{CONTENT.pattern})[\])】〕>》]|[※→]\s*(?:図|画像|写真|fig\.?)\s*{NUMBERS}",
)
# Outside of brackets, or among other words inside, only what can hardly mean anything else.
BARE = re.compile(
    rf"(?<![A-Za-z0-9])(?:series|シリーズ|ser|se)[\s.:#]{{0,2}}\d{{1,4}}[\s,、/:-]{{0,2}}(?:images?|画像|img|im)[\s.:#]{{0,2}}{NUMBERS}{OF_ALL}"
    rf"|(?<![A-Za-z])(?:images?|img|im)\s?[:#]\s?{NUMBERS}{OF_ALL}"
    rf"|[※→]\s*(?:図|画像|写真|fig\.?)\s*{NUMBERS}"
    rf"|(?:図|画像|写真|fig\.?\s?)\s?{NUMBERS}(?=\s*(?:参照|を参照|に示|に呈示|のとおり|の通り|の如く))"
    rf"|(?<!\w)(?:図|fig\.?)\s?{NUMBERS}(?=[ \t]*(?:[。\n]|\.?$))",
    re.IGNORECASE,
)
# Among other words inside of brackets: "(T2WI Im12)", "(動脈相 Im.12→門脈相 Im.45)".
INSIDE = re.compile(rf"{BARE.pattern}|(?<![A-Za-z])(?:images?|img|im)[\s.]{{0,2}}{NUMBERS}(?!/)", re.IGNORECASE)
# "縦隔リンパ節(#7)", "右下6番(#46)": a station, a tooth, not a mark. In square brackets it is a mark.
NUMBERED_BEFORE = re.compile(
    r"(?:リンパ節|ﾘﾝﾊﾟ節|LNs?|nodes?|station)[^。.\n]{0,6}$|(?:\d番|歯|tooth|teeth)\s?$", re.IGNORECASE
)
# "前回(Se3 Im45)8mm", "前回2023/5/1 Se3/Im28": of another study; not "前回より増大(Se4 Im50)".
PRIOR = re.compile(
    r"(?:前回|前々回|以前|過去|既往|prior|previous)(?:の|画像|検査|[CM]T|MRI?|[\s\d/.:年月日(-])*$", re.IGNORECASE
)


class ImageReference(NamedTuple):
    """An image that a mark points to.

    series (Optional[int]): Number of its series; None where the mark gives none.
    image (Optional[int]): Number of the image; None where the mark names a series alone.
    """

    series: int | None
    image: int | None


class FigureMark(NamedTuple):
    """A figure mark.

    start, end (int): Its characters in the report.
    text (str): As it stands there.
    figures (Tuple[str, ...]): Numbers of figures ("1", "1-2"), lists and ranges expanded.
    images (Tuple[ImageReference, ...]): Images, lists and ranges expanded.
    prior (bool): Whether it points into an earlier study.
    """

    start: int
    end: int
    text: str
    figures: tuple[str, ...] = ()
    images: tuple[ImageReference, ...] = ()
    prior: bool = False


def find_marks(text: str, hyphen_is_range: bool = False) -> list[FigureMark]:
    """Find the figure marks of a report.

    text (str): The report.
    hyphen_is_range (bool): "[#1-3]" stands for the figures 1, 2 and 3. By default it is one figure, the third of
        finding 1, as in reports that also hold "[#1]" and "[#2]". Between images a hyphen is a range always.
    RETURNS (List[FigureMark]): In order. Lymph node stations ("#7 LN", "#101L") and numbering are none.
    """
    folded = text.translate(HALF_WIDTH)
    return [
        FigureMark(start, end, text[start:end], *_parse(folded[start:end], hyphen_is_range), _is_prior(folded, start))
        for start, end in _spans(folded)
    ]


def _is_prior(text: str, start: int) -> bool:
    return bool(PRIOR.search(text[max(0, start - 40) : start]))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """YIELDS (Tuple[int, int]): Where marks stand, in a text of half-width characters."""
    done = 0
    for match in re.finditer(rf"{BRACKETED.pattern}|{BARE.pattern}", text, re.IGNORECASE):
        if match.start() < done:
            continue
        content = match[1]
        if content is None or _is_mark(text, match):
            yield match.span()
        else:  # a bracket with more in it than a mark
            yield from (mark.span() for mark in INSIDE.finditer(text, match.start(1), match.end(1)))
        done = match.end()


def _is_mark(text: str, bracketed: re.Match) -> bool:
    if not CONTENT.fullmatch(bracketed[1]):
        return False
    is_round = text[bracketed.start()] == "("
    return not (is_round and "#" in bracketed[1] and NUMBERED_BEFORE.search(text[: bracketed.start()][-20:]))


def _parse(mark: str, hyphen_is_range: bool) -> tuple[tuple[str, ...], tuple[ImageReference, ...]]:
    """RETURNS (Tuple[Tuple[str, ...], Tuple[ImageReference, ...]]): The figures and the images of a mark."""
    figures: list[str] = []
    images: list[ImageReference] = []
    series: int | None = None
    pending = False  # a series without an image yet
    for item in ITEMS.finditer(mark):
        if item["series"] or item["short"]:
            if pending:
                images.append(ImageReference(series, None))
            series, pending = int(item["series"] or item["short"]), not item["slash"]
        numbers = item["image"] or item["slash"] or item["of"]
        if numbers:
            images += [ImageReference(series, int(number)) for number in _expand(numbers, True)]
            pending = False
        if item["hash"]:
            figures += _expand(item["hash"], hyphen_is_range)
        if item["figure"]:
            figures += _expand(item["figure"], hyphen_is_range)
    if pending and images and all(image.series is None for image in images):  # "(Im32, Se3)"
        images = [image._replace(series=series) for image in images]
    elif pending:
        images.append(ImageReference(series, None))
    return tuple(figures), tuple(images)


def _expand(numbers: str, hyphen_is_range: bool) -> list[str]:
    """RETURNS (List[str]): The numbers of a list with ranges."""
    expanded: list[str] = []
    numbers = re.sub(r"-\s*#", "~", numbers)  # "#3-#6"
    numbers = re.sub(rf"[\s#.:]|{IM}", "", numbers, flags=re.IGNORECASE)  # "Im45-Im47"
    numbers = re.sub(rf"(?<={CIRCLED})(?={CIRCLED})", ",", numbers)  # "図①②"
    parts = re.split(r"([,、・&+~-]|と)", numbers)
    for separator, number in zip(["", *parts[1::2]], parts[::2], strict=True):
        number = str(int(unicodedata.normalize("NFKC", number)))
        is_range = separator == "~" or (separator == "-" and hyphen_is_range)
        if is_range and int(expanded[-1].split("-")[-1]) < int(number) <= int(expanded[-1].split("-")[-1]) + MAX_RANGE:
            expanded += map(str, range(int(expanded[-1].split("-")[-1]) + 1, int(number) + 1))
        elif is_range and number == expanded[-1]:
            continue
        elif separator == "-" and not hyphen_is_range:
            expanded[-1] += f"-{number}"
        else:
            expanded.append(number)
    return expanded
