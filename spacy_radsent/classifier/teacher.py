"""Learning from a trained pipeline what the labels alone do not tell: knowledge distillation (arXiv 1503.02531)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy
from spacy.language import Language
from spacy.tokens import Span

from ..errors import RadsentError
from ..pipelines import load_pipeline
from ..spans import covering_span
from .weights import check_trained

if TYPE_CHECKING:
    from .component import RadsentClassifier


@dataclass(frozen=True)
class Teacher:
    """A trained model, whose probabilities are what another one learns to give.

    They are those of the model itself, before a temperature and other settings of how it decides. It reads the texts
    with its own tokenizer and its own word vectors.

    nlp (Language): What comes before it in its pipeline.
    pipe (RadsentClassifier): Its component; it learns nothing itself.
    share (float): Its share of the target of a sentence that has a label, [0, 1]; of the others all is its.
    """

    nlp: Language
    pipe: "RadsentClassifier"
    share: float

    @classmethod
    def load(cls, pipeline: str, share: float, name: str) -> "Teacher":
        """Take the component of a trained pipeline.

        pipeline (str): Its folder, or the name of an installed package.
        share (float): See above.
        name (str): Name of the component, the same in both.
        """
        from .component import RadsentClassifier  # which imports this module

        if not 0.0 <= share <= 1.0:
            raise RadsentError(f"teacher_share is {share}: give a number from 0 to 1.")
        nlp = load_pipeline(pipeline)
        pipe = nlp.get_pipe(name) if name in nlp.pipe_names else None
        if not isinstance(pipe, RadsentClassifier):
            raise RadsentError(
                f"{pipeline}: holds no trained component '{name}': give a pipeline that has one as the teacher."
            )
        nlp.select_pipes(enable=nlp.pipe_names[: nlp.pipe_names.index(name)])  # what it listens to, perhaps
        pipe.name = f"{name} of {pipeline}"
        check_trained(pipe.model, nlp.vocab, pipe.name)
        return cls(nlp, pipe, share)

    def teach(
        self, sentences: list[list[Span]], target: numpy.ndarray, weights: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Mix what it says into what is to be learned.

        sentences (List[List[Span]]): The sentences of each document that has any.
        target (numpy.ndarray): Probabilities of the labels (n, 4), zeros for a sentence without a label.
        weights (numpy.ndarray): What each sentence counts (n,), 0 without a label.
        RETURNS (Tuple[numpy.ndarray, numpy.ndarray]): Both, with its share.
        """
        docs = list(self.nlp.pipe(spans[0].doc.text for spans in sentences))
        own = [
            [covering_span(doc, span.start_char, span.end_char) for span in spans]
            for doc, spans in zip(docs, sentences, strict=True)
        ]
        _, scores = self.pipe.predict_sentences(docs, own)
        taught = self.pipe.model.ops.to_numpy(scores)
        labelled = target.any(axis=1)
        share = numpy.where(labelled, self.share, 1.0)[:, None]
        return target + share * (taught - target), numpy.where(labelled, weights, 1.0)
