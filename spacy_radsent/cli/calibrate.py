"""`radsent calibrate`: probabilities that mean what they say, and the precision of POSITIVE that is wanted."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spacy
import typer
from rich.console import Console
from rich.table import Table
from spacy.language import Language

from ..classifier.component import RadsentClassifier
from ..classifier.decision import Decision
from ..corpus.importers import Reading, import_records
from ..corpus.records import Record
from ..corpus.rows import Layout
from ..errors import RadsentError, needs_extra
from ..files import refuse_existing, refuse_other_folder
from ..labels import LABELS, Label
from ..pipelines import check_copy, load_pipeline, save_pipeline, use_gpu
from .app import ENCODING, command

if TYPE_CHECKING:
    from ..evaluation.corpus import GoldCorpus
    from ..evaluation.operating_point import Quality

NEAR = 0.005  # of the precision that is wanted: by chance
COST = 0.01  # of accuracy, which a threshold may have


@command("calibrate")
def calibrate(
    model: Path = typer.Argument(..., metavar="MODEL", help="Folder of a trained pipeline with the component radsent."),
    dev: Path = typer.Argument(..., metavar="DEV", help="Labelled reports that it was not trained on."),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="Folder for the calibrated pipeline; without, --overwrite replaces MODEL."
    ),
    overwrite: bool = typer.Option(False, "--overwrite", help="Put it in place of a pipeline that is there."),
    ppv: float = typer.Option(
        0.95, help="The least precision of POSITIVE (PPV_1) on DEV; 0: the most probable label counts."
    ),
    review: float = typer.Option(0.0, help="Share of the sentences, the least certain, that get the status review."),
    target: Path | None = typer.Option(
        None, help="Unlabelled reports of where it is for: how frequent labels are there is estimated and counted in."
    ),
    text_column: str = typer.Option("text", help="Column or field of --target with the reports."),
    id_column: str = typer.Option("id", help="Column or field of --target with their ids."),
    encoding: str = ENCODING,
    test: list[Path] = typer.Option([], help="Labelled reports to try it on; may be given again."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Fit temperature, threshold of POSITIVE and abstention on labelled reports, and save them in a pipeline.

    All are fitted anew: what an earlier calibration set is not kept.

    Where labels are more or less frequent in your reports than in DEV, give some hundred of yours as --target.

    The figures of DEV are cross-fitted: each fifth of its reports is decided as fitted on the others.
    """
    _check(ppv, review)
    output = output or model
    check_copy(model, output)
    if overwrite:
        refuse_other_folder(output, of="config.cfg")
    else:
        refuse_existing(output, "or give --overwrite")
    with needs_extra("evaluation"):
        from ..evaluation.operating_point import (
            MOST,
            Aims,
            ScoredSentences,
            cross_fitted_quality,
            fit_decision,
            quality_of,
        )
    corpora = _labelled_corpora([dev, *test])
    unlabelled = _unlabelled(target, Layout(text_column, id_column, encoding)) if target else []
    use_gpu(gpu_id)
    nlp = load_pipeline(str(model))
    name, labeller = _labeller(nlp, model)
    before, aims = labeller.decision, Aims(ppv or None, review)
    labeller.decision = Decision()  # the model's own probabilities
    sentences = {path: ScoredSentences.of(nlp, corpus) for path, corpus in corpora.items()}
    if not (sentences[dev].gold == Label.POSITIVE).any():
        raise RadsentError(f"{dev}: no sentence is POSITIVE: give reports with findings.")
    decision = fit_decision(sentences[dev], aims, _scores(nlp, unlabelled, target) if target else None)
    rows = {f"{dev.name}, before": quality_of(sentences[dev], before)}
    # For reports like DEV, where labels are as frequent as in DEV: --target is for others, whose labels nobody knows.
    cross_fitted = cross_fitted_quality(sentences[dev], aims)
    if cross_fitted:
        rows[f"{dev.name}, cross-fitted{', without --target' if target else ''}"] = cross_fitted
    for path in test:
        rows[f"{path.name}, before"] = quality_of(sentences[path], before)
        rows[f"{path.name}, after"] = quality_of(sentences[path], decision)
    nlp = spacy.load(model, config={"components": {name: asdict(decision)}})
    figures = {title: quality.as_dict() for title, quality in rows.items()}
    nlp.meta["calibration"] = {"date": date.today().isoformat(), **asdict(decision), "quality": figures}
    save_pipeline(nlp, model, output, overwrite)
    _show(rows)
    fitted = [f"{field} {value:.3f}" for field, value in asdict(decision).items() if isinstance(value, float)]
    print(f"{output}: {', '.join(fitted)}")
    for label, weight in zip(LABELS, decision.label_weights or [], strict=False):
        limit = ", or beyond that: give more reports, of all kinds" if weight in (MOST, 1 / MOST) else ""
        print(f"{label} is {weight:.2f} times as frequent in {target} as in {dev}{limit}")
    if not cross_fitted:
        print(f"What to expect of other reports is not told: on four fifths of {dev} no threshold has this precision.")
    else:
        # With --target the threshold is for other reports: what precision it has on DEV is not what was asked for.
        _tell_cost(rows[f"{dev.name}, before"], cross_fitted, None if target else ppv)


