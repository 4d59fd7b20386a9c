"""Reading models of transformers, from a folder or the hub: a clear word on what is wrong, and no code of theirs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import RadsentError

DOWNLOAD = "on a machine with network run 'hf download {name} --local-dir FOLDER', copy FOLDER here and give its path"


def read_config(name: str, supported: Sequence[str]) -> Any:
    """Read the configuration of a model, if it is of a supported type.

    name (str): A folder, or the name of a model on the Hugging Face hub.
    supported (Sequence[str]): Types of models.
    RETURNS (PretrainedConfig): The configuration.
    """
    from transformers import AutoConfig, PretrainedConfig

    raw, _ = explained(name, "config.json", PretrainedConfig.get_config_dict)
    if not raw:
        raise RadsentError(f"{name}: holds no config.json: give the folder of a checkpoint of transformers.")
    model_type = raw.get("model_type")
    if model_type not in supported:
        if "auto_map" in raw:
            raise RadsentError(f"{name}: needs code of its own, which is never run: use one of {', '.join(supported)}.")
        raise RadsentError(f"{name}: is of the type {model_type!r}: use one of {', '.join(supported)}.")
    return explained(name, "config.json", AutoConfig.from_pretrained, trust_remote_code=False)


def explained(name: str, part: str, load: Any, **settings: Any) -> Any:
    """Call one of transformers' loaders; say in one sentence what is wrong and what to do."""
    from safetensors import SafetensorError

    path = Path(name)
    is_path = path.exists() or path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1
    if not name or (is_path and not path.is_dir()):
        raise RadsentError(
            f"{name or repr(name)}: no such folder: give the folder of a checkpoint, or a model's name on the hub."
        )
    try:
        return load(name, **settings)
    except ImportError as error:
        package = getattr(error, "name", None) or "a package"
        raise RadsentError(
            f'{name}: its {part} needs {package}, which is not installed: pip install "spacy-radsent[transformers]".'
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        message = str(error)
        if "trust_remote_code" in message:
            raise RadsentError(
                f"{name}: its {part} needs code of its own, which is never run: use another model."
            ) from error
        if path.is_dir():
            raise RadsentError(
                f"{name}: its {part} is missing or cannot be read ({type(error).__name__}): "
                f"copy all files of the checkpoint into the folder."
            ) from error
        raise RadsentError(
            f"{name}: no such folder, and no such model on the hub or the hub cannot be reached "
            f"({type(error).__name__}): {DOWNLOAD.format(name=name)}."
        ) from error
