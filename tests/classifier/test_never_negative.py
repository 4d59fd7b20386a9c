"""Lesions that have not changed, and what is suspected, are no absences; organs without change are."""

import numpy
import pytest
import spacy
from tiny import train_tiny

from spacy_radsent.classifier.never_negative import is_stated, is_suspected, without_negative
from spacy_radsent.labels import Label

KNOWN = """
胆石に変化なし。
肝嚢胞は著変なし
大動脈瘤径は変化なし。
右肺S1結節 n.c.
左腎嚢胞に変化はありません。
頸椎症性変化に著変なし。
子宮筋腫の大きさに変化はありません。
・Th7の血管腫は著変なし.
甲状腺結節に著変を認めない。
右上葉の4 mmの結節は不変
胸水に前回と変化なし。
膀胱憩室も著変(-)。
Renal cyst 不変
左腎：嚢胞は不変
脾腫 n.c.
肝嚢胞、変化なし
右腎結石：著変なし。
左副腎腺腫、大きさに変化なし。
甲状腺嚢胞 no change.
胆石(n.c.)
肺気腫 (→)
S6結節、増大なし。
動脈瘤に明らかな拡大はみられません。
結節は増大している。
胸水は減少
右水腎症は消退傾向です。
"""
SUSPECTED = """
微小胆石は除外できない。
右肋骨骨折の可能性は否定できません。
転移も否定はできません
・早期の肺炎は否定できないと思います。
S8の小さな転移の存在を否定しきれない．
骨転移除外困難
HCCは否定し得ず。
造影欠損があり、血栓は否定し難い。
腫瘤はないが、炎症は否定できない。
大腿骨頸部骨折を思わせる所見。
肝転移の疑いあり
転移 s/o
無気肺の可能性が高いと考えます。
間質性肺炎が疑われます。
胸水(±)
無気肺：±
心嚢 ±
脳梗塞(?)
血栓なしとは言えない。
Pneumonia cannot be excluded.
陳旧性梗塞と思われる影。
肺炎かもしれません
"""
AFFIRMED = """
腹水もみられます。
脾腫も認める
右下葉に結節を認めます。
心陰影 異常あり
膵頭部に異常を認めます。
肝：異常所見あり
手根骨配列 異常 (+)
骨髄に信号異常を認める
左肺に腫瘤。
骨：変性のみ。
心嚢水？
水腎症様の所見。
前回認めなかった右胸水を認める。
胸水：無→有
気胸：－→＋
胸水は(-)から(+)へ。
胸水：前回なし、今回あり
出血：認める
急性期梗塞　陽性
水腎症:あり
骨折: Yes
胸水：＋
気胸(陽性)
主膵管拡張あるも、明らかな腫瘤は指摘できない。
左腎結石あるも水腎症なし
憩室あり、憩室炎の所見なし。
胸膜肥厚を認めますが、胸水は認めません。
石灰化散見、腫瘤なし
左葉優位の結節性病変を認めるも辺縁に増強効果なし
嚢胞(両) 結石(-)
腎結石 3mm、水腎なし
腹水少量／腫瘤なし
8mm大の結節、胸水なし
結石(-) 嚢胞(右)
ポリープ 12 mm
左房内血栓 疑い、心嚢水 n.p.。
左腎に嚢胞がある以外に、後腹膜に異常は明らかではありません。
新規肺結節
脂肪肝の他、特記すべき異常なし。
肝嚢胞以外に異常を認めません
陳旧性骨折のみで、他に異常なし。
"""
OTHERS = """
肝に著変なし。
前回と比較して変化なし。
著変なし。
心陰影に著変なし。
肺血管陰影は前回と変わりません。
縦隔リンパ節に変化なし。
両側卵巣に著変なし。
乳突蜂巣に変化なし。
結節なし。
新たな転移なし。
胆石なし、変化なし。
病変の出現は認めません。
腫瘤は消失。
嚢胞：変化なし、肝：著変なし。
膵炎は否定的。
肺塞栓は否定できる。
肺塞栓除外目的。
石灰化結石がなく、膵炎は否定できる。
否定できない。
骨折なし。転移は否定できない。
転移は除外された。
骨折を疑う所見はありません。
再発の疑いなし
骨折は出ていない?
骨転移の可能性は低い。
異常なし
肝に異常を認めない。
膵に明らかな異常は認めず。
異常(-)
憩室(-)、蠕動の異常(-)である
腹水もみられません。
早期虚血変化なし
炎症変化を認めず
胸水：有→無
胸水：前回あり、今回なし
左肺に腫瘤なし。
腫瘤
視野異常
出血：認めない
梗塞 陰性
胸水：－
心嚢液の増加なし。
水腎症は消退している。
早期虚血変化(-)。
□ 新規肺結節
範囲外であるが、撮像内のリンパ節に腫大なし。
造影剤は腎に集積はあるが、異常なし
結節なし、腫瘤なし。
結節(-)、胸水(-)
両肺に結節、浸潤影なし
膵 嚢胞(-) 石灰化(-)
縦隔リンパ節(#7)の腫大なし
胸水なし、腹水なし
明らかな骨折は認めず、脱臼なし。
腫瘤は認められないが、炎症は否定的。
"""


