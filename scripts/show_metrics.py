"""Print the scores that `spacy evaluate --output` wrote, side by side."""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

SCORES = {
    "radsent_acc": "accuracy",
    "radsent_macro_f": "macro F1",
    "radsent_ppv_1": "PPV, POSITIVE",
    "radsent_recall_1": "recall, POSITIVE",
    "radsent_f_1": "F1, POSITIVE",
    "radsent_e2e_f": "F1 end to end (boundaries and label)",
    "sents_exact": "reports split exactly",
}


def main(paths: list[str]) -> None:
    metrics = {Path(path).stem: json.loads(Path(path).read_text(encoding="utf-8")) for path in paths}
    table = Table("score", *metrics)
    for key, name in SCORES.items():
        table.add_row(name, *(_shown(scores.get(key)) for scores in metrics.values()))
    Console().print(table)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
