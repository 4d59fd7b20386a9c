"""Choices on forms: what was chosen, in the notations of many institutions, and what is no choice."""

import itertools
import re

import numpy
import pytest
import spacy
from spacy.training import Example
from tiny import gold_doc, labels_of, learn_reports, make_pipeline, scores_of, train_tiny

from spacy_radsent.augment.answers import BEFORE, BETWEEN, MARKED, OPTIONS
from spacy_radsent.choices import read_choices, unread_choices
from spacy_radsent.tokenizer import JapaneseTokenizer


@pytest.mark.parametrize(
    ("printed", "chosen"),
    [
        ("胸水 □有 ☑無", "胸水 (-)"),
        ("骨折　☑有　□無", "骨折 (+)"),
        ("胸水：☑有（右優位、少量）□無", "胸水 (+)（右優位、少量）"),
        ("間質影：☑有 □無（両側下葉の胸膜直下）。", "間質影 (+)（両側下葉の胸膜直下）。"),
        ("椎間板ヘルニア ■あり □なし (L4/5).", "椎間板ヘルニア (+) (L4/5)."),
        ("腸重積 ●有 ○無  型 ●回腸結腸 ○小腸小腸", "腸重積 (+) 型 回腸結腸"),
        ("椎体骨折　[ ]圧迫 [ ]破裂 [x]なし。", "椎体骨折 (-)。"),
        ("気胸 (レ)なし ( )あり", "気胸 (-)"),
        ("肺水腫　（○）有　（　）無", "肺水腫 (+)"),
        ("○胸水 ●有 ○無", "○胸水 (+)"),
        ("□胸水 □有 ☑無", "□胸水 (-)"),
        ("肺 [レ]浸潤影 [　]気腫 [　]良好", "肺 浸潤影 (+)"),
        ("肺動脈径：□正常 ☑拡大（34mm）", "肺動脈径： 拡大 (+)（34mm）"),
        ("腫瘤 ☑present □absent, 18mm大.", "腫瘤 (+), 18mm大."),
        ("縦隔リンパ節腫大 有・【無】。", "縦隔リンパ節腫大 (-)。"),
        ("腸骨動脈狭窄 右【有】・無　左 有・【無】.", "腸骨動脈狭窄 右 (+)　左 (-)."),
        ("浸潤影 (Y)/N　胸水 Y/(N)", "浸潤影 (+)　胸水 (-)"),
        ("前十字靱帯断裂 ＿有＿／無", "前十字靱帯断裂 (+)"),
        ("アキレス腱 正常・(肥厚)", "アキレス腱 肥厚 (+)"),
        ("リンパ節：縦隔 (+)／【(-)】", "リンパ節：縦隔 (-)"),
        ("甲状腺 ＋・〔±〕・−", "甲状腺 ±"),
        ("腎萎縮 ⊕・−", "腎萎縮 (+)"),
        ("胸水 ○有 無", "胸水 (+)"),
        ("胸水 有　【無】", "胸水 (-)"),
        ("骨折：有✓ 無", "骨折 (+)"),
        ("静脈は圧迫で消える　レはい　いいえ", "静脈は圧迫で消える (+)"),
        ("造影剤の漏れ：はい◎・いいえ　肝静脈に及ぶ：いいえ◎・はい", "造影剤の漏れ (+)　肝静脈に及ぶ (-)"),
        ("肝に集積はあるか（いいえ／はい◎）。", "肝に集積 (+)。"),
        ("腫瘤はありますか（はい◎／いいえ）", "腫瘤 (+)"),
        ("鉤ヘルニア なし・疑い・あり →なし", "鉤ヘルニア (-)"),
        ("黄色靱帯肥厚 なし／軽度／中等度⇒軽度", "黄色靱帯肥厚 軽度 (+)"),
        ("手根骨配列 □正常 ☑異常", "手根骨配列 異常あり"),
        ("左主幹部 ＿正常＿／異常", "左主幹部 正常"),
        ("結節 有■ 無□", "結節 (+)"),
        ("胸水　あり☑　なし□", "胸水 (+)"),
        ("胸水：有[x] 無[ ]", "胸水 (+)"),
        ("胸水：有( )　無(レ)", "胸水 (-)"),
        ("胸水 あり(○) なし( )（右優位）", "胸水 (+)（右優位）"),
        ("胸水　なし□　あり☑", "胸水 (+)"),
        ("気胸 なし■ あり□ 術後□", "気胸 (-)"),
        ("骨折 有□無☑", "骨折 (-)"),
        ("右乳房：□正常 ☑腫瘤 □石灰化", "右乳房： 腫瘤 (+)"),
        ("肺野 ( )正常 (○)腫瘤影", "肺野 腫瘤影 (+)"),
        ("結節 □無 レ有（右S1）", "結節 (+)（右S1）"),
        ("骨折 レなし □あり", "骨折 (-)"),
        ("局所再発 有【無】", "局所再発 (-)"),
        ("CVポート 【有】無, 先端は上大静脈です.", "CVポート (+), 先端は上大静脈です."),
        ("膿瘍 ＋ ± ⊖ / 血流 ⊕ ± －", "膿瘍 (-) / 血流 (+)"),
        ("後弯変形　＿有＿／無.", "後弯変形 (+)."),
        ("イ）浸潤影 有・無〔有〕 部位〔右下〕", "イ）浸潤影 (+) 部位〔右下〕"),
        ("膵管癒合不全　有／無→＿無＿", "膵管癒合不全 (-)"),
        ("胸水 ☑なし・□あり・□正常", "胸水 (-)"),
        ("骨折：□有／☑無／□不明、転位なし", "骨折 (-)、転位なし"),
        ("結節 有□／無☑", "結節 (-)"),
        ("胸水あり・【なし】", "胸水 (-)"),
        ("胸水有／【無】", "胸水 (-)"),
        ("肺野 ☑結節・☑腫瘤・□石灰化", "肺野 結節 (+)・腫瘤 (+)"),
        ("骨折 ☑L1/□L2/☑L3（陳旧性）", "骨折 L1/L3（陳旧性）"),
        ("☑右／☑左／□両側", "右／左"),
        ("☑骨折 □なし", "骨折 (+)"),
        ("■浸潤影 □正常", "浸潤影 (+)"),
        ("☑異常あり □異常なし", "異常あり"),
        ("[x]C2/3椎体癒合 [ ]なし．", "C2/3椎体癒合 (+)．"),
        ("胸水 ☑\ufe0f有 □無", "胸水 (+)"),
        ("胸水 [■]有 [□]無", "胸水 (+)"),
        ("胸水 [ ]有 [v]無", "胸水 (-)"),
        ("胸水 ◻有 ◼無", "胸水 (-)"),
        ("胸水 有・〇無", "胸水 (-)"),
        ("LN腫大 ☑(-) □(+)", "LN腫大 (-)"),
        ("☑結節 □腫瘤 □浸潤影", "結節 (+)"),
        ("結節 □有・☑無　部位：□右・☑左・☑両側", "結節 (-)　部位：左・両側"),
        ("胆管拡張 〔無〕・有　胆石 無・有→〔有〕。", "胆管拡張 (-)　胆石 (+)。"),
    ],
)
def test_what_was_chosen(printed, chosen):
    assert read_choices(printed) == chosen
    assert read_choices(chosen) == chosen


