"""Reports as the model is given them: with what was chosen on a form in place of what is printed, headings in brackets
in place of frames that training did not hold, and "(-)" where a long vowel's sign was typed for a minus.
"""

import re
from collections.abc import Callable

from spacy.tokens import Doc, Span

from ..choices import read_choices
from ..headings import in_brackets
from ..spans import covering_span

# "胸水ー、fxー": the minus key of an input method. Behind kana it is a long vowel.
MINUS_KEY = re.compile(r"(?<=[\u4e00-\u9fff々A-Za-z])ー(?=[\s、，,。．.・/／]|$)")


def as_chosen(
    docs: list[Doc], sentences: list[list[Span]], tokenizer: Callable[[str], Doc]
) -> tuple[list[Doc], list[list[Span]]]:
    """Read the choices on forms, the headings in frames, and minus signs.

    docs (List[Doc]): Documents.
    sentences (List[List[Span]]): The sentences of each.
    tokenizer (Callable[[str], Doc]): Makes the documents in place of those that hold choices.
    RETURNS (Tuple[List[Doc], List[List[Span]]]): As many documents and sentences; those without any are the same.
    """
    pairs = [_read(doc, spans, tokenizer) for doc, spans in zip(docs, sentences, strict=True)]
    return [doc for doc, _ in pairs], [spans for _, spans in pairs]


def _read(doc: Doc, sentences: list[Span], tokenizer: Callable[[str], Doc]) -> tuple[Doc, list[Span]]:
    printed = [span.text for span in sentences]
    chosen = [MINUS_KEY.sub("(-)", read_choices(in_brackets(text))) for text in printed]
    if chosen == printed:
        return doc, sentences
    whole = doc.text
    pieces: list[str] = []
    offsets = []
    size = last = 0
    for span, text in zip(sentences, chosen, strict=True):
        between = whole[last : span.start_char]
        offsets.append((size + len(between), size + len(between) + len(text)))
        pieces += [between, text]
        size, last = offsets[-1][1], span.end_char
    other = tokenizer("".join([*pieces, whole[last:]]))
    if other.vocab is not doc.vocab:  # of the pipeline that the component comes from
        other = Doc(doc.vocab).from_bytes(other.to_bytes(exclude=["user_data"]))
    return other, [covering_span(other, start, end) for start, end in offsets]
