"""The page shows every character of a report, and nothing of a report is read as HTML."""

from html.parser import HTMLParser

import pytest
from browser import dom_of, needs_browser, screenshot
from jinja2 import Environment
from spacy.tokens import Span, SpanGroup
from typer.testing import CliRunner

import spacy_radsent
from spacy_radsent.cli import app
from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, doc_to_record, record_to_doc
from spacy_radsent.corpus.importers import unlabelled_record
from spacy_radsent.corpus.records import Record, Sentence, write_records
from spacy_radsent.errors import RadsentError
from spacy_radsent.labels import LABELS, SPANS_KEY
from spacy_radsent.rendering import render

HOSTILE = "<script>alert('肺')</script>&lt;b&gt; \"引用\" & 'x' {{ 7*7 }} {% raw %} <!-- --> </div></mark>"
TEXTS = [
    "\n\n【胸部】\r\n\u3000右肺S6に12mm大の結節あり[#1]。\t辺縁不整。\n\n胸水なし。  \n",
    f"{HOSTILE}\n右肺に結節<5mm。\n心拡大なし & 胸水(-)。",
    "著変なし。著変なし。\n著変なし。",
    "か\u3099ん術後👨‍⚕️。\u2028ﾘﾝﾊﾟ節腫大ﾅｼ｡\x85以上",
]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page: the text of each report, of each heading, and every mark with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.reports: list[str] = []
        self.marks: list[list[tuple[dict, str]]] = []
        self.headings: list[str] = []
        self.title = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "div":
            self.reports.append("")
            self.marks.append([])
        elif tag == "h2":
            self.headings.append("")
        elif tag == "mark" and "div" in self.open:
            self.marks[-1].append((dict(attrs), ""))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if "div" in self.open:
            self.reports[-1] += data
            if "mark" in self.open:
                attrs, text = self.marks[-1][-1]
                self.marks[-1][-1] = (attrs, text + data)
        elif "h2" in self.open:
            self.headings[-1] += data
        elif "title" in self.open:
            self.title += data


def make_doc(nlp, text):
    """RETURNS (Doc): The report; each line a sentence, labels in turns, with scores."""
    sentences, end = [], 0
    for i, line in enumerate(line for line in text.splitlines() if line.strip()):
        start = text.index(line.strip(), end)
        end = start + len(line.strip())
        sentences.append(Sentence(start=start, end=end, label=LABELS[(i + 1) % 4]))
    doc = record_to_doc(Record(id="a", text=text, sentences=sentences), nlp, Alignment())
    group = doc.spans[SPANS_KEY]
    group.attrs["scores"] = [[0.1, 0.6, 0.2, 0.1]] * len(group)
    group.attrs["status"] = ["ok"] * len(group)
    return doc


@pytest.fixture(scope="module")
def docs(nlp):
    return [make_doc(nlp, text) for text in TEXTS]


def test_every_character_stays(docs):
    assert Page(render(docs)).reports == TEXTS


def test_marks_are_the_sentences(docs):
    page = Page(render(docs))
    for doc, marks in zip(docs, page.marks, strict=True):
        assert [text for _, text in marks] == [span.text.strip() for span in doc.spans[SPANS_KEY]]
        assert [attrs["class"] for attrs, _ in marks] == [span.label_ for span in doc.spans[SPANS_KEY]]
        assert [LABELS[int(attrs["data-code"])] for attrs, _ in marks] == [span.label_ for span in doc.spans[SPANS_KEY]]


def test_hover_shows_the_probabilities(docs):
    attrs, _ = Page(render(docs)).marks[0][0]
    assert attrs["title"] == "BACKGROUND 0.10, POSITIVE 0.60, NEGATIVE 0.20, CONTINUATION 0.10"


def test_legend_names_the_labels_with_their_codes(docs):
    html = render(docs)
    for code, label in enumerate(LABELS):
        assert f'<mark class="{label}" data-code="{code}">{label}</mark>' in html
        assert f".{label} {{ background: var(--{label}); }}" in html, "and colours them"


def test_text_is_escaped(docs):
    html = render(docs)
    page = Page(html)
    assert "<script" not in html
    assert "&lt;script&gt;" in html and "&amp;lt;b&amp;gt;" in html
    assert "{{ 7*7 }}" in page.reports[1], "text is no template"
    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "ul", "li", "mark", "b", "div"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_titles_are_escaped(docs):
    titles = [HOSTILE, '" onmouseover="alert(1)', "患者<1>", "&amp;"]
    page = Page(render(docs, titles, title=f"報告 {HOSTILE}"))
    assert page.headings == titles
    assert page.title == f"報告 {HOSTILE}"
    assert "script" not in page.tags
    assert "onmouseover" not in dict(page.attributes)


