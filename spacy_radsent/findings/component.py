"""The `radsent_findings` component: labelled sentences to findings."""

import re
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from ..errors import RadsentError
from ..extensions import install_extensions
from ..labels import SPANS_KEY
from .finding import FINDINGS_KEY, mark_to_row
from .grouping import AfterBackground, AfterNegative, Alone, Group, Joined, Policies, group_sentences
from .marks import FigureMark, find_marks

LINE_BREAK = re.compile(r"[\n\r\u2028\u2029\x85]")
DEFAULT_CONFIG = {
    "after_negative": "negative",
    "after_background": "finding",
    "first": "own",
    "across_headings": "own",
    "numbered": "own",
    "hyphen_is_range": False,
}


class RadsentFindings:
    """Group the labelled sentences of a report into findings.

    Writes `doc.spans["radsent_findings"]`: a span for each finding whose sentences stand together, labelled with its
    polarity; `.attrs["findings"]` holds all of them as plain data, so that they survive DocBin without user data.
    `doc._.radsent_findings` gives them as `finding.Finding`.
    """

    def __init__(self, name: str, policies: Policies = Policies(), hyphen_is_range: bool = False) -> None:
        """Build the component; see `make_findings`."""
        install_extensions()
        self.name = name
        self.policies = policies
        self.hyphen_is_range = hyphen_is_range

    def __call__(self, doc: Doc) -> Doc:
        """Find the findings of a report.

        doc (Doc): With labelled sentences.
        RETURNS (Doc): The same.
        """
        if SPANS_KEY not in doc.spans:
            raise RadsentError(
                f"'{self.name}' found no labelled sentences in doc.spans[{SPANS_KEY!r}]: put radsent or radsent_llm "
                f"before it, e.g. nlp.add_pipe('radsent_findings', after='radsent')."
            )
        group = doc.spans[SPANS_KEY]
        sentences = list(group)
        statuses = group.attrs.get("status") or ["ok"] * len(sentences)
        groups = group_sentences(
            [span.text for span in sentences],
            [span.label_ for span in sentences],
            _ends_line(doc.text, sentences),
            self.policies,
        )
        marks = _marks_by_group(groups, sentences, find_marks(doc.text, self.hyphen_is_range))
        rows: list[dict[str, Any]] = [
            {
                "sentences": members,
                "polarity": polarity,
                "heading": heading,
                "marks": [mark_to_row(mark) for mark in mine],
                "status": "ok" if polarity and all(statuses[i] == "ok" for i in members) else "review",
            }
            for (members, polarity, heading), mine in zip(groups, marks, strict=True)
        ]
        spans = [
            Span(doc, sentences[members[0]].start, sentences[members[-1]].end, label=polarity or "CONTINUATION")
            for members, polarity, _ in groups
            if len(members) == members[-1] - members[0] + 1
        ]
        doc.spans[FINDINGS_KEY] = SpanGroup(doc, name=FINDINGS_KEY, attrs={"findings": rows}, spans=spans)
        return doc


def _ends_line(text: str, sentences: list[Span]) -> list[bool]:
    """RETURNS (List[bool]): Whether a line break follows each sentence before the next one."""
    following = [*(span.start_char for span in sentences[1:]), len(text)]
    gaps = (text[span.end_char : start] for span, start in zip(sentences, following, strict=False))
    return [bool(LINE_BREAK.search(gap)) for gap in gaps]


def _marks_by_group(groups: list[Group], sentences: list[Span], marks: list[FigureMark]) -> list[list[FigureMark]]:
    """RETURNS (List[List[FigureMark]]): For each group the marks in its sentences, or alone in those right after."""
    owners = {i: owner for owner, group in enumerate(groups) for i in group.sentences}
    by_group: list[list[FigureMark]] = [[] for _ in groups]
    for i, span in enumerate(sentences):
        inside = [mark for mark in marks if span.start_char <= mark.start < span.end_char]
        if i not in owners and i - 1 in owners and inside and _is_marks_alone(span, inside):
            owners[i] = owners[i - 1]
        if i in owners:
            by_group[owners[i]] += inside
    return by_group


def _is_marks_alone(span: Span, marks: list[FigureMark]) -> bool:
    rest = span.text
    for mark in marks:
        rest = rest.replace(mark.text, "", 1)
    return not rest.strip(" \u3000。．.、,")


@Language.factory("radsent_findings", assigns=["doc.spans", "doc._.radsent_findings"], default_config=DEFAULT_CONFIG)
def make_findings(
    nlp: Language,
    name: str,
    after_negative: AfterNegative,
    after_background: AfterBackground,
    first: Alone,
    across_headings: Joined,
    numbered: Joined,
    hyphen_is_range: bool,
) -> RadsentFindings:
    """Make the component that groups labelled sentences into findings.

    nlp (Language): The pipeline.
    name (str): Of the component.
    after_negative, after_background, first, across_headings, numbered (str): See `grouping.Policies`.
    hyphen_is_range (bool): See `marks.find_marks`.
    RETURNS (RadsentFindings): The component.
    """
    policies = Policies(after_negative, after_background, first, across_headings, numbered)
    return RadsentFindings(name, policies, hyphen_is_range)
