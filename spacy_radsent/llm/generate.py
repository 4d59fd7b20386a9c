"""Generate mode: the model writes the answer, which is parsed. For comparison with Kikuchi et al. 2026."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from spacy.tokens import Span

from ..labeller import Labelled
from ..questions import read_instructions
from ..torch_setup import ForkGuard
from .batches import Batches, pad_left
from .model import load_model, load_tokenizer
from .parse import ParseCounts, fuller, labelled, parse_answer
from .prompt import SpecialTokens, render_answer, render_prompt
from .settings import LLMSettings
from .skeleton import text_of

# Room for an answer beyond the tokens that it needs: white space, a word too many.
SPARE_TOKENS = 32


class Question(NamedTuple):
    """A report as a model is asked about it.

    ids (List[int]): Tokens of the prompt.
    sentences (List[str]): The keys that the answer should have.
    room (int): Tokens that the answer may take.
    """

    ids: list[int]
    sentences: list[str]
    room: int

    @property
    def length(self) -> int:
        """RETURNS (int): Tokens of prompt and answer, at most."""
        return len(self.ids) + self.room


class GenerateReader:
    """Labels reports by parsing what a model writes. A sentence that got no label has the status "error".

    There are no probabilities. `counts` counts what could not be parsed.
    """

    def __init__(self, settings: LLMSettings, tokenizer: Any, model: Any) -> None:
        """Wrap a model.

        settings (LLMSettings): Bounds on memory and attempts.
        tokenizer (PreTrainedTokenizerBase): Its tokenizer, which can pad.
        model (PreTrainedModel): A causal language model.
        """
        self.settings = settings
        self.tokenizer = tokenizer
        self.instructions = read_instructions(settings.prompt)
        self.special = SpecialTokens(tokenizer)
        self.model = model
        self.batches = Batches(settings.max_batch_tokens)
        self.max_length = min(settings.max_length, model.config.max_position_embeddings)
        self.fork_guard = ForkGuard()
        self.counts = ParseCounts()

    @classmethod
    def load(cls, settings: LLMSettings) -> "GenerateReader":
        """settings (LLMSettings): The model, which is loaded now."""
        return cls(settings, load_tokenizer(settings.model), load_model(settings))

    def __call__(self, reports: Sequence[list[Span]]) -> list[Labelled]:
        """Label reports.

        reports (Sequence[List[Span]]): The sentences of each, at least one.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        self.fork_guard.check(self.model.device)
        questions = [self._question(sentences) for sentences in reports]
        codes: list[list[int | None]] = [[None] * len(sentences) for sentences in reports]
        for attempt in range(self.settings.attempts):
            # One that is too long for the model stays without labels: an answer beyond its context means nothing.
            failed = [i for i, row in enumerate(codes) if None in row and questions[i].length <= self.max_length]
            asked = [questions[i] for i in failed]
            lengths = [question.length for question in asked]
            answers = self.batches.run(asked, lengths, partial(self._generate, sample=attempt > 0))
            for i, answer in zip(failed, answers, strict=True):
                codes[i] = fuller(codes[i], parse_answer(answer, questions[i].sentences))
        results = [labelled(sentences, row) for sentences, row in zip(reports, codes, strict=True)]
        for result in results:
            self.counts.add(result)
        return results

    def _question(self, sentences: list[Span]) -> Question:
        texts = [self.special.break_up(sentence.text) for sentence in sentences]
        prompt = render_prompt(self.tokenizer, self.instructions, self.special.break_up(text_of(sentences)))
        answer, _ = render_answer(texts, [0] * len(texts))
        ids, answer_ids = self.tokenizer([prompt, answer], add_special_tokens=False, verbose=False)["input_ids"]
        return Question(ids, texts, len(answer_ids) + SPARE_TOKENS)

    @torch.inference_mode()
    def _generate(self, questions: list[Question], sample: bool) -> list[str]:
        ids, mask = pad_left([question.ids for question in questions], self.tokenizer.pad_token_id)
        written = self.model.generate(
            input_ids=ids.to(self.model.device),
            attention_mask=mask.to(self.model.device),
            max_new_tokens=max(question.room for question in questions),
            do_sample=sample,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        return self.tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
