"""Training of a LoRA adapter: a language model learns to answer with the labels of a corpus."""

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training

from ..corpus.records import Record, read_records
from ..errors import RadsentError
from ..files import atomic_folder, atomic_writer, refuse_existing
from ..labels import Label
from ..version import __version__
from .adapter import AdapterRecord, fingerprint, sha256
from .lora_settings import LoraSettings
from .lora_trainer import IGNORED, Collator, DevScorer, LabelTrainer, training_arguments
from .model import has_four_bits, load_model, load_tokenizer
from .settings import LLMSettings
from .skeleton import SkeletonBuilder


def train_lora(settings: LoraSettings, output: Path, resume: bool = False) -> AdapterRecord:
    """Train an adapter and write its folder; the epoch with the best macro F1 on dev is kept.

    Checkpoints go to a folder beside it, OUTPUT.checkpoints, which is removed at the end.

    settings (LoraSettings): What to train, on what.
    output (Path): The folder, not there yet.
    resume (bool): Go on from the last checkpoint of a run that was cut off.
    RETURNS (AdapterRecord): How the adapter came about.
    """
    refuse_existing(output)
    checkpoints = output.with_name(f"{output.name}.checkpoints")
    _check_checkpoints(checkpoints, settings, resume)
    train = list(read_records(settings.paths.train, labelled=True))
    dev = list(read_records(settings.paths.dev, labelled=True))
    llm = _llm_settings(settings)
    builder = SkeletonBuilder(load_tokenizer(llm.model), llm.prompt)
    rows = _rows(train, builder, settings)
    base = load_model(llm)
    facts: dict[str, Any] = {
        "train_sha256": sha256(settings.paths.train),
        "dev_sha256": sha256(settings.paths.dev),
        "base_model": llm.model,
        "base_revision": getattr(base.config, "_commit_hash", None),
        "base_fingerprint": fingerprint(base),
        "base_dtype": "nf4" if llm.load_in_4bit else str(base.dtype).removeprefix("torch."),
    }
    torch.manual_seed(settings.training.seed)  # the adapter's first weights
    model = _adapted(base, settings, llm.load_in_4bit)
    trainer = LabelTrainer(
        model=model,
        args=training_arguments(settings.training, checkpoints, len(rows), model.device.type),
        train_dataset=rows,
        eval_dataset=_rows(dev, builder, settings),
        data_collator=Collator(builder.tokenizer.pad_token_id),
        score=DevScorer(dev, llm, builder, model),
    )
    _remember(settings, checkpoints)
    trainer.train(resume_from_checkpoint=resume)
    record = AdapterRecord(
        **facts,
        prompt=llm.prompt,
        prompt_sha256=builder.prompt_sha256,
        settings=settings.model_dump(),
        scores=trainer.best_scores(),
        spacy_radsent=__version__,
        created=date.today().isoformat(),
    )
    with atomic_folder(output) as folder:
        # "auto" would ask the hub whether the vocabulary has grown.
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        record.write(folder)
    shutil.rmtree(checkpoints)
    return record


def _llm_settings(settings: LoraSettings) -> LLMSettings:
    model = settings.model
    on_gpu = model.device != "cpu" and torch.cuda.is_available()
    in_4bit = on_gpu and has_four_bits() if model.load_in_4bit == "auto" else model.load_in_4bit
    dtype = model.dtype if model.dtype != "auto" else "bfloat16" if on_gpu else "float32"
    return LLMSettings(
        model=os.path.expanduser(model.name),
        dtype=dtype,
        device=model.device,
        load_in_4bit=in_4bit,
        prompt=model.prompt,
        max_length=settings.training.max_length,
    )


def _rows(records: list[Record], builder: SkeletonBuilder, settings: LoraSettings) -> list[dict[str, list[int]]]:
    """RETURNS (List[Dict[str, List[int]]]): Reports with their answers; what is not to be learned is IGNORED."""
    rows = []
    for record in records:
        codes = [Label[sentence.label] for sentence in record.sentences if sentence.label]
        if not codes:
            continue
        answered = builder.answer(record.text.strip(), record.sentence_texts, codes)
        ids = [*answered.ids, builder.tokenizer.eos_token_id]
        if len(ids) > settings.training.max_length:
            continue
        learned = range(answered.start, len(ids)) if settings.training.loss == "answer" else answered.places
        labels = [IGNORED] * len(ids)
        for i in learned:
            labels[i] = ids[i]
        rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    if len(rows) < len(records):
        print(
            f"{len(records) - len(rows)} of {len(records)} reports are left out: they have no sentence, or more than "
            f"{settings.training.max_length} tokens (training.max_length)."
        )
    if not rows:
        raise RadsentError(
            f"No report of {settings.paths.train} or {settings.paths.dev} fits training.max_length = "
            f"{settings.training.max_length}: raise it."
        )
    return rows


def _adapted(base: Any, settings: LoraSettings, in_4bit: bool) -> PeftModel:
    adapter, checkpointing = settings.adapter, settings.training.gradient_checkpointing
    if in_4bit:
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=checkpointing)
    elif checkpointing:
        base.enable_input_require_grads()
    config = LoraConfig(
        r=adapter.r,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=adapter.target_modules,
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(base, config)
    except ValueError:
        raise RadsentError(
            f"{settings.model.name}: has none of adapter.target_modules, {', '.join(adapter.target_modules)}: "
            f"name layers of this model."
        ) from None


def _remember(settings: LoraSettings, checkpoints: Path) -> None:
    with atomic_writer(checkpoints / "settings.json") as file:
        json.dump(settings.model_dump(), file)


def _check_checkpoints(checkpoints: Path, settings: LoraSettings, resume: bool) -> None:
    """Refuse to mix two runs, and to go on where there is nothing to go on from."""
    unfinished = list(checkpoints.glob("checkpoint-*"))
    if not resume:
        if unfinished:
            raise RadsentError(f"{checkpoints}: is of a run that was cut off: give --resume to go on, or remove it.")
        return
    if not unfinished:
        raise RadsentError(f"{checkpoints}: holds no checkpoint to resume: train without --resume.")
    before = json.loads((checkpoints / "settings.json").read_text(encoding="utf-8"))
    if before != settings.model_dump():
        raise RadsentError(f"{checkpoints}: is of a run with other settings: resume it with the same.")
