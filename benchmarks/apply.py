"""`radsent apply` over an archive in one run: reports a second, and whether memory grows.

    python benchmarks/apply.py PIPELINE --reports 100000 --n-process 2

Reports are the bundled ones with other numbers each, so that no two are alike. Memory is that of the command and
its processes, resident, every 5 seconds. Prints the figures and writes JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import FOLDER, save
from throughput import reports

PAGE_MB = 4096 / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pipeline")
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--n-process", type=int, default=2)
    parser.add_argument("--output", type=Path, default=FOLDER / "apply.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open(folder / "reports.jsonl", "w", encoding="utf-8") as file:
            for i, text in enumerate(reports(arguments.reports)):
                file.write(json.dumps({"id": f"{i:07}", "text": text}, ensure_ascii=False) + "\n")
        command = [sys.executable, "-m", "spacy", "radsent", "apply", arguments.pipeline, f"{folder}/reports.jsonl"]
        command += [f"{folder}/out", "--n-process", str(arguments.n_process)]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        memory = []
        while process.poll() is None:
            memory.append(resident_mb(process.pid))
            time.sleep(5)
        seconds = time.perf_counter() - start
        if process.returncode:
            sys.exit(process.returncode)
        ids = [json.loads(line)["id"] for part in sorted((folder / "out").glob("part-*")) for line in part.open("rb")]
        rejected = sum(len(part.read_bytes().splitlines()) for part in (folder / "out").glob("rejects-*"))
    if len(set(ids)) + rejected != arguments.reports:
        sys.exit(f"{len(set(ids))} reports came out and {rejected} were rejected, of {arguments.reports}")
    tenth = max(1, len(memory) // 10)
    figures = {
        "reports": arguments.reports,
        "n_process": arguments.n_process,
        "seconds": round(seconds),
        "reports_per_second": round(arguments.reports / seconds, 1),
        "memory_mb_second_tenth": round(max(memory[tenth : 2 * tenth] or memory)),
        "memory_mb_last_tenth": round(max(memory[-tenth:])),
        "memory_mb_peak": round(max(memory)),
    }
    print(json.dumps(figures, indent=2))
    save(figures, arguments.output)


def resident_mb(pid: int) -> float:
    """RETURNS (float): Of a process and all those that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB
    except OSError:
        return 0.0
    return own + sum(resident_mb(int(child)) for child in children)


if __name__ == "__main__":
    main()
