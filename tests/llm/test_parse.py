"""Answers as models write them: every sentence gets the label that the answer gives it, or none."""

import pytest

from spacy_radsent.llm.parse import parse_answer
from spacy_radsent.llm.prompt import render_answer

SENTENCES = ["胸部CT。", "結節あり。", "著変なし。", "著変なし。"]
NASTY_ANSWERS = {
    "as asked": ('{"胸部CT。": 0, "結節あり。": 1, "著変なし。": 2, "著変なし。": 0}', [0, 1, 2, 0]),
    "white space around it": ('\n {"胸部CT。":0,"結節あり。":1,\n"著変なし。":2,"著変なし。":0}\n', [0, 1, 2, 0]),
    "in another order": ('{"結節あり。": 1, "著変なし。": 2, "胸部CT。": 0, "著変なし。": 3}', [0, 1, 2, 3]),
    "repeated sentence once": ('{"胸部CT。": 0, "結節あり。": 1, "著変なし。": 2}', [0, 1, 2, None]),
    "one sentence altered": ('{"胸部CT": 0, "結節あり。": 1, "著変なし。": 2, "著変なし。": 2}', [None, 1, 2, 2]),
    "one sentence more": ('{"胸部CT。": 0, "胸水。": 1, "結節あり。": 1, "著変なし。": 2}', [0, 1, 2, None]),
    "labels as text": ('{"胸部CT。": "0", "結節あり。": "POSITIVE", "著変なし。": 2}', [None, None, 2, None]),
    "label out of the scheme": ('{"胸部CT。": 7, "結節あり。": -1, "著変なし。": 2}', [None, None, 2, None]),
    "labels that are numbers": ('{"胸部CT。": 0.0, "結節あり。": true, "著変なし。": 1e0}', [None] * 4),
    "label is a list": ('{"胸部CT。": [0], "結節あり。": {"a": 1}, "著変なし。": null}', [None] * 4),
    "cut off": ('{"胸部CT。": 0, "結節あり。": 1, "著変', [None] * 4),
    "trailing comma": ('{"胸部CT。": 0, "結節あり。": 1,}', [None] * 4),
    "single quotes": ("{'胸部CT。': 0}", [None] * 4),
    "a fence around it": ('```json\n{"胸部CT。": 0}\n```', [None] * 4),
    "text before it": ('答え: {"胸部CT。": 0}', [None] * 4),
    "two objects": ('{"胸部CT。": 0} {"結節あり。": 1}', [None] * 4),
    "an array": ("[0, 1, 2, 2]", [None] * 4),
    "an array of pairs": ('[["胸部CT。", 0], ["結節あり。", 1]]', [None] * 4),
    "an array of objects": ('[{"胸部CT。": 0}]', [None] * 4),
    "an empty array": ("[]", [None] * 4),
    "an empty object": ("{}", [None] * 4),
    "a number": ("1", [None] * 4),
    "nothing": ("", [None] * 4),
    "not a number": ('{"胸部CT。": NaN}', [None] * 4),
    "deep": ("[" * 100_000, [None] * 4),
}


@pytest.mark.parametrize("name", NASTY_ANSWERS)
def test_nasty_answers(name):
    answer, expected = NASTY_ANSWERS[name]
    assert parse_answer(answer, SENTENCES) == expected


def test_reads_back_what_reports_hold():
    sentences = ['[#1] "嚢胞"\\疑い。', '{"a": 1}', "改行\nあり", "\u2028", '[#1] "嚢胞"\\疑い。']
    assert parse_answer(render_answer(sentences, [1, 0, 3, 2, 3])[0], sentences) == [1, 0, 3, 2, 3]
