"""What an adapter was trained for: written beside it, checked when it is loaded, told on its card."""

import json
import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import RadsentError
from ..files import read_text
from ..questions import prompt_sha256
from .settings import LLMSettings

FILE = "radsent.json"
# Tokens whose embeddings tell one base model from another.
COMPARED = 32


class AdapterRecord(BaseModel):
    """How an adapter came about.

    base_model (str): Name or folder of the base model, as it was given.
    base_revision (Optional[str]): Its commit on the hub.
    base_fingerprint (List[float]): Lengths of its first embeddings, alike in all precisions.
    base_dtype (str): Precision of its weights in training; "nf4" for 4 bits.
    prompt (str): Version of the prompt.
    prompt_sha256 (str): Of the instructions.
    train_sha256 (str), dev_sha256 (str): Of the files of records.
    settings (Dict[str, Any]): The config.
    scores (Dict[str, float]): On dev, of the epoch that was kept.
    spacy_radsent (str): Version of this package.
    created (str): Date.
    """

    base_model: str
    base_revision: str | None
    base_fingerprint: list[float]
    base_dtype: str
    prompt: str
    prompt_sha256: str
    train_sha256: str
    dev_sha256: str
    settings: dict[str, Any]
    scores: dict[str, float]
    spacy_radsent: str
    created: str

    def write(self, folder: Path) -> None:
        """Write the record and a card for readers into an adapter's folder."""
        (folder / FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(self._card(), encoding="utf-8")

    def _card(self) -> str:
        adapter, training = self.settings["adapter"], self.settings["training"]
        header = {"base_model": self.base_model, "library_name": "peft", "language": "ja"}
        front = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in header.items())
        scores = "\n".join(f"| {name} | {value:.4f} |" for name, value in self.scores.items())
        return f"""---
{front}
tags: ["lora", "spacy", "radiology"]
---
# Sentence labels for Japanese radiology reports: a LoRA adapter

For `radsent_llm` of spacy-radsent {self.spacy_radsent}, with the prompt `{self.prompt}`. The licence of the base model
and that of the training data hold for it. It may hold traces of the reports that it was trained on.

| | |
|---|---|
| base model | {self.base_model} |
| revision | {self.base_revision or "a local folder"} |
| weights in training | {self.base_dtype} |
| adapter | r {adapter["r"]}, alpha {adapter["alpha"]}, dropout {adapter["dropout"]} |
| training | {training["epochs"]} epochs, loss on the {training["loss"]}, learning rate {training["learn_rate"]} |
| training data, sha256 | {self.train_sha256} |
| dev data, sha256 | {self.dev_sha256} |
| date | {self.created} |

| dev, score mode | |
|---|---|
{scores}
"""


def fingerprint(model: Any) -> list[float]:
    """RETURNS (List[float]): Lengths of a model's first embeddings."""
    rows = model.get_input_embeddings().weight.detach()[:COMPARED].float()
    return [round(length, 6) for length in rows.norm(dim=1).tolist()]


def check_adapter(folder: Path, model: Any, settings: LLMSettings) -> None:
    """Refuse an adapter that was trained for another base model or prompt. One without a record is not checked.

    folder (Path): The adapter.
    model (PreTrainedModel): The base model.
    settings (LLMSettings): Its name, and the version of the prompt.
    """
    if not (folder / FILE).is_file():
        return
    try:
        record = AdapterRecord.model_validate_json(read_text(folder / FILE))
    except ValidationError:
        raise RadsentError(f"{folder / FILE}: is damaged: copy the adapter again.") from None
    found = fingerprint(model)
    if len(found) != len(record.base_fingerprint) or not all(
        math.isclose(one, other, rel_tol=0.02, abs_tol=1e-4)
        for one, other in zip(record.base_fingerprint, found, strict=True)
    ):
        raise RadsentError(
            f"{folder}: was trained for {record.base_model}, whose weights are not those of {settings.model}: "
            f"use it with that model."
        )
    if record.prompt != settings.prompt:
        raise RadsentError(
            f"{folder}: was trained with the prompt {record.prompt!r}, not {settings.prompt!r}: "
            f"set prompt = {record.prompt!r}."
        )
    if record.prompt_sha256 != prompt_sha256(settings.prompt):
        raise RadsentError(
            f"{folder}: was trained with another text of the prompt {record.prompt!r}: "
            f"use it with spacy-radsent {record.spacy_radsent}, or train it anew."
        )
