"""Findings from labelled sentences: each policy, headings, marks, and what survives storage."""

import json
from pathlib import Path

import jsonschema
import pytest
import spacy
from spacy.tokens import DocBin, Span, SpanGroup
from tiny import GOLD, REPORTS, gold_doc, make_pipeline

from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.errors import RadsentError
from spacy_radsent.findings.finding import Finding, find_findings, to_dataframe
from spacy_radsent.headings import find_heading
from spacy_radsent.labels import LABELS

CODES = {"B": "BACKGROUND", "P": "POSITIVE", "N": "NEGATIVE", "C": "CONTINUATION", "-": ""}


def analyse(sentences, separator="\n", statuses=None, **config):
    """Findings of a report, given as sentences with the letter of their label before them."""
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_findings", config=config)
    text, cuts = "", []
    for sentence in sentences:
        cuts.append((len(text), len(text) + len(sentence) - 2, CODES[sentence[0]]))
        text += sentence[2:] + separator
    doc = nlp.make_doc(text)
    spans = [doc.char_span(start, end, label=label) for start, end, label in cuts]
    scores = [[0.9 - 0.1 * i if name == label else 0.05 for name in LABELS] for i, (_, _, label) in enumerate(cuts)]
    attrs = {"scores": scores, "status": statuses or ["ok"] * len(spans)}
    doc.spans["radsent"] = SpanGroup(doc, name="radsent", spans=spans, attrs=attrs)
    return nlp.get_pipe("radsent_findings")(doc)


def findings(sentences, **config):
    return [(finding.polarity, list(finding.sentences)) for finding in analyse(sentences, **config)._.radsent_findings]


def headings(sentences, **config):
    return [finding.heading for finding in analyse(sentences, **config)._.radsent_findings]


def test_a_finding_is_a_positive_with_its_continuations():
    doc = analyse(["B:前回CTと比較。", "P:右肺S1に8mmの結節あり。", "C:辺縁不整。", "C:胸膜陥入あり。", "N:胸水なし。"])
    positive, negative = doc._.radsent_findings
    assert positive.text == "右肺S1に8mmの結節あり。 辺縁不整。 胸膜陥入あり。"
    assert positive.sentences == (1, 2, 3)
    assert [doc.text[start:end] for start, end in positive.offsets] == positive.text.split(" ")
    assert positive.polarity == "POSITIVE"
    assert positive.scores == pytest.approx((0.8, 0.7, 0.6))
    assert positive.score == pytest.approx(0.6)
    assert positive.status == "ok"
    assert (negative.polarity, negative.text) == ("NEGATIVE", "胸水なし。")
    assert [(span.text, span.label_) for span in doc.spans["radsent_findings"]] == [
        (doc.text[positive.start : positive.end], "POSITIVE"),
        ("胸水なし。", "NEGATIVE"),
    ]


def test_sentences_of_one_line_stay_verbatim():
    (finding,) = analyse(["P:右肺に結節あり。", "C:辺縁不整。"], separator="")._.radsent_findings
    assert finding.text == "右肺に結節あり。辺縁不整。"


AFTER_NEGATIVE = ["P:肝S6に膿瘍あり。", "N:腹水なし。", "C:前回より縮小。"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("negative", [("POSITIVE", [0]), ("NEGATIVE", [1, 2])]),
        ("positive", [("POSITIVE", [0, 2]), ("NEGATIVE", [1])]),
        ("own", [("POSITIVE", [0]), ("NEGATIVE", [1]), (None, [2])]),
        ("drop", [("POSITIVE", [0]), ("NEGATIVE", [1])]),
    ],
)
def test_after_a_negative(policy, expected):
    assert findings(AFTER_NEGATIVE, after_negative=policy) == expected


