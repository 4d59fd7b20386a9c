"""Structural checks: every reason to reject a report, and none for the bundled ones but a section of its own."""

from collections import Counter

import pytest

from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.synth.checks import CHECKS, check_report, read_findings
from spacy_radsent.synth.client import Rejected

GOOD = (
    "胸部単純CT。\n右肺S1に8mm大の結節を認めます。[#1]辺縁は不整です。\n左肺に結節なし。胸水なし。前回と比較しました。"
)

BAD = {
    "control_characters": [GOOD + "\x00", GOOD + "\ufffd", GOOD + "\ud800"],
    "too_short": ["", "異常なし。", "胸部CTで明らかな異常を認めません、肺野、縦隔、胸壁、骨のいずれにも異常なし"],
    "too_long": [GOOD * 60, "結節あり。\n" * 70],
    "not_japanese": ["There is an 8 mm nodule in the right lung. No effusion. No lymphadenopathy is seen."],
    "markup": ["```\n" + GOOD, "**肺**\n" + GOOD, "## 肺\n" + GOOD, "<b>肺</b>" + GOOD, GOOD + "<br/>"],
    "other_section": [
        GOOD + "\n【診断】\n肺癌疑い",
        GOOD + "\n印象：肺癌",
        GOOD + "\nImpression: 肺癌",
    ],
    "placeholder": [GOOD + "\n〇〇病院", GOOD + "XXmm", GOOD + "\n____"],
    "repeats_itself": [GOOD + "肝S6に12mm大の嚢胞を認めます。" * 3],
    "identifier": [GOOD + "\n患者氏名：山田花子", GOOD + "佐藤太郎様。", GOOD + "ID: 0012345"],
}


def reason_for(text):
    try:
        check_report(unlabelled_record("r", text))
    except Rejected as rejected:
        return rejected.reason


@pytest.mark.parametrize("reason", CHECKS)
def test_each_reason(reason):
    assert [reason_for(text) for text in BAD[reason]] == [reason] * len(BAD[reason])


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + "すりガラス様陰影(+)、嚢胞様。診断は困難です。",
        GOOD + "2024/3/5のCTと比較。Se3 Im1024、CTDIvol 12.34mGy。",
        "<Brain>\n" + GOOD + "\n<CT>著変なし",
        GOOD + "\n胆嚢: n.p.\n胆嚢: n.p.\n胆嚢: n.p.",
        GOOD + "径 <5mm、T2*WIで低信号、SUVmax 3.2→1.1",
        "印象に残る変化なし。診断用CTと比較。\n" + GOOD,
        "【検査】胸部CT\n【所見】\n" + GOOD,
        "ｷｮｳﾌﾞ CT ｻﾞﾂｵﾝ ｱﾘ\nﾐｷﾞｳｴ 15MM ｹｯｾﾂ ﾐﾄﾑ\nﾌﾁ ﾌｾｲ\nｷｮｳｽｲ ﾅｼ\nﾘﾝﾊﾟｾﾂ ﾄｸﾆ ﾅｼ",
    ],
)
def test_reports_that_are_built_right(text):
    assert reason_for(text) is None


def test_a_section_that_the_institution_is_said_to_write():
    report = unlabelled_record("r", GOOD + "\nImpression: 肺癌", meta={"habits": "最後に「IMPRESSION: 」で結ぶ。"})
    assert check_report(report) is report
    with pytest.raises(Rejected, match="other_section"):
        check_report(report.model_copy(update={"meta": {"habits": "最後に「【印象】」で結ぶ。"}}))


def test_bundled_reports(bundled):
    """Three of them sum up under a heading: `generate` would not keep those."""
    assert Counter(reason_for(record.text) for record in bundled) == {None: 837, "other_section": 3}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "胸部CT。",
        '["x"]',
        '{"findings": 1}',
        '{"findings": "x", "impression": "y"}',
        '{"Findings": "x"}',
        "[" * 9999,
    ],
)
def test_answers_that_are_no_report(answer):
    with pytest.raises(Rejected, match="not_json"):
        read_findings(answer)


def test_white_space_around_a_report_is_dropped():
    assert read_findings('{"findings": "\\n 肺: 著変なし。\\n  胸水なし。\\n\\n"}') == "肺: 著変なし。\n  胸水なし。"