@pytest.mark.parametrize(("chosen", "other"), MARKED)
@pytest.mark.parametrize(("yes", "no"), OPTIONS)
def test_whatever_stands_between(chosen, other, yes, no):
    """In the notations of the augmenter."""
    for words, between, before in itertools.product([(yes, no), (no, yes)], BETWEEN, filter(None, BEFORE)):
        for word, sign in zip((yes, no), ("(+)", "(-)"), strict=True):
            printed = between.join((chosen if choice == word else other).format(choice) for choice in words)
            read = read_choices(f"胸水{before}{printed}")
            assert re.fullmatch(rf"胸水[:：]? ?{re.escape(sign)}", read), printed


@pytest.mark.parametrize(
    "sentence",
    [
        *("右肺S1に8mmの結節を認めます。[#1]", "胸水(-)、腹水(-)", "結節・浸潤影 (-)、胸水 (-)。", "胸水／(－)"),
        *(
            "肝・【胆嚢】・膵",
            "肝(S6)・脾に嚢胞",
            "【胸部】有意な異常なし",
            "■胸部",
            "☑結節 ☑胸水",
            "□骨折",
            "□胸水 ☑有",
            "○甲状腺 異常なし",
        ),
        *(
            "両側apical cap (+)、中葉に線状瘢痕 (+)。",
            "L4/5 disc space narrowing (+)、listhesis (-)",
            "Bone survey: N/A",
        ),
        *(
            "レベルVI 異常なし",
            "T2 high / 造影(+) - s/o abscess",
            "胸水（有）　心嚢水（無）",
            "胸水の有無",
            "有・無",
            "",
        ),
        *(
            "12mm → 15mm",
            "前回 なし → 今回 あり",
            "肺野に明らかな異常なし/著変なし",
            "子宮・付属器 (術後)",
            "S/O (or) R/O",
        ),
        *(
            "占有・【無】",
            "胸水の有無／【有】",
            "腫大は認めない・【あり】",
            "偽陽性／【陽性】",
            "多い・少ない・【なし】",
        ),
    ],
)
def test_what_is_no_choice(sentence):
    assert read_choices(sentence) == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        *("結節 1なし ②あり", "胸水：1（0なし 1あり）", "骨挫傷 有・無〔外顆 脛骨外側後方〕"),
        *(
            "壁の造影　有／無（造影なし）",
            "塗り残し：○有　○無",
            "結節 (+)・(-)",
            "胸水 □有 □無",
            "石灰化 陽性/陰性（左のみ）",
        ),
    ],
)
def test_what_was_chosen_remains_unknown(sentence):
    assert unread_choices(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *("胸水 □有 ☑無", "局所再発 有【無】", "胸水なし、結節あり", "有意狭窄(-)、起始異常(-)"),
        *("両側仙腸関節に硬化像あり[#6-7]", "硬膜下血腫(+)[#1-2]。", "前回 なし → 今回 あり", "胸水の有無を確認", ""),
        *("有意な狭窄あり・無気肺なし", "右：あり　左：なし", "浮腫あり。なし", "リンパ節(-)(-)"),
        *("骨転移あり→なし", "胸水(-) → (+)", "腫大なし ⇒あり"),
    ],
)
def test_nothing_remains_unknown(sentence):
    assert not unread_choices(sentence)


