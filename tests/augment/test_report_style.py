"""The style augmenter: labels still fit, offsets are right, whatever is changed."""

import re
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
import spacy
from spacy.training import Corpus, Example
from spacy.util import registry

from spacy_radsent.augment.answers import answer_of
from spacy_radsent.augment.endings import in_register
from spacy_radsent.augment.lexicon import BUNDLED, REGISTERS, read_lexicon
from spacy_radsent.augment.report import Piece, example_of, piece_of, pieces_of
from spacy_radsent.augment.style import FAMILIES, build_report_style_augmenter
from spacy_radsent.augment.wording import WORDING
from spacy_radsent.boundaries import FIGURE_MARK, sentence_offsets
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc, write_docbin
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.errors import RadsentError

NEGATION = re.compile(r"な[いくし]|ませ|ず(?:$|[、，,])|[(（][-－][)）]|n\.?p|w\.n\.l|不変|困難|難い|NE$|→$")
OTHERWISE = re.compile(
    "矛盾|否定|除外|r/o|c/w"
)  # "矛盾しない" and "c/w", "否定できない" and "r/o": no negation of a finding

REPORT = (
    "胸部CT。前回と比較しました。\n【肺】右肺S1に8mmの結節を認めます。[#1]辺縁は不整です。\n左肺に結節は認めません。\n"
    "【腹部】肝S6に1.2×0.9cmの嚢胞があります。脾腫はありません。"
)
LABELS = ["BACKGROUND", "BACKGROUND", "POSITIVE", "CONTINUATION", "NEGATIVE", "POSITIVE", "NEGATIVE"]


@pytest.fixture(scope="module")
def words():
    return read_lexicon()


def doc_of(nlp, text=REPORT, labels=LABELS):
    record = unlabelled_record("R", text)
    for sentence, label in zip(record.sentences, labels, strict=True):
        sentence.label = label
    return record_to_doc(record, nlp, Alignment())


def change(name, pieces, seed, words):
    return FAMILIES[name](pieces, Random(seed), words)


def texts(pieces):
    return [piece.text for piece in pieces]


def test_a_report_is_taken_apart_and_put_together_again(nlp, bundled, institutions):
    for record in [*bundled[::20], *institutions[::67]]:
        doc = record_to_doc(record, nlp, Alignment())
        again = example_of(pieces_of(doc), nlp).reference
        assert again.text == record.text.strip()
        assert [(span.text, span.label_) for span in again.spans["radsent"]] == [
            (span.text, span.label_) for span in doc.spans["radsent"]
        ]


def test_the_parts_of_a_sentence():
    for sentence, parts in {
        "1. 【肺】右肺に結節あり。[#1]": ("1. 【肺】", "右肺に結節あり", "。[#1]"),
        "Liver: n.p.": ("Liver: ", "n.p.", ""),
        "・肝に嚢胞(+)(Se3 Im45).": ("・", "肝に嚢胞(+)", "(Se3 Im45)."),
        "2023/04/18と比較。": ("", "2023/04/18と比較", "。"),
        "3.5cmの腫瘤": ("", "3.5cmの腫瘤", ""),
        "■腹部": ("■腹部", "", ""),
    }.items():
        piece = piece_of("", sentence, "BACKGROUND")
        assert (piece.opening, piece.body, piece.closing) == parts


@pytest.mark.parametrize("name", FAMILIES)
def test_offsets_are_right_and_boundaries_can_be_found(name, nlp, bundled, institutions, words):
    """What stands between sentences is white space, each is where its offsets say, and the rules find most reports."""
    split_right = total = 0
    for seed, record in enumerate([*bundled[::12], *institutions[::41]]):
        pieces = change(name, pieces_of(record_to_doc(record, nlp, Alignment())), seed, words)
        doc = example_of(pieces, nlp).reference
        spans = list(doc.spans["radsent"])
        assert [(span.text, span.label_) for span in spans] == [(p.text.strip(), p.label) for p in pieces]
        for left, right in pairwise(spans):
            assert not doc.text[left.end_char : right.start_char].strip()
        assert [token.is_sent_start for token in doc].count(True) == len(spans)
        split_right += [start for start, _ in sentence_offsets(doc.text)] == [span.start_char for span in spans]
        total += 1
    assert split_right / total > (0.9 if name != "wraps" else 0.0)


