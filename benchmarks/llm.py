"""Score mode beside generate mode: reports per second of the same weights, in one run.

    python benchmarks/llm.py QWEN_TOKENIZER --shape small
    python benchmarks/llm.py QWEN_TOKENIZER --shape qwen3-0.6b --dtype bfloat16 --reports 2 --batch 1 --rounds 1

The tokenizer is that of a Qwen3, or one made by qwen_tokenizer.py. The weights are random, so that no model need be at
hand. It never ends its answer: generate mode writes as many tokens as the answer has, as a trained model would.

Measured are, on bundled reports with so many sentences (--sentences), several at once (--batch):
  chunked forcing: a pass for each sentence, as score mode of `radsent_llm` does it on a CPU;
  fixed point: all labels guessed, one pass repeated until none changes, as score mode does it on a GPU. How often hangs
    on the weights: their usual spread (0.02) makes labels hang little on those before, a larger one more (--spread);
  generate: one token after the other, as `radsent_llm` does it.
Then the passes of both ways as reports grow. Prints tables and writes JSON.
"""

import argparse
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from classification import bundled_corpus
from figures import FOLDER, save
from rich.console import Console
from rich.table import Table
from spacy.tokens import Span
from transformers import AutoModelForCausalLM, Qwen3Config

from spacy_radsent.corpus.docbin import Alignment, blank_pipeline, record_to_doc
from spacy_radsent.corpus.records import Record, Sentence
from spacy_radsent.llm import generate
from spacy_radsent.llm.decode import WATCHED, LabelDecoder
from spacy_radsent.llm.fixed_point import FixedPointDecoder
from spacy_radsent.llm.model import load_tokenizer
from spacy_radsent.llm.score import ScoreReader
from spacy_radsent.llm.settings import LLMSettings
from spacy_radsent.llm.skeleton import SkeletonBuilder, text_of

SHAPES = {
    "small": {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 8,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 64,
    },
    "qwen3-0.6b": {
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
    "qwen3-4b": {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
}
VOCABULARY = 151_936
LENGTHS = (6, 12, 24, 48)
WAYS = {"chunked forcing": LabelDecoder, "fixed point": FixedPointDecoder}


def random_model(shape: str, spread: float, dtype: torch.dtype, device: str) -> Any:
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=VOCABULARY,
        max_position_embeddings=32_768,
        tie_word_embeddings=True,
        initializer_range=spread,
        **SHAPES[shape],
    )
    with torch.device(device):
        return AutoModelForCausalLM.from_config(config, torch_dtype=dtype).eval()


def reports_of(length: int) -> list[list[Span]]:
    """RETURNS (List[List[Span]]): The sentences of the bundled reports that have so many."""
    nlp = blank_pipeline()
    docs = [record_to_doc(record, nlp, Alignment()) for record in bundled_corpus() if len(record.sentences) == length]
    return [list(doc.spans["radsent"]) for doc in docs if doc is not None]


def joined_reports(length: int, count: int) -> list[list[Span]]:
    """RETURNS (List[List[Span]]): Sentences of bundled reports, one report after the other, cut to this length."""
    texts = [text for record in bundled_corpus() for text in record.sentence_texts]
    nlp = blank_pipeline()
    reports = []
    for i in range(count):
        text, sentences = "", []
        for sentence in texts[i * length : (i + 1) * length]:
            sentences.append(Sentence(start=len(text), end=len(text) + len(sentence), label=None))
            text += sentence + "\n"
        doc = record_to_doc(Record(id=str(i), text=text, sentences=sentences, meta={}), nlp, Alignment())
        reports.append(list(doc.spans["radsent"]))
    return reports


def count_passes(decoder: LabelDecoder, builder: SkeletonBuilder, reports: list[list[Span]]) -> float:
    before = decoder.passes
    for sentences in reports:
        decoder([builder.build(text_of(sentences), [sentence.text for sentence in sentences])])
    return (decoder.passes - before) / len(reports)


def memory_gb(device: str) -> float:
    """RETURNS (float): What torch allocated of the GPU, or the process of the memory, at most, of all three ways."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tokenizer", help="folder of Qwen3's tokenizer")
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--spread", type=float, default=0.1, help="standard deviation of the random weights")
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--reports", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8, help="reports at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="default: llm_SHAPE_DTYPE_DEVICE.json among the results")
    args = parser.parse_args()

    settings = LLMSettings(model=args.shape)
    model = random_model(args.shape, args.spread, getattr(torch, args.dtype), args.device)
    tokenizer = load_tokenizer(args.tokenizer)
    builder = SkeletonBuilder(tokenizer, settings.prompt)
    generate.SPARE_TOKENS = 0
    readers = {}
    for name, decoder in WAYS.items():
        readers[name] = ScoreReader(settings, builder, model)
        readers[name].decoder = decoder(model, builder.label_ids, builder.prefix)
        readers[name].watched = True  # random weights never learned the task
    readers["generate"] = generate.GenerateReader(settings, tokenizer, model)
    reports = reports_of(args.sentences)[: args.reports]
    for name in WAYS:  # what is done once: the shared start of the prompts, and the watch on the first labels
        while len(readers[name].decoder.label_mass) < WATCHED:
            readers[name](reports)
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(args.rounds):
        for name, reader in readers.items():
            began = time.perf_counter()
            for i in range(0, len(reports), args.batch):
                reader(reports[i : i + args.batch])
            times[name].append(time.perf_counter() - began)
            print(name, f"{len(reports) / times[name][-1]:.3f} reports/s", flush=True)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = {
        name: {"reports_per_second": len(reports) / median, "x_generate": medians["generate"] / median}
        for name, median in medians.items()
    }
    table = Table(f"{args.shape}, {args.dtype}, {args.device}", "reports/s", "x generate")
    for name, row in rows.items():
        table.add_row(name, f"{row['reports_per_second']:.3f}", f"{row['x_generate']:.1f}")
    Console().print(table)
    figures = {
        "torch_threads": torch.get_num_threads(),
        "tokens_per_report": statistics.mean(
            len(builder.build(text_of(r), [sentence.text for sentence in r]).ids) for r in reports
        ),
        "tokens_of_the_shared_prefix": len(builder.prefix),
        "rows": rows,
        "memory_gb": memory_gb(args.device),
    }
    if args.shape == "small":
        figures["passes"] = {
            length: {name: count_passes(readers[name].decoder, builder, joined_reports(length, 4)) for name in WAYS}
            for length in LENGTHS
        }
        passes = Table("sentences", *(f"passes: {name}" for name in WAYS))
        for length, counts in figures["passes"].items():
            passes.add_row(str(length), *(f"{counts[name]:.1f}" for name in WAYS))
        Console().print(passes)
    save(figures, args.output or FOLDER / f"llm_{args.shape}_{args.dtype}_{args.device}.json")


if __name__ == "__main__":
    main()
