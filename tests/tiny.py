"""A tiny pipeline that knows three reports by heart, for tests that need a trained one."""

import numpy
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.spans import trimmed_sentences

REPORTS = [
    "胸部単純CT。\n右肺S1に8mm大の結節を認めます。辺縁は不整です。\n左肺に結節なし。胸水なし。",
    "＜肝＞\nS6に12mmの低吸収域(+)\n→嚢胞s/o\n胆嚢 n.p.\n膵 n.p.",
    "前回のMRIと比較．子宮体部に35mmの筋層内腫瘤を認め，筋腫と考える．造影は弱い．卵巣に腫大なし．",
]
GOLD = [
    "BACKGROUND POSITIVE CONTINUATION NEGATIVE NEGATIVE",
    "BACKGROUND POSITIVE CONTINUATION NEGATIVE NEGATIVE",
    "BACKGROUND POSITIVE CONTINUATION NEGATIVE",
]
NO_FINDINGS = [" ".join("BACKGROUND" for _ in labels.split()) for labels in GOLD]  # to tell who taught labels
SMALL = {
    "model": {
        "size": 2,
        "member": {
            "width": 32,
            "tok2vec": {
                "embed": {"embed": {"width": 32, "rows": [500, 100, 100, 500]}},
                "encode": {"width": 32, "depth": 1},
            },
            "ngrams": {"width": 16, "rows": 2048, "feature_dropout": 0.1},
            "mixer": {"width": 32},
        },
    }
}


def make_pipeline():
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", config=SMALL)
    return nlp


def gold_doc(nlp, text, labels):
    """The text's own sentences with the given labels, as a reference document."""
    doc = nlp.get_pipe("radsent_sentencizer")(nlp.make_doc(text))
    spans = trimmed_sentences(doc)
    doc.spans["radsent"] = [Span(doc, s.start, s.end, label=label) for s, label in zip(spans, labels, strict=True)]
    return doc


def make_examples(nlp, gold=GOLD):
    return [
        Example(nlp.make_doc(text), gold_doc(nlp, text, labels.split()))
        for text, labels in zip(REPORTS, gold, strict=True)
    ]


def labels_of(doc: Doc) -> list[str]:
    return [span.label_ for span in doc.spans["radsent"]]


def scores_of(doc):
    return numpy.array(doc.spans["radsent"].attrs["scores"])


def assert_knows_reports(nlp):
    for text, gold in zip(REPORTS, GOLD, strict=True):
        assert labels_of(nlp(text)) == gold.split()


def learn_reports(nlp, learn_rate, steps=40, drop=0.0, seed=0, examples=None):
    """Train a pipeline, from new weights, on the three reports. RETURNS (Dict[str, float]): The last losses."""
    spacy.util.fix_random_seed(seed)
    examples = examples or make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = learn_rate
    losses = {}
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer, drop=drop)
    return losses


def train_tiny():
    nlp = make_pipeline()
    losses = learn_reports(nlp, learn_rate=0.01, drop=0.1)
    assert losses["radsent"] < 10
    return nlp
