"""The getters read the labelled sentence that holds a span's first token, and nothing else."""

import pytest
from spacy.tokens import Doc, Span, SpanGroup

from spacy_radsent import install_extensions
from spacy_radsent.labels import SPANS_KEY

NAMES = ("radsent_label", "radsent_scores", "radsent_status")
WORDS = [
    "【",
    "CT",
    "】",
    "\n",
    "右肺",
    "に",
    "結節",
    "。",
    "\n",
    "胸水",
    "なし",
    "。",
    "前回",
    "と",
    "同様",
    "。",
    "\n",
]
SCORES = [[0.05, 0.9, 0.03, 0.02], [0.01, 0.04, 0.9, 0.05], None]


@pytest.fixture(autouse=True)
def extensions():
    """Extensions are global to spaCy: whatever a test does to them is undone."""
    yield
    for name in NAMES:
        if Span.has_extension(name):
            Span.remove_extension(name)
    install_extensions()


@pytest.fixture
def doc(nlp):
    """Tokens 0-3 are a heading without a label, then three sentences at 4-8, 9-12 and 12-16; the third failed."""
    doc = Doc(nlp.vocab, words=WORDS, spaces=[False] * len(WORDS))
    spans = [Span(doc, 4, 8, label="POSITIVE"), Span(doc, 9, 12, label="NEGATIVE"), Span(doc, 12, 16)]
    attrs = {"scores": SCORES, "status": ["ok", "review", "error"], "source": "radsent"}
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=spans, attrs=attrs)
    return doc


def read(span: Span) -> tuple:
    return span._.radsent_label, span._.radsent_scores, span._.radsent_status


def named(scores: list[float]) -> dict[str, float]:
    return dict(zip(["BACKGROUND", "POSITIVE", "NEGATIVE", "CONTINUATION"], scores, strict=True))


FIRST = ("POSITIVE", named(SCORES[0]), "ok")
SECOND = ("NEGATIVE", named(SCORES[1]), "review")
FAILED = (None, None, "error")
NOTHING = (None, None, None)


@pytest.mark.parametrize(
    "start, end, expected",
    [
        (4, 8, FIRST),
        (9, 12, SECOND),
        (12, 16, FAILED),
        (6, 7, FIRST),
        (7, 8, FIRST),
        (11, 12, SECOND),
        (6, 11, FIRST),
        (0, 3, NOTHING),
        (3, 6, NOTHING),
        (8, 9, NOTHING),
        (8, 12, NOTHING),
        (16, 17, NOTHING),
        (0, 17, NOTHING),
        (9, 9, SECOND),
    ],
    ids=[
        "sentence",
        "second_sentence",
        "status_error",
        "entity_inside",
        "last_token",
        "last_token_before_an_adjacent_sentence",
        "span_over_two_sentences",
        "before_all",
        "from_before_into_the_first",
        "between",
        "from_between_into_the_second",
        "after_all",
        "whole_doc",
        "empty_span",
    ],
)
def test_getters_read_the_sentence_of_the_first_token(start, end, expected, doc):
    assert read(doc[start:end]) == expected


def test_entities_are_served(doc):
    doc.ents = [Span(doc, 6, 7, label="Disease"), Span(doc, 9, 10, label="Disease")]
    assert [(ent.text, ent._.radsent_label) for ent in doc.ents] == [("結節", "POSITIVE"), ("胸水", "NEGATIVE")]


def test_doc_without_the_group(nlp):
    assert read(nlp.make_doc("右肺に結節。")[:]) == NOTHING


def test_doc_with_an_empty_group(nlp):
    doc = nlp.make_doc("\n\n")
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY)
    assert read(doc[:]) == NOTHING


def test_gold_annotation_has_labels_only(doc):
    doc.spans[SPANS_KEY].attrs.clear()
    assert read(doc[4:8]) == ("POSITIVE", None, None)


def test_getters_follow_the_group(doc):
    """Nothing is stored: what a later component corrects is seen."""
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=[Span(doc, 4, 8, label="CONTINUATION")])
    assert read(doc[4:8]) == ("CONTINUATION", None, None)
    assert doc.user_data == {}


def test_extensions_are_read_only(doc):
    doc[4:8]._.radsent_label = "NEGATIVE"  # spaCy takes it, and it changes nothing
    assert read(doc[4:8]) == FIRST
    assert doc.spans[SPANS_KEY][0].label_ == "POSITIVE"


def test_importing_the_package_installs_them():
    assert all(Span.has_extension(name) for name in NAMES)


def test_installing_twice_changes_nothing(doc):
    before = [Span.get_extension(name) for name in NAMES]
    install_extensions()
    assert [Span.get_extension(name) for name in NAMES] == before
    assert read(doc[4:8]) == FIRST


def test_extension_of_somebody_else_is_left_alone(doc):
    for name in NAMES:
        Span.remove_extension(name)
    Span.set_extension("radsent_label", default="mine")
    install_extensions()
    assert read(doc[4:8]) == ("mine", *FIRST[1:])
