"""The table of attributes: what is drawn from it, and what a slip in it costs."""

import json
from collections import Counter

import pytest
import srsly

from spacy_radsent.errors import RadsentError
from spacy_radsent.synth.attributes import BUNDLED, read_attributes
from spacy_radsent.synth.prompts import ReportPrompt

TABLE = read_attributes()
# Kikuchi et al. 2026, and what they found missing.
NAMES = {
    *("experience", "structure", "age", "sex", "site", "modality", "reason", "image_quality", "scan_range"),
    *("prior_exam", "disease", "certainty", "rarity", "institution", "hard_cases"),
}
POINTS = {
    *("headings", "endings", "punctuation", "line_breaks", "figure_marks"),
    *("numbering", "language", "notation", "length"),
}


@pytest.fixture(scope="module")
def many():
    return [TABLE.draw(0, i) for i in range(2000)]


def write(path, old="", new=""):
    text = BUNDLED.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_report_draws_every_attribute(many):
    for drawn in many:
        told = {"habits"} if drawn.style_name in TABLE.institutions else POINTS
        assert set(drawn.meta) == NAMES | told
    assert {case for drawn in many for case in drawn.hard_cases} == set(TABLE.hard_cases)
    drawn_names = {drawn.style_name for drawn in many}
    assert set(TABLE.styles) < drawn_names <= {*TABLE.styles, *TABLE.institutions} and len(drawn_names) > 340
    of_institutions = sum(drawn.style_name in TABLE.institutions for drawn in many) / len(many)
    assert of_institutions == pytest.approx(TABLE.institution_share, abs=0.04)


def test_every_institution_of_the_corpus_is_there(institutions):
    assert {record.meta["institution"] for record in institutions} == set(TABLE.institutions)


def test_same_seed_same_report_however_many():
    assert [TABLE.draw(7, i) for i in range(20)] == [TABLE.draw(7, i) for i in range(40)][:20]
    assert [TABLE.draw(7, i) for i in range(20)] != [TABLE.draw(8, i) for i in range(20)]


def test_weights_are_shares():
    free = TABLE.model_copy(update={"never": []})
    many = [free.draw(0, i) for i in range(2000)]
    sites = Counter(drawn.values["site"] for drawn in many)
    total = sum(site.weight for site in TABLE.sites.values())
    for name, site in TABLE.sites.items():
        assert sites[name] / len(many) == pytest.approx(site.weight / total, abs=0.025)
    with_weak_negation = sum("weak_negation" in drawn.hard_cases for drawn in many) / len(many)
    assert with_weak_negation == pytest.approx(TABLE.hard_cases["weak_negation"].share, abs=0.04)


def test_what_does_not_go_together_is_not_drawn(many):
    assert not any(drawn.matches(combination) for drawn in many for combination in TABLE.never)
    assert any(drawn.values["prior_exam"] == "なし" for drawn in many)
    women = {drawn.values["sex"] for drawn in many if drawn.values["site"] == "骨盤（婦人科）"}
    assert women == {"女性"}


def test_all_that_is_drawn_is_told_to_the_model(many):
    prompt = ReportPrompt()
    for drawn in many[:200]:
        told = prompt(drawn)[1]["content"]
        for value in (*drawn.values.values(), *drawn.style.values(), *drawn.hard_cases.values()):
            assert value in told


def test_style_of_ones_own(tmp_path):
    table = srsly.yaml_loads(BUNDLED.read_text(encoding="utf-8"))
    ours = {**table["styles"]["spoken"], "headings": ["＜所見＞の行から始める"], "length": {"3文": 1, "4文": 3}}
    path = tmp_path / "ours.json"
    table = {**table, "styles": {"ours": ours}, "institutions": {}}
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    drawn = [read_attributes(path).draw(0, i) for i in range(400)]
    assert {one.meta["institution"] for one in drawn} == {"ours"}
    assert {one.style["headings"] for one in drawn} == {"＜所見＞の行から始める"}
    assert Counter(one.style["length"] for one in drawn)["4文"] == pytest.approx(300, abs=40)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("experience:", "experiense:", "'experiense' is not known: did you mean 'experience'?"),
        ("    headings: 見出しは使わない", "    heading: 見出しは使わない", "did you mean 'headings'?"),
        ("[stability]", "[stabilty]", "'never.1.hard_cases' names 'stabilty', which is no value: did you mean 'stabil"),
        ("- reason: [術後", "- reasons: [術後", "'never.0.reasons' is not known: use experience, structure"),
        ("良好: 7", "良好: many", "'image_quality.良好' is not right: input should be a valid number"),
        ("良好: 7", "良好: 0", "'image_quality.良好' is not right: input should be greater than 0"),
        ("良好: 7", "良好: .inf", "'image_quality.良好' is not right"),
        ("share: 0.25", "share: 25", "'hard_cases.history_like_finding.share' is not right: input should be less"),
        ("institution_share: 0.5", "institution_share: 50", "'institution_share' is not right: input should be less"),
        ('"21": ', '"21": ""\n  x: ', "'institutions.21' is not right: string should have at least 1 character"),
        ("sites:\n", "sites:\n  肝\n", "not valid YAML"),
        ("reason:\n", "reason: [\n", "not valid YAML"),
        ("sex:\n  男性: 1\n", "sex:\n  - 男性: 1\n  - x: 1\nrest:\n", "'rest' is not known"),
        (
            "  男性: 1\n  女性: 1\n",
            "  - 男性: 1\n  - 女性: 1\n",
            "'sex' is not right: input should be a valid",
        ),
        (
            "    disease: {腫瘍・結節: 4",
            "    diseases: {腫瘍・結節: 4",
            "'sites.肺.diseases' is not known: did",
        ),
    ],
)
def test_slip_in_the_table(tmp_path, old, new, message):
    path = write(tmp_path / "mine.yaml", old, new)
    with pytest.raises(RadsentError) as caught:
        read_attributes(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_table_that_forbids_everything(tmp_path):
    path = write(tmp_path / "mine.yaml", "never:\n", "never:\n  - sex: [男性, 女性]\n")
    with pytest.raises(RadsentError, match="'never' left nothing in 1000 draws: remove some of its lines"):
        read_attributes(path).draw(0, 0)


def test_no_such_table(tmp_path):
    with pytest.raises(RadsentError, match="none.yaml: no such file: check the path"):
        read_attributes(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("指示\n---\n{{ modality", ", line 3: the template is not right"),
        ("指示\n---\n{{ modalty }}", "the template is not right ('modalty' is undefined)"),
        ("指示 {{ modality }}", "a line of dashes must part the system's message from the user's, once"),
        ("指示\n---\n", "a line of dashes must part"),
        ("a\n---\n{{ 1 / 0 }}", "the template is not right (division by zero)"),
        ("a\n---\n{% include 'x' %}", "the template is not right"),
        ("a\n---\n{{ ''.__class__.__mro__ }}", "the template is not right"),
    ],
)
def test_slip_in_a_template(tmp_path, template, message):
    path = tmp_path / "mine.jinja"
    path.write_text(template, encoding="utf-8")
    with pytest.raises(RadsentError) as caught:
        ReportPrompt(path)(TABLE.draw(0, 0))
    assert message in str(caught.value)
