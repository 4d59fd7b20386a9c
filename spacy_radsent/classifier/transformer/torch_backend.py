"""The encoder in torch: trained by Thinc's optimizer, in single or mixed precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, torch2xp, xp2torch

from ...errors import RadsentError
from ...torch_setup import ForkGuard
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
        _freeze(encoder, settings)
        super().__init__(CoreVectors(encoder, settings.mixed_precision))
        self.settings = settings
        self.max_batch_pieces = settings.max_batch_pieces
        self.fork_guard = ForkGuard()

    @classmethod
    def from_weights(cls, checkpoint: Checkpoint, weights: bytes, settings: EncoderSettings) -> "TorchBackend":
        """Build the encoder of a saved pipeline, in the precision that its weights have."""
        encoder = build_encoder(checkpoint)
        try:
            tensors = load(weights)
            _cast(encoder, next(iter(tensors.values())).dtype)
            encoder.load_state_dict(tensors)
        except (SafetensorError, RuntimeError, StopIteration) as error:
            raise RadsentError("The weights of the pipeline's encoder are damaged: copy the pipeline again.") from error
        return cls(encoder, settings)

    def to_bfloat16(self) -> None:
        """Keep the weights in half precision from now on. It cannot be trained then."""
        _cast(self.encoder, torch.bfloat16)

    @property
    def encoder(self) -> Any:
        return self._model.encoder

    @property
    def is_trainable(self) -> bool:
        return self.encoder.dtype == torch.float32

    def __call__(self, inputs: tuple[list[Batch], Any], is_train: bool) -> tuple[Any, Callable]:
        self.fork_guard.check(self.encoder.device)
        arguments = ArgsKwargs(args=inputs, kwargs={})
        if not is_train:
            return torch2xp(self.predict(arguments)), lambda d_vectors: []
        if not self.is_trainable:
            raise RadsentError("This pipeline's encoder is in half precision: train the one that it was made from.")
        vectors, backprop = self.begin_update(arguments)

        def backprop_vectors(d_vectors: Any) -> list:
            if vectors.requires_grad:  # unless all of the encoder is frozen
                backprop(
                    ArgsKwargs(
                        args=((vectors,),), kwargs={"grad_tensors": [xp2torch(d_vectors, device=vectors.device)]}
                    )
                )
            return []

        return torch2xp(vectors), backprop_vectors

    def predict(self, inputs: ArgsKwargs) -> Any:
        # Not set back for training after, as Thinc does: another thread may be predicting.
        self._model.eval()
        with torch.no_grad():
            return self._model(*inputs.args, **inputs.kwargs)

    def finish_update(self, optimizer: Optimizer) -> None:
        rate = optimizer.learn_rate
        optimizer.learn_rate = rate * self.settings.learn_rate_factor
        try:
            super().finish_update(optimizer)
        finally:
            optimizer.learn_rate = rate

    @contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Use averages of the weights. (Thinc's own looks for them under keys that its optimizer does not use.)"""
        averages = {
            name: xp2torch(params[self.id, name], device=self.device)
            for name, _ in self._model.named_parameters()
            if (self.id, name) in params
        }
        if not averages:
            yield
            return
        backup = {name: tensor.clone() for name, tensor in self._model.state_dict().items() if name in averages}
        self._model.load_state_dict(averages, strict=False)
        yield
        self._model.load_state_dict(backup, strict=False)

    def to_bytes(self) -> bytes:
        return save({name: tensor.cpu().contiguous() for name, tensor in self.encoder.state_dict().items()})


def _cast(encoder: Any, dtype: torch.dtype) -> None:
    # Not the buffers: in half precision ModernBERT's angles of rotation are off by up to half a radian.
    for parameter in encoder.parameters():
        parameter.data = parameter.data.to(dtype)


def _freeze(encoder: Any, settings: EncoderSettings) -> None:
    layers = encoder.layers if hasattr(encoder, "layers") else encoder.encoder.layer
    if not 0 <= settings.freeze_layers <= len(layers):
        raise RadsentError(f"freeze_layers is {settings.freeze_layers}: the encoder has {len(layers)} layers.")
    frozen = list(layers[: settings.freeze_layers])
    if settings.freeze_embeddings or settings.freeze_layers:
        frozen.append(encoder.embeddings)
    for module in frozen:
        module.requires_grad_(False)