def test_after_a_negative_with_no_positive_to_go_back_to():
    report = ["N:指摘部位に結節影なし。", "C:検診時の陰影は肋骨の重なりと考える。"]
    for policy in ("negative", "positive"):
        assert findings(report, after_negative=policy) == [("NEGATIVE", [0, 1])]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("finding", [("POSITIVE", [0, 2])]),
        ("own", [("POSITIVE", [0]), (None, [2])]),
        ("drop", [("POSITIVE", [0])]),
    ],
)
def test_after_background(policy, expected):
    report = ["P:左副腎に32mm大の腫瘤。", "B:5年前に右肺癌で切除。", "C:転移を考慮。"]
    assert findings(report, after_background=policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"), [("own", [(None, [1]), ("POSITIVE", [2])]), ("drop", [("POSITIVE", [2])])]
)
def test_first_in_the_report(policy, expected):
    assert findings(["B:胸部CT。", "C:前回より縮小。", "P:右肺に結節。"], first=policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"), [("own", [("POSITIVE", [1]), (None, [3])]), ("join", [("POSITIVE", [1, 3])])]
)
@pytest.mark.parametrize("heading", ["＜肝＞", "【肝】", "■肝", "肝：", "Liver:"])
def test_across_a_heading(policy, expected, heading):
    report = ["B:【肺】", "P:右肺に結節あり。", f"B:{heading}", "C:前回より縮小。"]
    assert findings(report, across_headings=policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("own", [("POSITIVE", [0]), ("POSITIVE", [1]), (None, [2, 3])]),
        ("join", [("POSITIVE", [0]), ("POSITIVE", [1, 2, 3])]),
    ],
)
def test_a_numbered_list_of_lesions(policy, expected):
    """Each numbered lesion introduces a finding, also where its label says that it continues one."""
    report = ["P:両肺に多発結節。", "P:No.1 右S2 6mm →8mm", "C:No.2 右S6 5mm →5mm", "C:いずれも辺縁整。"]
    assert findings(report, numbered=policy) == expected


def test_sentences_without_label_and_reports_without_findings():
    assert findings(["-:右肺に結節あり。", "C:辺縁不整。"]) == [(None, [1])]
    assert findings(["B:胸部CT。"]) == []
    doc = analyse([])
    assert doc._.radsent_findings == ()


def test_what_is_to_be_reviewed():
    doc = analyse(["P:右肺に結節。", "C:辺縁不整。", "N:胸水なし。"], statuses=["ok", "review", "ok"])
    assert [finding.status for finding in doc._.radsent_findings] == ["review", "ok"]
    (own,) = analyse(["C:辺縁不整。"])._.radsent_findings
    assert own.status == "review"


def test_headings_in_force():
    report = [
        *("B:胸部CT。", "P:右肺に結節。", "B:【腹部】", "P:肝：S6に嚢胞あり。", "C:増強なし。", "N:脾腫なし。"),
        *("P:<骨>L3に圧迫骨折。", "C:陳旧性。", "P:Kidney: rt renal cyst", "B:■その他", "N:腹水なし。"),
    ]
    doc = analyse(report)
    assert [finding.heading for finding in doc._.radsent_findings] == ["", "肝", "腹部", "骨", "Kidney", "その他"]
    (finding,) = analyse(["P:肝：S6に嚢胞あり。", "C:増強なし。"], separator="")._.radsent_findings
    assert finding.heading == "肝"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\f", "\v", "\x1e", "\u2028"])
def test_a_heading_before_its_content_ends_with_the_line(line_break):
    doc = analyse(["P:肝：嚢胞を認める", "N:胸水なし"], separator=line_break)
    assert [finding.heading for finding in doc._.radsent_findings] == ["肝", ""]