def test_titles_are_numbers_by_default_and_one_for_each(docs):
    assert Page(render(docs)).headings == ["Report 1", "Report 2", "Report 3", "Report 4"]
    with pytest.raises(ValueError):
        render(docs, ["only one"])


def test_failed_sentence_is_shown_as_such(nlp):
    doc = make_doc(nlp, TEXTS[2])
    group = doc.spans[SPANS_KEY]
    spans = [Span(doc, span.start, span.end) for span in group]
    attrs = {"scores": [None] * len(spans), "status": ["error"] * len(spans)}
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=spans, attrs=attrs)
    page = Page(render([doc]))
    assert page.reports == [TEXTS[2]]
    for attrs, _ in page.marks[0]:
        assert attrs == {"class": "error", "data-code": "error", "title": "no label"}
    assert len(page.marks[0]) == 2


def test_gold_annotation_has_colours_but_no_probabilities(nlp):
    doc = make_doc(nlp, TEXTS[2])
    doc.spans[SPANS_KEY].attrs.clear()
    page = Page(render([doc]))
    assert [attrs["class"] for attrs, _ in page.marks[0]] == ["POSITIVE", "NEGATIVE"]
    assert "0." not in "".join(attrs["title"] for attrs, _ in page.marks[0])


@pytest.mark.parametrize("text", ["", " \n\u3000\n"], ids=["empty", "blank"])
def test_report_without_sentences(text, nlp):
    page = Page(render([make_doc(nlp, text)]))
    assert (page.reports, page.marks) == ([text], [[]])


def test_no_reports():
    page = Page(render([], title="空"))
    assert (page.reports, page.headings, page.title) == ([], [], "空")


def test_another_key(nlp):
    doc = make_doc(nlp, TEXTS[2])
    doc.spans["gold"] = SpanGroup(doc, name="gold", spans=[Span(doc, 0, 3, label="CONTINUATION")])
    marks = Page(render([doc], spans_key="gold")).marks[0]
    assert [attrs["class"] for attrs, _ in marks] == ["CONTINUATION"]


def test_the_template_is_compiled_once(docs, monkeypatch):
    first = render(docs)
    monkeypatch.setattr(Environment, "compile", lambda *args, **kwargs: pytest.fail("compiled again"))
    assert render(docs) == first


def test_page_loads_nothing(docs):
    html = render(docs)
    page = Page(html)
    assert "http://" not in html and "https://" not in html and "url(" not in html and "@import" not in html
    assert not {name for name, _ in page.attributes} & {"src", "href", "srcset", "action", "data"}


def test_bundled_reports_keep_every_character(bundled, nlp):
    sample = bundled[::40]
    docs = [record_to_doc(record, nlp, Alignment()) for record in sample]
    page = Page(render(docs, [record.id for record in sample]))
    assert page.reports == [record.text for record in sample]
    assert [[text for _, text in marks] for marks in page.marks] == [record.sentence_texts for record in sample]
    assert page.headings == [record.id for record in sample]


@needs_browser
def test_a_browser_paints_the_page(docs, tmp_path):
    page = tmp_path / "reports.html"
    page.write_text(render(docs), encoding="utf-8")
    image = screenshot(page, tmp_path / "reports.png", width=900, height=1200)
    assert image.startswith(b"\x89PNG")
    assert len(image) > 15_000, "more than an empty page"


FINDINGS = "右肺S1に8mmの結節あり。[#1]\n辺縁不整(Se3 Im45)。\n胸水なし。\n前回と比較。"


@pytest.fixture
def finding_doc(nlp):
    doc = make_doc(nlp, FINDINGS)
    labels = ["POSITIVE", "CONTINUATION", "NEGATIVE", "BACKGROUND"]
    spans = [
        Span(doc, span.start, span.end, label=label) for span, label in zip(doc.spans[SPANS_KEY], labels, strict=True)
    ]
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=spans, attrs=dict(doc.spans[SPANS_KEY].attrs))
    return doc


