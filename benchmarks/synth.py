"""`radsent generate` against a server that answers in 200 ms: wall time beside the ideal one, and memory.

    python benchmarks/synth.py

Ideal is reports / concurrency x 200 ms: no time but the server's. The server is a stub on loopback in a process of its
own. Wall time starts when all is imported and ends when the corpus is written: it holds the journal, synced after each
answer, the structural checks and the search for near-duplicates. Prints the figures and writes JSON.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

from classification import bundled_corpus
from figures import FOLDER, save

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from stub_server import serve

from spacy_radsent.corpus.records import write_records
from spacy_radsent.endpoint import Endpoint
from spacy_radsent.endpoint_settings import EndpointSettings
from spacy_radsent.synth.attributes import read_attributes
from spacy_radsent.synth.client import Client
from spacy_radsent.synth.costs import Bill, Price
from spacy_radsent.synth.generate import Plan, generate
from spacy_radsent.synth.prompts import ReportPrompt
from spacy_radsent.synth.run import connected, open_run


def answer_late(seconds: float, url: multiprocessing.Queue) -> None:
    """Serve bundled reports, each with a line of its own, until killed."""
    texts = [record.text for record in bundled_corpus()]

    def answer(request: dict) -> str:
        time.sleep(seconds)
        seed = request["seed"]
        lines = "\n".join(f"付記{seed * prime % 99_991}、結節{seed * prime % 997}mm。" for prime in (7, 11, 13, 17, 19))
        return json.dumps({"findings": f"{texts[seed // 16 % len(texts)]}\n{lines}"}, ensure_ascii=False)

    with serve(answer) as (_, address):
        url.put(address)
        threading.Event().wait()


class WatchedBill(Bill):
    """Keeps the resident memory at each answer, in MB."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.memory: list[float] = []

    def add(self, *args) -> None:
        super().add(*args)
        self.memory.append(resident_mb())


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=0.2, help="that an answer takes")
    parser.add_argument("--output", type=Path, default=FOLDER / "synth.json")
    args = parser.parse_args()

    queue: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=answer_late, args=(args.seconds, queue), daemon=True)
    server.start()
    settings = EndpointSettings.read({"base_url": queue.get(), "concurrency": args.concurrency})
    endpoint, bill = Endpoint(settings, "stub"), WatchedBill({"stub": Price(0, 0)})
    plan = Plan(read_attributes(), ReportPrompt())
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "reports.jsonl"
        began = time.perf_counter()
        with (
            connected([endpoint]),
            open_run(output, resume=False, force=False, asked=plan.asked(endpoint)) as journal,
            bill,
        ):
            corpus = generate(plan, args.reports, endpoint, Client(journal, bill, args.concurrency), attempts=1)
            answered = time.perf_counter() - began
            written = write_records(corpus.records, output)
        wall = time.perf_counter() - began
    server.kill()
    ideal = args.reports / args.concurrency * args.seconds
    figures = {
        "reports": written,
        "rejects": len(corpus.rejects),
        "ideal_seconds": ideal,
        "wall_seconds": wall,
        "x_ideal": wall / ideal,
        "seconds_until_checked": answered,
        "memory_mb": {str(n): round(bill.memory[n - 1], 1) for n in (100, args.reports // 2, args.reports)},
    }
    print(json.dumps(figures, indent=2))
    save(figures, args.output)


if __name__ == "__main__":
    main()
