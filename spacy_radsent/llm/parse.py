"""Parse the paper's form of answer, {sentence: label}, strictly: what is not there is not guessed."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..labels import Label

CODES = frozenset(label.value for label in Label)


def parse_answer(answer: str, sentences: Sequence[str]) -> list[int | None]:
    """Read the labels of an answer.

    answer (str): What a model wrote: a JSON object, white space around it allowed.
    sentences (Sequence[str]): The sentences that it was asked about.
    RETURNS (List[Optional[int]]): The code of each sentence's label. None where the answer is no such object, or where
        it holds no pair for the sentence with its exact text and a code of the scheme. A sentence that the report
        repeats takes the pairs with its text in their order.
    """
    try:
        pairs = json.loads(answer, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return [None] * len(sentences)
    if not _is_object(pairs):
        return [None] * len(sentences)
    codes: dict[str, list[Any]] = defaultdict(list)
    for sentence, code in reversed(pairs):
        codes[sentence].append(code)
    return [_checked(codes[sentence].pop()) if codes[sentence] else None for sentence in sentences]


def _is_object(pairs: Any) -> bool:
    # An array comes as a list as well, but not of tuples.
    return isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs)


def _checked(code: Any) -> int | None:
    return code if type(code) is int and code in CODES else None
