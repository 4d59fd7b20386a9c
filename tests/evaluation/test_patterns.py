"""Kinds of errors, on sentences as radiologists write them."""

import numpy
import pytest

from spacy_radsent.evaluation.patterns import (
    OTHER,
    count_clauses,
    count_patterns,
    explain,
    find_cues,
    is_mixed,
    names_of,
)
from spacy_radsent.metrics import NO_LABEL, code_of

HISTORY = "history taken for a finding"
WEAK = "weak negation or stability"
DIFFERENTIAL = "differential or interpretation of a finding"


@pytest.mark.parametrize(
    ("text", "gold", "predicted", "tags"),
    [
        ("S状結腸癌術後．", "BACKGROUND", "POSITIVE", [HISTORY]),
        ("既往に膵癌あり、手術の適応評価のため撮像。", "BACKGROUND", "POSITIVE", [HISTORY]),
        ("S状結腸癌術後．", "POSITIVE", "BACKGROUND", [OTHER]),  # the other way round
        ("前回と著変なし。", "CONTINUATION", "BACKGROUND", [WEAK]),
        ("肝臓に明らかな占拠性病変は認めません。", "NEGATIVE", "POSITIVE", [WEAK]),
        ("周囲脂肪織の濃度上昇は目立たない", "NEGATIVE", "CONTINUATION", [WEAK]),
        ("嚢胞s/o", "CONTINUATION", "POSITIVE", [DIFFERENTIAL]),
        ("原発性肺癌が疑われます。", "CONTINUATION", "POSITIVE", [DIFFERENTIAL]),
        ("肺癌が疑われます。", "CONTINUATION", "NEGATIVE", [OTHER]),
        ("【胸部】", "BACKGROUND", "POSITIVE", ["heading alone"]),
        ("Liver:", "BACKGROUND", "POSITIVE", ["heading alone"]),
        ("■腹部", "BACKGROUND", "NEGATIVE", ["heading alone"]),
        ("【心臓】冠動脈三枝に石灰化", "POSITIVE", "BACKGROUND", [OTHER]),
        ("右肺S6に12mm大の結節(Se3 Im45)", "POSITIVE", "CONTINUATION", ["figure mark"]),
        ("胆嚢 n.p.", "NEGATIVE", "BACKGROUND", [OTHER]),
    ],
)
def test_tags(text, gold, predicted, tags):
    codes = (numpy.array([code_of(label)]) for label in (gold, predicted))
    assert names_of(explain(find_cues([text]), *codes)[0]) == tags


@pytest.mark.parametrize(
    ("text", "mixed", "clauses"),
    [
        ("肝に嚢胞を認めますが、腫瘤は認めません。", True, 2),
        ("両腎に嚢胞あり、水腎症なし。", True, 2),
        ("chest wall invasion(-)、cineでsliding(+)[#1-2]。", True, 2),
        ("右肺に8mmの結節あり，辺縁は不整であり，胸膜陥入を伴う．", False, 3),
        ("肝臓に明らかな腫瘤、結石、胆管拡張は認めません。", False, 1),
        ("右肺S1に8mm大の結節を認めます。", False, 1),
        ("胆嚢 n.p.", False, 1),
        ("肝S3、S6に嚢胞。", False, 1),
        ("【胸部】", False, 1),
        ("脾臓は正常である。", False, 1),
        ("少なくとも3個の結節を認めます。", False, 1),
    ],
)
def test_polarity_and_clauses(text, mixed, clauses):
    assert is_mixed(text) is mixed
    assert count_clauses(text) == clauses


def test_counts_relate_errors_to_the_sentences_that_could_be_wrong_in_that_way():
    cues = find_cues(["肺癌術後。", "肺癌術後。", "前回と不変。", "胸水なし。"])
    gold, predicted = numpy.array([0, 1, 3, 2]), numpy.array([1, 1, 3, NO_LABEL])
    counts = {count.name: (count.sentences, count.wrong) for count in count_patterns(cues, gold, predicted)}
    assert counts[HISTORY] == (1, 1)
    assert counts[WEAK] == (1, 0)
    assert counts[OTHER] == (2, 1)
    assert sum(wrong for _, wrong in counts.values()) == 2
