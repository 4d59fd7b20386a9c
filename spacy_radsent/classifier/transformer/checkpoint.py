"""Pretrained encoders: read from a folder or by name, with a clear word on what is wrong; kept in a pipeline."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import RadsentError
from ...pretrained import explained, read_config

# Those that the tests run; others may number their positions otherwise.
SUPPORTED = ("bert", "roberta", "xlm-roberta", "modernbert", "electra", "deberta-v2")
# These keep the first positions, up to the one of padding, for themselves.
POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta")


class Checkpoint(NamedTuple):
    """What it takes to build an encoder again: its configuration, and the files of its tokenizer."""

    config: dict[str, Any]
    tokenizer_files: dict[str, bytes]

    @property
    def max_length(self) -> int:
        """RETURNS (int): The longest sequence that the encoder takes, in wordpieces."""
        positions = self.config["max_position_embeddings"]
        if self.config["model_type"] in POSITIONS_AFTER_PADDING:
            positions -= self.config["pad_token_id"] + 1
        return positions


def load_pretrained(name: str, config: dict[str, Any]) -> tuple[Checkpoint, Any]:
    """Read a pretrained encoder. The hub is asked where `name` is no folder and the model is not in its local cache.

    name (str): A folder, or the name of a model on the Hugging Face hub.
    config (Dict[str, Any]): Settings that replace those of the checkpoint, e.g. dropout rates, fewer layers.
    RETURNS (Tuple[Checkpoint, torch.nn.Module]): The checkpoint, and the encoder with its weights.
    """
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    name = os.path.expanduser(name)
    settings = read_config(name, SUPPORTED)
    tokenizer = explained(name, "tokenizer", AutoTokenizer.from_pretrained, trust_remote_code=False)
    # A table of embeddings may be padded to a round number, but not by much.
    if not 0.9 * settings.vocab_size <= len(tokenizer) <= settings.vocab_size:
        raise RadsentError(
            f"{name}: its tokenizer has {len(tokenizer)} entries, its weights are made for {settings.vocab_size}: "
            f"put the tokenizer and the weights of one model together."
        )
    if config.get("num_hidden_layers", 0) > settings.num_hidden_layers:
        raise RadsentError(
            f"layers is {config['num_hidden_layers']}: {name} has {settings.num_hidden_layers}: give no more than that."
        )
    settings.update(config)
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # that the weights of a pooler are missing, which is not used
    try:
        encoder, loaded = explained(
            name,
            "weights",
            AutoModel.from_pretrained,
            config=_plain(settings),
            trust_remote_code=False,
            output_loading_info=True,
        )
    finally:
        logging.set_verbosity(verbosity)
    if missing := [key for key in loaded["missing_keys"] if not key.startswith("pooler.")]:
        raise RadsentError(
            f"{name}: its weights lack {len(missing)} tensors of the encoder, e.g. {missing[0]}: "
            f"its config.json is of another model; get both from one source."
        )
    return Checkpoint(settings.to_dict(), _saved_files(tokenizer)), _without_pooler(encoder)


def build_encoder(checkpoint: Checkpoint) -> Any:
    """RETURNS (torch.nn.Module): An encoder with random weights, to load the saved ones into."""
    from transformers import AutoModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    settings = CONFIG_MAPPING[_known_type(checkpoint)].from_dict(dict(checkpoint.config))
    return _without_pooler(AutoModel.from_config(_plain(settings)))


def _without_pooler(encoder: Any) -> Any:
    if hasattr(encoder, "pooler"):
        encoder.pooler = None  # sentences are pooled, not sequences
    return encoder


def _plain(settings: Any) -> Any:
    """RETURNS (PretrainedConfig): The settings, without what ModernBERT turns on where it finds it installed."""
    if settings.model_type == "modernbert":
        settings.reference_compile = False  # with texts of all lengths, compiling would never end
        settings._attn_implementation = "sdpa"  # flash-attn fails on a CPU
    return settings


def build_tokenizer(checkpoint: Checkpoint) -> Any:
    """RETURNS (PreTrainedTokenizerBase): The tokenizer, from its files alone."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        for name, data in checkpoint.tokenizer_files.items():
            if name != os.path.basename(name):
                raise RadsentError("The pipeline holds a tokenizer file outside of its folder: do not use it.")
            (Path(folder) / name).write_bytes(data)
        # Tokenizers that do not name their class are found by the type of the model.
        (Path(folder) / "config.json").write_text(json.dumps({"model_type": _known_type(checkpoint)}), encoding="utf-8")
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _known_type(checkpoint: Checkpoint) -> str:
    model_type = checkpoint.config.get("model_type")
    if model_type not in SUPPORTED:
        raise RadsentError(f"The pipeline holds an encoder of the type {model_type!r}: use {', '.join(SUPPORTED)}.")
    return model_type


def _saved_files(tokenizer: Any) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.is_file()}