@pytest.mark.parametrize("sentence", ["・有" * 2000, "【" * 5000, "□有" * 1000 + "☑", "有 " * 3000 + "無"])
def test_long_lines_end(sentence):
    assert read_choices(sentence)


FORM = "胸部CT。\n結節 □無 ☑有（右S1）\n左肺に結節なし。\n胸水 ☑無 □有"
CHOSEN = "胸部CT。\n結節 (+)（右S1）\n左肺に結節なし。\n胸水 (-)"


@pytest.fixture(scope="module")
def trained():
    return train_tiny()


def test_a_form_is_labelled_by_what_was_chosen(trained):
    doc, other, chosen = trained.pipe([FORM, "胸水なし。", CHOSEN])
    numpy.testing.assert_allclose(scores_of(doc), scores_of(chosen), atol=1e-6)
    assert [span.text for span in doc.spans["radsent"]] == FORM.split("\n")
    assert doc.text == FORM
    assert scores_of(other) == pytest.approx(scores_of(trained("胸水なし。")), abs=1e-6)


def test_what_cannot_be_read_is_to_be_reviewed(trained, tmp_path):
    text = f"{FORM}\n腹水 1なし ②あり\n腫瘤 □有 □無"
    ok, review = ["ok"] * 4, ["review"] * 2
    assert trained(text).spans["radsent"].attrs["status"] == ok + review
    trained.to_disk(tmp_path)
    printed = spacy.load(tmp_path, config={"components": {"radsent": {"read_choices": False}}})
    assert printed(text).spans["radsent"].attrs["status"] == ok + ["ok"] * 2


