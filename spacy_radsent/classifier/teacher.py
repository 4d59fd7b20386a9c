"""Learning from a trained pipeline what the labels alone do not tell: knowledge distillation (arXiv 1503.02531)."""

from dataclasses import dataclass

import numpy
from spacy.tokens import Doc
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Ragged

from ..errors import RadsentError
from ..labeller import SentenceLabeller
from ..pipelines import load_pipeline
from .model import SentenceModel
from .weights import check_trained


@dataclass(frozen=True)
class Teacher:
    """A trained model, whose probabilities are what another one learns to give.

    They are those of the model itself, before a temperature and other settings of how it decides. It reads the
    documents of the one that learns, so tokenizer and word vectors must be the same.

    model (SentenceModel): The model; it learns nothing itself.
    share (float): Its share of the target of a sentence that has a label, [0, 1]; of the others all is its.
    """

    model: SentenceModel
    share: float

    @classmethod
    def load(cls, pipeline: str, share: float, vocab: Vocab, name: str) -> "Teacher":
        """Take the model of a trained pipeline.

        pipeline (str): Its folder, or the name of an installed package.
        share (float): See above.
        vocab (Vocab): Of the pipeline that learns.
        name (str): Name of the component, the same in both.
        """
        if not 0.0 <= share <= 1.0:
            raise RadsentError(f"teacher_share is {share}: give a number from 0 to 1.")
        nlp = load_pipeline(pipeline)
        pipe = nlp.get_pipe(name) if name in nlp.pipe_names else None
        model = getattr(pipe, "model", None)
        if not (isinstance(pipe, SentenceLabeller) and isinstance(model, Model)):
            raise RadsentError(
                f"{pipeline}: holds no trained component '{name}': give a pipeline that has one as the teacher."
            )
        check_trained(model, nlp.vocab, f"{name} of {pipeline}")
        has_vectors = any(node.name == "static_vectors" for node in model.walk())
        if has_vectors and not _are_equal(nlp.vocab.vectors, vocab.vectors):
            raise RadsentError(
                f"{pipeline}: has other word vectors than the pipeline that is to learn from it: train both with the "
                f"same paths.vectors."
            )
        return cls(model, share)

    def teach(
        self, docs_sentences: tuple[list[Doc], Ragged], target: numpy.ndarray, weights: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Mix what it says into what is to be learned.

        docs_sentences (Tuple[List[Doc], Ragged]): What a `SentenceModel` takes.
        target (numpy.ndarray): Probabilities of the labels (n, 4), zeros for a sentence without a label.
        weights (numpy.ndarray): What each sentence counts (n,), 0 without a label.
        RETURNS (Tuple[numpy.ndarray, numpy.ndarray]): Both, with its share.
        """
        taught = self.model.ops.to_numpy(self.model.predict(docs_sentences))
        labelled = target.any(axis=1)
        share = numpy.where(labelled, self.share, 1.0)[:, None]
        return target + share * (taught - target), numpy.where(labelled, weights, 1.0)


def _are_equal(left: Vectors, right: Vectors) -> bool:
    return left.shape == right.shape and left.key2row == right.key2row and bool((left.data == right.data).all())
