"""Scores against numbers counted by hand, and the same numbers from `nlp.evaluate`."""

import pytest
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_radsent.classifier.scorer import label_score

CODES = {"B": "BACKGROUND", "P": "POSITIVE", "N": "NEGATIVE", "C": "CONTINUATION", "-": ""}
VOCAB = Vocab()


def make_doc(sentences, words=8):
    """A document of one-letter words, with `sentences` as (start, end, letter of the label)."""
    doc = Doc(VOCAB, words=list("あいうえおかきく")[:words], spaces=[False] * words)
    doc.spans["radsent"] = [Span(doc, start, end, label=CODES[letter]) for start, end, letter in sentences]
    return doc


def score(*pairs, **kwargs):
    return label_score([Example(make_doc(predicted), make_doc(gold)) for predicted, gold in pairs], **kwargs)


def test_same_boundaries():
    scores = score(
        ([(0, 2, "B"), (2, 4, "P"), (4, 6, "N"), (6, 8, "C")], [(0, 2, "B"), (2, 4, "P"), (4, 6, "N"), (6, 8, "P")]),
        ([(0, 4, "P"), (4, 8, "N")], [(0, 4, "P"), (4, 8, "P")]),
    )
    assert scores["radsent_acc"] == pytest.approx(4 / 6)
    assert scores["radsent_ppv_1"] == 1.0
    assert scores["radsent_recall_1"] == 0.5
    assert scores["radsent_f_1"] == pytest.approx(2 / 3)
    assert scores["radsent_per_type"]["NEGATIVE"] == pytest.approx({"p": 0.5, "r": 1.0, "f": 2 / 3})
    assert scores["radsent_macro_f"] == pytest.approx((1 + 2 / 3 + 2 / 3 + 0) / 4)
    assert scores["radsent_e2e_f"] == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("predicted", "gold", "accuracy", "end_to_end"),
    [
        # gold sentence 2 starts inside the one predicted sentence: its label counts, its boundaries do not
        ([(0, 8, "P")], [(0, 4, "P"), (4, 8, "P")], 1.0, 0.0),
        ([(0, 8, "P")], [(0, 4, "P"), (4, 8, "N")], 0.5, 0.0),
        ([(0, 2, "P"), (2, 4, "C"), (4, 8, "N")], [(0, 4, "P"), (4, 8, "N")], 1.0, 2 * 0.5 * (1 / 3) / (0.5 + 1 / 3)),
        ([(0, 3, "P"), (3, 8, "N")], [(0, 4, "P"), (4, 8, "N")], 1.0, 0.0),
        ([], [(0, 4, "P"), (4, 8, "N")], 0.0, 0.0),
        ([(0, 4, "-"), (4, 8, "-")], [(0, 4, "P"), (4, 8, "N")], 0.0, 0.0),
    ],
    ids=["too long", "too long, wrong", "too short", "shifted", "nothing predicted", "status error"],
)
def test_boundaries_that_differ(predicted, gold, accuracy, end_to_end):
    scores = score((predicted, gold))
    assert scores["radsent_acc"] == pytest.approx(accuracy)
    assert scores["radsent_e2e_f"] == pytest.approx(end_to_end)


def test_predictions_on_gold_boundaries_replace_the_projection():
    gold = [(0, 4, "P"), (4, 8, "N")]
    on_gold = [Example(make_doc([(0, 4, "P"), (4, 8, "N")]), make_doc(gold))]
    scores = score(([(0, 8, "P")], gold), on_gold_boundaries=on_gold)
    assert scores["radsent_acc"] == 1.0
    assert scores["radsent_e2e_f"] == 0.0


def test_nothing_to_score():
    empty = label_score([Example(make_doc([]), Doc(VOCAB, words=["あ"]))])
    assert set(empty.values()) == {None}
    assert "radsent_acc" in empty


def test_unlabelled_gold_sentences_do_not_count():
    whole = ([(0, 8, "P")], [(0, 8, "P")])
    scores = score(([(0, 4, "P"), (4, 8, "N")], [(0, 4, "P"), (4, 8, "-")]), whole)
    assert scores["radsent_acc"] == 1.0
    assert scores["radsent_per_type"]["NEGATIVE"]["p"] == 0.0
    assert scores["radsent_e2e_p"] == 1.0  # end to end only reports labelled throughout can be scored


def test_end_to_end_scores_need_a_report_labelled_throughout():
    scores = score(([(0, 4, "P"), (4, 8, "N")], [(0, 4, "P"), (4, 8, "-")]))
    assert scores["radsent_acc"] == 1.0
    assert scores["radsent_e2e_f"] is None
