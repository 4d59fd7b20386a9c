"""`radsent train-lora`: a corpus into a LoRA adapter of a language model."""

from pathlib import Path

import typer
from spacy.cli._util import parse_config_overrides

from ..errors import RadsentError, needs_extra
from .app import command


@command("train-lora", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train_lora(
    context: typer.Context,
    config: Path = typer.Argument(..., metavar="CONFIG", help="The settings, e.g. configs/lora.cfg."),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="Folder of the adapter, not there yet."),
    resume: bool = typer.Option(False, "--resume", help="Go on with a run that was cut off."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Put it in place of an adapter that is there."),
) -> None:
    """Train a LoRA adapter for `radsent_llm`.

    Any setting of the config can be given as an option, e.g. --model.name /models/Qwen3-0.6B --training.epochs 1.
    """
    from ..llm.lora_settings import read_lora_settings

    _refuse_stray(context.args)
    settings = read_lora_settings(config, parse_config_overrides(context.args))
    with needs_extra("llm"):
        from ..llm.lora import train_lora as train

    record = train(settings, output, resume, overwrite)
    print(f"{output}: an adapter for {record.base_model}, macro F1 {record.scores['macro_f1']:.3f} on dev")


def _refuse_stray(words: list[str]) -> None:
    """Say so where a word is neither --SECTION.NAME nor the value behind one."""
    awaited = False  # a value
    for word in words:
        is_option = word.startswith("--")
        if "." not in word.partition("=")[0] if is_option else not awaited:
            raise RadsentError(f"{word!r}: is no setting, nor the value of one: write e.g. --training.epochs 1.")
        awaited = is_option and "=" not in word
