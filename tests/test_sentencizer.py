"""`radsent_sentencizer`: the rules on tokens, as a component among spaCy's, measured on gold sentences."""

from collections.abc import Iterator

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config
from thinc.config import ConfigValidationError

from spacy_radsent.boundaries import SentenceRules, sentence_offsets
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.sentencizer import sentencizer_score
from spacy_radsent.spans import character_offsets, trimmed_sentences

# No setting has its default.
SETTINGS = {"terminators": "。!", "hard_wrap": True, "split_in_brackets": True, "abbreviations": ["hx"]}
RULES = SentenceRules(terminators="。!", hard_wrap=True, split_in_brackets=True, abbreviations=("hx",))
TEXTS = [
    "【胸部】\n右肺S6に3.5cm大の腫瘤。[#1]前回2024.3.1より増大.\n\n　胸水なし",
    "",
    " \n\u3000",
    "\n\n肝嚢胞（不変。）あり!胆石\r\n脾 n.p. 腎 n.p.",
    "右肺上葉に18mm大の結節を認め、辺縁に\nスピキュラを伴う。",
]


def build(**settings) -> Language:
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer", config=settings)
    return nlp


@pytest.fixture(scope="module")
def sentencizing() -> Language:
    return build()


def sentences(doc: Doc) -> list[str]:
    return [span.text for span in trimmed_sentences(doc)]


def sent_starts(doc: Doc) -> list[int]:
    return [token.idx for token in doc if token.is_sent_start]


# ---- the component


def test_default_settings_are_those_of_the_rules():
    assert build().get_pipe("radsent_sentencizer").rules == SentenceRules()


def test_sentences_of_tokens(sentencizing):
    assert sentences(sentencizing(TEXTS[0])) == [
        "【胸部】",
        "右肺S6に3.5cm大の腫瘤。[#1]",
        "前回2024.3.1より増大.",
        "胸水なし",
    ]


def test_settings_are_taken():
    assert sentences(build(**SETTINGS)(TEXTS[3])) == [
        "肝嚢胞（不変。）",
        "あり!",
        "胆石",
        "脾 n.p. 腎 n.p.",
    ]
    assert sentences(build(**SETTINGS)(TEXTS[4])) == [TEXTS[4]]


@pytest.mark.parametrize("text", TEXTS)
def test_every_token_is_told_and_the_text_is_kept(sentencizing, text):
    doc = sentencizing(text)
    assert doc.text == text
    assert {token.is_sent_start for token in doc} <= {True, False}
    assert [token.i for token in doc if token.is_sent_start][:1] == [0][: len(doc)]


@pytest.mark.parametrize(("text", "count"), [("", 0), (" \n\u3000", 1)], ids=["empty", "white_space"])
def test_nothing_to_split(sentencizing, text, count):
    doc = sentencizing(text)
    assert len(list(doc.sents)) == count
    assert trimmed_sentences(doc) == []


def test_white_space_belongs_to_the_sentence_before(sentencizing):
    doc = sentencizing("\n肝嚢胞。\n\n　胆石。\n")
    assert [sent.text for sent in doc.sents] == ["\n肝嚢胞。\n\n　", "胆石。\n"]


def test_sentence_that_begins_within_a_token(nlp):
    doc = Doc(nlp.vocab, words=["肝嚢胞。胆", "石。", "脾腫"], spaces=[False] * 3)
    build().get_pipe("radsent_sentencizer")(doc)
    assert [token.is_sent_start for token in doc] == [True, True, True]


def test_earlier_boundaries_are_overwritten(nlp):
    doc = Doc(nlp.vocab, words=["肝", "嚢胞", "。", "胆石"], spaces=[False] * 4, sent_starts=[True, True, False, False])
    build().get_pipe("radsent_sentencizer")(doc)
    assert [token.is_sent_start for token in doc] == [True, False, False, True]


