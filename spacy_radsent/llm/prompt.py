"""The prompt of the language models: instructions in Japanese, the report, and the paper's form of answer.

The answer is a JSON object with the sentences as keys, in order, and the codes of their labels as values, as in Kikuchi
et al. 2026. It is written by position, never through a dict: reports repeat sentences.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from ..errors import RadsentError

# Llama 3.2's template tells the model the date; labels must not hang on that of today. This is its own default.
DATE = "26 Jul 2024"
WORD_JOINER = "\u2060"  # has no width, and is in no special token


def render_prompt(tokenizer: Any, instructions: str, report: str) -> str:
    """Render all that stands before the answer, by the model's own chat template.

    tokenizer (PreTrainedTokenizerBase): Has a chat template. One that lets the model think first is told not to.
    instructions (str): See `questions.read_instructions`.
    report (str): The findings section, without special tokens (see `SpecialTokens`).
    RETURNS (str): The prompt.
    """
    if not tokenizer.chat_template:
        raise RadsentError(f"{tokenizer.name_or_path}: its tokenizer has no chat template: use a model that chats.")
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": f"所見: {report}"}]
    return tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, enable_thinking=False, date_string=DATE
    )


def render_answer(sentences: Sequence[str], codes: Sequence[int]) -> tuple[str, list[int]]:
    """Write the answer.

    sentences (Sequence[str]): The report's sentences.
    codes (Sequence[int]): Codes of their labels.
    RETURNS (Tuple[str, List[int]]): The JSON object, and the place of each code in it.
    """
    text = "{"
    places: list[int] = []
    for sentence, code in zip(sentences, codes, strict=True):
        text += f"{', ' if places else ''}{json.dumps(sentence, ensure_ascii=False)}: "
        places.append(len(text))
        text += str(code)
    return text + "}", places


class SpecialTokens:
    """Keeps what reads like a special token in a report, e.g. "<|im_end|>", plain text."""

    def __init__(self, tokenizer: Any) -> None:
        """tokenizer (PreTrainedTokenizerBase): Knows the special tokens, and others added to its vocabulary."""
        tokens = {token.strip() for token in tokenizer.get_added_vocab()} | set(tokenizer.all_special_tokens)
        ordered = sorted((token for token in tokens if len(token) > 1), key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, ordered)) or "(?!)")

    def break_up(self, text: str) -> str:
        """RETURNS (str): The text with a character of no width inside of each."""
        return self.pattern.sub(lambda match: match[0][0] + WORD_JOINER + match[0][1:], text)
