"""An encoder of transformers as a part of a Thinc model: loaded late, kept in the pipeline with its tokenizer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import srsly
from thinc.api import Optimizer, Shim

from ...errors import RadsentError, needs_extra
from .checkpoint import Checkpoint, build_tokenizer, load_pretrained
from .tokenize import NORMALIZERS, SentenceTokenizer


class Batch(NamedTuple):
    """Sequences of about the same length, padded to one; all arrays are (sequences, length).

    ids (Ints2d): Wordpieces.
    mask (Ints2d): 1 for a wordpiece, 0 for padding.
    core (Ints2d): 1 for a wordpiece whose vector is wanted.
    """

    ids: Any
    mask: Any
    core: Any


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of an encoder; see `layer.build_report_encoder`."""

    name: str
    max_length: int
    normalize: str
    attention_dropout: float | None
    layers: int | None
    freeze_embeddings: bool
    freeze_layers: int
    learn_rate_factor: float
    mixed_precision: bool
    max_batch_pieces: int

    def __post_init__(self) -> None:
        if self.normalize not in NORMALIZERS:
            raise RadsentError(f"normalize is {self.normalize!r}: give one of {', '.join(NORMALIZERS)}.")
        if self.max_length < 16:
            raise RadsentError(f"max_length is {self.max_length}: give at least 16 wordpieces.")
        if self.layers is not None and self.layers < 1:
            raise RadsentError(f"layers is {self.layers}: give a number of at least 1, or null for all.")


class EncoderShim(Shim):
    """A tokenizer and an encoder. Empty until `load_pretrained` or `from_bytes`.

    Called with batches and the order in which their core wordpieces are wanted, it gives their vectors (n, width).
    """

    backend: Shim | None = None  # torch's, or ONNX Runtime's for a pipeline optimized for that
    tokenizer: SentenceTokenizer
    checkpoint: Checkpoint

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__(None)
        self.settings = settings

    def load_pretrained(self) -> None:
        """Load the pretrained encoder that the settings name; see `checkpoint.load_pretrained`."""
        with needs_extra("transformers"):
            from .torch_backend import TorchBackend

            checkpoint, encoder = load_pretrained(self.settings.name, self._config)
            self._set(checkpoint, TorchBackend(encoder, self.settings))

    @property
    def _config(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): What the settings replace in the configuration of the checkpoint."""
        dropout = self.settings.attention_dropout
        replaced = {
            "attention_probs_dropout_prob": dropout,
            "attention_dropout": dropout,
            "num_hidden_layers": self.settings.layers,
        }
        return {name: value for name, value in replaced.items() if value is not None}

    def _set(self, checkpoint: Checkpoint, backend: Shim) -> None:
        self.tokenizer = SentenceTokenizer(build_tokenizer(checkpoint), self.settings.normalize)
        self.checkpoint, self.backend = checkpoint, backend

    def optimize(self, precision: str) -> None:
        """Change the encoder for inference alone.

        precision (str): "int8" (ONNX Runtime, on the CPU) or "bfloat16" (torch).
        """
        with needs_extra("transformers"):
            from .torch_backend import TorchBackend

        backend = self._loaded()
        if not (isinstance(backend, TorchBackend) and backend.is_trainable):
            raise RadsentError("The pipeline's encoder is in fewer bits already: start from the one that was trained.")
        if precision == "int8":
            with needs_extra("optimize"):
                from .onnx_backend import OnnxBackend, quantize

            self.backend = OnnxBackend(quantize(backend.encoder))
        else:
            backend.to_bfloat16()

    @property
    def max_batch_pieces(self) -> int:
        """RETURNS (int): Wordpieces that the backend is to encode at once."""
        return self._loaded().max_batch_pieces

    def _loaded(self) -> Any:
        if self.backend is None:
            raise RadsentError("The encoder has no weights yet: call nlp.initialize(), or load a trained pipeline.")
        return self.backend

    def __call__(self, inputs: tuple[list[Batch], Any], is_train: bool) -> tuple[Any, Callable]:
        return self._loaded()(inputs, is_train)

    def finish_update(self, optimizer: Optimizer) -> None:
        self._loaded().finish_update(optimizer)

    @contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        with self._loaded().use_params(params):
            yield

    def to_device(self, device_type: str, device_id: int) -> None:
        self._loaded().to_device(device_type, device_id)

    def to_bytes(self) -> bytes:
        if self.backend is None:
            return b""
        message = {
            "format": type(self.backend).__name__,
            "config": self.checkpoint.config,
            "tokenizer": self.checkpoint.tokenizer_files,
            "weights": self.backend.to_bytes(),
        }
        return srsly.msgpack_dumps(message)

    def from_bytes(self, data: bytes) -> "EncoderShim":
        if not data:
            return self
        message = srsly.msgpack_loads(data)
        layers, saved = self.settings.layers, message["config"]["num_hidden_layers"]
        if layers not in (None, saved):
            raise RadsentError(f"layers is {layers}: the saved encoder has {saved}: give that, or null.")
        checkpoint = Checkpoint({**message["config"], **self._config}, message["tokenizer"])
        if message["format"] == "OnnxBackend":
            with needs_extra("onnx"):
                from .onnx_backend import OnnxBackend

                self._set(checkpoint, OnnxBackend(message["weights"]))
        else:
            with needs_extra("transformers"):
                from .torch_backend import TorchBackend

                self._set(checkpoint, TorchBackend.from_weights(checkpoint, message["weights"], self.settings))
        return self
