"""The encoder in 8-bit integers on ONNX Runtime: the fast way on a CPU, for inference only and without torch."""

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
from thinc.api import Optimizer, Shim

from ...errors import RadsentError
from .shim import Batch

INPUTS = ("input_ids", "attention_mask")


class OnnxBackend(Shim):
    """See `shim.EncoderShim`, which holds it."""

    # About one report: more at once take longer, since their attention does not fit the processor's cache.
    max_batch_pieces = 512

    def __init__(self, graph: bytes) -> None:
        super().__init__(None)
        self.graph = graph
        # By process: the threads of a session do not survive a fork, and to let go of it there would wait for them.
        self.sessions: dict[int, Any] = {}
        self.process = os.getpid()

    def _session(self) -> Any:
        process = os.getpid()
        if process not in self.sessions:
            options = onnxruntime.SessionOptions()
            options.enable_cpu_mem_arena = False  # the arena keeps what the longest report ever took
            if process != self.process:  # a worker, one of several
                options.intra_op_num_threads = 1
            try:
                session = onnxruntime.InferenceSession(
                    self.graph,
                    options,
                    providers=["CPUExecutionProvider"],
                    disabled_optimizers=["SkipLayerNormFusion"],  # the fused operator takes four times as long
                )
            except Exception:
                raise RadsentError("The pipeline's encoder is damaged: copy the pipeline again.") from None
            self.sessions[process] = session
        return self.sessions[process]

    def __call__(self, inputs: tuple[list[Batch], Any], is_train: bool) -> tuple[Any, Callable]:
        if is_train:
            raise RadsentError("This pipeline was optimized for inference: train the one that it was made from.")
        batches, order = inputs
        session = self._session()
        parts = []
        for batch in batches:
            (hidden,) = session.run(None, dict(zip(INPUTS, (batch.ids, batch.mask), strict=True)))
            parts.append(hidden[batch.core.astype(bool)])
        return numpy.concatenate(parts)[order], lambda d_vectors: []

    def finish_update(self, optimizer: Optimizer) -> None:
        """Do nothing: it cannot be trained."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """Stay on the CPU."""

    def to_bytes(self) -> bytes:
        return self.graph

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sessions": {}}


def quantize(encoder: Any) -> bytes:
    """Export an encoder and quantize its weights to 8 bits, its activations as they come ("dynamic").

    encoder (torch.nn.Module): An encoder of transformers.
    RETURNS (bytes): The ONNX graph.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class LastHiddenState(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            positions = {}
            if encoder.config.model_type == "modernbert":  # ONNX Runtime needs its angles for each row of a batch
                positions["position_ids"] = torch.arange(input_ids.shape[1]).expand_as(input_ids)
            return self.encoder(input_ids=input_ids, attention_mask=attention_mask, **positions).last_hidden_state

    ids = torch.ones((2, 16), dtype=torch.int64)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    with tempfile.TemporaryDirectory() as folder, _quiet():
        whole, small = Path(folder) / "encoder.onnx", Path(folder) / "int8.onnx"
        torch.onnx.export(
            LastHiddenState().eval(),
            (ids, torch.ones_like(ids)),  # the same tensor twice would become one input
            str(whole),
            input_names=list(INPUTS),
            output_names=["last_hidden_state"],
            dynamic_shapes=dict.fromkeys(INPUTS, shape),
            dynamo=True,
            opset_version=23,  # the first with attention as one operator
            external_data=False,
            verbose=False,
        )
        # A scale for each channel keeps most of what one for all loses; with 7 bits of the 8 no processor overflows.
        quantize_dynamic(
            whole,
            small,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
        return small.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hush the exporter's warnings: they are of its own parts, and of what it cannot see in an encoder anyway."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