@pytest.mark.parametrize("name", WORDING)
def test_wording_keeps_what_is_there_and_what_is_not(name, nlp, bundled, institutions, words):
    changed = 0
    for seed, record in enumerate([*bundled[::6], *institutions[::21]]):
        before = pieces_of(record_to_doc(record, nlp, Alignment()))
        after = change(name, before, seed, words)
        for old, new in zip(before, after, strict=True):
            assert new.label == old.label and (new.before, new.opening, new.closing) == (
                old.before,
                old.opening,
                old.closing,
            )
            changed += new.body != old.body
            if name == "endings" and not OTHERWISE.search(old.body + new.body):
                assert bool(NEGATION.search(old.body)) == bool(NEGATION.search(new.body)), (old.body, new.body)
    assert changed > 100


@pytest.mark.parametrize(
    ("body", "forms"),
    [
        ("右肺に結節を認めます", {"右肺に結節を認める", "右肺に結節がある", "右肺に結節あり", "右肺に結節(+)"}),
        ("脳動脈瘤はなし", {"脳動脈瘤を認めません", "脳動脈瘤はない", "脳動脈瘤(-)"}),
        ("胸水は認めません", {"胸水は認めない", "胸水はない", "胸水なし", "胸水(-)", "胸水はないと思います"}),
        ("肝に異常はありません", {"肝 n.p.", "肝に異常なし", "肝に異常を認めない"}),
        ("転移を疑う", {"転移を疑います", "転移疑い", "転移s/o", "転移の可能性は否定できません", "転移は否定できず"}),
        ("拡張は良性と考えられます", {"拡張は良性と考える", "拡張は良性と考え"}),
        ("前回より増大しています", {"前回より増大している", "前回より増大", "前回より増大していると思います"}),
        ("骨に転移はないと思います", {"骨に転移はありません", "骨に転移なし", "骨に転移(-)"}),
        ("結節は10mmです", {"結節は10mmである", "結節は10mm", "結節は10mmであると思います"}),
    ],
)
def test_endings(body, forms, words):
    seen = {
        in_register(body, register, Random(seed), words) for register in (*REGISTERS, "opinion") for seed in range(40)
    }
    assert forms <= seen, forms - seen


def test_a_clause_changes_with_its_sentence(words):
    for register, forms in {
        "noun": {"石灰化あり、瘤なし", "石灰化、瘤なし"},
        "telegraphic": {"石灰化(+)、瘤(-)", "石灰化あり、瘤なし"},
    }.items():
        body = "石灰化を認めますが、瘤はありません"
        assert forms <= {in_register(body, register, Random(seed), words) for seed in range(60)}
    polite = {in_register("石灰化(+)、瘤(-)", "polite", Random(seed), words) for seed in range(300)}
    assert polite >= {"石灰化を認め、瘤はありません", "石灰化がありますが、瘤を認めません"}
    assert in_register("評価できた", "polite", Random(0), words) == "評価できた"


@pytest.mark.parametrize(
    "body",
    [
        *(
            "境界明瞭であり",
            "悪性ではない",
            "腫瘤ではありません",
            "結節を認めました",
            "吸収値は低いです",
        ),
        *("椎体のずれ", "PICC LINE", "こちらが主病変で", "新旧の血腫が層をなし"),
    ],
)
def test_what_only_looks_like_an_ending_stays(body, words):
    for register in (*REGISTERS, "opinion"):
        changed = {in_register(body, register, Random(seed), words) for seed in range(30)}
        assert {text.removesuffix(o) for text in changed for o in ("", *words.opinions)} >= {body}
        assert not any(
            bad in text for text in changed for bad in ("でを", "では認め", "であり、", "ましま", "接あり", "ずれま")
        )


def test_background_is_no_finding(words):
    for register in (*REGISTERS, "opinion"):
        seen = {in_register("造影剤アレルギーなし", register, Random(seed), words, finding=False) for seed in range(30)}
        assert seen == {"造影剤アレルギーなし"}
    polite = {in_register("前回CTと比較", "polite", Random(seed), words, finding=False) for seed in range(30)}
    assert polite == {"前回CTと比較しました", "前回CTと比較しています"}
    assert in_register("前回CTと比較", "opinion", Random(0), words, finding=False) == "前回CTと比較"


