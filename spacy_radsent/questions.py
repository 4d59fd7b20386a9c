"""What a language model is asked about the sentences of a report, and how answers by the sentences' numbers are read.

Numbers in place of texts: no answer can alter a sentence, and one that a report repeats is asked about each time.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from .errors import RadsentError
from .labels import Label

TEMPLATES = Path(__file__).parent / "templates" / "labels"
CODES = frozenset(label.value for label in Label)

Keys = Literal["text", "number"]


@lru_cache
def read_instructions(version: str, keys: Keys = "text") -> str:
    """Read the instructions of a version of the prompt.

    version (str): E.g. "ja_v1".
    keys (Literal["text", "number"]): Keys of the answer: the sentences, or their numbers ("s1", "s2" and so on).
    RETURNS (str): The instructions.
    """
    ending = f"_by_{keys}"
    versions = sorted(path.stem.removesuffix(ending) for path in TEMPLATES.glob(f"*{ending}.txt"))
    if version not in versions:
        raise RadsentError(f"There is no prompt {version!r}: use one of {', '.join(versions)}.")
    parts = [TEMPLATES / f"{name}.txt" for name in (version, version + ending)]
    return "\n\n".join(part.read_text(encoding="utf-8").strip() for part in parts)


def prompt_sha256(version: str, keys: Keys = "text") -> str:
    """RETURNS (str): Of the instructions of a version of the prompt."""
    return sha256(read_instructions(version, keys).encode()).hexdigest()


def ask_by_number(instructions: str, text: str, sentences: Sequence[str]) -> list[dict[str, str]]:
    """Write the question for the labels of a report's sentences.

    instructions (str): See `read_instructions`.
    text (str): The report.
    sentences (Sequence[str]): Its sentences.
    RETURNS (List[Dict[str, str]]): Messages as in OpenAI's chat completions.
    """
    numbered = "\n".join(f"s{i}: {sentence}" for i, sentence in enumerate(sentences, 1))
    return [
        {"role": "system", "content": instructions},
        {"role": "user", "content": f"所見: {text}\n文:\n{numbered}"},
    ]


def schema_by_number(count: int) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of an answer for so many sentences."""
    keys = _keys(count)
    return {
        "type": "object",
        "properties": {key: {"type": "integer", "enum": sorted(CODES)} for key in keys},
        "required": keys,
        "additionalProperties": False,
    }


def parse_by_number(answer: str, count: int) -> list[int | None]:
    """Read the labels of an answer that goes by the sentences' numbers.

    answer (str): What a model wrote: a JSON object with the keys "s1", "s2" and so on, white space around it allowed.
    count (int): How many sentences it was asked about.
    RETURNS (List[Optional[int]]): The code of each sentence's label. None where the answer holds no code of the scheme
        for it, and for all where the answer is no such object: one key that was not asked for, or one twice, and the
        others may be of other sentences as well.
    """
    pairs = parse_pairs(answer)
    keys, asked = [key for key, _ in pairs], _keys(count)
    if len(set(keys)) < len(keys) or not set(keys) <= set(asked):
        return [None] * count
    codes = dict(pairs)
    return [checked_code(codes.get(key)) for key in asked]


def parse_pairs(answer: str) -> list[tuple[str, Any]]:
    """RETURNS (List[Tuple[str, Any]]): The pairs of a JSON object, in order; none where the answer is no object."""
    try:
        pairs = json.loads(answer, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return []
    # An array comes as a list as well, but not of tuples.
    return pairs if isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs) else []


def checked_code(code: Any) -> int | None:
    """RETURNS (Optional[int]): The code, if it is one of the scheme."""
    return code if type(code) is int and code in CODES else None


def _keys(count: int) -> list[str]:
    return [f"s{i}" for i in range(1, count + 1)]
