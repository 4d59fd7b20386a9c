"""The attributes that synthetic reports are drawn from: a table that a radiologist can edit, and the drawing.

The kinds of attributes are those of Kikuchi et al. 2026 (radiologist's experience, style and structure, demographics,
site, reason, image quality and range, prior exams, disease, certainty, rarity), and what the paper found missing: the
styles of institutions, and sentences that models find hard. The wording is this project's.
"""

import difflib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..errors import RadsentError
from ..files import read_text

BUNDLED = Path(__file__).parent / "attributes.yaml"
MAX_DRAWS = 1000


def _weights(value: Any) -> Any:
    """RETURNS (Any): A single text, or a list of texts, as weights."""
    if isinstance(value, str):
        return {value: 1}
    return dict.fromkeys(value, 1) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value


Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Pool = Annotated[dict[str, Weight], BeforeValidator(_weights), Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Table):
    """Where a disease is: how it is imaged, which kinds occur, and whom it can concern (`sex`: anyone by default)."""

    weight: Weight = 1
    modality: Pool
    disease: Pool
    sex: Pool | None = None


class HardCase(_Table):
    """Something to put into a report: what to tell the model, and in which share of the reports."""

    share: float = Field(ge=0, le=1)
    text: str = Field(min_length=1)


class Style(_Table):
    """How an institution writes."""

    weight: Weight = 1
    headings: Pool
    endings: Pool
    punctuation: Pool
    line_breaks: Pool
    figure_marks: Pool
    numbering: Pool
    language: Pool
    notation: Pool
    length: Pool


class Attributes(_Table):
    """The whole table; see attributes.yaml.

    `institution_share` of the reports are written in the manner of one of the `institutions` (name -> how it writes),
    the others in one of the `styles`.
    """

    experience: Pool
    structure: Pool
    age: Pool
    sex: Pool
    reason: Pool
    image_quality: Pool
    scan_range: Pool
    prior_exam: Pool
    certainty: Pool
    rarity: Pool
    sites: dict[str, Site] = Field(min_length=1)
    hard_cases: dict[str, HardCase] = {}
    never: list[dict[str, list[str]]] = []
    styles: dict[str, Style] = Field(min_length=1)
    institution_share: float = Field(0.5, ge=0, le=1)
    institutions: dict[str, Annotated[str, Field(min_length=1)]] = {}

    @cached_property
    def sha256(self) -> str:
        """RETURNS (str): Of what the table says, however it is laid out."""
        return sha256(self.model_dump_json().encode()).hexdigest()

    def draw(self, seed: int, index: int) -> "Drawn":
        """Draw the attributes of a report.

        seed (int): Of the corpus.
        index (int): Of the report: each is drawn by itself, so that a larger corpus starts with a smaller one.
        RETURNS (Drawn): The attributes.
        """
        rng = random.Random(f"{seed}:{index}")
        for _ in range(MAX_DRAWS):
            drawn = self._draw(rng)
            if not any(drawn.matches(combination) for combination in self.never):
                return drawn
        raise RadsentError(f"'never' left nothing in {MAX_DRAWS} draws: remove some of its lines.")

    def _draw(self, rng: random.Random) -> "Drawn":
        site_name = _choose(rng, {name: site.weight for name, site in self.sites.items()})
        site = self.sites[site_name]
        if self.institutions and rng.random() < self.institution_share:
            style_name = rng.choice(list(self.institutions))
            style = {"habits": {self.institutions[style_name]: 1.0}}
        else:
            style_name = _choose(rng, {name: style.weight for name, style in self.styles.items()})
            style = {name: getattr(self.styles[style_name], name) for name in STYLE_POINTS}
        pools = {name: getattr(self, name) for name in POOLS}
        pools |= {"sex": site.sex or self.sex, "modality": site.modality, "disease": site.disease}
        return Drawn(
            values={"site": site_name, **{name: _choose(rng, pool) for name, pool in pools.items()}},
            style_name=style_name,
            style={name: _choose(rng, pool) for name, pool in style.items()},
            hard_cases={name: case.text for name, case in self.hard_cases.items() if rng.random() < case.share},
        )