@pytest.mark.parametrize(
    "body",
    [
        *(
            "腹部大動脈瘤",
            "右肺門",
            "上肺野",
            "PEを認めない",
            "CEA↑",
            "軽度の拡張",
            "その他に",
            "胃切除術後変化",
            "多発性の病変",
        ),
        *("塞栓術後", "早期に濃染する", "PTX投与中"),
    ],
)
def test_what_only_looks_like_a_term_stays(body, words):
    pieces = [Piece("", "", body, "。", "POSITIVE")]
    assert {texts(change("terms", pieces, seed, words))[0] for seed in range(60)} == {f"{body}。"}


@pytest.mark.parametrize(
    "body", ["4→8mm", "5～6mm", "5、6mm", "1,200mm", "30cm²", "5ミリメートル", "10/12mm", "3から8mm"]
)
def test_numbers_that_share_a_unit_keep_it(body, words):
    pieces = [Piece("", "", body, "。", "POSITIVE")]
    assert {texts(change("units", pieces, seed, words))[0] for seed in range(60)} == {f"{body}。"}


def test_a_heading_that_says_what_its_sentence_is_about_stays(words):
    pieces = [
        Piece("", "", "腫瘤あり", "。", "POSITIVE"),
        Piece("\n", "鑑別：", "神経鞘腫、平滑筋肉腫", "。", "CONTINUATION"),
        Piece("\n", "腹水：", "なし", "。", "NEGATIVE"),
    ]
    for name in ("headings", "bullets"):
        for seed in range(80):
            said = "".join(texts(change(name, pieces, seed, words)))
            assert "鑑別" in said and "腹水" in said, said


def test_what_looks_like_a_heading_but_is_a_finding_stays(words):
    pieces = [
        piece_of("", "■海馬 萎縮 軽度あり", "POSITIVE"),
        piece_of("\n", "両側気胸：あり　左優位", "POSITIVE"),
        piece_of("\n", "右肺S9結節：前回8mm→今回10mm", "POSITIVE"),
        piece_of("\n", "肺：浸潤影を認めません。", "NEGATIVE"),
    ]
    seen = {"".join(texts(change("headings", pieces, seed, words))) for seed in range(80)}
    assert all("海馬 萎縮" in said and "気胸" in said and "S9結節" in said for said in seen)
    assert any("肺：" not in said for said in seen)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("胸水 (レ)なし ( )あり", "NEGATIVE"),
        ("総胆管結石 ■あり □なし", "POSITIVE"),
        ("腎萎縮 ⊕ ± なし", "POSITIVE"),
        ("出血 有・無〔なし〕", "NEGATIVE"),
        ("ヘルニア ＋／【なし】", "NEGATIVE"),
    ],
)
def test_the_last_choice_of_a_form_is_no_ending(body, label, words):
    pieces = [Piece("", "", body, "。", label)]
    for name in ("endings", "choices", "known"):
        for seed in range(60):
            assert change(name, pieces, seed, words) == pieces


def test_nothing_is_glued_to_the_line_before(nlp, words):
    pieces = pieces_of(doc_of(nlp, "■心臓\n心拡大なし。弁に石灰化あり。", ["BACKGROUND", "NEGATIVE", "POSITIVE"]))
    seen = {example_of(change("dropout", pieces, seed, words), nlp).reference.text for seed in range(80)}
    assert "■心臓\n弁に石灰化あり。" in seen and not any("臓弁" in text for text in seen)


@pytest.mark.parametrize("name", ["brief", "shuffle"])
def test_what_had_a_line_to_itself_runs_into_nothing(name, nlp, words):
    text = "右肺S1に結節あり\n辺縁は不整。肝に嚢胞あり。 胸水なし"
    pieces = pieces_of(doc_of(nlp, text, ["POSITIVE", "CONTINUATION", "POSITIVE", "NEGATIVE"]))
    for seed in range(40):
        changed = example_of(change(name, pieces, seed, words), nlp).reference
        assert not re.search(r"(?:あり|なし) ?[右肝胸]", changed.text), changed.text


