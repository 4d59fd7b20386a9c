"""What the stub server answers to the questions of synthesis: bundled reports, and labels told from the sentences."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from spacy_radsent.cli import app

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "assets/bundled/part00.jsonl").read_text(encoding="utf-8").split("\n")
# Those with an impression of their own would be rejected.
REPORTS = [text for text in (json.loads(line)["text"] for line in LINES if line) if "Impression" not in text]


def number_of(request: dict) -> int:
    """RETURNS (int): Told from all of a request: another attempt, another number."""
    return int(sha256(json.dumps(request, sort_keys=True).encode()).hexdigest(), 16)


def asked(request: dict) -> str:
    return request["messages"][1]["content"]


def is_for_report(request: dict) -> bool:
    return asked(request).startswith("報告書の条件")


def sentences_of(request: dict) -> list[str]:
    return re.findall(r"^s\d+: (.*)$", asked(request), re.MULTILINE)


def report(request: dict) -> str:
    """RETURNS (str): A bundled report, with a last line that no other has: 60 reports would meet again too soon."""
    number = number_of(request)
    text = REPORTS[number % len(REPORTS)]
    lines = "".join(
        f"\n付記{number // 10 ** (5 * i) % 10**5}、小結節{number // 10 ** (5 * i + 3) % 10**4}mm。" for i in range(12)
    )
    return json.dumps({"findings": text + lines}, ensure_ascii=False)


def label(sentence: str) -> int:
    if re.search(r"なし|n\.p|認めな|認めません|\(-\)", sentence):
        return 2
    return 1 if re.search(r"あり|認め|\(\+\)", sentence) else 0


def labels(request: dict) -> str:
    return json.dumps({f"s{i}": label(sentence) for i, sentence in enumerate(sentences_of(request), 1)})


def right(request: dict) -> str:
    """RETURNS (str): The answer to either question."""
    return report(request) if is_for_report(request) else labels(request)


def run(*arguments: Any) -> Any:
    """RETURNS (Result): Of a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
