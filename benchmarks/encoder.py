"""Speed of a pipeline with a transformer: ratios from one run, on the same encoder and reports.

    python benchmarks/encoder.py training/model-best
    python benchmarks/encoder.py training/model-best --base-shape --reports 16

The pipeline is one trained with configs/joint.cfg. Beside it are measured
  window: the same encoder, one pass for each sentence with two neighbours on each side (the paper's scheme);
  report: the same encoder, all sentences of a report as one sequence;
  bare loop: transformers alone, over the joint scheme's own padded batches, prepared beforehand;
  Tok2VecTransformer: the same encoder as a layer of spacy-transformers, its tokens pooled by sentence;
  bfloat16 and int8: what `radsent optimize` makes of the pipeline, with the scores on test sets (--tests).
With --base-shape the encoder is one as large as BERT base instead, its weights random and so without scores.
Rounds take turns, and the median of each is compared. Prints a table and writes JSON.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import spacy
import torch
from classification import score_pipeline
from encoder_accuracy import read_otherwise
from figures import FOLDER, save
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.training import Corpus, Example
from thinc.api import Config
from throughput import reports

from spacy_radsent.classifier.transformer.checkpoint import Checkpoint, build_encoder
from spacy_radsent.classifier.transformer.layer import encoder_layers, encoder_shim
from spacy_radsent.classifier.transformer.shim import Batch, EncoderShim

TOK2VEC = """
[model]
@architectures = "spacy_radsent.SentenceClassifier.v1"
width = 128
ngrams = null

[model.mixer]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 128
window_size = 1
maxout_pieces = 3
depth = 1

[model.tok2vec]
@architectures = "spacy-transformers.Tok2VecTransformer.v3"
tokenizer_config = {"use_fast": true}

[model.tok2vec.pooling]
@layers = "reduce_mean.v1"

[model.tok2vec.get_spans]
@span_getters = "spacy-transformers.strided_spans.v1"
window = 128
stride = 96
"""


def shim_of(nlp: Language) -> EncoderShim:
    (layer,) = encoder_layers(nlp)
    return encoder_shim(layer)


def other_pipeline(joint: Language, scheme: str) -> Language:
    """The same weights that read a "window" for each sentence, or a "report" at once."""
    config = joint.config.copy()
    read_otherwise(config, scheme)
    nlp = spacy.util.load_model_from_config(config)
    return nlp.from_bytes(joint.to_bytes(exclude=["config"]))


def base_shape_pipeline(joint: Language, folder: Path) -> Language:
    """An encoder of BERT base's shape in place of the pipeline's, not trained."""
    shape = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12}
    encoder = build_encoder(Checkpoint({**shim_of(joint).checkpoint.config, **shape}, {}))
    model = joint.config["components"]["radsent"]["model"]
    model["encoder"]["name"] = save_checkpoint(encoder, joint, folder)
    return untrained(joint, model)


def tok2vec_pipeline(joint: Language, folder: Path) -> Language:
    """The same encoder in spacy-transformers; the classifier on it is not trained."""
    model = Config().from_str(TOK2VEC)["model"]
    model["tok2vec"]["name"] = save_checkpoint(shim_of(joint).backend.encoder, joint, folder)
    return untrained(joint, model)


def save_checkpoint(encoder: torch.nn.Module, joint: Language, folder: Path) -> str:
    encoder.save_pretrained(folder)
    shim_of(joint).tokenizer.tokenizer.save_pretrained(folder)
    return str(folder)


def untrained(joint: Language, model: dict) -> Language:
    """The pipeline with another model, from its checkpoint's weights alone."""
    config = joint.config.copy()
    config["components"]["radsent"]["model"] = model
    nlp = spacy.util.load_model_from_config(config)
    doc = joint(reports(1)[0])
    nlp.initialize(lambda: [Example(doc, doc)])
    return nlp