@pytest.mark.parametrize("n_process", [1, 2])
def test_pipe_equals_call(sentencizing, n_process):
    docs = list(sentencizing.pipe(TEXTS * 5, n_process=n_process, batch_size=3))
    assert [doc.text for doc in docs] == TEXTS * 5
    assert [sent_starts(doc) for doc in docs] == [sent_starts(sentencizing(text)) for text in TEXTS * 5]


# ---- settings and files


def test_settings_survive_to_disk(tmp_path):
    build(**SETTINGS).to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("radsent_sentencizer").rules == RULES


def test_settings_survive_to_bytes():
    nlp = build().from_bytes(build(**SETTINGS).to_bytes())
    assert nlp.get_pipe("radsent_sentencizer").rules == RULES


@pytest.mark.parametrize("medium", ["disk", "bytes"])
def test_component_alone_is_saved(tmp_path, medium):
    saved = build(**SETTINGS).get_pipe("radsent_sentencizer")
    loaded = build().get_pipe("radsent_sentencizer")
    if medium == "disk":
        saved.to_disk(tmp_path / "sentencizer")
        loaded.from_disk(tmp_path / "sentencizer")
    else:
        loaded.from_bytes(saved.to_bytes())
    assert loaded.rules == RULES


def test_config_round_trip():
    config = Config().from_str(build(**SETTINGS).config.to_str())
    assert config["components"]["radsent_sentencizer"]["scorer"] == {"@scorers": "spacy_radsent.sentencizer_scorer.v1"}
    nlp = spacy.util.load_model_from_config(config, auto_fill=False, validate=True)
    assert nlp.get_pipe("radsent_sentencizer").rules == RULES


@pytest.mark.parametrize(
    ("setting", "value"),
    [("terminator", "。"), ("hard_wrap", "often"), ("terminators", None), ("abbreviations", [["rt"]])],
    ids=["unknown", "no_bool", "no_string", "nested"],
)
def test_wrong_setting(setting, value):
    with pytest.raises(ConfigValidationError, match=setting):
        build(**{setting: value})


# ---- beside GiNZA's parser


@pytest.fixture
def add_to_ginza(ja_ginza) -> Iterator:
    yield lambda **place: ja_ginza.add_pipe("radsent_sentencizer", **place) and ja_ginza
    ja_ginza.remove_pipe("radsent_sentencizer")


@pytest.mark.parametrize("place", [{"before": "parser"}, {"first": True}], ids=["before", "first"])
def test_ginzas_parser_keeps_the_boundaries(add_to_ginza, bundled, place):
    nlp = add_to_ginza(**place)
    texts = [record.text for record in bundled[::105]]
    for text, doc in zip(texts, nlp.pipe(texts), strict=True):
        assert doc.has_annotation("DEP")
        assert character_offsets(trimmed_sentences(doc)) == sentence_offsets(text)


def test_without_it_ginza_splits_otherwise(ja_ginza):
    assert sentences(ja_ginza(TEXTS[0])) != sentences(build()(TEXTS[0]))


def test_refuses_a_parsed_doc(add_to_ginza):
    nlp = add_to_ginza(after="parser")
    with pytest.raises(
        ValueError, match=r"^'radsent_sentencizer' found a Doc .* place it before the parser.*\.$"
    ) as error:
        nlp("肝嚢胞。胆石なし。")
    assert "肝" not in str(error.value)


# ---- scores


def example(reference: list[int], predicted: list[int] | None, words: list[str] | None = None) -> Example:
    """An example of six words; the lists tell which of them begin a sentence."""
    vocab = spacy.blank("ja").vocab
    words = words or ["肝", "。", "胆", "。", "脾", "。"]
    docs = [
        Doc(vocab, words=words, spaces=[False] * len(words), sent_starts=[i in starts for i in range(len(words))])
        for starts in (predicted, reference)
    ]
    return Example(*docs)