@pytest.mark.parametrize("sentence", "\n".join([KNOWN.strip(), SUSPECTED.strip(), AFFIRMED.strip()]).split("\n"))
def test_no_absences(sentence):
    assert is_stated(sentence) or is_suspected(sentence)


@pytest.mark.parametrize("sentence", ["", *OTHERS.strip().split("\n")])
def test_what_may_be_negative(sentence):
    assert not is_stated(sentence) and not is_suspected(sentence)


def test_long_lines_end():
    assert not is_stated("嚢胞に" * 20_000 + "変化なし")


def test_what_would_be_an_absence_is_a_finding_or_its_detail():
    rows = [
        [0.1, 0.2, 0.6, 0.1],
        [0.1, 0.2, 0.6, 0.1],
        [0.0, 0.0, 1.0, 0.0],
        [0.1, 0.1, 0.6, 0.2],
        [0.1, 0.1, 0.6, 0.2],
    ]
    scores = numpy.array(rows, dtype="float32")
    sentences = ["胆石に変化なし。", "肝に変化なし。", "胆石は否定できない。", "転移の疑い", "骨転移に変化なし"]
    told = without_negative(scores.copy(), sentences)
    numpy.testing.assert_allclose(told[0], [0.1, 0.8, 0.0, 0.1], atol=1e-6)
    numpy.testing.assert_array_equal(told[1], scores[1])
    numpy.testing.assert_array_equal(told[2], [0.0, 1.0, 0.0, 0.0])
    numpy.testing.assert_allclose(told[3], [0.1, 0.1, 0.0, 0.8], atol=1e-6)
    numpy.testing.assert_allclose(told[4], [0.1, 0.7, 0.0, 0.2], atol=1e-6)


def test_in_a_pipeline_and_without(tmp_path):
    nlp = train_tiny()
    text = "胸部CT。\n胸水なし。\n肝嚢胞に著変なし。\n肝に著変なし。\n膵 □正常 ☑異常"
    doc = nlp(text)
    known, organ, chosen = (span._.radsent_scores for span in list(doc.spans["radsent"])[2:])
    assert known["NEGATIVE"] == 0 and sum(known.values()) == pytest.approx(1) and organ["NEGATIVE"] > 0
    assert chosen["NEGATIVE"] == 0
    nlp.to_disk(tmp_path)
    as_modelled = spacy.load(tmp_path, config={"components": {"radsent": {"never_negative": False}}})(text)
    before = [list(span._.radsent_scores.values()) for span in as_modelled.spans["radsent"]]
    assert before[2][Label.NEGATIVE] > 0 and before[4][Label.NEGATIVE] > 0
    others = [0, 1, 3]
    told = [list(span._.radsent_scores.values()) for span in doc.spans["radsent"]]
    numpy.testing.assert_allclose([told[i] for i in others], [before[i] for i in others], atol=1e-6)