def recorded_batches(nlp: Language, texts: list[str]) -> list[Batch]:
    """What the encoder of a pipeline reads for these reports."""
    batches: list[Batch] = []
    call = EncoderShim.__call__

    def record(self, inputs, is_train):
        batches.extend(inputs[0])
        return call(self, inputs, is_train)

    EncoderShim.__call__ = record
    try:
        run(nlp, texts)
    finally:
        EncoderShim.__call__ = call
    return batches


def run(nlp: Language, texts: list[str]) -> None:
    for _ in nlp.pipe(texts):
        pass


def run_bare(encoder: torch.nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    encoder.eval()
    with torch.no_grad():
        for ids, mask in batches:
            encoder(input_ids=ids, attention_mask=mask)


def seconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path, help="folder of a pipeline trained with configs/joint.cfg")
    parser.add_argument("--base-shape", action="store_true", help="random weights of BERT base's shape")
    parser.add_argument("--reports", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tests", type=Path, nargs="*", default=[Path("corpus/external_dev.spacy")])
    parser.add_argument("--output", type=Path, help="default: encoder.json or encoder_base.json among the results")
    args = parser.parse_args()

    joint = spacy.load(args.pipeline)
    if args.base_shape:
        with tempfile.TemporaryDirectory() as folder:
            joint = base_shape_pipeline(joint, Path(folder))
        args.tests = []
    texts = reports(args.reports)
    batches = [(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)) for batch in recorded_batches(joint, texts)]
    pipelines = {"joint": joint, **{scheme: other_pipeline(joint, scheme) for scheme in ("window", "report")}}
    with tempfile.TemporaryDirectory() as folder:
        pipelines["Tok2VecTransformer"] = tok2vec_pipeline(joint, Path(folder))
    for precision in ("bfloat16", "int8"):
        pipelines[precision] = spacy.util.load_model_from_config(joint.config).from_bytes(joint.to_bytes())
        shim_of(pipelines[precision]).optimize(precision)
    for nlp in pipelines.values():
        run(nlp, texts[:2])  # the first call of int8 compiles the graph
    actions = {name: lambda nlp=nlp: run(nlp, texts) for name, nlp in pipelines.items()}
    actions["bare loop"] = lambda: run_bare(shim_of(joint).backend.encoder, batches)
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(args.rounds):
        for name, action in actions.items():
            times[name].append(seconds(action))
            print(name, f"{args.reports / times[name][-1]:.2f} reports/s", flush=True)
    golds = {path.stem: [eg.reference for eg in Corpus(path)(joint)] for path in args.tests}
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = {
        name: {
            "reports_per_second": args.reports / median,
            "x_joint": medians["joint"] / median,
            "scores": {test: score_pipeline(pipelines[name], docs) for test, docs in golds.items()}
            if name in ("joint", "bfloat16", "int8")
            else {},
        }
        for name, median in medians.items()
    }
    table = Table("", "reports/s", "x joint", *(f"{path.stem}: accuracy / macro F1" for path in args.tests))
    for name, row in rows.items():
        scores = [f"{s['radsent_acc']:.3f} / {s['radsent_macro_f']:.3f}" for s in row["scores"].values()]
        table.add_row(name, f"{row['reports_per_second']:.2f}", f"{row['x_joint']:.2f}", *scores)
    Console(width=120).print(table)
    figures = {
        "threads": torch.get_num_threads(),
        "processor_has_bfloat16": torch.cpu._is_avx512_bf16_supported(),
        "encoder": {k: v for k, v in shim_of(joint).checkpoint.config.items() if k in ("model_type", "hidden_size")},
        "padded_wordpieces_per_report": sum(ids.numel() for ids, _ in batches) / args.reports,
        "rows": rows,
        "joint_to_window": medians["window"] / medians["joint"],
        "joint_to_bare_loop": medians["bare loop"] / medians["joint"],
    }
    save(figures, args.output or FOLDER / ("encoder_base.json" if args.base_shape else "encoder.json"))


if __name__ == "__main__":
    main()