def _check(ppv: float, review: float) -> None:
    for option, value in (("ppv", ppv), ("review", review)):
        if not 0 <= value < 1:
            raise RadsentError(f"--{option} {value}: give a number from 0 to less than 1.")


def _labelled_corpora(paths: list[Path]) -> dict[Path, "GoldCorpus"]:
    """RETURNS (Dict[Path, GoldCorpus]): Of each file the reports that somebody has labelled; enough in the first."""
    from ..evaluation.corpus import GoldCorpus

    names = [path.name for path in paths]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RadsentError(f"{twice[0]}: two files have this name: rename one, the figures are told by it.")
    corpora = {path: GoldCorpus(path.name, list(_labelled_records(path))) for path in paths}
    _refuse_few(paths[0], len(corpora[paths[0]].records), "labelled reports", "label")
    return corpora


def _labelled_records(path: Path) -> Iterator[Record]:
    return (record for record in import_records(path) if any(sentence.label for sentence in record.sentences))


def _unlabelled(target: Path, layout: Layout) -> list[Record]:
    reading = Reading(layout=layout, corpus=False)
    records = [record for record in import_records(target, reading=reading) if record.text.strip()]
    _refuse_few(target, len(records), "reports with text", "give")
    return records


def _refuse_few(path: Path, count: int, what: str, how: str) -> None:
    from ..evaluation.operating_point import MIN_REPORTS

    if count < MIN_REPORTS:
        raise RadsentError(f"{path}: {count} {what}, {MIN_REPORTS} are needed: {how} more.")


def _scores(nlp: Language, unlabelled: list[Record], target: Path) -> Any:
    """RETURNS (ndarray): What the model says of their sentences, (n, 4)."""
    from ..evaluation.operating_point import scores_of

    scores = scores_of(nlp, unlabelled)
    if not len(scores):
        raise RadsentError(f"{target}: the pipeline labels no sentence of it: give reports with findings.")
    return scores


def _show(rows: dict[str, "Quality"]) -> None:
    table = Table("reports", "sentences", "ECE", "accuracy", "PPV_1", "Recall_1", "review", "accuracy of ok")
    for title, row in rows.items():
        numbers = (row.ece, row.accuracy, row.ppv_1, row.recall_1, row.review, row.accuracy_of_ok)
        table.add_row(title, str(row.sentences), *("-" if number is None else f"{number:.3f}" for number in numbers))
    Console(width=120).print(table)


def _tell_cost(before: "Quality", expected: "Quality", ppv: float | None) -> None:
    """Say where the precision that was asked for is not to be expected (None: not compared), or costs accuracy."""
    if expected.accuracy < before.accuracy - COST:
        print(
            f"Accuracy to expect is {expected.accuracy:.3f}, less than {before.accuracy:.3f} before: ask for less "
            f"precision with --ppv, or label more."
        )
    elif ppv is not None and expected.ppv_1 is not None and expected.ppv_1 < ppv - NEAR:
        print(f"PPV_1 to expect is {expected.ppv_1:.3f}, less than {ppv}: ask for a little more, or label more.")


def _labeller(nlp: Language, model: Path) -> tuple[str, RadsentClassifier]:
    """RETURNS (Tuple[str, RadsentClassifier]): The component that labels, and its name."""
    labellers = [(name, pipe) for name, pipe in nlp.pipeline if isinstance(pipe, RadsentClassifier)]
    if not labellers:
        raise RadsentError(f"{model}: has no component radsent, whose probabilities could be calibrated.")
    return labellers[-1]
