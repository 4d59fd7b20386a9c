"""Loading a causal language model with its adapter and tokenizer: safetensors alone, and no code of theirs."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ..errors import RadsentError, needs_extra
from ..pretrained import explained, read_config
from .adapter import check_adapter
from .settings import LLMSettings

# Those that the tests run.
SUPPORTED = ("qwen3", "llama")


def load_tokenizer(name: str) -> Any:
    """RETURNS (PreTrainedTokenizerBase): The tokenizer of a model; it can pad."""
    tokenizer = explained(name, "tokenizer", AutoTokenizer.from_pretrained, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(settings: LLMSettings) -> Any:
    """Load a model for inference. The hub is asked where `name` is no folder and not in the local cache.

    settings (LLMSettings): Which.
    RETURNS (PreTrainedModel): The model on its device; an adapter is merged unless the model is in 4 bits.
    """
    name = settings.model
    device = _find_device(settings.device)
    read_config(name, SUPPORTED)
    options: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    if settings.load_in_4bit:
        options["quantization_config"] = _four_bits(device)
        options["device_map"] = {"": device}
    options["torch_dtype"] = settings.dtype if settings.dtype == "auto" else getattr(torch, settings.dtype)
    model = explained(name, "weights", AutoModelForCausalLM.from_pretrained, **options)
    if not settings.load_in_4bit:
        model = model.to(device)
    if settings.adapter is not None:
        model = _with_adapter(model, settings)
    return model.eval()


def _find_device(name: str) -> str:
    """RETURNS (str): A device that is there: the one of this name, or for "auto" a GPU if there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):  # no name of a device; none of this name; torch was built without it
        raise RadsentError(
            f"device is {name!r}, which torch cannot use here: set 'auto', 'cpu', or a GPU that is there, as 'cuda' "
            f"or 'cuda:1'."
        ) from None
    return name


def has_four_bits() -> bool:
    """RETURNS (bool): Whether the package for models in 4 bits is installed."""
    return importlib.util.find_spec("bitsandbytes") is not None


def _four_bits(device: str) -> Any:
    if not device.startswith("cuda") or not torch.cuda.is_available():
        raise RadsentError("load_in_4bit needs a GPU, and none is at hand: set load_in_4bit = false.")
    if not has_four_bits():
        raise RadsentError("load_in_4bit needs bitsandbytes, which is not installed: pip install bitsandbytes.")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _with_adapter(model: Any, settings: LLMSettings) -> Any:
    with needs_extra("llm"):
        from peft import PeftConfig, PeftModel

    adapter = str(settings.adapter)
    folder = Path(adapter)
    if not (folder / "adapter_config.json").is_file() or not (folder / "adapter_model.safetensors").is_file():
        raise RadsentError(
            f"{adapter}: holds no adapter (adapter_config.json and adapter_model.safetensors): "
            f"give the folder that 'radsent train-lora' wrote."
        )
    base = explained(adapter, "adapter_config.json", PeftConfig.from_pretrained).base_model_name_or_path
    check_adapter(folder, model, settings)
    try:
        adapted = PeftModel.from_pretrained(model, adapter, torch_device=str(model.device))
    except (RuntimeError, ValueError, KeyError) as error:
        raise RadsentError(
            f"{adapter}: does not fit {settings.model} ({type(error).__name__}): it was trained for {base}, "
            f"use it with that."
        ) from None
    if settings.load_in_4bit:  # merging would round what the adapter learned
        return adapted.get_base_model()
    return adapted.merge_and_unload(safe_merge=True)
