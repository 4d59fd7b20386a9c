"""How the benchmarks keep their figures: JSON with the command and the machine that gave them."""

import json
import multiprocessing
import platform
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "results"


def save(figures: dict, path: Path) -> None:
    machine = f"{platform.processor() or platform.machine()}, {multiprocessing.cpu_count()} cores"
    result = {"command": " ".join(["python", *sys.argv]), "machine": machine, **figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path}")
