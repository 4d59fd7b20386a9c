"""Architectures that encode sentences with a pretrained transformer: each alone or with neighbours, or all at once."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model, Softmax, chain
from thinc.types import Floats2d, Ragged

from ...batching import group_by_length
from ...errors import RadsentError
from ...labels import LABELS
from ..model import SentenceModel, label_in_context, use_fast_gemm
from ..texts import sentence_texts
from .shim import Batch, EncoderSettings, EncoderShim
from .windows import Window, context_windows, report_windows

# Takes the lengths of a report's sentences and the budget of a window.
GetWindows = Callable[[list[int], int], list[Window]]
# Wordpieces of padding in a batch: to pad more takes longer than another batch (of one that takes no time to compute,
# the rest takes as long as about 40 wordpieces on a CPU).
MAX_PADDING = 64
ENCODER_LAYER = "sentence_encoder"
PieceModel = Model[tuple[list[Doc], Ragged], Ragged]


class Sequence(NamedTuple):
    """What the encoder reads for a window, special wordpieces included, and where the core lies in it."""

    ids: list[int]
    core_start: int
    core_end: int


def build_encoder_classifier(
    encoder: PieceModel,
    pooling: Model[Ragged, Floats2d],
    mixer: Model[list[Floats2d], list[Floats2d]] | None = None,
) -> SentenceModel:
    """Build a model that labels sentences by the pooled vectors of their wordpieces.

    encoder (Model[Tuple[List[Doc], Ragged], Ragged]): Gives the wordpieces' vectors of each sentence, e.g.
        `spacy_radsent.WindowEncoder.v1`.
    pooling (Model[Ragged, Floats2d]): Gives a vector for each sentence, e.g. `reduce_mean.v1`.
    mixer (Optional[Model[List[Floats2d], List[Floats2d]]]): Lets the sentences of a report see each other; see
        `model.label_in_context`. None where the encoder itself reads the neighbours.
    RETURNS (SentenceModel): See `model.build_sentence_classifier`.
    """
    if mixer is None:
        return use_fast_gemm(chain(encoder, pooling, Softmax(nO=len(LABELS))))
    return label_in_context(chain(encoder, pooling), mixer, width=mixer.get_dim("nO"))


def build_report_encoder(
    name: str,
    max_length: int = 512,
    normalize: str = "none",
    attention_dropout: float | None = None,
    layers: int | None = None,
    freeze_embeddings: bool = False,
    freeze_layers: int = 0,
    learn_rate_factor: float = 1.0,
    mixed_precision: bool = False,
    max_batch_pieces: int = 4096,
) -> PieceModel:
    """Encode a report once, all of its sentences in the light of each other.

    [CLS] first sentence [SEP] second sentence [SEP] ..., as in Cohan et al. 2019 (doi 10.18653/v1/D19-1383). A report
    of more than `max_length` wordpieces is encoded in several windows that overlap (see `windows`).

    name (str): Folder of a checkpoint, or the name of a model on the Hugging Face hub. Read by `nlp.initialize()`
        alone: a saved pipeline holds its encoder.
    max_length (int): Longest sequence in wordpieces; less if the encoder takes less.
    normalize (str): What to do with the text first: "none", "nfkc" or "full_width" (for JMedRoBERTa).
    attention_dropout (Optional[float]): Replaces the checkpoint's. With 0 training takes less than half the time on
        a CPU (docs/encoders.md).
    layers (Optional[int]): Take so many of the lowest layers; all if None. Fewer are faster and know less.
    freeze_embeddings (bool): Leave the token embeddings as they are.
    freeze_layers (int): Leave the lowest layers, and the embeddings, as they are.
    learn_rate_factor (float): The encoder's learning rate, as a share of the optimizer's.
    mixed_precision (bool): Compute in bfloat16 where that is safe; the weights stay in single precision.
    max_batch_pieces (int): Wordpieces to encode at once, padding included. Bounds the memory in inference; in training
        the batch does, since a step keeps what all of it computed.
    RETURNS (Model[Tuple[List[Doc], Ragged], Ragged]): Takes documents and token offsets (n, 2) of their sentences,
        gives the vectors of the wordpieces of each sentence.
    """
    return _build_encoder(EncoderSettings(**locals()), report_windows, mark_core=False)


def build_window_encoder(
    name: str,
    before: int = 2,
    after: int = 2,
    max_length: int = 512,
    normalize: str = "none",
    attention_dropout: float | None = None,
    layers: int | None = None,
    freeze_embeddings: bool = False,
    freeze_layers: int = 0,
    learn_rate_factor: float = 1.0,
    mixed_precision: bool = False,
    max_batch_pieces: int = 4096,
) -> PieceModel:
    """Encode each sentence for itself with its neighbours: with two on each side the scheme of Kikuchi et al. 2026.

    The sentence stands between separators: [CLS] before [SEP] sentence [SEP] after [SEP]. Neighbours are cut where
    the window is too small for them, the sentence never is. Without neighbours it is [CLS] sentence [SEP].

    before, after (int): Number of neighbours.
    The other arguments, and what it returns, are those of `build_report_encoder`.
    """
    settings = locals()
    if before < 0 or after < 0:
        raise RadsentError(f"before is {before} and after is {after}: give numbers of at least 0.")
    get_windows = partial(context_windows, before=settings.pop("before"), after=settings.pop("after"))
    return _build_encoder(EncoderSettings(**settings), get_windows, mark_core=before + after > 0)


def _build_encoder(settings: EncoderSettings, get_windows: GetWindows, mark_core: bool) -> PieceModel:
    return Model(
        ENCODER_LAYER,
        partial(forward, get_windows=get_windows, mark_core=mark_core),
        init=init,
        dims={"nO": None},
        shims=[EncoderShim(settings)],
    )


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    shim = encoder_shim(model)
    shim.load_pretrained()
    model.set_dim("nO", shim.checkpoint.config["hidden_size"])


def forward(
    model: Model,
    docs_sentences: tuple[list[Doc], Ragged],
    is_train: bool,
    *,
    get_windows: GetWindows,
    mark_core: bool,
) -> tuple[Ragged, Callable[[Ragged], tuple]]:
    shim = encoder_shim(model)
    pieces = shim.tokenizer(list(sentence_texts(*docs_sentences)), close=not mark_core)
    counts = docs_sentences[1].lengths.tolist()
    sequences = make_sequences(shim, pieces, counts, get_windows=get_windows, mark_core=mark_core)
    batches, order = make_batches(sequences, shim.tokenizer.pad, shim.max_batch_pieces)
    vectors, backprop = shim((batches, order), is_train)
    lengths = model.ops.asarray1i([len(row) for row in pieces])

    def backprop_vectors(d_vectors: Ragged) -> tuple:
        backprop(d_vectors.dataXd)
        return ()  # documents have no gradient

    return Ragged(model.ops.asarray2f(vectors), lengths), backprop_vectors


def encoder_shim(model: Model) -> EncoderShim:
    """RETURNS (EncoderShim): The shim of an encoder layer."""
    shim = model.shims[0]
    assert isinstance(shim, EncoderShim)
    return shim


def encoder_layers(nlp: Language) -> list[PieceModel]:
    """RETURNS (List[Model]): The encoder layers of all components of a pipeline."""
    models = [pipe.model for _, pipe in nlp.components if hasattr(pipe, "model")]
    return [node for model in models for node in model.walk() if node.name == ENCODER_LAYER]


def make_sequences(
    shim: EncoderShim, pieces: list[list[int]], counts: list[int], *, get_windows: GetWindows, mark_core: bool
) -> list[Sequence]:
    """Lay out the windows of all reports. Their cores, one after the other, are the wordpieces of all sentences.

    shim (EncoderShim): Knows the special wordpieces, and the longest sequence.
    pieces (List[List[int]]): Wordpieces of each sentence.
    counts (List[int]): Number of sentences of each report.
    get_windows (Callable[[List[int], int], List[Window]]): See `windows`.
    mark_core (bool): Whether separators stand around the core and at the end; otherwise each sentence has its own.
    RETURNS (List[Sequence]): What the encoder is to read.
    """
    begin, separator = [shim.tokenizer.begin], [shim.tokenizer.end] * mark_core
    budget = min(shim.settings.max_length, shim.checkpoint.max_length) - len(begin + 3 * separator)
    sequences = []
    first = 0
    for count in counts:
        sentences = pieces[first : first + count]
        first += count
        flat = [piece for sentence in sentences for piece in sentence]
        for window in get_windows([len(sentence) for sentence in sentences], budget):
            before = begin + flat[window.start : window.core_start] + separator
            core = flat[window.core_start : window.core_end]
            after = separator + flat[window.core_end : window.end] + separator
            sequences.append(Sequence(before + core + after, len(before), len(before) + len(core)))
    return sequences


def make_batches(sequences: list[Sequence], pad: int, max_pieces: int) -> tuple[list[Batch], Any]:
    """Pad sequences of about the same length together.

    sequences (List[Sequence]): At least one.
    pad (int): The padding wordpiece.
    max_pieces (int): Wordpieces of a batch, padding included.
    RETURNS (Tuple[List[Batch], Ints1d]): The batches, and for each core wordpiece in the order of the sequences its
        place among those of the batches.
    """
    groups = group_by_length([len(sequence.ids) for sequence in sequences], max_pieces, MAX_PADDING)
    by_length = [i for group in groups for i in group]
    batches = []
    for group in groups:
        shape = (len(group), len(sequences[group[-1]].ids))
        batch = Batch(numpy.full(shape, pad, "i8"), numpy.zeros(shape, "i8"), numpy.zeros(shape, "i8"))
        for row, i in enumerate(group):
            ids, core_start, core_end = sequences[i]
            batch.ids[row, : len(ids)] = ids
            batch.mask[row, : len(ids)] = 1
            batch.core[row, core_start:core_end] = 1
        batches.append(batch)
    sizes = [sequence.core_end - sequence.core_start for sequence in sequences]
    places: Any = numpy.zeros(len(sequences), dtype="i8")
    places[by_length] = numpy.cumsum([0] + [sizes[i] for i in by_length])[:-1]
    order = numpy.concatenate([numpy.arange(size) + place for size, place in zip(sizes, places, strict=True)])
    return batches, order
