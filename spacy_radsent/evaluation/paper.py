"""The tables and figures of Kikuchi et al. 2026, with our models, beside what the paper gives."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import srsly
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..corpus.stats import GroupStats
from ..errors import RadsentError
from ..files import read_text
from ..labels import LABELS
from .agreement import METRICS as AGREEMENT_METRICS
from .agreement import Agreement
from .cells import TITLES, mark_best
from .corpus import GoldCorpus
from .document import Section, Table
from .groups import group_section
from .intervals import Interval
from .plots import Picture
from .results import Evaluation, Run

PUBLISHED = Path(__file__).parent / "published.yaml"
METRICS = ("accuracy", "macro_f1", "ppv_1", "recall_1", "f1_1", "kappa")

Value = float | tuple[float, float] | None


class PublishedCorpus(BaseModel):
    """A test set of the paper: title, number of reports and sentences, and sentences by label."""

    model_config = ConfigDict(extra="forbid")
    title: str
    reports: int = Field(gt=0)
    sentences: int = Field(gt=0)
    labels: dict[str, int] = {}


class PublishedResult(BaseModel):
    """Figures of a model or annotator on a corpus. A value is a number, or the lowest and the highest of several."""

    model_config = ConfigDict(extra="forbid")
    model: str
    corpus: str
    annotator: bool = False
    accuracy: Value = None
    macro_f1: Value = None
    ppv_1: Value = None
    recall_1: Value = None
    f1_1: Value = None
    kappa: Value = None
    no_label: int | None = None
    no_label_share: Value = None
    precision: dict[str, float] = {}
    recall: dict[str, float] = {}
    groups: dict[str, Value] = {}


class Published(BaseModel):
    """What the paper gives: see published.yaml."""

    model_config = ConfigDict(extra="forbid")
    corpora: dict[str, PublishedCorpus]
    splits: dict[str, int]
    results: list[PublishedResult]

    @model_validator(mode="after")
    def _known_corpora(self) -> "Published":
        if missing := [role for role in ("internal", "external") if role not in self.corpora]:
            raise ValueError(f"corpora lacks {missing[0]!r}")
        for result in self.results:
            if result.corpus not in self.corpora:
                raise ValueError(f"corpus {result.corpus!r} of {result.model!r} is none of {', '.join(self.corpora)}")
        return self

    @classmethod
    def read(cls, path: Path = PUBLISHED) -> "Published":
        """RETURNS (Published): The figures in a file."""
        text = read_text(path)
        try:
            values = srsly.yaml_loads(text)
        except ValueError as error:
            line = re.search(r"line (\d+)", str(error))
            where = f", line {line[1]}" if line else ""
            raise RadsentError(f"{path}{where}: not valid YAML: check the indentation and the quotes.") from None
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "the file"
            raise RadsentError(f"{path}: {field}: {first['msg']}: see published.yaml of the package.") from None

    def on(self, corpus: str) -> list[PublishedResult]:
        """RETURNS (List[PublishedResult]): The results on a corpus."""
        return [result for result in self.results if result.corpus == corpus]


def sections_of_paper(
    published: Published,
    corpora: Mapping[str, GoldCorpus],
    evaluation: Evaluation,
    agreement: Agreement | None,
    field: str,
    pictures: Mapping[str, list[Picture]],
) -> list[Section]:
    """Write the paper's tables and figures.

    published (Published): The paper's figures.
    corpora (Mapping[str, GoldCorpus]): Ours by role: "internal", "external", or one of them.
    evaluation (Evaluation): Our models on them.
    agreement (Optional[Agreement]): Of two annotators.
    field (str): Field of `meta` that Table 5 goes by.
    pictures (Mapping[str, List[Picture]]): By role.
    RETURNS (List[Section]): Tables 2 to 5, Figures 2 and 3.
    """
    sections = [datasets_section(published, corpora)]
    runs = {role: evaluation.runs_on(gold.name) for role, gold in corpora.items()}
    for number, role in ((3, "internal"), (4, "external")):
        sections.append(results_section(number, role, published, corpora.get(role), runs.get(role, [])))
    sections.append(institutions_section(field, published, runs.get("external", [])))
    sections.append(annotators_section(published, agreement))
    confusions = [picture for role in pictures for picture in pictures[role]]
    text = "" if confusions else "No model is there."
    sections.append(Section("Figure 3: confusion matrices, and what the paper does not show", text, [], confusions))
    return sections


def datasets_section(published: Published, corpora: Mapping[str, GoldCorpus]) -> Section:
    """RETURNS (Section): Table 2, the corpora."""
    header = ["corpus", "from", "reports", "sentences", *LABELS, "characters a report", "sentences a report"]
    rows = [
        [
            *(f"{role}: {corpus.title}", "paper", f"{corpus.reports:,}", f"{corpus.sentences:,}"),
            *(_count(corpus.labels.get(label), corpus.sentences) for label in LABELS),
            *("-", f"{corpus.sentences / corpus.reports:.1f}"),
        ]
        for role, corpus in published.corpora.items()
    ]
    for role, gold in corpora.items():
        stats = GroupStats.of(gold.name, "all", gold.records)
        rows.append(
            [
                *(f"{role}: {gold.name}", "here", f"{stats.reports:,}", f"{stats.sentences:,}"),
                *(_count(stats.labels[label], stats.sentences) for label in LABELS),
                f"{stats.characters_mean:.1f} ({stats.characters_sd:.1f})",
                f"{stats.sentences_mean:.1f} ({stats.sentences_sd:.1f})",
            ]
        )
    splits = ", ".join(f"{count:,} for {name}" for name, count in published.splits.items())
    text = (
        f"The paper's synthetic reports: {splits}. Labels: sentences (share). Last columns: mean (standard deviation)."
    )
    return Section("Table 2: corpora", text, [Table("Reports, sentences, labels", header, rows)])


def results_section(
    number: int, role: str, published: Published, gold: GoldCorpus | None, runs: Sequence[Run]
) -> Section:
    """RETURNS (Section): Table 3 (role "internal") or 4 ("external"): models, and how far ours are from the paper's."""
    results = published.on(role)
    header = ["model", "from", *(TITLES[name] for name in METRICS), "no label"]
    columns = {name: mark_best([run.all.excluded.metrics[name] for run in runs]) for name in METRICS}
    rows = [
        [result.model, "paper", *(_shown(getattr(result, name)) for name in METRICS), _lost(result)]
        for result in results
    ] + [
        [
            run.model,
            "here",
            *(columns[name][i] for name in METRICS),
            f"{run.all.no_label / max(1, run.all.sentences):.1%}",
        ]
        for i, run in enumerate(runs)
    ]
    caption = f"On the {role} test set, sentences without a label left out, as in the paper"
    tables = [Table(caption, header, rows)]
    differences = [
        [
            run.model,
            result.model,
            *(_difference(run.all.excluded.metrics[name], getattr(result, name)) for name in METRICS),
        ]
        for run in runs
        for result in results
    ]
    if differences:
        header = ["here", "paper", *(TITLES[name] for name in METRICS)]
        tables.append(Table("Difference: here minus paper; 0 within the paper's range", header, differences))
    text = f"Here: {gold.name if gold else 'no test set is there'}. The paper: {published.corpora[role].title}."
    if gold and not _same_size(gold, published.corpora[role]):
        text += " These are other reports than the paper's: differences are of models and of reports."
    return Section(f"Table {number}: the {role} test set", text, tables)