@pytest.mark.parametrize(
    ("sentence", "name", "alone"),
    [
        ("【胸部】", "胸部", True),
        ("【胸部】右肺に結節", "胸部", False),
        ("【CT】【胸部】右肺に結節", "胸部", False),
        ("【胸部】【図1】右肺に結節", "胸部", False),
        ("◆縦隔：リンパ節腫大なし", "縦隔", False),
        ("◆ 胸部 ◆", "胸部", True),
        ("＜肝＞", "肝", True),
        ("1. 【肝】S6に嚢胞", "肝", False),
        ("■腹部", "腹部", True),
        ("[胸部]", "胸部", True),
        ("〔補足〕：", "補足", True),
        ("# 肝胆膵", "肝胆膵", True),
        ("＃その他", "その他", True),
        ("[無] 胸水、心嚢水", None, None),
        ("#7 LN", None, None),
        ("#10", None, None),
        ("[Im 32]", None, None),
        ("(胸部)", None, None),
        ("Liver:", "Liver", True),
        ("(2) 胆嚢：壁肥厚なし", "胆嚢", False),
        ("・甲状腺: n.p.", "甲状腺", False),
        ("Lung window: 異常なし", "Lung window", False),
        ("右肺に結節あり。", None, None),
        ("10:30に撮像。", None, None),
        ("[#1]", None, None),
        ("(Se3 Im45)", None, None),
        ("肺、縦隔：異常なし", None, None),
        ("右肺S1に結節あり(IM: 32)。", None, None),
        ("結節を認めます(図1:矢印)", None, None),
        ("Se3 Im: 45に結節", None, None),
        ("【#1】辺縁不整", None, None),
        ("＜図1＞", None, None),
        ("<<胸部>>", "胸部", True),
        ("≪肝胆膵≫：", "肝胆膵", True),
        ("＜＜骨＞＞ 転移なし", "骨", False),
        ("== 胸部 ==", "胸部", True),
        ("=====肝胆膵", "肝胆膵", True),
        ("- Upper abdomen -", "Upper abdomen", True),
        ("| 骨盤部 |", "骨盤部", True),
        ("**腎・副腎**", "腎・副腎", True),
        ("**腎嚢胞**", None, None),
        ("胸水 -", None, None),
        ("-胸水", None, None),
        ("* 肺 -", None, None),
        ("====", None, None),
    ],
)
def test_find_heading(sentence, name, alone):
    heading = find_heading(sentence)
    assert (heading and heading.name, heading and heading.alone) == (name, alone)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        *(
            ("1. 胸部", "胸部"),
            ("②肝・胆嚢・膵", "肝・胆嚢・膵"),
            ("(3) その他", "その他"),
            ("Ⅱ．腹部", "腹部"),
            ("◎骨盤", "骨盤"),
        ),
        *(
            ("腹部（肝・胆・膵）", "腹部"),
            ("A. 副鼻腔", "副鼻腔"),
            ("胆嚢（切除後）", "胆嚢"),
            ("頭部CT (痙攣後)", "頭部CT"),
        ),
        *(
            (line, line)
            for line in ("胸部", "左大伏在静脈", "下腹部正中", "頸動脈エコー", "病変②", "骨と関節", "肝、胆、膵、脾")
        ),
        *(
            (line, line)
            for line in ("腹部 骨盤", "腹部・骨盤部・骨・軟部組織", "Mediastinum / hilum", "Upper abdomen", "LUNG")
        ),
    ],
)
def test_a_heading_without_a_sign(line, name):
    assert headings(["P:右肺に結節。", f"B:{line}", "B:体動あり。", "N:腫瘤なし。", "P:嚢胞あり。"]) == ["", name, name]


@pytest.mark.parametrize(
    "line",
    [
        *(
            "SAH精査",
            "右側腹部痛",
            "大腸癌術後",
            "化学療法中",
            "検診の胸部写真",
            "半年前と比較",
            "6M後 再検",
            "胸部CTを撮影",
            "腹部。",
        ),
        *(
            "乳癌",
            "肝硬変",
            "糖尿病",
            "腰痛症",
            "心不全",
            "PSA高値",
            "脳外科依頼",
            "主治医様",
            "緊急",
            "Lung cancer",
            "Follow up",
        ),
        *("山田太郎", "読影医佐藤", "中野", "大橋", "上野", "以前からの多発結節あり", "肺" * 41),
    ],
)
def test_background_that_is_no_heading(line):
    assert headings(["B:■胸部", "P:右肺に結節。", f"B:{line}", "N:胸水なし。"]) == ["胸部", "胸部"]


def test_headings_and_lines_of_signs_state_nothing_whatever_their_label():
    doc = analyse(
        ["N:== 胸部 ==", "P:右肺に結節。", "N:-----", "C:辺縁不整。", "P:【腹部】", "N:腹水なし。", "N:■胸水なし"]
    )
    told = [(finding.text, finding.heading) for finding in doc._.radsent_findings]
    assert told == [("右肺に結節。 辺縁不整。", "胸部"), ("腹水なし。", "腹部"), ("■胸水なし", "腹部")]
    doc = analyse(["B:転移", "P:■ 肝", "N:□ 骨"])  # on a form
    assert [finding.polarity for finding in doc._.radsent_findings] == ["POSITIVE", "NEGATIVE"]


