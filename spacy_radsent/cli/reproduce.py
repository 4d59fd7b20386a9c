"""`radsent reproduce`: the tables and figures of the paper, with whatever models and corpora are there."""

from pathlib import Path

import spacy
import typer

from ..corpus.importers import import_records
from ..errors import RadsentError, needs_extra
from ..files import result_folder
from .app import command
from .evaluate import check_numbers
from .models import Named, is_there, parse_names, run_models, write_all


@command("reproduce")
def reproduce_command(
    output: Path = typer.Argument(..., metavar="OUTPUT", help="A folder for paper.md, paper.html and metrics.json."),
    models: list[str] = typer.Option(..., "--model", "-m", help="[NAME=]MODEL; one that is not there is left out."),
    internal: list[str] = typer.Option([], help="A synthetic test set; the first that is there is taken."),
    external: list[str] = typer.Option([], help="Reports of other institutions; the first that is there is taken."),
    annotators: tuple[str, str] = typer.Option(("", ""), help="Two files: the internal test set, labelled by each."),
    by: str = typer.Option("institution", help="Field of meta that Table 5 goes by."),
    published: Path | None = typer.Option(None, help="The paper's figures, if not those of the package."),
    resamples: int = typer.Option(2000, help="Of the bootstrap; 0 for no intervals."),
    seed: int = typer.Option(0, help="Same seed, same intervals."),
    batch_size: int = typer.Option(64, help="Reports to label at once."),
    gpu_id: int = typer.Option(-1, help="GPU to use; -1 for the CPU."),
) -> None:
    """Rebuild Tables 2 to 5 and Figures 2 and 3 of Kikuchi et al. 2026, with the paper's figures beside ours."""
    check_numbers("report", resamples, seed, batch_size)
    with needs_extra("evaluation"):
        from ..evaluation.agreement import Agreement
        from ..evaluation.document import to_html, to_markdown
        from ..evaluation.evaluate import Evaluator
        from ..evaluation.paper import Published, sections_of_paper
        from ..evaluation.plots import draw

    paper = Published.read(published) if published else Published.read()
    there = [given for given in parse_names(models, "models") if _is_there(given)]
    corpora = {role: _first(paths) for role, paths in (("internal", internal), ("external", external))}
    given_names = [given.name for given in corpora.values() if given]
    golds = {
        role: given.gold(given.name if given_names.count(given.name) == 1 else f"{role}-{given.name}")
        for role, given in corpora.items()
        if given
    }
    if not golds:
        raise RadsentError(
            f"{', '.join([*internal, *external]) or '--internal and --external'}: none of the test sets is there: "
            f"give one, or fetch it with python -m spacy project assets --extra."
        )
    with result_folder(output, "metrics.json") as folder:
        keep = folder / "predictions"
        outcomes = run_models(there, list(golds.values()), batch_size=batch_size, gpu_id=gpu_id, keep=keep)
        fields = [by] if "external" in golds and golds["external"].groups(by) else []
        evaluator = Evaluator(resamples=resamples, seed=seed, by=fields)
        evaluation, _ = evaluator.evaluate(outcomes)
        agreement = None
        if all(annotators):
            one, other = parse_names(annotators, "annotators", stem=True)
            agreement = Agreement.of(one.gold(), other.name, import_records(other.path), evaluator)
        pictures = {role: draw(evaluation.runs_on(gold.name), role) for role, gold in golds.items()} if there else {}
        sections = sections_of_paper(paper, golds, evaluation, agreement, by, pictures)
        title = "Kikuchi et al. 2026, rebuilt"
        report = to_markdown(title, sections)
        files: dict[str, str | bytes] = {"metrics.json": evaluation.to_json()}
        files |= {"paper.md": report, "paper.html": to_html(title, sections)}
        shown = [picture for section in sections for picture in section.pictures]
        write_all(folder, files | {f"{picture.name}.png": picture.png for picture in shown})
    print(report)
    print(f"Open in a browser: {(output / 'paper.html').resolve()}")


def _is_there(given: Named) -> bool:
    """RETURNS (bool): Whether a model or a corpus is there; says so if not."""
    if is_there(given.path) or (given.path.isidentifier() and spacy.util.is_package(given.path)):
        return True
    print(f"Left out, since it is not there: {given.path}")
    return False


def _first(paths: list[str]) -> Named | None:
    given = (Named.parse(path, stem=True) for path in paths if path)
    return next((one for one in given if _is_there(one)), None)