@pytest.mark.parametrize("text", ["右肺に結節を認めます。\n胸水なし。\n。", "結節を認めます。 。胸水なし。", "A.\n\n①"])
def test_a_sentence_that_is_a_mark_alone_stops_no_training(nlp, text):
    doc = doc_of(nlp, text, ["POSITIVE", *["NEGATIVE"] * (len(unlabelled_record("R", text).sentences) - 1)])
    for seed in range(60):
        for example in build_report_style_augmenter(copies=3, seed=seed)(nlp, Example(nlp.make_doc(text), doc)):
            assert all(span.text.strip() for span in example.reference.spans["radsent"])


def test_what_a_heading_stands_before_stays_with_it(words):
    pieces = [
        Piece("", "肝：", "腫大なし", "。", "NEGATIVE"),
        Piece("", "", "嚢胞あり", "。", "POSITIVE"),
        Piece("", "", "脂肪肝なし", "。", "NEGATIVE"),
        Piece("\n", "", "脾腫なし", "。", "NEGATIVE"),
        Piece("", "", "副脾あり", "。", "POSITIVE"),
    ]
    orders = {tuple(piece.body for piece in change("shuffle", pieces, seed, words)) for seed in range(80)}
    assert len(orders) == 4 and all(
        order[0] == "腫大なし" and {*order[1:3]} == {"嚢胞あり", "脂肪肝なし"} for order in orders
    )


def test_abbreviations_keep_their_full_stops(words):
    pieces = [Piece("", "", "rt. lungはn.p.、CT値30", "。", "NEGATIVE")]
    seen = {texts(change("width", pieces, seed, words))[0] for seed in range(30)}
    assert any("３０" in text for text in seen) and not any("．" in text for text in seen)


def test_units_keep_the_measure(words):
    pieces = [Piece("", "", "結節は12 mm、嚢胞は1.5cm、壁は5〜6mm", "。", "POSITIVE")]
    pieces.append(Piece("", "", "腫瘤は30×20mm", "。", "POSITIVE"))
    seen = {tuple(texts(change("units", pieces, seed, words))) for seed in range(60)}
    assert any("結節は1.2cm、嚢胞は1.5cm、壁は5〜6mm" in first for first, _ in seen)
    assert any("結節は12㎜、嚢胞は15㎜" in first for first, _ in seen)
    assert {second for _, second in seen} >= {"腫瘤は30x20mm。", "腫瘤は30 × 20mm。", "腫瘤は30*20mm。"}


def test_stops(nlp, words):
    seen = {example_of(change("stops", pieces_of(doc_of(nlp)), seed, words), nlp).reference.text for seed in range(30)}
    assert any("。" not in text and text.count("\n") == 6 for text in seen), "none: each on its line"
    assert any("．" in text and "。" not in text for text in seen)
    assert any(text.endswith("脾腫はありません.") for text in seen)
    assert all("[#1]" in text for text in seen)


def test_headings(nlp, words):
    pieces = pieces_of(doc_of(nlp))
    variants = [change("headings", pieces, seed, words) for seed in range(60)]
    assert any("肺】" not in "".join(texts(variant)) for variant in variants), "taken away"
    alone = [piece for variant in variants for piece in variant if piece.heading_alone]
    assert {piece.label for piece in alone} == {"BACKGROUND"} and all(piece.starts_line for piece in alone)
    assert any("<肺>右肺S1" in "".join(texts(variant)) for variant in variants), "other brackets"
    bare = pieces_of(doc_of(nlp, "胸水なし。\n肝S6に嚢胞あり。", ["NEGATIVE", "POSITIVE"]))
    inserted = {"".join(texts(change("headings", bare, seed, words))) for seed in range(60)}
    assert any("【肝】肝S6に嚢胞あり" in text for text in inserted), inserted


def test_marks_stand_behind_findings(nlp, words):
    pieces = pieces_of(doc_of(nlp))
    variants = [change("marks", pieces, seed, words) for seed in range(60)]
    assert any(not FIGURE_MARK.search("".join(texts(variant))) for variant in variants)
    marked = {piece.label for variant in variants for piece in variant if FIGURE_MARK.search(piece.text)}
    assert marked == {"POSITIVE", "CONTINUATION"}


def test_no_mark_runs_into_a_number(words):
    pieces = [Piece("", "", "膵管は拡張", "。", "POSITIVE"), Piece("", "", "12→16mm", "", "CONTINUATION")]
    variants = ["".join(texts(change("marks", pieces, seed, words))) for seed in range(200)]
    assert "膵管は拡張※図1。12→16mm※図2" in variants
    assert not any(re.search(r"図\d{2}", variant) for variant in variants)