SCORES = {
    "right": ([example([0, 2, 4], [0, 2, 4])], {"sents_p": 1, "sents_r": 1, "sents_f": 1, "sents_exact": 1}),
    "one_missed": (
        [example([0, 2, 4], [0, 2])],
        {"sents_p": 1 / 2, "sents_r": 1 / 3, "sents_f": 2 / 5, "sents_exact": 0},
    ),
    "one_too_many": (
        [example([0, 4], [0, 2, 4])],
        {"sents_p": 1 / 3, "sents_r": 1 / 2, "sents_f": 2 / 5, "sents_exact": 0},
    ),
    "one_moved": ([example([0, 2], [0, 4])], {"sents_p": 0, "sents_r": 0, "sents_f": 0, "sents_exact": 0}),
    "one_report_in_two": (
        [example([0, 2, 4], [0, 2, 4]), example([0], [0, 2])],
        {"sents_p": 3 / 5, "sents_r": 3 / 4, "sents_f": 2 / 3, "sents_exact": 1 / 2},
    ),
}


@pytest.mark.parametrize(("examples", "scores"), SCORES.values(), ids=SCORES)
def test_scores(examples, scores):
    assert sentencizer_score(examples) == pytest.approx(scores)


def test_exact_ignores_where_white_space_belongs():
    words = ["肝", "。", "\n", "胆", "。"]
    assert sentencizer_score([example([0, 2], [0, 3], words)])["sents_exact"] == 1


def test_exact_ignores_how_the_text_was_tokenized(nlp):
    predicted = Doc(nlp.vocab, words=["肝嚢胞", "。", "胆石"], spaces=[False] * 3, sent_starts=[True, False, True])
    reference = Doc(
        nlp.vocab, words=["肝", "嚢胞。", "胆", "石"], spaces=[False] * 4, sent_starts=[True, False, True, False]
    )
    assert sentencizer_score([Example(predicted, reference)])["sents_exact"] == 1


def test_reference_without_sentences_is_left_out(nlp):
    unknown = Example(Doc(nlp.vocab, ["肝", "胆"], sent_starts=[True, True]), Doc(nlp.vocab, ["肝", "胆"]))
    assert set(sentencizer_score([unknown]).values()) == {None}
    assert sentencizer_score([unknown, example([0, 2], [0, 2])])["sents_exact"] == 1


def test_without_a_scorer():
    assert build(scorer=None).get_pipe("radsent_sentencizer").score([example([0], [0])]) == {}


# ---- gold sentences


def evaluate(nlp: Language, records: list[Record]) -> dict[str, float]:
    """Score on tokens; a report that tokens cannot tell apart counts as wrong."""
    examples, alignment = [], Alignment()
    for record in records:
        if (gold := record_to_doc(record, nlp, alignment)) is not None:
            # The same tokens, without what the reference tells.
            words, spaces = [token.text for token in gold], [bool(token.whitespace_) for token in gold]
            examples.append(Example(Doc(nlp.vocab, words=words, spaces=spaces), gold))
    scores = nlp.evaluate(examples)
    return {**scores, "sents_exact": scores["sents_exact"] * len(examples) / len(records)}


def test_gold_bundled(sentencizing, bundled):
    assert len(bundled) >= 800
    scores = evaluate(sentencizing, bundled)
    assert scores["sents_exact"] >= 0.97
    assert scores["sents_f"] >= 0.99


def test_gold_external(sentencizing, pytestconfig):
    records = list(import_records(pytestconfig.rootpath / "assets/external_dev.jsonl"))
    assert evaluate(sentencizing, records)["sents_exact"] >= 0.97


def test_gold_paper(sentencizing, shared_data):
    records = list(import_records(shared_data("jichi/validation.jsonl")))
    assert len(records) == 334
    assert evaluate(sentencizing, records)["sents_exact"] >= 0.99


def test_gold_tells_a_bad_sentencizer(bundled):
    assert evaluate(build(terminators="、"), bundled[:60])["sents_exact"] < 0.5
