"""Tiny encoders with random weights, as checkpoints on disk, and pipelines that learn the tiny reports with them."""

import subprocess
import unicodedata
from pathlib import Path

import sentencepiece
import torch
from processes import python_without
from spacy.util import load_config
from tiny import REPORTS, learn_reports
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    AlbertTokenizer,
    AutoModel,
    BertConfig,
    BertJapaneseTokenizer,
    DebertaV2Config,
    ElectraConfig,
    ModernBertConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

from spacy_radsent.classifier.transformer.layer import encoder_layers, encoder_shim
from spacy_radsent.corpus.docbin import blank_pipeline

KINDS = ("bert", "roberta", "modernbert", "xlm-roberta", "electra", "deberta-v2")
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
MIXED = Path(__file__).parents[1] / "configs/mixed.cfg"
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]


def save_checkpoint(kind: str, folder: Path) -> Path:
    """Write an encoder with random weights and a tokenizer that knows the tiny reports. RETURNS (Path): The folder."""
    tokenizer = {"bert": japanese_bert, "roberta": albert}.get(kind, byte_fallback)(folder)
    config = tiny_config(kind, len(tokenizer), tokenizer.pad_token_id)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_config(kind: str, vocab_size: int, pad: int) -> PretrainedConfig:
    shape = {"vocab_size": vocab_size, "pad_token_id": pad, **SHAPE}
    if kind == "modernbert":
        return ModernBertConfig(**shape, max_position_embeddings=1024, local_attention=16)
    config, positions = {
        "bert": (BertConfig, 512),
        "roberta": (RobertaConfig, 512 + pad + 1),
        "xlm-roberta": (XLMRobertaConfig, 512 + pad + 1),
        "electra": (ElectraConfig, 512),
        "deberta-v2": (DebertaV2Config, 512),
    }[kind]
    extra = {"embedding_size": 32} if kind == "electra" else {}
    return config(**shape, **extra, max_position_embeddings=positions)


def known_characters() -> list[str]:
    return sorted(set(unicodedata.normalize("NFKC", "".join("".join(REPORTS).split()))))


def japanese_bert(folder: Path) -> BertJapaneseTokenizer:
    """MeCab with unidic-lite, then wordpieces of a character each: slow, and without offsets."""
    characters = known_characters()
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{char}" for char in characters)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocab), encoding="utf-8")
    return BertJapaneseTokenizer(
        str(folder / "vocab.txt"),
        word_tokenizer_type="mecab",
        subword_tokenizer_type="wordpiece",
        mecab_kwargs={"mecab_dic": "unidic_lite"},
    )


def albert(folder: Path) -> AlbertTokenizer:
    """A SentencePiece unigram model in the format of its own library."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text("\n".join(REPORTS * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text.txt"),
        model_prefix=str(folder / "spiece"),
        vocab_size=130,
        hard_vocab_limit=False,
        character_coverage=1.0,
        user_defined_symbols=["[CLS]", "[SEP]", "[MASK]"],
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        pad_piece="<pad>",
        unk_piece="<unk>",
        minloglevel=2,
    )
    (folder / "text.txt").unlink()
    return AlbertTokenizer(str(folder / "spiece.model"), do_lower_case=False, keep_accents=True)


def byte_fallback(folder: Path) -> PreTrainedTokenizerFast:
    """Unigrams that spell what they do not know in bytes, several for a character."""
    characters = known_characters()
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", *characters, "結節", "認め", "ます。"]
    vocab = [(piece, -1.0) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(vocab, SPECIAL.index("<unk>"), byte_fallback=True))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=512,
    )


MIXER = {
    "@architectures": "spacy.MaxoutWindowEncoder.v2",
    "width": 16,
    "window_size": 1,
    "maxout_pieces": 3,
    "depth": 2,
}


def encoder_config(name, scheme="Sentence", **settings):
    """RETURNS (Dict): A model that reads reports by the scheme "Report", "Window", or "Sentence" (no neighbours)."""
    encoder = {"@architectures": f"spacy_radsent.{scheme}Encoder.v1", "name": str(name), **settings}
    if scheme == "Sentence":
        encoder |= {"@architectures": "spacy_radsent.WindowEncoder.v1", "before": 0, "after": 0}
    return {
        "@architectures": "spacy_radsent.EncoderClassifier.v1",
        "encoder": encoder,
        "pooling": {"@layers": "reduce_mean.v1"},
        "mixer": MIXER if scheme == "Sentence" else None,
    }


def make_encoder_pipeline(name, scheme="Sentence", **settings):
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config={"model": encoder_config(name, scheme, **settings)})
    return nlp


def narrow_words() -> dict:
    """RETURNS (dict): The CPU model of configs/mixed.cfg, narrower and without word vectors."""
    words = load_config(MIXED, interpolate=True)["components"]["radsent"]["model"]["words"]
    words["ngrams"].update({"width": 16, "rows": 2048})
    words["tok2vec"]["embed"]["embed"].update({"rows": [500, 100, 100, 500], "include_static_vectors": False})
    return words


def make_mixed_pipeline(checkpoint, **settings):
    model = {
        "@architectures": "spacy_radsent.MixedEnsemble.v1",
        "encoder": encoder_config(checkpoint),
        "words": narrow_words(),
    }
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config={"model": model, **settings})
    return nlp


def train_encoder(name, scheme="Sentence", steps=40, **settings):
    nlp = make_encoder_pipeline(name, scheme, **settings)
    learn_reports(nlp, learn_rate=0.003, steps=steps)
    return nlp


def shim_of(nlp):
    (layer,) = encoder_layers(nlp)
    return encoder_shim(layer)


OFFLINE = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import spacy
nlp = spacy.load(sys.argv[1])
doc = nlp(sys.argv[2])
print([span.label_ for span in doc.spans["radsent"]])
"""


def run_offline(python, folder, **options):
    """Load a pipeline in a process without network, and print the labels of the first report."""
    command = [*python, "-c", OFFLINE, str(folder), REPORTS[0]]
    return subprocess.run(command, capture_output=True, text=True, **options)


def run_without_torch(folder):
    return run_offline(python_without("torch", "spacy_transformers"), folder)