def test_bullets_and_numbers(nlp, words):
    pieces = pieces_of(doc_of(nlp, "胸部CT。\n右肺に結節。\n胸水なし。", ["BACKGROUND", "POSITIVE", "NEGATIVE"]))
    seen = {"|".join(texts(change("bullets", pieces, seed, words))) for seed in range(80)}
    assert seen >= {
        "胸部CT。|・右肺に結節。|・胸水なし。",
        "胸部CT。|1. 右肺に結節。|2. 胸水なし。",
        "胸部CT。|①右肺に結節。|②胸水なし。",
    }
    numbered = [Piece("", "1. ", "右肺に結節", "。", "POSITIVE"), Piece("\n", "2. ", "胸水なし", "。", "NEGATIVE")]
    assert ["右肺に結節。", "胸水なし。"] in [texts(change("bullets", numbered, seed, words)) for seed in range(10)]


@pytest.mark.parametrize("name", ["dropout", "shuffle"])
def test_no_detail_is_parted_from_its_finding(name, nlp, bundled, institutions, words):
    for seed, record in enumerate([*bundled[::4], *institutions[::15]]):
        pieces = pieces_of(record_to_doc(record, nlp, Alignment()))
        before = [replace(piece, body=f"{piece.body}{i}") for i, piece in enumerate(pieces)]  # none like another
        after = change(name, before, seed, words)
        owner = {}
        finding = before[0]
        for piece in before:
            finding = finding if piece.label == "CONTINUATION" else piece
            owner[piece.body] = finding.body
        for left, right in pairwise(after):
            if right.label == "CONTINUATION":
                assert owner[right.body] in (left.body, owner[left.body])
        if name == "shuffle":
            assert sorted(piece.body for piece in after) == sorted(piece.body for piece in before)
            still = [i for i, piece in enumerate(before) if piece.label == "BACKGROUND"]
            assert [after[i].body for i in still] == [before[i].body for i in still]


def test_shuffled_numbers_stay_in_order(words):
    pieces = [
        Piece("\n" if i else "", f"{i + 1}. ", body, "。", "NEGATIVE")
        for i, body in enumerate(["肺", "肝", "腎", "脾"])
    ]
    shuffled = [change("shuffle", pieces, seed, words) for seed in range(10)]
    assert all([piece.opening for piece in variant] == ["1. ", "2. ", "3. ", "4. "] for variant in shuffled)
    assert any([piece.body for piece in variant] != ["肺", "肝", "腎", "脾"] for variant in shuffled)


def test_same_seed_same_variants(nlp, bundled):
    docs = [record_to_doc(record, nlp, Alignment()) for record in bundled[:10]]

    def variants(seed):
        augment = build_report_style_augmenter(copies=2, seed=seed)
        return [eg.reference.text for doc in docs for eg in augment(nlp, Example(nlp.make_doc(doc.text), doc))]

    assert variants(0) == variants(0) != variants(1)
    assert len(variants(0)) == 30 and variants(0)[::3] == [doc.text for doc in docs]


def test_a_reader_of_spacy_uses_it_by_name(bundled, tmp_path):
    write_docbin(bundled[:5], tmp_path / "train.spacy")
    config = {"@augmenters": "spacy_radsent.report_style.v1", "copies": 1, "families": {"endings": 1.0}}
    corpus = Corpus(tmp_path / "train.spacy", augmenter=registry.resolve({"augmenter": config})["augmenter"])
    examples = list(corpus(spacy.blank("ja", config=blank_pipeline().config["nlp"] and {})))
    assert len(examples) == 10
    assert all(eg.reference.spans["radsent"] for eg in examples)
    assert all(not eg.predicted.spans for eg in examples)


def test_a_report_without_labels_passes(nlp):
    augment = build_report_style_augmenter()
    doc = nlp.make_doc("肺。")
    assert len(list(augment(nlp, Example(doc, doc.copy())))) == 1


