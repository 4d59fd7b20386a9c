"""The factory of the `radsent` component, and its default config."""

from collections.abc import Callable
from typing import Any

from spacy.lang.ja import JapaneseTokenizer as SpacyJapaneseTokenizer
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d, Ragged

from ..labels import SPANS_KEY
from ..tokenizer import JapaneseTokenizer
from .component import RadsentClassifier
from .decision import Decision
from .targets import Targets

default_model_config = """
[model]
@architectures = "spacy_radsent.SentenceEnsemble.v1"
size = 3

[model.member]
@architectures = "spacy_radsent.SentenceClassifier.v1"
width = 128

[model.member.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.member.tok2vec.embed]
@architectures = "spacy_radsent.EmbedDistinct.v1"

[model.member.tok2vec.embed.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 96
attrs = ["NORM","TAG","SHAPE","LEMMA"]
rows = [4000,200,500,3000]
include_static_vectors = false

[model.member.tok2vec.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 96
window_size = 1
maxout_pieces = 3
depth = 2

[model.member.ngrams]
@architectures = "spacy_radsent.CharNgramEmbed.v1"
width = 96
rows = 65536
max_n = 4
feature_dropout = 0.3

[model.member.mixer]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 128
window_size = 1
maxout_pieces = 3
depth = 2
"""
DEFAULT_MODEL = Config().from_str(default_model_config)["model"]


@Language.factory(
    "radsent",
    requires=["doc.sents"],
    assigns=["doc.spans"],
    default_config={
        "model": DEFAULT_MODEL,
        "spans_key": SPANS_KEY,
        "label_smoothing": 0.05,
        "class_weights": None,
        "temperature": 1.0,
        "positive_threshold": None,
        "review_below": 0.0,
        "label_weights": None,
        "read_choices": True,
        "never_negative": True,
        "scorer": {"@scorers": "spacy_radsent.label_scorer.v1"},
    },
    default_score_weights={
        "radsent_macro_f": 1.0,
        "radsent_acc": 0.0,
        "radsent_ppv_1": 0.0,
        "radsent_recall_1": 0.0,
        "radsent_f_1": 0.0,
        "radsent_per_type": None,
        "radsent_e2e_p": None,
        "radsent_e2e_r": None,
        "radsent_e2e_f": 0.0,
        "radsent_e2e_macro_f": None,
    },
)
def make_classifier(
    nlp: Language,
    name: str,
    model: Model[tuple[list[Doc], Ragged], Floats2d],
    spans_key: str,
    label_smoothing: float,
    class_weights: dict[str, float] | None,
    temperature: float,
    positive_threshold: float | None,
    review_below: float,
    label_weights: list[float] | None,
    read_choices: bool,
    never_negative: bool,
    scorer: Callable | None,
) -> RadsentClassifier:
    """Build a `radsent` component: see `RadsentClassifier`; for smoothing and class weights, `Targets`; for temperature
    to label weights, `Decision`; for what `read_choices` reads, `forms.py`; for `never_negative`, the file of its name.
    """
    return RadsentClassifier(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        targets=Targets(label_smoothing, class_weights or {}),
        decision=Decision(temperature, positive_threshold, review_below, label_weights),
        tokenizer=_unlimited(nlp) if read_choices else None,
        never_negative=never_negative,
        scorer=scorer,
    )


def _unlimited(nlp: Language) -> Any:
    """RETURNS (Callable[[str], Doc]): The pipeline's, ours in place of spaCy's own, which stops at 49,149 bytes."""
    tokenizer = nlp.tokenizer
    if type(tokenizer) is SpacyJapaneseTokenizer:
        return JapaneseTokenizer(nlp.vocab, split_mode=tokenizer.split_mode)
    return tokenizer
