"""Tiny language models with random weights, as checkpoints on disk, with byte-level tokenizers like Qwen's."""

from pathlib import Path

import torch
from click.testing import Result
from corpus.nasty_texts import NASTY_TEXTS
from spacy.language import Language
from tiny import GOLD, REPORTS, gold_doc
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, PreTrainedTokenizerFast, Qwen3Config
from typer.testing import CliRunner

from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import blank_pipeline, doc_to_record
from spacy_radsent.corpus.records import write_records
from spacy_radsent.labels import Label
from spacy_radsent.llm.prompt import render_answer, render_prompt
from spacy_radsent.llm.skeleton import SkeletonBuilder
from spacy_radsent.questions import read_instructions
from spacy_radsent.spans import trimmed_sentences

KINDS = ("qwen3", "llama")
# How Qwen and Llama 3 cut a text before their merges: Qwen takes digits one by one, Llama up to three.
CUT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
LORA_CONFIG = Path(__file__).parents[1] / "configs/lora.cfg"
LORA_SHAPE = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "initializer_range": 0.02}
LORA_FAST = {
    "training.epochs": 3,
    "training.learn_rate": 0.004,
    "training.accumulate_gradient": 1,
    "training.batch_size": 3,
    "adapter.r": 32,
    "adapter.alpha": 64,
    "adapter.dropout": 0.0,
}


def make_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    digits = "{1,3}" if kind == "llama" else ""
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CUT.replace("DIGITS", digits)), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [read_instructions("ja_v1"), *REPORTS, *NASTY_TEXTS.values()]
    tokenizer.train_from_iterator([text for text in texts if len(text) < 5000], trainer)
    tokenizer.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT
    )


def save_llm(kind: str, folder: Path, seed: int = 0, **shape: float) -> Path:
    """Write a language model with random weights and its tokenizer. RETURNS (Path): The folder."""
    tokenizer = make_tokenizer(kind)
    config = {"qwen3": Qwen3Config, "llama": LlamaConfig}[kind](
        vocab_size=len(tokenizer), **{"initializer_range": 0.3, **SHAPE, **shape}
    )
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_llm_pipeline(folder: Path, **settings: object) -> Language:
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent_llm", config={"model": str(folder), **settings})
    return nlp


def memorize_reports(
    folder: Path, gold: list[str] = GOLD, steps: int = 80, learn_rate: float = 0.01, device: str = "cpu"
) -> None:
    """Train a language model, all of its weights, to answer for the tiny reports; keeps it in its folder."""
    builder = SkeletonBuilder(AutoTokenizer.from_pretrained(folder), "ja_v1")
    model = AutoModelForCausalLM.from_pretrained(folder).to(device)
    splitter = blank_pipeline()
    splitter.add_pipe("radsent_sentencizer")
    optimizer = torch.optim.AdamW(model.parameters(), lr=learn_rate)
    rows = []
    for text, labels in zip(REPORTS, gold, strict=True):
        sentences = [sentence.text for sentence in trimmed_sentences(splitter(text))]
        codes = [Label[name] for name in labels.split()]
        prompt = render_prompt(builder.tokenizer, builder.instructions, text)
        answer = render_answer(sentences, codes)[0] + builder.tokenizer.eos_token
        ids = builder.tokenizer(prompt + answer, add_special_tokens=False)["input_ids"]
        asked = len(builder.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        rows.append([torch.tensor([row], device=device) for row in (ids, [-100] * asked + ids[asked:])])
    for _ in range(steps):
        for ids, labels in rows:
            model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)


def write_lora_corpus(folder: Path) -> Path:
    """Write the tiny reports, 40 times in train, as files. RETURNS (Path): Their folder."""
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    docs = [gold_doc(nlp, text, gold.split()) for text, gold in zip(REPORTS, GOLD, strict=True)]
    for part, copies in {"train": 40, "dev": 1}.items():
        records = [doc_to_record(doc, f"{i}-{k}", {}) for k in range(copies) for i, doc in enumerate(docs)]
        write_records(records, folder / f"{part}.jsonl")
    return folder


def train_lora(base: Path, corpus: Path, output: Path, *flags: str, **overrides: object) -> Result:
    settings = {"paths.train": corpus / "train.jsonl", "paths.dev": corpus / "dev.jsonl", "model.name": base}
    options = [part for name, value in {**settings, **overrides}.items() for part in (f"--{name}", str(value))]
    return CliRunner().invoke(app, ["train-lora", str(LORA_CONFIG), str(output), *flags, *options])