@pytest.mark.parametrize("label", "BPNC")
def test_marks_on_lines_of_their_own(label):
    """Behind the findings or before them, as the first of them tells; whatever a model takes these lines for."""

    def told(*lines):
        doc = analyse([line if line[1:2] == ":" else f"{label}:{line}" for line in lines])
        return [(finding.text, finding.figures) for finding in doc._.radsent_findings]

    right, left, none = "P:右肺に結節。", "P:左肺に結節。", "N:胸水なし。"
    assert told("B:胸部CT。", "[#1]", right, "※図2", left, none) == [
        ("右肺に結節。", ("1",)),
        ("左肺に結節。", ("2",)),
        ("胸水なし。", ()),
    ]
    assert told(none, "図1", right, "C:辺縁不整。", "図2", left)[1:] == [
        ("右肺に結節。 辺縁不整。", ("1",)),
        ("左肺に結節。", ("2",)),
    ]
    assert told(right, "C:辺縁不整。", "[#1]", left, "[#2]", "[#3]", none) == [
        ("右肺に結節。 辺縁不整。", ("1",)),
        ("左肺に結節。", ("2", "3")),
        ("胸水なし。", ()),
    ]
    assert told("[#1][#2]", right) == [("右肺に結節。", ())]
    doc = analyse([right, f"{label}:キー画像：Se3 Im45"])
    assert [tuple(image) for image in doc._.radsent_findings[0].images] == [(3, 45)]


def test_a_heading_without_a_sign_stands_alone_and_states_nothing():
    assert headings(["P:腹部", "N:腹水なし。"]) == ["", ""]
    assert headings(["N:腹部", "N:腹水なし。"]) == ["", ""]
    assert headings(["B:腹部", "N:腹水なし。"]) == ["腹部"]
    assert headings(["B:腹部", "N:腹水なし。"], separator="") == [""]
    assert headings(["B:胸部CT。", "B:腹部", "N:腹水なし。"]) == ["腹部"]


def test_a_bulleted_finding_is_no_heading():
    doc = analyse(["P:■右肺に結節あり", "N:■胸水なし", "P:大動脈瘤あり。"])
    assert [finding.heading for finding in doc._.radsent_findings] == ["", "", ""]


@pytest.mark.parametrize(
    "text", ["結節2mmの増大。", "結節1cm大", "病変1個は消失", "No 2 mm以上の病変。", "結節3か所", "病変2.5cm"]
)
def test_measures_are_no_numbers_of_lesions(text):
    assert findings(["P:右肺に結節。", f"C:{text}"]) == [("POSITIVE", [0, 1])]


@pytest.mark.parametrize("text", ["No.2 右S6", "No. 2 右S6", "病変2：右S6", "結節② 右S6", "・No.12 右S6"])
def test_numbers_of_lesions(text):
    assert findings(["P:右肺に結節。", f"C:{text}"]) == [("POSITIVE", [0]), (None, [1])]


def test_marks_go_to_the_finding_they_stand_in_or_after():
    report = [
        "P:右肺に結節あり。[#1]",
        "C:辺縁不整(Se3 Im45-46)。",
        "B:[#1-2]",
        "N:胸水なし。",
        "B:撮像範囲は胸部。(Se1)",
    ]
    doc = analyse(report)
    positive, negative = doc._.radsent_findings
    assert positive.figures == ("1", "1-2")
    assert [tuple(image) for image in positive.images] == [(3, 45), (3, 46)]
    assert [doc.text[mark.start : mark.end] for mark in positive.marks] == ["[#1]", "(Se3 Im45-46)", "[#1-2]"]
    assert negative.marks == ()


@pytest.mark.parametrize("mark", ["(S3/IM45)", "（シリーズ3　スライス45）", "【Ser3 Img45】", "(see Se3/Im45)"])
def test_a_mark_behind_the_full_stop_goes_to_the_finding_before_it(mark):
    text = f"右肺に結節を認めます。{mark}胸水なし。"
    nlp = spacy.blank("ja")
    nlp.add_pipe("radsent_sentencizer")
    doc = nlp(text)
    first, second = doc.sents
    doc.spans["radsent"] = [
        Span(doc, span.start, span.end, label=label) for span, label in ((first, "POSITIVE"), (second, "NEGATIVE"))
    ]
    nlp.add_pipe("radsent_findings")
    positive, negative = nlp.get_pipe("radsent_findings")(doc)._.radsent_findings
    assert [tuple(image) for image in positive.images] == [(3, 45)] and negative.marks == ()


