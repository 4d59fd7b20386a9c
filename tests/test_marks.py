"""Figure marks in sentences as radiologists write them: what is one, what it points to, what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_radsent.findings.grouping import group_sentences
from spacy_radsent.marks import ImageReference, find_marks

# A sentence, and its marks: figures as they are ("1", "1-2"), images as S<series>I<image>; "|" between marks.
CASES = """
右肺S1に径8mmの結節を認めます。[#1] => 1
右肺S1に径8mmの結節を認めます[#1]。 => 1
辺縁は不整です。[#1-2] => 1-2
肝S6に嚢胞あり［#2］。 => 2
肝S6に嚢胞あり［＃２］ => 2
胆嚢底部に壁肥厚 [#10] => 10
両側に胸水あり。[#3,4] => 3 4
両側に胸水あり。[#3、4] => 3 4
両側に胸水あり。[#3, #4] => 3 4
両側に胸水あり。[#3・#4] => 3 4
多発結節あり。[#1〜3] => 1 2 3
多発結節あり。[#1~#3] => 1 2 3
多発結節あり。[#3-#6] => 3 4 5 6
腎嚢胞あり(図1矢印)。 => 1
腎嚢胞あり(図2a)。 => 2
腎嚢胞あり。（キー画像3） => I3
S6に結節(S3 I45)。 => S3I45
左腎に結石。(#5) => 5
左腎に結石。（＃５） => 5
左腎に結石。(#5, #6) => 5 6
右副腎に結節。[# 1] => 1
右副腎に結節。[#1][#2] => 1 | 2
右副腎に結節[#1]、左副腎に結節[#2]。 => 1 | 2
多発肝転移。[#4-1, 4-2] => 4-1 4-2
【肺】[#1]右上葉に結節。 => 1
S6に浸潤影。(Se3 Im45) => S3I45
S6に浸潤影。（Se3 Im45） => S3I45
S6に浸潤影(Se3 Im45)。 => S3I45
S6に浸潤影(se3 im45) => S3I45
S6に浸潤影(SE3 IM45) => S3I45
S6に浸潤影(SE 3 IM 45) => S3I45
S6に浸潤影(Se3, Im45) => S3I45
S6に浸潤影(Se3/Im45) => S3I45
S6に浸潤影(Se3/45) => S3I45
S6に浸潤影(Se:3 Im:45) => S3I45
S6に浸潤影(Se.3, Im.45) => S3I45
S6に浸潤影(Se3;Im45) => S3I45
S6に浸潤影(Se3-Im45) => S3I45
S6に浸潤影(Se3Im45) => S3I45
S6に浸潤影（Ｓｅ３ Ｉｍ４５） => S3I45
S6に浸潤影(Series 3, Image 45) => S3I45
S6に浸潤影(Series 3 Images 45, 46) => S3I45 S3I46
S6に浸潤影(series3 image45) => S3I45
S6に浸潤影(Ser 3 Img 45) => S3I45
S6に浸潤影(シリーズ3 画像45) => S3I45
S6に浸潤影(シリーズ3、画像45) => S3I45
S6に浸潤影(シリーズ３ スライス４５) => S3I45
S6に浸潤影(S3/I45) => S3I45
S6に浸潤影(S3 / Im45-46) => S3I45 S3I46
S6に浸潤影あり 図5 => 5
S6に浸潤影あり。図5 => 5
S6に浸潤影あり Fig.4 => 4
多発結節(Se3 Im45-47) => S3I45 S3I46 S3I47
多発結節(Se3 Im45-45) => S3I45
多発結節(Se3 Im45-Im47) => S3I45 S3I46 S3I47
多発結節（Se3 Im45〜Im.47） => S3I45 S3I46 S3I47
S6に浸潤影(S3:I45) => S3I45
多発結節(Im32, Se3) => S3I32
多発結節(Im32,33 Se3) => S3I32 S3I33
多発結節(Im32, Se3 Im40) => I32 S3I40
多発結節(Se3 Im45–47) => S3I45 S3I46 S3I47
多発結節(Se3 Im45〜47) => S3I45 S3I46 S3I47
多発結節(Se3 Im45~47) => S3I45 S3I46 S3I47
多発結節(Se3 Im45, 51) => S3I45 S3I51
多発結節(Se3 Im45、51、63) => S3I45 S3I51 S3I63
多発結節(Se3 Im45,46 / Se4 Im12) => S3I45 S3I46 S4I12
多発結節(Se3 Im45, Se4 Im12) => S3I45 S4I12
多発結節(Se3 Im45; Se3 Im60) => S3I45 S3I60
多発結節(Se3 Im45-46, 50) => S3I45 S3I46 S3I50
左下葉に腫瘤[Se3 Im45] => S3I45
左下葉に腫瘤【Se3 Im45】 => S3I45
左下葉に腫瘤<Se3 Im45> => S3I45
左下葉に腫瘤(Se3) => S3
左下葉に腫瘤(Se3, Se5) => S3 S5
左下葉に腫瘤(シリーズ3) => S3
右腎に結石(IM:32) => I32
右腎に結石(IM: 32) => I32
右腎に結石(IM32) => I32
右腎に結石(Im 32) => I32
右腎に結石(im.32) => I32
右腎に結石（ＩＭ：３２） => I32
右腎に結石(IM:32-33) => I32 I33
右腎に結石(IM:32,35) => I32 I35
右腎に結石(image 32) => I32
右腎に結石(Image No.32) => I32
右腎に結石(img32) => I32
右腎に結石(key image 3) => I3
右腎に結石(see image 3) => I3
右腎に結石(画像1) => I1
右腎に結石（画像１） => I1
右腎に結石(画像1、2) => I1 I2
右腎に結石(画像1-3) => I1 I2 I3
右腎に結石(画像番号12) => I12
右腎に結石(画像1参照) => I1
右腎に結石[画像1] => I1
右腎に結石(スライス32) => I32
右腎に結石(slice 32) => I32
右腎に結石(sl.32) => I32
腫瘤を認めます※図2 => 2
腫瘤を認めます ※ 図 2 => 2
腫瘤を認めます（図2） => 2
腫瘤を認めます（図２） => 2
腫瘤を認めます(図1、2) => 1 2
腫瘤を認めます(図1と2) => 1 2
腫瘤を認めます(図1〜3) => 1 2 3
腫瘤を認めます(図1-2) => 1-2
腫瘤を認めます(図1参照) => 1
腫瘤を認めます(Fig.1) => 1
腫瘤を認めます(Fig 1) => 1
腫瘤を認めます(fig1, fig2) => 1 2
腫瘤を認めます(Figure 3) => 3
腫瘤を認めます(写真1) => 1
腫瘤を認めます→図3 => 3
腫瘤を認めます(図①) => 1
腫瘤を認めます（図①②） => 1 2
腫瘤を認めます(図①〜③、⑫) => 1 2 3 12
腫瘤を認めます→図② => 2
腫瘤を認めます。図③ => 3
画像①参照 => I1
右腎に結石(Image 55/120) => I55
右腎に結石(Im: 55 / 120)。 => I55
右腎に結石(Se3 Im55/120, Im60/120) => S3I55 S3I60
右腎に結石、Im:55/120。 => I55
右腎に結石(Im 3/5/2024) =>
右腎に結石(T2WI Im12) => I12
右腎に結石(Ax Im 33, Cor Im 12) => I33 | I12
右腎に結石(動脈相 Im.12→門脈相 Im.45) => I12 | I45
右腎に結石（シリーズ5 イメージ120） => S5I120
右腎に結石[Se3:45] => S3I45
右腎に結石(ｷｰ画像1) => I1
①結節あり =>
腫瘤を認めます※画像4 => I4
図2参照。 => 2
図1、2を参照してください。 => 1 2
図3に示す範囲に浸潤影あり。 => 3
画像5を参照。 => I5
Fig. 2参照 => 2
左下葉に結節(+)、Se3 Im63。 => S3I63
左下葉に結節(+)、Se3/Im63。 => S3I63
淡い濃度上昇(+)、IM:88。 => I88
Se3 Im45に径8mmの結節。 => S3I45
結節(前回Se3 Im45)は増大。 => S3I45
結節(8mm, Se3 Im45)あり => S3I45
結節(径8mm、IM:45)あり => I45
結節(Se3 Im45、8mm)あり => S3I45
縦隔リンパ節[#7] => 7
縦隔リンパ節腫大(Se3 Im45)。 => S3I45
T1強調像で高信号(Se5 Im18)、T2強調像で低信号(Se7 Im18)。 => S5I18 | S7I18
結節[#1]。\t(Se3 Im45) => 1 | S3I45
#7 LN：14→8mm =>
縦隔#4Rリンパ節は短径9mm =>
縦隔リンパ節(#7)が腫大 =>
右下6番(#46)に根尖病巣。 =>
左上臼歯(#26)の埋伏歯あり =>
3番目の結節(#1) => 1
歯突起に骨折(#1) => 1
歯状核に高信号(#4) => 4
縦隔LN(#7, #4R)腫大 =>
右肺門LN (#11)に集積 =>
リンパ節腫大(#7)。 =>
#101L、#106recRに腫大 =>
LN: #4R、#7に短径8-10mm(+) =>
胃周囲LN：#3、#7に腫大 =>
#16a2 LN: short axis 9mm =>
肺門#11sにSUVmax 2.5 =>
[#4R]のLN =>
(#101L) =>
(1) 右肺に結節。 =>
1. 右肺に結節。 =>
①肝 ②脾 =>
(3)脾：腫大なし =>
S6に結節。 =>
肝S3、S6に嚢胞。 =>
(S6)に結節 =>
(S3/4)に低吸収域 =>
Th12圧迫骨折 =>
L4/5に椎間板膨隆 =>
(L4/5) =>
T2強調画像で高信号。 =>
(T1強調画像) =>
(T2WI) =>
画像3枚を参照 =>
前回画像と比較 =>
画像上明らかな転移なし。 =>
スライス厚1mm再構成 =>
スライス厚は2mmと5mmです。 =>
(スライス厚5mm) =>
図のように腫大。 =>
心電図3誘導 =>
図1 => 1
造影後の図1に示す。 => 1
心電図3 =>
SUVmax 3.5 =>
(SUVmax 3.5) =>
8mm(前回6mm) =>
(2024/05/01) =>
2024年3月のCT =>
(3か月前) =>
CRP 3.2 =>
(-) (+) =>
Imp: 肺癌疑い =>
immediate 3 =>
sevenと3 =>
PSA 3.2(前回2.1) =>
(Seminoma 3cm) =>
【1】肝 =>
[1] =>
(n=3) =>
im 45 =>
IM:32.5 =>
結節(8.5mm, Se3 Im45-46)あり => S3I45 S3I46
"""
ROWS = [line.replace("\\t", "\t").partition(" =>") for line in CASES.strip().split("\n")]
TABLE = [(text, expected.strip()) for text, _, expected in ROWS]


def as_written(mark) -> str:
    images = [
        "".join(f"{letter}{number}" for letter, number in (("S", i.series), ("I", i.image)) if number is not None)
        for i in mark.images
    ]
    return " ".join([*mark.figures, *images])


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_marks(text, expected):
    marks = find_marks(text)
    assert " | ".join(map(as_written, marks)) == expected
    for mark in marks:
        assert text[mark.start : mark.end] == mark.text


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("右肺に結節(Se4 Im50)、前回(Se3 Im45)は8mm。", [False, True]),
        ("肝S5に結節(Se4/Im30、前回2023/5/1 Se3/Im28)。", [False, True]),
        ("前回CT(Se3 Im45)と比較し増大(Se4 Im50)。", [True, False]),
        ("前回より増大しています(Se4 Im50)。", [False]),
        ("prior CT (Im 12), now larger (Im 20)", [True, False]),
        ("以前の画像：Se2 Im8\n今回：Se3 Im9", [True, False]),
    ],
)
def test_marks_of_an_earlier_study(text, prior):
    assert [mark.prior for mark in find_marks(text)] == prior


def test_the_table_is_large_enough_to_say_something():
    """150 cases at least; all of them right is precision 1 and recall 1 on it."""
    assert len(TABLE) >= 150
    assert len({text for text, _ in TABLE}) == len(TABLE)
    assert sum(not expected for _, expected in TABLE) >= 40


def test_a_hyphen_may_be_a_range_of_figures():
    (mark,) = find_marks("多発結節。[#1-3]", hyphen_is_range=True)
    assert mark.figures == ("1", "2", "3")
    (mark,) = find_marks("多発結節。[#4-1]", hyphen_is_range=True)
    assert mark.figures == ("4", "1")  # no range


def test_an_absurd_range_is_not_expanded():
    (mark,) = find_marks("(Se1 Im1-9999)")
    assert mark.images == (ImageReference(1, 1), ImageReference(1, 9999))


def test_bundled_reports(bundled):
    """Every mark that is written there is found, and no lymph node station among them."""
    found = [mark.text for record in bundled for mark in find_marks(record.text)]
    assert len(found) > 800
    assert sum("Se" in mark for mark in found) >= 290
    assert not [mark for mark in found if "#" in mark and not mark.startswith(("[#", "［#"))]


@pytest.mark.parametrize("text", ["[" + "#1," * 19 + "x]", "(Se3 " + "Im1, " * 11 + "x)", "No" + " " * 20_000 + "x"])
def test_texts_on_which_a_careless_pattern_would_take_for_ever(text):
    report = text * (100_000 // len(text))
    assert find_marks(report) == find_marks(report)
    assert group_sentences([report], ["CONTINUATION"], [True])[0].sentences == [0]


@given(st.text("[]()#＃［］（）SeIm図画像0123456789-〜,、 。\n:", max_size=60))
def test_any_text(text):
    done = 0
    for mark in find_marks(text):
        assert done <= mark.start < mark.end <= len(text)
        assert text[mark.start : mark.end] == mark.text
        assert mark.figures or mark.images
        done = mark.end