def test_the_minus_key_of_an_input_method_is_a_minus(trained):
    """Behind kana it is a long vowel."""
    typed, meant = trained.pipe(["胸水ー、腹水ー\nfxー。センター", "胸水(-)、腹水(-)\nfx(-)。センター"])
    numpy.testing.assert_allclose(scores_of(typed), scores_of(meant), atol=1e-6)
    assert typed.text.startswith("胸水ー")


def test_forms_can_be_labelled_as_printed(trained, tmp_path):
    trained.to_disk(tmp_path)
    assert spacy.load(tmp_path).config["components"]["radsent"]["read_choices"] is True
    printed = spacy.load(tmp_path, config={"components": {"radsent": {"read_choices": False}}})
    assert not numpy.allclose(scores_of(printed(FORM)), scores_of(printed(CHOSEN)), atol=1e-3)
    numpy.testing.assert_allclose(scores_of(spacy.load(tmp_path)(FORM)), scores_of(trained(FORM)), atol=1e-6)
    assert labels_of(printed(CHOSEN)) == labels_of(trained(CHOSEN))


def test_forms_in_a_pipeline_of_another_vocabulary(trained):
    """One whose tokenizer stops at 49,149 bytes, too; both are read with the documents beside them, not alone."""
    nlp = spacy.blank("ja")
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", source=trained)
    labeller = nlp.get_pipe("radsent")
    assert labeller.tokenizer.vocab is not nlp.vocab
    docs = [nlp.get_pipe("radsent_sentencizer")(nlp.make_doc(text)) for text in ("蕨状の濃染巣と胸水なし。", FORM)]
    labeller.set_annotations(docs, labeller.predict(docs))
    numpy.testing.assert_allclose(scores_of(docs[1]), scores_of(trained(CHOSEN)), atol=1e-6)


def test_long_forms_in_a_pipeline_with_the_tokenizer_of_spacy(trained, tmp_path):
    nlp = spacy.blank("ja")
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("radsent", source=trained)
    nlp.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.tokenizer = JapaneseTokenizer(nlp.vocab)
    doc = nlp("肝に嚢胞。\n" * 3500 + FORM)
    assert set(doc.spans["radsent"].attrs["status"]) <= {"ok", "review"}


def test_training_sees_forms_as_printed():
    def read(text):
        raise AssertionError(text)

    nlp = make_pipeline()
    nlp.get_pipe("radsent").tokenizer = read
    labels = ["BACKGROUND", "POSITIVE", "NEGATIVE", "NEGATIVE"]
    learn_reports(nlp, 0.01, steps=2, examples=[Example(nlp.make_doc(FORM), gold_doc(nlp, FORM, labels))])
    with pytest.raises(AssertionError):
        nlp(FORM)


def test_a_form_that_cannot_be_tokenized_fails_alone(trained):
    def read(text):
        raise ValueError("too long")

    failed = []
    broken = train_tiny()
    broken.get_pipe("radsent").tokenizer = read
    broken.set_error_handler(lambda name, pipe, docs, error: failed.extend(doc.text for doc in docs))
    docs = list(broken.pipe([FORM, CHOSEN]))
    assert failed == [FORM]
    assert labels_of(docs[1]) == labels_of(trained(CHOSEN))
