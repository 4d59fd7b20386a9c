"""The `radsent_findings` component: labelled sentences to findings."""

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from ..errors import RadsentError
from ..extensions import install_extensions
from ..labels import SPANS_KEY
from ..spans import text_offsets
from .finding import FINDINGS_KEY, find_findings
from .grouping import AfterBackground, AfterNegative, Alone, Joined, Policies

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
                f"with this spans_key before it, e.g. nlp.add_pipe('radsent_findings', after='radsent')."
            )
        group = doc.spans[SPANS_KEY]
        sentences = list(group)
        findings = find_findings(
            doc.text,
            [text_offsets(span) for span in sentences],
            [span.label_ for span in sentences],
            group.attrs.get("scores"),
            group.attrs.get("status"),
            self.policies,
            self.hyphen_is_range,
        )
        spans = [
            Span(
                doc,
                sentences[finding.sentences[0]].start,
                sentences[finding.sentences[-1]].end,
                label=finding.polarity or "CONTINUATION",
            )
            for finding in findings
            if finding.is_contiguous
        ]
        attrs = {"findings": [finding.as_dict() for finding in findings]}
        doc.spans[FINDINGS_KEY] = SpanGroup(doc, name=FINDINGS_KEY, attrs=attrs, spans=spans)
        return doc


@Language.factory(
    "radsent_findings",
    requires=["doc.spans"],
    assigns=["doc.spans", "doc._.radsent_findings"],
    default_config=DEFAULT_CONFIG,
)
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
