"""The config of `radsent train-lora`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from spacy.util import load_config

from ..errors import RadsentError


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)  # else an option without a value would be 1


class Paths(Section):
    train: str
    dev: str


class BaseModelSettings(Section):
    name: str
    prompt: str
    device: str
    dtype: Literal["auto", "float32", "bfloat16", "float16"]
    load_in_4bit: bool | Literal["auto"]


class AdapterSettings(Section):
    r: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    target_modules: list[str] = Field(min_length=1)


class TrainingSettings(Section):
    loss: Literal["answer", "labels"]
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    accumulate_gradient: int = Field(ge=1)
    learn_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    max_length: int = Field(ge=1)
    gradient_checkpointing: bool
    seed: int = Field(ge=0)


class LoraSettings(Section):
    """All settings, by section of the config; configs/lora.cfg says what they mean."""

    paths: Paths
    model: BaseModelSettings
    adapter: AdapterSettings
    training: TrainingSettings


def read_lora_settings(path: Path, overrides: Mapping[str, Any]) -> LoraSettings:
    """Read a config.

    path (Path): The config, in spaCy's format.
    overrides (Mapping[str, Any]): Values by dotted name, in place of those of the file.
    RETURNS (LoraSettings): The settings.
    """
    if not path.is_file():
        raise RadsentError(f"{path}: no such config: start from configs/lora.cfg.")
    if unknown := sorted(set(overrides) - _known_names()):
        raise RadsentError(f"--{unknown[0]}: there is no such setting: see configs/lora.cfg.")
    try:
        config = load_config(path, overrides=dict(overrides), interpolate=True)
        return LoraSettings.model_validate(config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise RadsentError(f"{path}: {field} is {first['input']!r}: {first['msg']}; see configs/lora.cfg.") from None
    except ValueError as error:  # of the config's own syntax
        raise RadsentError(
            f"{path}: is no config ({type(error).__name__}): write sections and values as in configs/lora.cfg."
        ) from None


def _known_names() -> set[str]:
    sections: dict[str, type[Section]] = {
        "paths": Paths,
        "model": BaseModelSettings,
        "adapter": AdapterSettings,
        "training": TrainingSettings,
    }
    return {f"{name}.{key}" for name, section in sections.items() for key in section.model_fields}