POOLS = [name for name, field in Attributes.model_fields.items() if field.annotation == dict[str, Weight]]
STYLE_POINTS = [name for name in Style.model_fields if name != "weight"]


@dataclass(frozen=True)
class Drawn:
    """The attributes of a report.

    values (Dict[str, str]): Site, modality, disease and the values of the pools.
    style_name (str): The institution.
    style (Dict[str, str]): How it writes: point by point, or as "habits".
    hard_cases (Dict[str, str]): What to put into it, by name.
    """

    values: dict[str, str]
    style_name: str
    style: dict[str, str]
    hard_cases: dict[str, str]

    def matches(self, combination: Mapping[str, list[str]]) -> bool:
        """RETURNS (bool): Whether each of these keys has one of its values."""
        return all(set(values) & set(self._held(key)) for key, values in combination.items())

    def _held(self, key: str) -> list[str]:
        if key == "hard_cases":
            return list(self.hard_cases)
        return [self.style_name] if key == "styles" else [self.values[key]]

    @property
    def meta(self) -> dict[str, Any]:
        """RETURNS (Dict[str, Any]): For the record."""
        return {"institution": self.style_name, **self.values, **self.style, "hard_cases": list(self.hard_cases)}


def read_attributes(path: Path | None = None) -> Attributes:
    """Read and check a table.

    path (Optional[Path]): A YAML or JSON file; the bundled one by default.
    RETURNS (Attributes): The table.
    """
    path = path or BUNDLED
    try:
        table = Attributes.model_validate(srsly.yaml_loads(read_text(path)))
    except ValidationError as error:
        raise RadsentError(f"{path}: {_explain(error)}") from None
    except ValueError as error:
        if isinstance(error, RadsentError):
            raise
        place = " ".join(str(error).split()).removeprefix("Invalid YAML: ")
        raise RadsentError(
            f"{path}: not valid YAML ({place}): indent by spaces, and quote texts with a colon."
        ) from None
    _check_combinations(table, path)
    return table


def _explain(error: ValidationError) -> str:
    # A name with a typo is one that is missing as well.
    errors = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    first = errors[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        known = {1: Attributes, 3: {"sites": Site, "styles": Style, "hard_cases": HardCase}.get(str(first["loc"][0]))}
        names = list(getattr(known.get(len(first["loc"])), "model_fields", {}))
        close = difflib.get_close_matches(name, names, n=1)
        return f"{place!r} is not known: " + (f"did you mean {close[0]!r}?" if close else f"use {', '.join(names)}.")
    if first["type"] == "missing":
        return f"{place!r} is missing: add it, as in the bundled table."
    message = first["msg"]
    return f"{place or 'the table'!r} is not right: {message[0].lower()}{message[1:]}."


def _check_combinations(table: Attributes, path: Path) -> None:
    """Name what `never` forbids but the table does not hold: it would forbid nothing."""
    sites = table.sites.values()
    known: dict[str, set[str]] = {name: set(getattr(table, name)) for name in (*POOLS, "styles", "hard_cases")}
    known["styles"] |= set(table.institutions)
    known["site"] = set(table.sites)
    known["sex"] |= {value for site in sites for value in site.sex or ()}
    known["modality"] = {value for site in sites for value in site.modality}
    known["disease"] = {value for site in sites for value in site.disease}
    for i, combination in enumerate(table.never):
        for key, values in combination.items():
            if key not in known:
                raise RadsentError(f"{path}: 'never.{i}.{key}' is not known: use {', '.join(known)}.")
            if missing := [value for value in values if value not in known[key]]:
                close = difflib.get_close_matches(missing[0], known[key], n=1)
                advice = f"did you mean {close[0]!r}?" if close else "write it as it stands above."
                raise RadsentError(f"{path}: 'never.{i}.{key}' names {missing[0]!r}, which is no value: {advice}")


def _choose(rng: random.Random, pool: Mapping[str, float]) -> str:
    return rng.choices(list(pool), list(pool.values()))[0]
