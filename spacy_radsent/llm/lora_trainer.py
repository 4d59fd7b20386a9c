"""The Trainer of transformers as `lora` uses it: labels scored after each epoch, nothing reported anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from spacy.tokens import Doc
from spacy.training import Example
from transformers import TrainingArguments
from transformers.trainer import Trainer
from transformers.trainer_callback import ProgressCallback
from transformers.utils import logging as transformers_logging

from ..classifier.scorer import label_score
from ..corpus.docbin import Alignment, blank_pipeline, record_to_doc
from ..corpus.records import Record
from ..errors import RadsentError
from ..labels import SPANS_KEY
from .component import RadsentLLM
from .lora_settings import TrainingSettings
from .score import ScoreReader
from .settings import LLMSettings
from .skeleton import SkeletonBuilder

# Lists of the same length by name: input_ids, attention_mask, labels.
Row = dict[str, list[int]]
IGNORED = -100  # by the loss
# The scorer's figures that are shown and kept, by their names on the card.
SCORES = {"accuracy": "radsent_acc", "macro_f1": "radsent_macro_f", "precision_positive": "radsent_ppv_1"}


class QuietProgress(ProgressCallback):
    """A progress bar without the raw logs."""

    def on_log(self, *args: Any, **kwargs: Any) -> None:
        pass


class Collator:
    """Pads rows to one length."""

    def __init__(self, pad_id: int) -> None:
        self.fill = {"input_ids": pad_id, "attention_mask": 0, "labels": IGNORED}

    def __call__(self, rows: list[Row]) -> dict[str, Any]:
        width = max(len(row["input_ids"]) for row in rows)
        return {
            key: torch.tensor([row[key] + [fill] * (width - len(row[key])) for row in rows])
            for key, fill in self.fill.items()
        }


def skip_report(name: str, pipe: Any, docs: list[Doc], error: Exception) -> Any:
    """Go on after a report that cannot be labelled, but not after anything else that fails."""
    if not isinstance(error, RadsentError):
        raise error


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
        pipe.set_error_handler(skip_report)
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
        self.remove_callback(ProgressCallback)
        self.add_callback(QuietProgress)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        metrics = super().evaluate(*args, **kwargs)
        scores = self.score()
        metrics.update({f"eval_{name}": value for name, value in scores.items()})
        self.log({f"eval_{name}": value for name, value in scores.items()})
        shown = "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
        print(f"epoch {self.state.epoch:.0f}  dev loss {metrics['eval_loss']:.4f}  {shown}")
        return metrics

    def best_scores(self) -> dict[str, float]:
        """RETURNS (Dict[str, float]): The figures of SCORES of the epoch that was kept."""
        logs = [log for log in self.state.log_history if "eval_macro_f1" in log]
        best = max(logs, key=lambda log: log["eval_macro_f1"])
        return {name: best[f"eval_{name}"] for name in SCORES}


def has_bfloat16() -> bool:
    """RETURNS (bool): Whether the GPU computes in bfloat16 itself."""
    return torch.cuda.is_bf16_supported(including_emulation=False)


def training_arguments(training: TrainingSettings, checkpoints: Path, rows: int, device: str) -> TrainingArguments:
    steps = -(-rows // (training.batch_size * training.accumulate_gradient)) * training.epochs
    on_gpu = device == "cuda"
    transformers_logging.set_verbosity_error()
    bf16 = on_gpu and has_bfloat16()
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.accumulate_gradient,
        gradient_checkpointing=training.gradient_checkpointing,
        learning_rate=training.learn_rate,
        lr_scheduler_type="cosine",
        warmup_steps=min(training.warmup_steps, steps // 5),
        bf16=bf16,
        fp16=on_gpu and not bf16,
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
    arguments._n_gpu = min(1, arguments.n_gpu)  # several would each take a batch of their own
    return arguments