def test_joined_sentences_have_the_label_of_the_guideline(nlp, words):
    report = "石灰化を認めます。[#1]動脈瘤はありません。解離もありません。\n【肝】胆石あり。壁肥厚なし。"
    pieces = pieces_of(doc_of(nlp, report, ["POSITIVE", "NEGATIVE", "NEGATIVE", "POSITIVE", "NEGATIVE"]))
    seen = {(piece.text, piece.label) for seed in range(200) for piece in change("joins", pieces, seed, words)}
    assert seen >= {
        ("石灰化を認め[#1]、動脈瘤はありません。", "POSITIVE"),
        ("石灰化を認めますが[#1]、動脈瘤はありません。", "POSITIVE"),
        ("動脈瘤はなく、解離もありません。", "NEGATIVE"),
        ("【肝】胆石あり、壁肥厚なし。", "POSITIVE"),
    }, seen
    assert not any("解離もありません、【肝】" in text or "もなく、【肝】" in text for text, _ in seen)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("右肺に結節を認めます", ("右肺に結節", True, "polite", True)),
        ("胆石(+)", ("胆石", True, "telegraphic", True)),
        ("胸水は認めない", ("胸水", False, "plain", True)),
        ("転移は指摘できず", ("転移", False, "noun", False)),
        ("結節は増大しています", ("結節は増大", True, "polite", False)),
        ("肝に異常はありません", None),  # not the thing, but an organ
        ("肝 n.p.", None),
        ("前回と変化なし", None),
        ("胆石あり、壁肥厚なし", None),  # two things
        ("転移を疑う", None),
        ("辺縁は不整である", None),
        ("大きいのがあり", None),
    ],
)
def test_what_a_sentence_says_of_one_thing(body, answer, words):
    assert answer_of(body, words) == answer


def test_known_findings_stay_positive(nlp, words):
    report = "左腎に嚢胞を認める。\n以前からの胆石あり。\n脾腫なし。\n副腎結節(+)。\n腫瘤の辺縁に石灰化あり。"
    labels = ["POSITIVE", "POSITIVE", "NEGATIVE", "POSITIVE", "CONTINUATION"]
    pieces = pieces_of(doc_of(nlp, report, labels))
    variants = [change("known", pieces, seed, words) for seed in range(300)]
    assert all([piece.label for piece in variant] == labels for variant in variants)
    assert {"左腎に嚢胞に変化はない。", "左腎に嚢胞は前回と同様である。"} <= {texts(variant)[0] for variant in variants}
    assert {"副腎結節 不変。", "副腎結節→。"} <= {texts(variant)[3] for variant in variants}
    assert all(
        texts(variant)[1:3] + texts(variant)[4:] == texts(pieces)[1:3] + texts(pieces)[4:] for variant in variants
    )


def test_what_is_chosen_on_a_form_is_what_is_there(nlp, words):
    report = "肝嚢胞あり。\n胆石なし。\n脾腫なし。\n腎嚢胞あり。\n造影剤はあります。\n総胆管に拡張はなく、結石もなし。"
    report += "\n髄膜腫６ｍｍ　周囲浮腫なし。"
    labels = ["POSITIVE", "NEGATIVE", "NEGATIVE", "POSITIVE", "BACKGROUND", "NEGATIVE", "POSITIVE"]
    pieces = pieces_of(doc_of(nlp, report, labels))
    things = ("肝嚢胞", "胆石", "脾腫", "腎嚢胞")
    seen = {True: set(), False: set()}
    for seed in range(1000):
        variant = change("choices", pieces, seed, words)
        assert [piece.label for piece in variant] == [piece.label for piece in pieces]
        assert texts(variant)[4:] == texts(pieces)[4:], "no finding, not one thing alone, or of a detail"
        told = {True: set(), False: set()}
        for piece, thing in zip(variant, things, strict=False):
            form = piece.body.replace(thing, "{}")
            if form not in ("{}あり", "{}なし"):
                told[piece.label == "POSITIVE"].add(form)
        assert not told[True] & told[False], "in the notation of a report they differ"
        seen = {is_there: seen[is_there] | told[is_there] for is_there in seen}
    assert min(map(len, seen.values())) > 300
    for chosen, is_there in {
        "☑有": True,
        "☑無": False,
        "(あり)": True,
        "[x]No": False,
        "■{}": True,
        "□{}": False,
    }.items():
        assert any(chosen in form for form in seen[is_there]), chosen
        assert not any(chosen in form for form in seen[not is_there]), chosen


