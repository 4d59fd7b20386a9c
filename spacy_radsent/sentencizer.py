"""The `radsent_sentencizer` component: sentence boundaries of radiology reports by rule."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy
import srsly
from spacy import util
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from .boundaries import DEFAULT_ABBREVIATIONS, SentenceRules, sentence_offsets
from .errors import RadsentError
from .spans import character_offsets, set_sentence_starts, trimmed_sentences

DEFAULT_CONFIG = {
    "terminators": SentenceRules.terminators,
    "hard_wrap": False,
    "split_in_brackets": False,
    "abbreviations": list(DEFAULT_ABBREVIATIONS),
    "scorer": {"@scorers": "spacy_radsent.sentencizer_scorer.v1"},
}


@Language.factory(
    "radsent_sentencizer",
    assigns=["token.is_sent_start", "doc.sents"],
    default_config=DEFAULT_CONFIG,
    default_score_weights={"sents_f": 0.0, "sents_p": None, "sents_r": None, "sents_exact": 0.0},
)
def make_sentencizer(
    nlp: Language,
    name: str,
    terminators: str,
    hard_wrap: bool,
    split_in_brackets: bool,
    abbreviations: list[str],
    scorer: Callable | None,
) -> "RadsentSentencizer":
    """Build a `radsent_sentencizer`. Its settings are those of `boundaries.SentenceRules`."""
    rules = SentenceRules(terminators, hard_wrap, split_in_brackets, tuple(abbreviations))
    return RadsentSentencizer(name, rules=rules, scorer=scorer)


class RadsentSentencizer(Pipe):
    """Set `is_sent_start` on every token, so that a parser placed later keeps the boundaries.

    White space tokens belong to the sentence before them.
    """

    def __init__(
        self,
        name: str = "radsent_sentencizer",
        *,
        rules: SentenceRules = SentenceRules(),
        scorer: Callable | None = None,
    ) -> None:
        self.name = name
        self.rules = rules
        self.scorer = scorer

    def __call__(self, doc: Doc) -> Doc:
        """Set the sentence boundaries of a Doc.

        doc (Doc): The document; its dependency parse, if it is to have one, comes later.
        RETURNS (Doc): The same document.
        """
        if any(token.dep for token in doc):
            raise RadsentError(
                f"'{self.name}' found a Doc that is parsed already, and cannot change its sentences: "
                f"place it before the parser, e.g. nlp.add_pipe('radsent_sentencizer', first=True)."
            )
        offsets = numpy.array([start for start, _ in sentence_offsets(doc.text, self.rules)], dtype=int)
        tokens = numpy.array([token.idx for token in doc], dtype=int)
        # The first token at or behind each offset; an offset within the last token starts no sentence.
        starts = numpy.searchsorted(tokens, offsets[1:])
        set_sentence_starts(doc, starts[starts < len(doc)])
        return doc

    def _settings(self) -> dict[str, Any]:
        return vars(self.rules)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        return srsly.msgpack_dumps(self._settings())

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RadsentSentencizer":
        return self._set(srsly.msgpack_loads(bytes_data))

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        srsly.write_json(util.ensure_path(path).with_suffix(".json"), self._settings())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "RadsentSentencizer":
        return self._set(srsly.read_json(util.ensure_path(path).with_suffix(".json")))

    def _set(self, settings: dict[str, Any]) -> "RadsentSentencizer":
        self.rules = SentenceRules(**{**settings, "abbreviations": tuple(settings["abbreviations"])})
        return self


def sentencizer_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score sentence boundaries.

    examples (Iterable[Example]): Predicted and reference documents.
    RETURNS (Dict[str, Any]): `sents_p`, `sents_r`, `sents_f` of whole sentences as spaCy counts them, and
        `sents_exact`, the share of reports whose every sentence is right. None where the reference has no sentences.
    """
    examples = [eg for eg in examples if eg.reference.has_annotation("SENT_START")]
    scores = Scorer.score_spans(examples, attr="sents", has_annotation=lambda doc: doc.has_annotation("SENT_START"))
    scores.pop("sents_per_type", None)
    exact = [
        character_offsets(trimmed_sentences(eg.predicted)) == character_offsets(trimmed_sentences(eg.reference))
        for eg in examples
    ]
    return {**scores, "sents_exact": sum(exact) / len(exact) if exact else None}


def make_sentencizer_scorer() -> Callable:
    return sentencizer_score
