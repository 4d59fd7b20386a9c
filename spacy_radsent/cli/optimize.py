"""`radsent optimize`: a trained pipeline with a transformer into one that labels faster."""

from enum import Enum
from pathlib import Path

import typer

from ..classifier.transformer.layer import encoder_layers, encoder_shim
from ..errors import RadsentError
from ..files import refuse_existing
from ..pipelines import check_copy, load_pipeline, save_pipeline
from .app import command


class Precision(str, Enum):
    int8 = "int8"
    bfloat16 = "bfloat16"


@command("optimize")
def optimize(
    pipeline: Path = typer.Argument(..., metavar="PIPELINE", help="Folder of a trained pipeline with a transformer."),
    output: Path = typer.Argument(..., metavar="OUTPUT", help="Folder to write, not there yet."),
    precision: Precision = typer.Option(
        Precision.int8, help="int8: for CPUs, runs on ONNX Runtime without torch. bfloat16: half the memory, for GPUs."
    ),
) -> None:
    """Make a pipeline for inference alone: its encoder in fewer bits, all else as it is.

    Evaluate both before you use it: radsent evaluate PIPELINE corpus/test.jsonl
    """
    refuse_existing(output)
    check_copy(pipeline, output)
    nlp = load_pipeline(str(pipeline))
    layers = encoder_layers(nlp)
    if not layers:
        raise RadsentError(f"{pipeline}: has no encoder to optimize: the CPU pipeline is fast as it is.")
    for layer in layers:
        encoder_shim(layer).optimize(precision.value)
    save_pipeline(nlp, pipeline, output)
    print(f"{output}: the pipeline in {precision.value}")
