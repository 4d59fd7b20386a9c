"""Boundaries on raw text: one table per layout style, and what must hold for any text at all."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spacy_radsent.boundaries import SentenceRules, sentence_offsets

# Texts that sentence_offsets must split as listed, under the default rules.
LAYOUTS = {
    # a paragraph, one period per sentence
    "paragraph": (
        "右肺上葉に18mm大の結節を認める。辺縁にスピキュラを伴う。縦隔リンパ節腫大なし。",
        ["右肺上葉に18mm大の結節を認める。", "辺縁にスピキュラを伴う。", "縦隔リンパ節腫大なし。"],
    ),
    "no_final_period": ("胸水なし。腹水なし", ["胸水なし。", "腹水なし"]),
    "repeated_sentence": ("著変なし。著変なし。著変なし。", ["著変なし。", "著変なし。", "著変なし。"]),
    "repeated_period": ("肝SOLなし。。胆石あり。", ["肝SOLなし。。", "胆石あり。"]),
    "terminator_alone": ("。\n胸水なし。", ["。", "胸水なし。"]),
    # lines without a period
    "lines": ("肝右葉に嚢胞(+)\n胆嚢結石(-)\n脾腫なし", ["肝右葉に嚢胞(+)", "胆嚢結石(-)", "脾腫なし"]),
    "lines_and_periods": (
        "肝嚢胞あり。胆石なし。\n膵n.p.\n脾腫なし。",
        ["肝嚢胞あり。", "胆石なし。", "膵n.p.", "脾腫なし。"],
    ),
    # full-width period and comma
    "fullwidth": ("肝腫大なし．胆石あり，壁肥厚を伴う．", ["肝腫大なし．", "胆石あり，壁肥厚を伴う．"]),
    "fullwidth_decimal": ("径３．５cmの腫瘤．SUVmax 5．2．", ["径３．５cmの腫瘤．", "SUVmax 5．2．"]),
    "fullwidth_enumeration": ("１．肝：嚢胞．２．胆：結石．", ["１．肝：嚢胞．", "２．胆：結石．"]),
    # half-width period among other dots
    "halfwidth": ("肝腫大なし.胆石あり. 脾腫なし.", ["肝腫大なし.", "胆石あり.", "脾腫なし."]),
    "decimal": ("腎に3.5cm大の腫瘤.前回は2.8cm. 増大.", ["腎に3.5cm大の腫瘤.", "前回は2.8cm.", "増大."]),
    "decimal_at_the_end": ("SUVmax 5.2. 膵尾部にも集積.", ["SUVmax 5.2.", "膵尾部にも集積."]),
    "measure_before_period": ("長径12mm.辺縁不整.", ["長径12mm.", "辺縁不整."]),
    "date": ("2024.3.1のCTと比較.著変なし.", ["2024.3.1のCTと比較.", "著変なし."]),
    "date_at_the_end": ("前回 2023.12.28. 今回増大.", ["前回 2023.12.28.", "今回増大."]),
    "segments": ("右S1.S2に浸潤影.左S6.S10にも.", ["右S1.S2に浸潤影.", "左S6.S10にも."]),
    "vertebrae": ("Th11.12に圧迫骨折.", ["Th11.12に圧迫骨折."]),
    "latin_after_period": ("脳室拡大なし.midline shiftなし.", ["脳室拡大なし.", "midline shiftなし."]),
    # enumerations
    "enumerated_dot": ("1. 肝S8に嚢胞.2. 胆嚢ポリープ.", ["1. 肝S8に嚢胞.", "2. 胆嚢ポリープ."]),
    "enumerated_roman": (
        "Ⅰ．肝に腫瘤あり。\nII. 脾腫なし。ア．胸水なし。Ａ．腹水なし。",
        [*("Ⅰ．肝に腫瘤あり。", "II. 脾腫なし。"), *("ア．胸水なし。", "Ａ．腹水なし。")],
    ),
    "enumerated_hash": ("#1. 肝嚢胞\n# 2. 腎嚢胞\nNo.3. 副脾", ["#1. 肝嚢胞", "# 2. 腎嚢胞", "No.3. 副脾"]),
    "enumerated_bracket_and_dot": ("(1). 肝嚢胞。①. 腎嚢胞", ["(1). 肝嚢胞。", "①. 腎嚢胞"]),
    "enumerated_levels": ("1-1. 肝嚢胞\n1.2. 腎嚢胞", ["1-1. 肝嚢胞", "1.2. 腎嚢胞"]),
    "enumerated_dot_lines": ("1.肝嚢胞\n2.腎嚢胞\n10.副脾", ["1.肝嚢胞", "2.腎嚢胞", "10.副脾"]),
    "enumerated_on_a_line": ("1. 肝嚢胞 2. 腎嚢胞 3. 胆石", ["1. 肝嚢胞", "2. 腎嚢胞", "3. 胆石"]),
    "enumerated_on_a_line_full_width": ("１．肝嚢胞　２．腎嚢胞", ["１．肝嚢胞", "２．腎嚢胞"]),
    "enumerated_on_a_line_hash": ("#1.肝に8mm #2.腎嚢胞、#3.胆石", ["#1.肝に8mm", "#2.腎嚢胞、", "#3.胆石"]),
    "enumerated_on_a_line_with_details": ("1. 肝嚢胞. 不変. 2. 胆石", ["1. 肝嚢胞.", "不変.", "2. 胆石"]),
    "no_enumeration": (
        "1. 腎盂拡張, Grade 2. 結石 2.5cm. 2 期のみ.",
        ["1. 腎盂拡張, Grade 2.", "結石 2.5cm.", "2 期のみ."],
    ),
    "enumerated_letter": ("a. 肝嚢胞。b. 腎嚢胞。", ["a. 肝嚢胞。", "b. 腎嚢胞。"]),
    "enumerated_brackets": ("(1) 肝嚢胞。(2) 腎嚢胞。", ["(1) 肝嚢胞。", "(2) 腎嚢胞。"]),
    "enumerated_circles": ("①肝嚢胞。②腎嚢胞.③副脾．", ["①肝嚢胞。", "②腎嚢胞.", "③副脾．"]),
    # abbreviations
    "rt_lt": ("rt. lungにGGO. Lt. pleural effusionなし.", ["rt. lungにGGO.", "Lt. pleural effusionなし."]),
    "full_width": ("No．5の椎体、rt．lungにGGO．Fig．1参照．", ["No．5の椎体、rt．lungにGGO．", "Fig．1参照．"]),
    "cancer": (
        "既往：胃ca．胸水なし．HCC susp．腹水なし．",
        ["既往：胃ca．", "胸水なし．", "HCC susp．", "腹水なし．"],
    ),
    "spaced_date": ("前回2024. 5. 1のCT、2023．12． 3のMRIと比較。", ["前回2024. 5. 1のCT、2023．12． 3のMRIと比較。"]),
    "no_date": ("結節2個. 5mm大.", ["結節2個.", "5mm大."]),
    "rt_glued": ("Rt.肺尖にブラ.rt.乳腺n.p.", ["Rt.肺尖にブラ.", "rt.乳腺n.p."]),
    "no": ("No. 7 LNが腫大. No.4Rは縮小.", ["No. 7 LNが腫大.", "No.4Rは縮小."]),
    "bil_ext": ("bil. ext. iliac LN腫大. bil. ext. LNも.", ["bil. ext. iliac LN腫大.", "bil. ext. LNも."]),
    "np_ends": ("Liver n.p. Spleen n.p. 膵 n.p. 腎n.p.", ["Liver n.p.", "Spleen n.p.", "膵 n.p.", "腎n.p."]),
    "np_goes_on": ("肝はn.p.です。腎はn.p.、脾腫なし。", ["肝はn.p.です。", "腎はn.p.、脾腫なし。"]),
    "latin_before_kanji": (
        "右肺に7mmのGGN.胸水なし.膵はWNL.CT上n.p.脾腫なし.",
        ["右肺に7mmのGGN.", "胸水なし.", "膵はWNL.CT上n.p.", "脾腫なし."],
    ),
    "abbreviations_before_kanji": (
        "asc.大動脈拡張. meta.否定できず. H.ピロリ, L.N.腫大なし.",
        ["asc.大動脈拡張.", "meta.否定できず.", "H.ピロリ, L.N.腫大なし."],
    ),
    "small_letter_goes_on": ("asc. aortaは42mmに拡張.", ["asc. aortaは42mmに拡張."]),
    "confer": ("嚢胞. c.f. 前回は5mm.", ["嚢胞.", "c.f. 前回は5mm."]),
    "eg_ie_vs": ("良性, e.g. FNHを疑う. vs. HCC.", ["良性, e.g. FNHを疑う.", "vs. HCC."]),
    "period_behind_mark": ("拡散制限あり(Se6 Im34).ADC低下.", ["拡散制限あり(Se6 Im34).", "ADC低下."]),
    # bullets
    "bullet_nakaguro": ("・肝：嚢胞あり\n・胆：結石なし。\n", ["・肝：嚢胞あり", "・胆：結石なし。"]),
    "bullet_dash": ("- 肝嚢胞。増大なし。\n- 脾 n.p.", ["- 肝嚢胞。", "増大なし。", "- 脾 n.p."]),
    "bullet_circle": ("○肺野\n  ○結節なし\n○縦隔 n.p.", ["○肺野", "○結節なし", "○縦隔 n.p."]),
    "bullet_enumerated": ("・1. 肝嚢胞．\n- 2. 腎嚢胞．", ["・1. 肝嚢胞．", "- 2. 腎嚢胞．"]),
    # headings
    "heading_alone": (
        "【胸部】\n結節なし。\n\n【腹部】\n腹水なし。",
        ["【胸部】", "結節なし。", "【腹部】", "腹水なし。"],
    ),
    "heading_with_content": ("【胸部】結節なし。胸水なし。", ["【胸部】結節なし。", "胸水なし。"]),
    "heading_square": ("■腹部\n肝に嚢胞。\n■骨盤部\n", ["■腹部", "肝に嚢胞。", "■骨盤部"]),
    "heading_colon": ("Liver: SOL(-). Bile duct: 拡張なし.", ["Liver: SOL(-).", "Bile duct: 拡張なし."]),
    "heading_colon_alone": ("Liver:\n嚢胞あり\nGB：\n結石(-)", ["Liver:", "嚢胞あり", "GB：", "結石(-)"]),
    # figure marks stay with the sentence before them
    "mark_number": ("結節あり。[#1]胸水なし。", ["結節あり。[#1]", "胸水なし。"]),
    "mark_range": ("結節あり．[#1-2]胸水なし．[#3]", ["結節あり．[#1-2]", "胸水なし．[#3]"]),
    "mark_series": ("腫瘤あり。(Se3 Im45)腹水なし。", ["腫瘤あり。(Se3 Im45)", "腹水なし。"]),
    "mark_series_halfwidth": ("腫瘤あり. (Se:3 Im:45) 腹水なし.", ["腫瘤あり. (Se:3 Im:45)", "腹水なし."]),
    "mark_figure": ("腫瘤あり。※図2 腹水なし。※ 図3", ["腫瘤あり。※図2", "腹水なし。※ 図3"]),
    "mark_image": ("腫瘤あり。（画像12）腹水なし。", ["腫瘤あり。（画像12）", "腹水なし。"]),
    "mark_slice": ("結節あり。(スライス12)胸水なし。", ["結節あり。(スライス12)", "胸水なし。"]),
    "mark_series_short": ("結節あり。（S3/IM45）胸水なし。", ["結節あり。（S3/IM45）", "胸水なし。"]),
    "mark_series_kana": (
        "結節あり．［シリーズ3　スライス12］胸水なし．",
        ["結節あり．［シリーズ3　スライス12］", "胸水なし．"],
    ),
    "mark_series_img": ("結節あり. (Ser3 Img45) 胸水なし.", ["結節あり. (Ser3 Img45)", "胸水なし."]),
    "mark_see_figure": ("結節あり。(see Fig.1)胸水なし。", ["結節あり。(see Fig.1)", "胸水なし。"]),
    "mark_figure_corner": ("結節あり。【図1】胸水なし。", ["結節あり。【図1】", "胸水なし。"]),
    "mark_photo": ("結節あり。〔写真1〕胸水なし。", ["結節あり。〔写真1〕", "胸水なし。"]),
    "mark_arrow": ("結節あり。→図1 胸水なし。", ["結節あり。→図1", "胸水なし。"]),
    "mark_image_note": ("結節あり。※画像3 胸水なし。", ["結節あり。※画像3", "胸水なし。"]),
    "no_mark_heading": ("結節あり。【腹部】胸水なし。", ["結節あり。", "【腹部】胸水なし。"]),
    "no_mark_number": ("結節あり。(2) 胸水なし。", ["結節あり。", "(2) 胸水なし。"]),
    "no_mark_subject": ("胸水なし。Im:12に結節あり。", ["胸水なし。", "Im:12に結節あり。"]),
    "marks_in_a_row": ("腫瘤あり。[#1] [#2]（図1）腹水なし。", ["腫瘤あり。[#1] [#2]（図1）", "腹水なし。"]),
    "mark_before_period": ("腫瘤あり[#1]。腹水なし。", ["腫瘤あり[#1]。", "腹水なし。"]),
    "bracket_is_no_mark": ("腫瘤あり。(前回なし)腹水なし。", ["腫瘤あり。", "(前回なし)腹水なし。"]),
    # brackets
    "bracket_encloses": ("結節（8mm。前回6mm。）あり。次回精査。", ["結節（8mm。前回6mm。）あり。", "次回精査。"]),
    "bracket_nested": ("「肺癌（疑い。）です。」と前医。再検。", ["「肺癌（疑い。）です。」と前医。", "再検。"]),
    "bracket_unclosed": ("結節（8mm。前回6mm。胸水なし。", ["結節（8mm。", "前回6mm。", "胸水なし。"]),
    "bracket_unopened": ("結節8mm）。前回6mm。", ["結節8mm）。", "前回6mm。"]),
    "bracket_mismatched": ("結節（8mm]。前回6mm。胸水なし）。", ["結節（8mm]。前回6mm。胸水なし）。"]),
    "bracket_crossed": ("結節（右「肺）。左」。次。", ["結節（右「肺）。", "左」。", "次。"]),
    "bracket_over_lines": ("結節（8mm\n前回6mm）あり。", ["結節（8mm", "前回6mm）あり。"]),
    "closing_quote": ("「著変なし。」右肺n.p.", ["「著変なし。」右肺n.p."]),
    # line ends and white space
    "crlf": ("肝嚢胞。\r\n胆石。\r\n\r\n脾腫\r\n", ["肝嚢胞。", "胆石。", "脾腫"]),
    "lone_cr": ("肝嚢胞\r胆石。\r", ["肝嚢胞", "胆石。"]),
    "tab_in_the_line": ("肝\t嚢胞あり\n胆\t結石なし", ["肝\t嚢胞あり", "胆\t結石なし"]),
    "line_separator": ("肝嚢胞\u2028胆石\u2029脾腫\x0b腹水\x0c終", ["肝嚢胞", "胆石", "脾腫", "腹水", "終"]),
    "empty_lines": ("\n\n肝嚢胞。\n\n\n胆石。\n\n", ["肝嚢胞。", "胆石。"]),
    "indented": ("　肝嚢胞。　胆石。\n　　脾腫。　\n", ["肝嚢胞。", "胆石。", "脾腫。"]),
    # characters
    "emoji": ("👨‍⚕️コメント😀。結節❤️あり。", ["👨‍⚕️コメント😀。", "結節❤️あり。"]),
    "halfwidth_kana": ("ﾊｲﾆｹｯｾﾂｱﾘ｡ｷｮｳｽｲﾅｼ｡", ["ﾊｲﾆｹｯｾﾂｱﾘ｡", "ｷｮｳｽｲﾅｼ｡"]),
    "decomposed_kana": ("がん疑い。".replace("が", "か\u3099") + "ポリープ。", ["か\u3099ん疑い。", "ポリープ。"]),
    "english": ("No nodule. The liver is normal.", ["No nodule.", "The liver is normal."]),
    "backslashes_and_braces": ('{"肝": "C:\\new"}。胆石。', ['{"肝": "C:\\new"}。', "胆石。"]),
    "whitespace": (" \n\u3000\t\r\n ", []),
    "empty": ("", []),
}
CUSTOM = {
    "only_kuten": (
        SentenceRules(terminators="。"),
        "肝腫大なし.胆石なし．脾腫。腹水!",
        ["肝腫大なし.胆石なし．脾腫。", "腹水!"],
    ),
    "more_terminators": (
        SentenceRules(terminators="。!？"),
        "転移か？否!骨も。次",
        ["転移か？", "否!", "骨も。", "次"],
    ),
    "regex_characters": (SentenceRules(terminators="]^-"), "肝^胆-脾]膵.", ["肝^", "胆-", "脾]", "膵."]),
    "no_terminators": (SentenceRules(terminators=""), "肝嚢胞。胆石。\n脾腫。", ["肝嚢胞。胆石。", "脾腫。"]),
    "other_abbreviations": (SentenceRules(abbreviations=("hx",)), "Hx. HCC. Rt. PE.", ["Hx. HCC.", "Rt.", "PE."]),
    "split_in_brackets": (
        SentenceRules(split_in_brackets=True),
        "結節（8mm。前回6mm。）あり。次。",
        ["結節（8mm。", "前回6mm。）", "あり。", "次。"],
    ),
    "split_in_unclosed_bracket": (SentenceRules(split_in_brackets=True), "結節（8mm。次", ["結節（8mm。", "次"]),
    "mark_with_dots": (
        SentenceRules(split_in_brackets=True),
        "腫瘤あり。(Se.3 Im.45)次。",
        ["腫瘤あり。(Se.3 Im.45)", "次。"],
    ),
    "decimal_in_brackets": (SentenceRules(split_in_brackets=True), "腫瘤(3.5cm)。次", ["腫瘤(3.5cm)。", "次"]),
}
# Lines of 20 characters or so; what is joined is listed with its line break.
WRAPPED = {
    "sentence": (
        "右肺上葉に18mm大の結節を認め、辺縁に\nスピキュラを伴う。縦隔リンパ節腫大なし。\n胸水なし。",
        ["右肺上葉に18mm大の結節を認め、辺縁に\nスピキュラを伴う。", "縦隔リンパ節腫大なし。", "胸水なし。"],
    ),
    "over_three_lines": (
        "右肺上葉に18mm大の結節を認め、辺縁に\r\nスピキュラと胸膜陥入を伴っており、原発\r\n性肺癌を疑う。\r\n",
        ["右肺上葉に18mm大の結節を認め、辺縁に\r\nスピキュラと胸膜陥入を伴っており、原発\r\n性肺癌を疑う。"],
    ),
    "word": (
        "肝S8に造影早期相で濃染する腫瘍を認め、HC\nCを疑う。",
        ["肝S8に造影早期相で濃染する腫瘍を認め、HC\nCを疑う。"],
    ),
    "decimal_begins_the_line": (
        "左腎下極に造影効果の乏しい腫瘤があり、\n3.5cm大である。",
        ["左腎下極に造影効果の乏しい腫瘤があり、\n3.5cm大である。"],
    ),
    "bracket_begins_the_line": (
        "左腎下極に造影効果の乏しい腫瘤があり、\n（前回2.8cm）増大している。",
        ["左腎下極に造影効果の乏しい腫瘤があり、\n（前回2.8cm）増大している。"],
    ),
    "after_a_short_line": (
        "肝嚢胞あり\n左腎下極に造影効果の乏しい腫瘤があり、\nRCCを疑う",
        ["肝嚢胞あり", "左腎下極に造影効果の乏しい腫瘤があり、\nRCCを疑う"],
    ),
    "headings": (
        "【胸部】\n右肺上葉に結節を認め、前回と比べて増大\nしている。\n【腹部】\n肝嚢胞。",
        ["【胸部】", "右肺上葉に結節を認め、前回と比べて増大\nしている。", "【腹部】", "肝嚢胞。"],
    ),
    "full_line_ends": ("Liver: 造影早期相で濃染する結節なし, n.p.\nmild ascites(+)", None),
    "short_items_only": ("【胸部】\n結節あり\n胸水なし\n腹水なし", None),
    "heading_follows": ("右肺上葉に結節を認め、前回と比べて増大\n【腹部】\n肝嚢胞", None),
    "colon_heading_follows": ("右肺上葉に結節を認め、前回と比べて増大\nLiver: 嚢胞", None),
    "bullets": ("・右肺上葉に結節を認め、前回より増大傾向\n・縦隔リンパ節腫大なし\n- 胸水なし", None),
    "enumeration_follows": ("1. 右肺上葉に結節を認め、前回より増大傾向\n2. 胸水なし\n(3) 腹水なし\n④脾腫", None),
    "blank_line": ("右肺上葉に結節を認め、前回と比べて増大\n\nしている可能性がある", None),
    "one_line": ("肝嚢胞。胆石。", ["肝嚢胞。", "胆石。"]),
    "empty": ("", []),
    "whitespace": ("\n　\n", []),
}


def split(text: str, rules: SentenceRules = SentenceRules()) -> list[str]:
    return [text[start:end] for start, end in sentence_offsets(text, rules)]


@pytest.mark.parametrize(("text", "sentences"), LAYOUTS.values(), ids=LAYOUTS)
def test_layout(text, sentences):
    assert split(text) == sentences


@pytest.mark.parametrize(("rules", "text", "sentences"), CUSTOM.values(), ids=CUSTOM)
def test_custom_rules(rules, text, sentences):
    assert split(text, rules) == sentences


@pytest.mark.parametrize(("text", "joined"), WRAPPED.values(), ids=WRAPPED)
def test_hard_wrap(text, joined):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert split(text, SentenceRules(hard_wrap=True)) == (lines if joined is None else joined)


@pytest.mark.parametrize("text", [text for text, _ in WRAPPED.values()], ids=WRAPPED)
def test_without_hard_wrap_every_line_break_ends_a_sentence(text):
    assert not [sentence for sentence in split(text) if re.search(r"[\r\n]", sentence)]


def test_offsets_point_into_the_text():
    assert sentence_offsets("\n　肝嚢胞。 [#1]\n\n胆石なし　") == [(2, 11), (13, 17)]


# What reports are made of, and what breaks splitters; joined at random.
FRAGMENTS = st.sampled_from(
    [
        *(
            "右肺",
            "結節を認める",
            "3.5cm",
            "12mm",
            "2024.3.1",
            "n.p.",
            "rt. ",
            "No.",
            "Th12",
            "1.",
            "(1)",
            "①",
            "SUVmax 5.2",
        ),
        *(
            "。",
            "．",
            ".",
            "｡",
            "、",
            "，",
            ":",
            "・",
            "- ",
            "○",
            "■",
            "※図2",
            "[#1]",
            "[#1-2]",
            "(Se3 Im45)",
            "（図1）",
        ),
        *("（", "）", "(", ")", "「", "」", "【", "】", "[", "]", '"', "a", "Z", "5"),
        *(
            "\n",
            "\r\n",
            "\r",
            "\t",
            " ",
            "\u3000",
            "\u2028",
            "\x85",
            "\x1c",
            "\u200b",
            "か\u3099",
            "ﾊｲ",
            "👨‍⚕️",
            "\0",
            "\u202e",
        ),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map("".join) | st.text(max_size=60)
RULES = st.builds(
    SentenceRules,
    terminators=st.sampled_from(["。｡．.", "。", ".", "。!?", "]-^\\", ""]),
    hard_wrap=st.booleans(),
    split_in_brackets=st.booleans(),
)


@settings(max_examples=400)
@given(TEXTS, RULES)
def test_sentences_are_in_order_trimmed_and_complete(text, rules):
    covered, gaps = 0, ""
    for start, end in sentence_offsets(text, rules):
        assert covered <= start < end
        assert text[start:end] == text[start:end].strip()
        gaps += text[covered:start]
        covered = end
    assert not (gaps + text[covered:]).strip()


@settings(max_examples=400)
@given(TEXTS, RULES.filter(lambda rules: not rules.hard_wrap))  # which joins lines by the width of the whole report
@example("肝（8mm。前回6mm。）あり。[#1]次", SentenceRules())
def test_a_sentence_is_not_split_again(text, rules):
    for sentence in split(text, rules):
        assert split(sentence, rules) == [sentence]


@settings(max_examples=100)
@given(TEXTS, TEXTS)
def test_lines_are_split_independently(first, second):
    assert split(first + "\n" + second) == split(first) + split(second)


# Each takes minutes where the rules look back to the start of the line for every character.
@pytest.mark.parametrize(
    ("unit", "count"),
    [("肝嚢胞。", 25_000), ("n.p.、", 1), ("3.5cm、", 1), ("(", 1), ("右肺に結節あり", 1), ("a", 1), (" ", 0)],
    ids=["sentences", "abbreviations", "decimals", "open_brackets", "no_period", "one_word", "white_space"],
)
@pytest.mark.parametrize("rules", [SentenceRules(), SentenceRules(hard_wrap=True)], ids=["lines", "hard_wrap"])
def test_text_of_100_000_characters(unit, count, rules):
    text = unit * (100_000 // len(unit))
    offsets = sentence_offsets(text, rules)
    assert len(offsets) == count
    assert "".join(text[start:end] for start, end in offsets) == text.strip()


def test_nested_brackets_of_100_000_characters():
    text = "(" * 50_000 + "。" + ")" * 49_999
    assert split(text) == [text]
