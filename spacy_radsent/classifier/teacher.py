"""Learning from a trained pipeline what the labels alone do not tell: knowledge distillation (Hinton et al. 2015)."""

from dataclasses import dataclass
from typing import Any

import numpy
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Ragged

from ..errors import RadsentError
from ..pipelines import load_pipeline
from .model import SentenceModel
from .weights import check_trained


@dataclass(frozen=True)
class Teacher:
    """A trained model, whose probabilities are what another one learns to give.

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
        vocab (Vocab): Of the pipeline that learns, which needs word vectors of the same width.
        name (str): Name of the component, the same in both.
        """
        if not 0.0 <= share <= 1.0:
            raise RadsentError(f"teacher_share is {share}: give a number from 0 to 1.")
        nlp = load_pipeline(pipeline)
        pipe: Any = nlp.get_pipe(name) if name in nlp.pipe_names else None
        if not isinstance(getattr(pipe, "model", None), Model):
            raise RadsentError(f"{pipeline}: holds no component '{name}': give a pipeline that has one as the teacher.")
        check_trained(pipe.model, vocab, name)
        return cls(pipe.model, share)

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
