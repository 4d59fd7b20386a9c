"""Generate mode: the model writes the answer, which is parsed. For comparison with Kikuchi et al. 2026."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from spacy.tokens import Span

from ..batching import group_by_length
from ..labeller import Labelled
from ..labels import LABELS
from .model import load_model, load_tokenizer
from .parse import parse_answer
from .prompt import SpecialTokens, read_instructions, render_answer, render_prompt
from .settings import LLMSettings
from .skeleton import text_of

# Room for an answer beyond the tokens that it needs: white space, a word too many.
SPARE_TOKENS = 32


@dataclass
class ParseCounts:
    """How many reports and sentences were asked about, and how many got no label since the answer held none."""

    reports: int = 0
    failed_reports: int = 0
    sentences: int = 0
    failed_sentences: int = 0


class GenerateReader:
    """Labels reports by parsing what a model writes. A sentence that got no label has the status "error".

    There are no probabilities. `counts` counts what could not be parsed.
    """

    def __init__(self, settings: LLMSettings) -> None:
        """settings (LLMSettings): The model, which is loaded now."""
        self.settings = settings
        self.tokenizer = load_tokenizer(settings.model)
        self.instructions = read_instructions(settings.prompt)
        self.special = SpecialTokens(self.tokenizer)
        self.model = load_model(settings)
        self.counts = ParseCounts()

    def __call__(self, reports: Sequence[list[Span]]) -> list[Labelled]:
        """Label reports.

        reports (Sequence[List[Span]]): The sentences of each, at least one.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        texts = [[self.special.break_up(sentence.text) for sentence in sentences] for sentences in reports]
        prompts = [
            render_prompt(self.tokenizer, self.instructions, self.special.break_up(text_of(sentences)))
            for sentences in reports
        ]
        codes: list[list[int | None]] = [[None] for _ in reports]
        for attempt in range(self.settings.attempts):
            failed = [i for i, row in enumerate(codes) if None in row]
            for group in self._groups([prompts[i] + render_answer(texts[i], [0] * len(texts[i]))[0] for i in failed]):
                chosen = [failed[k] for k in group]
                answers = self._generate([prompts[i] for i in chosen], [texts[i] for i in chosen], sample=attempt > 0)
                for i, answer in zip(chosen, answers, strict=True):
                    codes[i] = parse_answer(answer, texts[i])
        for row in codes:
            self.counts.reports += 1
            self.counts.failed_reports += None in row
            self.counts.sentences += len(row)
            self.counts.failed_sentences += row.count(None)
        return [labelled(sentences, row) for sentences, row in zip(reports, codes, strict=True)]

    def _groups(self, texts: list[str]) -> list[list[int]]:
        lengths = [len(ids) for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []
        return group_by_length(lengths, self.settings.max_batch_tokens, self.settings.max_batch_tokens // 8)

    @torch.inference_mode()
    def _generate(self, prompts: list[str], texts: list[list[str]], sample: bool) -> list[str]:
        answers = [render_answer(sentences, [0] * len(sentences))[0] for sentences in texts]
        room = max(len(ids) for ids in self.tokenizer(answers, add_special_tokens=False)["input_ids"]) + SPARE_TOKENS
        inputs = self.tokenizer(
            prompts,
            add_special_tokens=False,
            return_token_type_ids=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(self.model.device)
        written = self.model.generate(
            **inputs,
            max_new_tokens=room,
            do_sample=sample,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        return self.tokenizer.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def labelled(sentences: list[Span], codes: list[int | None]) -> Labelled:
    """RETURNS (Labelled): Sentences with the labels of these codes; None is an error."""
    labels = ["" if code is None else LABELS[code] for code in codes]
    statuses = ["error" if code is None else "ok" for code in codes]
    return Labelled(sentences, labels, [None] * len(sentences), statuses)
