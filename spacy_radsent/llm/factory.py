"""The factory of the `radsent_llm` component."""

import os
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from spacy.language import Language

from ..endpoint_settings import EndpointSettings
from ..labels import SPANS_KEY
from .component import RadsentLLM
from .settings import LLMSettings

DEFAULT_CONFIG: dict[str, Any] = {
    **{field.name: field.default for field in fields(LLMSettings) if field.name != "model"},
    "spans_key": SPANS_KEY,
    "scorer": {"@scorers": "spacy_radsent.label_scorer.v1"},
}


@Language.factory(
    "radsent_llm",
    requires=["doc.sents"],
    assigns=["doc.spans"],
    default_config=DEFAULT_CONFIG,
)
def make_llm(
    nlp: Language,
    name: str,
    model: str,
    adapter: str | None,
    mode: str,
    dtype: str,
    device: str,
    load_in_4bit: bool,
    prompt: str,
    max_length: int,
    max_batch_tokens: int,
    attempts: int,
    endpoint: dict[str, Any] | None,
    spans_key: str,
    scorer: Callable | None,
) -> RadsentLLM:
    """Build a `radsent_llm`.

    model (str): Folder of a causal language model (Qwen3, Llama), or its name on the Hugging Face hub. Loaded with the
        first report.
    adapter (Optional[str]): Folder of a LoRA adapter for it.
    mode (str): "score" reads labels from the known answer (see `score`), "generate" lets the model write the answer
        and parses it, as in Kikuchi et al. 2026 (see `generate`), "endpoint" asks a server (see `endpoint`); then
        `model` is its name there, and what follows from `dtype` on to `max_batch_tokens` is of no effect but `prompt`.
    dtype (str): "auto" (the checkpoint's), "float32", "bfloat16", "float16" or "float64".
    device (str): "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1" and so on.
    load_in_4bit (bool): Hold the model in 4 bits: needs a GPU and bitsandbytes.
    prompt (str): Version of the prompt.
    max_length (int): Tokens of prompt and answer at most; a longer report is read in parts in score mode.
    max_batch_tokens (int): Tokens to hold at once, of prompts and answers: bounds the memory.
    attempts (int): Answers to ask for in generate and endpoint mode until one can be parsed; those after the first are
        sampled.
    endpoint (Optional[Dict[str, Any]]): The server of endpoint mode; see `endpoint_settings.EndpointSettings`.
    spans_key (str): Key of the span group to write.
    scorer (Optional[Callable]): See `classifier.scorer.label_score`.
    """
    settings = LLMSettings(
        os.path.expanduser(model),
        None if adapter is None else os.path.expanduser(adapter),
        mode,
        dtype,
        device,
        load_in_4bit,
        prompt,
        max_length,
        max_batch_tokens,
        attempts,
        None if endpoint is None else EndpointSettings.read(endpoint),
    )
    return RadsentLLM(name, settings, spans_key=spans_key, scorer=scorer)
