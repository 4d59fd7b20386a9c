"""The screen for a person's data: what it finds, and what reads like it but is radiology."""

import pytest

from spacy_radsent.synth.privacy import IdentifierScreen

SCREEN = IdentifierScreen()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("山田太郎様、右肺に結節。", "a name"),
        ("田中さんのCT。", "a name"),
        ("佐藤　花子 様 68歳", "a name"),
        ("鈴木 一郎 氏", "a name"),
        ("スミス様", "a name"),
        ("Smith様右肺", "a name"),
        ("Barrett様右肺", "a name"),
        ("患者氏名：佐藤花子", "a name after its label"),
        ("氏名 ﾔﾏﾀﾞﾊﾅｺ", "a name after its label"),
        ("生年月日 1950/3/4", "a date of birth"),
        ("昭和30年4月5日生まれ", "a date of birth"),
        ("ＤＯＢ：1950-3-4", "a date of birth"),
        ("S25.3.4生", "a date of birth"),
        ("1950/3/4 生まれ", "a date of birth"),
        ("患者：山田太郎", "a name"),
        ("患者 山田太郎 68歳男性", "a name"),
        ("ID:A-12345", "an identifier"),
        ("ID 12-3456", "an identifier"),
        ("電話 03 1234 5678", "a phone number"),
        ("(03)1234-5678", "a phone number"),
        ("+81-90-1234-5678", "a phone number"),
        ("ID: 004512", "an identifier"),
        ("ＩＤ１２３４５", "an identifier"),
        ("MRN#A12345", "an identifier"),
        ("患者番号 12", "a patient's number"),
        ("カルテNo.88", "a patient's number"),
        ("受診 0012345678", "a long number"),
        ("受診番号0012345678．", "a long number"),
        ("No. 0012345678.", "a long number"),
        ("電話 ０３－１２３４－５６７８", "a phone number"),
        ("連絡先090-1234-5678", "a phone number"),
        ("09012345678", "a phone number"),
        ("a.b@example.org", "an e-mail address"),
    ],
)
def test_what_is_found(text, found):
    assert found in SCREEN(text)
    assert found in SCREEN(f"胸部CT。\n右肺に8mmの結節。{text}\n胸水なし。")


@pytest.mark.parametrize(
    "text",
    [
        "Barrett様食道、Morton様神経腫、すりガラス様陰影。嚢胞様変化(+)、索状様。",
        "20240305のCTと比較。2024/03/05、令和6年3月5日。",
        "3月5日生検。",
        "径12.3456789mm、CTDIvol 12.345、DLP 1234567.8",
        "Se3 Im1024、Grade 5-12-3、S1-2、12-15-8mm",
        "高血圧、橋本病、高安動脈炎の既往。ダグラス窩に腹水。",
        "ご家族様へ説明。",
        "患者の希望により造影なし。患者体動あり。患者: 体動あり",
        "3/5生検、生理的集積。2024.3.5 生食負荷",
        "IDCとして矛盾しない。IDH変異。",
        "同様、多様な信号。",
    ],
)
def test_what_is_radiology(text):
    assert SCREEN(text) == []


def test_no_false_alarm_on_synthetic_reports(bundled, shared_data):
    from spacy_radsent.corpus.importers import import_records

    texts = [record.text for record in bundled]
    texts += [record.text for record in import_records(shared_data("jichi/validation.jsonl"))]
    assert len(texts) > 1100
    assert [text for text in texts if SCREEN(text)] == []
