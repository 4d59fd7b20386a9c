"""The encoder in torch: trained by Thinc's optimizer, in single or mixed precision."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, torch2xp, xp2torch

from ...errors import RadsentError
from .checkpoint import Checkpoint, build_encoder
from .shim import Batch, EncoderSettings


class CoreVectors(torch.nn.Module):
    """Encode batches, keep the vectors of the core wordpieces only, and put these in order."""

    def __init__(self, encoder: Any, mixed_precision: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.mixed_precision = mixed_precision

    def forward(self, batches: list[Batch], order: Any) -> torch.Tensor:
        device = self.encoder.device
        parts = []
        for batch in batches:
            ids, mask, core = (torch.from_numpy(array).to(device) for array in batch)
            with torch.autocast(device.type, torch.bfloat16, enabled=self.mixed_precision):
                hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            parts.append(hidden[core.bool()].float())
        return torch.cat(parts)[torch.from_numpy(order).to(device)]


class TorchBackend(PyTorchShim):
    """See `shim.EncoderShim`, which holds it."""

    def __init__(self, encoder: Any, settings: EncoderSettings) -> None:
        if hasattr(encoder, "pooler"):
            encoder.pooler = None  # sentences are pooled, not sequences
        _freeze(encoder, settings)
        super().__init__(CoreVectors(encoder, settings.mixed_precision))
        self.settings = settings
        self.process = os.getpid()

    @classmethod
    def from_weights(cls, checkpoint: Checkpoint, weights: bytes, settings: EncoderSettings) -> "TorchBackend":
        """Build the encoder of a saved pipeline, in the precision that its weights have."""
        encoder = build_encoder(checkpoint)
        if hasattr(encoder, "pooler"):
            encoder.pooler = None
        try:
            tensors = load(weights)
            encoder.to(next(iter(tensors.values())).dtype).load_state_dict(tensors)
        except (SafetensorError, RuntimeError, StopIteration):
            raise RadsentError("The weights of the pipeline's encoder are damaged: copy the pipeline again.") from None
        return cls(encoder, settings)

    @property
    def encoder(self) -> Any:
        return self._model.encoder

    @property
    def is_trainable(self) -> bool:
        return self.encoder.dtype == torch.float32

    def __call__(self, inputs: tuple[list[Batch], Any], is_train: bool) -> tuple[Any, Callable]:
        if self.process != os.getpid():  # a worker: the threads of its parent did not survive the fork
            torch.set_num_threads(1)
        arguments = ArgsKwargs(args=inputs, kwargs={})
        if not is_train:
            return torch2xp(self.predict(arguments)), lambda d_vectors: []
        if not self.is_trainable:
            raise RadsentError("This pipeline's encoder is in half precision: train the one that it was made from.")
        vectors, backprop = self.begin_update(arguments)

        def backprop_vectors(d_vectors: Any) -> list:
            if vectors.requires_grad:  # unless all of the encoder is frozen
                backprop(ArgsKwargs(args=((vectors,),), kwargs={"grad_tensors": [xp2torch(d_vectors)]}))
            return []

        return torch2xp(vectors), backprop_vectors

    def finish_update(self, optimizer: Optimizer) -> None:
        rate = optimizer.learn_rate
        optimizer.learn_rate = rate * self.settings.learn_rate_factor
        super().finish_update(optimizer)
        optimizer.learn_rate = rate

    @contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Use averages of the weights. (Thinc's own looks for them under keys that its optimizer does not use.)"""
        averages = {
            name: params[self.id, name] for name, _ in self._model.named_parameters() if (self.id, name) in params
        }
        if not averages:
            yield
            return
        backup = {name: tensor.clone() for name, tensor in self._model.state_dict().items() if name in averages}
        self._model.load_state_dict({name: xp2torch(value) for name, value in averages.items()}, strict=False)
        yield
        self._model.load_state_dict(backup, strict=False)

    def to_bytes(self) -> bytes:
        return save({name: tensor.cpu().contiguous() for name, tensor in self.encoder.state_dict().items()})


def _freeze(encoder: Any, settings: EncoderSettings) -> None:
    layers = encoder.layers if hasattr(encoder, "layers") else encoder.encoder.layer
    if not 0 <= settings.freeze_layers <= len(layers):
        raise RadsentError(f"freeze_layers is {settings.freeze_layers}: the encoder has {len(layers)} layers.")
    frozen = list(layers[: settings.freeze_layers])
    if settings.freeze_embeddings or settings.freeze_layers:
        frozen.append(encoder.embeddings)
    for module in frozen:
        module.requires_grad_(False)