def test_sentences_of_a_finding_have_one_number_and_figure_marks_are_marked(finding_doc):
    html = render(finding_doc)
    page = Page(html)
    assert page.reports == [FINDINGS]
    assert [attrs.get("data-finding") for attrs, _ in page.marks[0]] == ["1", "1", "2", None]
    assert "<b>[#1]</b>" in html and "<b>(Se3 Im45)</b>" in html
    assert '.report:has([data-finding="2"]:hover) [data-finding="2"] { outline' in html


@needs_browser
def test_a_browser_paints_findings_and_marks_in_light_and_dark(finding_doc, tmp_path):
    write_records([doc_to_record(finding_doc, "R1", {})], tmp_path / "labelled.jsonl")
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["view", str(tmp_path / "labelled.jsonl"), "-o", str(page)])
    assert done.exit_code == 0, done.output
    html = page.read_text(encoding="utf-8")
    pages = {
        "light": html,
        "dark": html.replace("prefers-color-scheme: dark", "prefers-color-scheme: light"),
        "without_marks": html.replace("<b>", "").replace("</b>", ""),
        "without_findings": html.replace(' data-finding="', ' data-nothing="'),
    }
    images = {}
    for name, content in pages.items():
        (tmp_path / f"{name}.html").write_text(content, encoding="utf-8")
        images[name] = screenshot(tmp_path / f"{name}.html", tmp_path / f"{name}.png", width=700, height=600)
    assert len(set(images.values())) == 4, "each of these is seen"
    _, messages = dom_of(page)
    assert not messages


def test_policies_of_the_pipeline_are_shown(finding_doc):
    pipeline = blank_pipeline()
    component = pipeline.add_pipe("radsent_findings", config={"after_background": "own"})
    component(finding_doc)
    assert [attrs.get("data-finding") for attrs, _ in Page(render(finding_doc)).marks[0]] == ["1", "1", "2", None]


def test_records_are_shown_like_documents(finding_doc):
    record = doc_to_record(finding_doc, "報告1", {})
    page = Page(render([record]))
    assert page.headings == ["報告1"]
    assert page.marks == Page(render(finding_doc)).marks


def test_a_notebook_shows_the_page_in_a_frame(finding_doc):
    page = spacy_radsent.render(finding_doc)
    assert page == render(finding_doc)
    frame = page._repr_html_()
    assert frame.startswith("<iframe srcdoc=") and frame.count("<") == 2
    assert "&lt;mark" in frame


def test_view_writes_a_page(finding_doc, tmp_path):
    records = [doc_to_record(finding_doc, f"R{i}", {}) for i in range(3)]
    write_records(records, tmp_path / "part-000000.jsonl")

    def view(*args):
        return CliRunner().invoke(app, ["view", *map(str, args), "-o", str(tmp_path / "page.html")])

    first = view(tmp_path, "--limit", 2)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert first.exit_code == 0 and Page(page).headings == ["R0", "R1"]
    assert "The first 2 reports: --limit shows more" in first.output and "<p>The first 2 reports" in page
    assert view(tmp_path / "part-000000.jsonl", "--id", "R2").exit_code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert Page(page).headings == ["R2"] and "The first" not in page
    write_records([unlabelled_record("U", "肺。")], tmp_path / "unlabelled.jsonl")
    for args, message in [
        ([tmp_path, "--id", "R9"], "has no report with the id R9"),
        ([tmp_path, "--id", "R2", "--id", "R9"], "has no report with the id R9"),
        ([tmp_path / "unlabelled.jsonl"], "no sentence has a label: label the reports first"),
        ([tmp_path, "--limit", 0], "--limit 0: give 1 or more."),
        ([tmp_path / "nothing.jsonl"], "no such file"),
    ]:
        done = view(*args)
        assert done.exit_code == 1
        assert message in " ".join(done.output.split())


def test_what_is_to_be_reviewed_is_shown(finding_doc):
    assert "to review" not in render(finding_doc)
    finding_doc.spans["radsent"].attrs["status"][1] = "review"
    page = render(finding_doc)
    assert page.count('<mark class="review"') == 1, "in the legend"
    assert page.count(' review" data-code') == 1 and page.count('title="to review: ') == 1
    assert [attrs["data-code"] for attrs, _ in Page(page).marks[0]].count("3?") == 1


def test_a_doc_without_labels_says_what_to_run(nlp):
    with pytest.raises(RadsentError, match="run a pipeline with 'radsent'"):
        render([nlp("肝に腫瘤。")])
