"""Training of a LoRA adapter: a language model learns to answer with the labels of a corpus."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from rich.console import Console
from spacy.tokens import Doc
from spacy.training import Example
from transformers import TrainingArguments
from transformers.trainer import Trainer
from transformers.trainer_callback import ProgressCallback
from transformers.utils import logging as transformers_logging

from ..classifier.scorer import label_score
from ..corpus.docbin import Alignment, blank_pipeline, record_to_doc
from ..corpus.records import Record, read_records
from ..errors import RadsentError
from ..files import atomic_folder, atomic_writer, refuse_existing
from ..labels import SPANS_KEY, Label
from ..version import __version__
from .adapter import AdapterRecord, fingerprint, sha256
from .component import RadsentLLM
from .lora_settings import LoraSettings
from .model import has_four_bits, load_model, load_tokenizer
from .score import ScoreReader
from .settings import LLMSettings
from .skeleton import SkeletonBuilder

IGNORED = -100  # by the loss
# The scorer's figures that are shown and kept, by their names on the card.
SCORES = {"accuracy": "radsent_acc", "macro_f1": "radsent_macro_f", "precision_positive": "radsent_ppv_1"}


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
        args=_arguments(settings, checkpoints, len(rows), model.device.type),
        train_dataset=rows,
        eval_dataset=_rows(dev, builder, settings),
        data_collator=Collator(builder.tokenizer.pad_token_id),
        score=DevScorer(dev, llm, builder, model),
    )
    trainer.remove_callback(ProgressCallback)
    trainer.add_callback(QuietProgress)
    _remember(settings, checkpoints)
    trainer.train(resume_from_checkpoint=resume)
    record = AdapterRecord(
        **base_facts,
        prompt=llm.prompt,
        prompt_sha256=builder.prompt_sha256,
        train_sha256=sha256(settings.paths.train),
        dev_sha256=sha256(settings.paths.dev),
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


class QuietProgress(ProgressCallback):
    """A progress bar without the raw logs."""

    def on_log(self, *args: Any, **kwargs: Any) -> None:
        pass


class Collator:
    """Pads rows to one length."""

    def __init__(self, pad_id: int) -> None:
        self.fill = {"input_ids": pad_id, "attention_mask": 0, "labels": IGNORED}

    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, Any]:
        width = max(len(row["input_ids"]) for row in rows)
        return {
            key: torch.tensor([row[key] + [fill] * (width - len(row[key])) for row in rows])
            for key, fill in self.fill.items()
        }


class DevScorer:
    """Scores the labels that a model in training gives the dev reports in score mode: by its own earlier labels."""

    def __init__(self, dev: list[Record], llm: LLMSettings, builder: SkeletonBuilder, model: PeftModel) -> None:
        nlp = blank_pipeline()
        docs = [record_to_doc(record, nlp, Alignment()) for record in dev]
        self.golds: list[Doc] = [doc for doc in docs if doc is not None]
        self.llm, self.builder, self.model = llm, builder, model

    def __call__(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): The figures of SCORES."""
        self.model.eval()
        pipe = RadsentLLM("radsent_llm", self.llm, spans_key=SPANS_KEY, scorer=label_score)
        # A new one each time: it keeps what the model made of the prompt's first tokens.
        pipe.reader = ScoreReader(self.llm, self.builder, self.model.get_base_model())
        pipe.reader.watched = True  # which warns of a model that never learned the task
        examples = [
            Example(predicted, gold)
            for predicted, gold in zip(pipe.pipe(gold.copy() for gold in self.golds), self.golds, strict=True)
        ]
        scores = pipe.score(examples)
        return {name: scores[key] for name, key in SCORES.items()}


class LabelTrainer(Trainer):
    """Scores labels after each epoch, besides the loss, and prints both."""

    def __init__(self, *args: Any, score: Callable[[], dict[str, float]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.score = score
        self.console = Console()

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        metrics = super().evaluate(*args, **kwargs)
        scores = self.score()
        metrics.update({f"eval_{name}": value for name, value in scores.items()})
        self.log({f"eval_{name}": value for name, value in scores.items()})
        shown = "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
        self.console.print(f"epoch {self.state.epoch:.0f}  dev loss {metrics['eval_loss']:.4f}  {shown}")
        return metrics

    def best_scores(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): The figures of SCORES of the epoch that was kept."""
        logs = [log for log in self.state.log_history if "eval_macro_f1" in log]
        best = max(logs, key=lambda log: log["eval_macro_f1"])
        return {name: best[f"eval_{name}"] for name in SCORES}


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


def _arguments(settings: LoraSettings, checkpoints: Path, rows: int, device: str) -> TrainingArguments:
    training = settings.training
    steps = -(-rows // (training.batch_size * training.accumulate_gradient)) * training.epochs
    on_gpu = device == "cuda"
    transformers_logging.set_verbosity_error()
    return TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.accumulate_gradient,
        gradient_checkpointing=training.gradient_checkpointing,
        learning_rate=training.learn_rate,
        lr_scheduler_type="cosine",
        warmup_steps=min(training.warmup_steps, steps // 5),
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        fp16=on_gpu and not torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        eval_strategy="epoch",
        save_strategy="epoch",
        disable_tqdm=False,  # unlike its default, whatever the verbosity
        save_safetensors=True,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        greater_is_better=True,
        seed=training.seed,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
    )


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
