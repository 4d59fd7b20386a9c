"""Qwen's tokenizer, from the vocabulary in the wheel of dashscope, for machines that cannot reach the hub.

    pip download --no-deps dashscope && unzip dashscope-*.whl dashscope/resources/qwen.tiktoken
    python benchmarks/qwen_tokenizer.py dashscope/resources/qwen.tiktoken qwen_tokenizer

Vocabulary, special tokens and the rule that cuts a text are those of Qwen3; the chat template is ChatML with the empty
thoughts of Qwen3's own.
"""

import base64
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n\n</think>\n\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def build_tokenizer(vocabulary: Path) -> PreTrainedTokenizerFast:
    lines = vocabulary.read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, filter(None, lines))}
    letter = bytes_to_unicode()

    def written(token: bytes) -> str:
        return "".join(letter[byte] for byte in token)

    merges = []
    for token, rank in ranks.items():
        parts = [(token[:i], token[i:]) for i in range(1, len(token))]
        parts = [(a, b) for a, b in parts if a in ranks and b in ranks]
        merges += [(rank, ranks[a], ranks[b], written(a), written(b)) for a, b in parts]
    merges.sort()
    vocab = {written(token): rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab, [(a, b) for *_, a, b in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in ("<think>", "</think>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT
    )


if __name__ == "__main__":
    build_tokenizer(Path(sys.argv[1])).save_pretrained(sys.argv[2])