def test_findings_survive_docbin_without_user_data():
    doc = analyse(["P:右肺に結節あり。[#1]", "N:胸水なし。", "C:前回より増大(Se3 Im45)。"], after_negative="positive")
    stored = DocBin(docs=[doc], store_user_data=False).to_bytes()
    (again,) = DocBin().from_bytes(stored).get_docs(spacy.blank("ja").vocab)
    assert again._.radsent_findings == doc._.radsent_findings
    assert not again._.radsent_findings[0].is_contiguous
    assert [span.text for span in again.spans["radsent_findings"]] == ["胸水なし。"]  # the other is not contiguous
    assert again._.radsent_findings[0].text == "右肺に結節あり。[#1] 前回より増大(Se3 Im45)。"


def test_as_dict_is_json():
    doc = analyse(["P:右肺に結節あり。[#1](Se3 Im45)", "C:辺縁不整。"])
    row = json.loads(json.dumps(doc._.radsent_findings[0].as_dict()))
    assert row["sentences"] == [0, 1]
    assert row["marks"][1]["images"] == [{"series": 3, "image": 45}]
    assert (row["start"], row["score"]) == (0, pytest.approx(0.8))
    assert Finding.from_dict(row) == doc._.radsent_findings[0]


def test_documented_schema_fits_what_is_written():
    schema = json.loads((Path(__file__).parents[2] / "docs/finding.schema.json").read_text(encoding="utf-8"))
    doc = analyse(
        ["B:【胸部】", "P:右肺に結節あり。[#1-2](Se3 Im45, Im7)", "C:辺縁不整。", "N:胸水なし。", "C:石灰化(画像3)。"]
    )
    rows = [finding.as_dict() for finding in doc._.radsent_findings]
    rows += [finding.as_dict() for finding in find_findings("石灰化。", [(0, 4)], ["CONTINUATION"])]
    assert len(rows) == 3
    for row in rows:
        jsonschema.validate(json.loads(json.dumps(row)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**rows[0], "polarity": "CONTINUATION"}, schema)


def test_in_a_pipeline_with_the_labeller():
    nlp = make_pipeline()
    nlp.add_pipe("radsent_findings", config={"after_negative": "drop"})
    again = type(nlp).from_config(nlp.config)
    assert again.get_pipe("radsent_findings").policies.after_negative == "drop"
    component = nlp.get_pipe("radsent_findings")
    for text, labels in zip(REPORTS, GOLD, strict=True):
        doc = component(gold_doc(nlp, text, labels.split()))
        expected = sum(label in ("POSITIVE", "NEGATIVE") for label in labels.split())
        assert len(doc._.radsent_findings) == expected


def test_what_it_requires_is_told():
    nlp = blank_pipeline()
    for name in ("radsent_findings", "radsent_sentencizer", "radsent"):
        nlp.add_pipe(name)
    assert nlp.analyze_pipes()["problems"]["radsent_findings"] == ["doc.spans"]
    nlp = blank_pipeline()
    for name in ("radsent_sentencizer", "radsent", "radsent_findings"):
        nlp.add_pipe(name)
    assert not any(nlp.analyze_pipes()["problems"].values())


def test_bad_settings_and_missing_labels():
    nlp = blank_pipeline()
    with pytest.raises(Exception, match="after_negative"):
        nlp.add_pipe("radsent_findings", config={"after_negative": "forget"})
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_findings")
    with pytest.raises(RadsentError, match="found no labelled sentences in doc.spans\\['radsent'\\]: put radsent"):
        nlp("右肺に結節。")
    errors = []
    nlp.set_error_handler(lambda name, component, docs, error: errors.append((name, len(docs))))
    assert list(nlp.pipe(["右肺に結節。", "胸水なし。"])) == []
    assert errors == [("radsent_findings", 1)] * 2


def test_scores_may_be_missing():
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_findings")
    doc = nlp.make_doc("右肺に結節。")
    doc.spans["radsent"] = [Span(doc, 0, len(doc), label="POSITIVE")]  # as of gold data
    (finding,) = nlp.get_pipe("radsent_findings")(doc)._.radsent_findings
    assert (finding.scores, finding.score, finding.status) == ((None,), None, "ok")


def test_a_data_frame_of_findings():
    frame = to_dataframe(analyse(["P:右肺に結節あり。[#1]", "C:辺縁不整。", "N:胸水なし。"]))
    assert list(frame["polarity"]) == ["POSITIVE", "NEGATIVE"]
    assert list(frame["sentences"]) == [[0, 1], [2]]
    assert frame["score"][0] == pytest.approx(0.8)
    assert list(to_dataframe(analyse([])).columns) == list(frame.columns)