def institutions_section(field: str, published: Published, runs: Sequence[Run]) -> Section:
    """RETURNS (Section): Table 5, by institution."""
    title = f"Table 5: by {field}"
    grouped = [run for run in runs if field in run.groups]
    if grouped:
        section = group_section(grouped[0].corpus, field, grouped, as_in_paper=True)
    else:
        section = Section(title, f"No model is there, or no report of the external test set has {field} in its meta.")
    rows = [
        [result.model, *(f"{name}: {_shown(value)}" for name, value in result.groups.items())]
        for result in published.on("external")
        if result.groups
    ]
    if rows:
        width = max(map(len, rows))
        padded = [row + [""] * (width - len(row)) for row in rows]
        section.tables.append(Table("The paper: accuracy by institution", ["model", *[""] * (width - 1)], padded))
    return Section(title, section.text, section.tables)


def annotators_section(published: Published, agreement: Agreement | None) -> Section:
    """RETURNS (Section): Figure 2, how far annotators agree."""
    rows = [
        [
            f"paper: {result.model}",
            f"{published.corpora[result.corpus].sentences:,}",
            *(_shown(getattr(result, name, None)) for name in AGREEMENT_METRICS),
        ]
        for result in published.results
        if result.annotator
    ]
    title = "Figure 2: agreement of annotators"
    if agreement:
        section = agreement.section(rows)
        return Section(title, section.text, section.tables, section.pictures)
    header = ["annotators", "sentences", *(TITLES[name] for name in AGREEMENT_METRICS)]
    text = "No two annotators were given: --annotators A.jsonl B.jsonl."
    return Section(title, text, [Table("Agreement", header, rows)])


def _same_size(gold: GoldCorpus, corpus: PublishedCorpus) -> bool:
    return (len(gold.records), len(gold.codes)) == (corpus.reports, corpus.sentences)


def _count(count: int | None, total: int) -> str:
    return "-" if count is None else f"{count:,} ({count / max(1, total):.1%})"


def _shown(value: Value) -> str:
    if value is None:
        return "-"
    return f"{value[0]:.3f} to {value[1]:.3f}" if isinstance(value, tuple) else f"{value:.3f}"


def _lost(result: PublishedResult) -> str:
    if result.no_label is not None:
        return str(result.no_label)
    if isinstance(result.no_label_share, tuple):
        return f"up to {result.no_label_share[1]:.0%}"
    return "-" if result.no_label_share is None else f"{result.no_label_share:.1%}"


def _difference(ours: Interval, theirs: Value) -> str:
    """RETURNS (str): How far a value is from a number, or outside of a range."""
    if ours.value is None or theirs is None:
        return "-"
    low, high = theirs if isinstance(theirs, tuple) else (theirs, theirs)
    return f"{ours.value - min(max(ours.value, low), high):+.3f}"
