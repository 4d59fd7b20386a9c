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
from ..files import (
    atomic_folder,
    atomic_writer,
    read_text,
    refuse_existing,
    refuse_other_folder,
    refuse_unwritable,
    sha256_of,
)
from ..labels import Label
from ..questions import prompt_sha256
from ..version import __version__
from .adapter import AdapterRecord, fingerprint
from .lora_settings import LoraSettings
from .lora_trainer import IGNORED, Collator, DevScorer, LabelTrainer, Row, has_bfloat16, training_arguments
from .model import has_four_bits, load_model, load_tokenizer
from .settings import LLMSettings
from .skeleton import SkeletonBuilder

RUN = "run.json"  # beside the checkpoints: what they are of


def train_lora(settings: LoraSettings, output: Path, resume: bool = False, overwrite: bool = False) -> AdapterRecord:
    """Train an adapter and write its folder; the epoch with the best macro F1 on dev is kept.

    Checkpoints go to a folder beside it, OUTPUT.checkpoints, which is removed at the end.

    settings (LoraSettings): What to train, on what.
    output (Path): The folder.
    resume (bool): Go on from the last checkpoint of a run that was cut off.
    overwrite (bool): Put it in place of an adapter that is there, which is an error otherwise; another folder is not
        touched.
    RETURNS (AdapterRecord): How the adapter came about.
    """
    if overwrite:
        refuse_other_folder(output, of="adapter_config.json")
    else:
        refuse_existing(output)
    refuse_unwritable(output)
    train = list(read_records(settings.paths.train, labelled=True))
    dev = list(read_records(settings.paths.dev, labelled=True))
    llm = _llm_settings(settings)
    hashes: dict[str, Any] = {
        "train_sha256": sha256_of([Path(settings.paths.train)]),
        "dev_sha256": sha256_of([Path(settings.paths.dev)]),
    }
    run = {"settings": settings.model_dump(), "dtype": llm.dtype, "load_in_4bit": llm.load_in_4bit, **hashes}
    checkpoints = output.with_name(f"{output.name}.checkpoints")
    checkpoint = _checkpoint_to_resume(checkpoints, run, resume)

    builder = SkeletonBuilder(load_tokenizer(llm.model), llm.prompt)
    rows, dev_rows = _rows("train", train, builder, settings), _rows("dev", dev, builder, settings)
    base = load_model(llm)
    base_facts: dict[str, Any] = {
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
        eval_dataset=dev_rows,
        data_collator=Collator(builder.tokenizer.pad_token_id),
        score=DevScorer(dev, llm, builder, model),
    )
    with atomic_writer(checkpoints / RUN) as file:
        json.dump(run, file)
    trainer.train(resume_from_checkpoint=checkpoint)
    record = AdapterRecord(
        **base_facts,
        **hashes,
        prompt=llm.prompt,
        prompt_sha256=prompt_sha256(llm.prompt),
        settings=settings.model_dump(),
        scores=trainer.best_scores(),
        spacy_radsent=__version__,
        created=date.today().isoformat(),
    )
    with atomic_folder(output, overwrite) as folder:
        # "auto" would ask the hub whether the vocabulary has grown.
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        record.write(folder)
    shutil.rmtree(checkpoints)
    return record


def _llm_settings(settings: LoraSettings) -> LLMSettings:
    model = settings.model
    if model.device not in ("auto", "cpu", "cuda", "cuda:0"):
        raise RadsentError(
            f"model.device is {model.device!r}: give cpu or cuda, and choose a GPU by the environment variable "
            f"CUDA_VISIBLE_DEVICES."
        )
    on_gpu = model.device != "cpu" and torch.cuda.is_available()
    in_4bit = on_gpu and has_four_bits() if model.load_in_4bit == "auto" else model.load_in_4bit
    dtype = model.dtype
    if dtype == "auto":
        dtype = "float32" if not on_gpu else "bfloat16" if has_bfloat16() else "float16"
    return LLMSettings(
        model=os.path.expanduser(model.name),
        dtype=dtype,
        device=model.device,
        load_in_4bit=in_4bit,
        prompt=model.prompt,
        max_length=settings.training.max_length,
    )


def _rows(part: str, records: list[Record], builder: SkeletonBuilder, settings: LoraSettings) -> list[Row]:
    """RETURNS (List[Row]): Reports with their answers; what is not to be learned is IGNORED."""
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
            f"{part}: {len(records) - len(rows)} of {len(records)} reports are left out, which have no sentence, or "
            f"more than {settings.training.max_length} tokens (training.max_length)."
        )
    if not rows:
        raise RadsentError(
            f"No report of paths.{part} fits training.max_length = {settings.training.max_length}: raise it."
        )
    return rows


def _adapted(base: Any, settings: LoraSettings, in_4bit: bool) -> PeftModel:
    adapter, checkpointing = settings.adapter, settings.training.gradient_checkpointing
    modules = [f".{name}" for name, _ in base.named_modules()]
    # PEFT is content with one of them.
    missing = [target for target in adapter.target_modules if not any(name.endswith(f".{target}") for name in modules)]
    if missing:
        raise RadsentError(
            f"{settings.model.name}: has no {', '.join(missing)}, named in adapter.target_modules: name layers of this "
            f"model."
        )
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
            f"{settings.model.name}: cannot adapt all of adapter.target_modules, {', '.join(adapter.target_modules)}: "
            f"name linear layers of this model."
        ) from None


def _checkpoint_to_resume(checkpoints: Path, run: dict[str, Any], resume: bool) -> str | None:
    """RETURNS (Optional[str]): The last whole checkpoint; raises where there is none, or one of another run."""
    # The Trainer writes its state last.
    whole = [path.parent for path in checkpoints.glob("checkpoint-*/trainer_state.json")]
    if not resume:
        if whole:
            raise RadsentError(f"{checkpoints}: is of a run that was cut off: give --resume to go on, or remove it.")
        return None
    if not whole:
        raise RadsentError(f"{checkpoints}: holds no checkpoint to resume: train without --resume.")
    if json.loads(read_text(checkpoints / RUN)) != run:
        raise RadsentError(f"{checkpoints}: is of a run with other settings or other data: resume it with the same.")
    return str(max(whole, key=lambda path: int(path.name.partition("-")[2])))