def test_a_list_has_the_label_of_the_guideline_and_its_marks(nlp, words):
    report = "肝嚢胞(+)。[#1]\n胆石(-)。\n脾腫なし。\n膵は腫大していません。\n腎結石 3mm\n辺縁平滑。\n副腎腫大なし。"
    labels = ["POSITIVE", "NEGATIVE", "NEGATIVE", "NEGATIVE", "POSITIVE", "CONTINUATION", "NEGATIVE"]
    pieces = pieces_of(doc_of(nlp, report, labels))
    seen = {(piece.text, piece.label) for seed in range(2000) for piece in change("lists", pieces, seed, words)}
    assert seen >= {
        ("肝嚢胞(+)[#1]／胆石(-)／脾腫なし。", "POSITIVE"),
        ("胆石(-)、脾腫なし。", "NEGATIVE"),
        ("腎結石 3mm　他は異常なし", "POSITIVE"),
        ("膵は腫大していません。", "NEGATIVE"),
        ("辺縁平滑。", "CONTINUATION"),
    }
    assert not any("膵は腫大していません" in text and len(text) > 12 for text, _ in seen), "it has a verb"
    assert not any("辺縁平滑" in text and len(text) > 5 for text, _ in seen), "details stay on their own"


def test_a_group_of_arrows_alone_is_never_read(words):
    lexicon = replace(words, terms=[["↑", "→"]])
    pieces = [Piece("", "", "増大", "。", "POSITIVE")]
    assert all(change("terms", pieces, seed, lexicon) == pieces for seed in range(20))


def test_a_lexicon_of_ones_own(nlp, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(BUNDLED.read_text(encoding="utf-8").replace("[胸水, pleural effusion]", "[胸水, 胸膜液]"), "utf-8")
    augment = build_report_style_augmenter(copies=30, families={"terms": 1.0}, lexicon=str(path))
    doc = doc_of(nlp, "胸水あり。", ["POSITIVE"])
    assert {eg.reference.text for eg in augment(nlp, Example(nlp.make_doc(doc.text), doc))} == {
        "胸水あり。",
        "胸膜液あり。",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"families": {"ending": 0.5}}, "report_style has the family 'ending': 0.5: give probabilities for dropout"),
        ({"families": {"endings": 1.5}}, "report_style has the family 'endings': 1.5"),
        ({"families": {"stops": None}}, "report_style has the family 'stops': None"),
        ({"copies": 1.5}, "report_style makes 1.5 copies: give a whole number"),
        ({"copies": -1}, "report_style makes -1 copies: give a whole number of at least 0."),
        ({"lexicon": "nothing.yaml"}, "nothing.yaml: no such file"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(RadsentError, match=message):
        build_report_style_augmenter(**settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- 1", "a lexicon has the parts endings, opinions, unchanged, terms, headings, misprints"),
        ("a: [", "is no YAML"),
        ("{endings: , opinions: [a], terms: [[a, b]], headings: [], misprints: [[a, b]]}", "endings: give a list"),
        ("{endings: 5, opinions: [a], terms: [[a, b]], headings: [], misprints: [[a, b]]}", "endings: give a list"),
        (
            "{endings: [], opinions: [a], terms: [[a]], headings: [], misprints: [[a]]}",
            "terms, group 1: give at least 2",
        ),
        (
            "{endings: [], opinions: [と思います], terms: [[a, b]], headings: [], misprints: [[a, 1]]}",
            "entry 2 is no word",
        ),
        (
            "{endings: [{polite: [です]}], opinions: [a], terms: [[a, b]], headings: [], misprints: [[a, b]]}",
            "endings, group 1",
        ),
        (
            "{endings: [], unchanged: {noun: [a]}, opinions: [a], terms: [[a, b]], headings: [], misprints: [[a, b]]}",
            "unchanged: give polite, plain, noun, telegraphic",
        ),
    ],
)
def test_a_lexicon_that_is_none(content, message, tmp_path):
    if "unchanged" not in content:
        unchanged = "unchanged: {polite: [a], plain: [a], noun: [a], telegraphic: [a]}"
        content = content.replace("opinions:", f"{unchanged}, opinions:")
    (tmp_path / "own.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(RadsentError, match=message):
        read_lexicon(tmp_path / "own.yaml")
