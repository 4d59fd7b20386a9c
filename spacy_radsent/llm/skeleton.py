"""What a language model reads for a report: prompt and answer as tokens, with the places of the labels.

The sentences are known, so all of the answer is known but the labels. It is tokenized once as a whole, with the prompt
before it, since pieces tokenized apart can differ; the labels are found by their offsets.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from spacy.tokens import Span

from ..errors import RadsentError
from ..labels import Label
from ..questions import read_instructions
from .prompt import SpecialTokens, render_answer, render_prompt

PLACEHOLDER = Label.BACKGROUND


class Skeleton(NamedTuple):
    """Tokens of a prompt and its answer, up to the last label.

    ids (List[int]): The tokens. A label to find is the token of a placeholder.
    places (List[int]): Where in `ids` the labels to find are, in order.
    """

    ids: list[int]
    places: list[int]


class Answered(NamedTuple):
    """Tokens of a prompt and a whole answer.

    ids (List[int]): The tokens.
    places (List[int]): Where in `ids` the labels are, in order.
    start (int): Where in `ids` the answer starts.
    """

    ids: list[int]
    places: list[int]
    start: int


class SkeletonBuilder:
    """Lays out reports for a tokenizer."""

    def __init__(self, tokenizer: Any, prompt: str) -> None:
        """Wrap a tokenizer.

        tokenizer (PreTrainedTokenizerFast): Of a model that chats.
        prompt (str): Version of the prompt.
        """
        self.tokenizer = tokenizer
        if not tokenizer.is_fast:
            raise self._unfit("gives no offsets")
        self.instructions = read_instructions(prompt)
        self.special = SpecialTokens(tokenizer)
        self.label_ids = [self._label_id(label) for label in Label]
        rows = [self.build(report, [report]).ids for report in ("肝", "CT")]
        self.prefix = rows[0][: common_prefix(*rows)]

    def build(self, report: str, sentences: Sequence[str], known: Sequence[int] = ()) -> Skeleton:
        """Lay out a report.

        report (str): The text to show.
        sentences (Sequence[str]): Its sentences, at least one.
        known (Sequence[int]): Codes of the labels of the first sentences, where these are not to be found.
        RETURNS (Skeleton): The tokens; what follows the last label is left out.
        """
        codes = [*known, *[PLACEHOLDER] * (len(sentences) - len(known))]
        ids, places, _ = self.answer(report, sentences, codes)
        wrong = [i for i, place in enumerate(places) if ids[place] != self.label_ids[codes[i]]]
        if wrong:
            raise RadsentError(f"The label of sentence {wrong[0] + 1} is no token of its own: use another model.")
        return Skeleton(ids[: places[-1] + 1], places[len(known) :])

    def answer(self, report: str, sentences: Sequence[str], codes: Sequence[int]) -> Answered:
        """Lay out a report with its answer.

        report (str): The text to show.
        sentences (Sequence[str]): Its sentences, at least one.
        codes (Sequence[int]): Codes of their labels.
        RETURNS (Answered): The tokens, without one that ends the turn.
        """
        prompt = render_prompt(self.tokenizer, self.instructions, self.special.break_up(report))
        answer, offsets = render_answer([self.special.break_up(text) for text in sentences], codes)
        encoded = self.tokenizer(prompt + answer, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        ends = {end: i for i, (start, end) in enumerate(encoded["offset_mapping"]) if end > start}
        label_ends = [len(prompt) + offset + 1 for offset in offsets]
        if not ends.keys() >= set(label_ends):
            raise self._unfit("joins labels with what follows")
        start = min(i for end, i in ends.items() if end > len(prompt))
        return Answered(encoded["input_ids"], [ends[end] for end in label_ends], start)

    def _label_id(self, label: Label) -> int:
        """RETURNS (int): The token of a label's code, where only this token tells the codes apart."""
        (ids, (place,), _), (others, _, _) = (self.answer("肝", ["肝"], [code]) for code in (label, (label + 1) % 4))
        if len(ids) != len(others) or ids[:place] + ids[place + 1 :] != others[:place] + others[place + 1 :]:
            raise self._unfit("writes other labels in other ways")
        if ids[place] == others[place]:
            raise self._unfit(f"has no token of its own for the label {label.value}")
        return ids[place]

    def _unfit(self, why: str) -> RadsentError:
        return RadsentError(f"{self.tokenizer.name_or_path}: its tokenizer {why}: use another model.")


def text_of(sentences: list[Span]) -> str:
    """RETURNS (str): The text of a report from the first of these sentences to the last; "" without any."""
    if not sentences:
        return ""
    return sentences[0].doc.text[sentences[0].start_char : sentences[-1].end_char]


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """RETURNS (int): How many tokens two sequences have in common at their start."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
