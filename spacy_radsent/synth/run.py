"""What the commands that ask a server share: the files of a run, and whom and how to ask."""

import gc
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from ..corpus.records import Record, record_line
from ..endpoint import Endpoint
from ..errors import RadsentError, needs_extra
from ..files import atomic_writer, read_bytes, refuse_folder
from .batch import BatchClient
from .client import Client
from .costs import TOKENS_PER_CHAR, Bill, dollars
from .journal import Journal, key_of, wrote

SHOWN_PROMPTS = 2


def journal_path(output: Path) -> Path:
    """RETURNS (Path): Beside the output, with an ending that no command takes for a corpus."""
    return output.with_name(output.name + ".journal")


def rejects_path(output: Path) -> Path:
    """RETURNS (Path): As above."""
    return output.with_name(output.name + ".rejects")


@contextmanager
def open_run(
    output: Path,
    reports: int,
    resume: bool,
    force: bool,
    asked: dict[str, Any],
    batch: bool = False,
    cache: Path | None = None,
) -> Iterator[Journal]:
    """Open the journal of a run.

    output (Path): What the run writes in the end, in place of what an earlier one wrote and of nothing else.
    reports (int): How many it holds then at most.
    resume (bool): Go on with what is there.
    force (bool): Start anew; the journal is set aside.
    asked (Dict[str, Any]): What makes the run what it is: one with other values is not gone on with.
    batch (bool): Whether it waits for batches.
    cache (Optional[Path]): A journal that several outputs share, instead of one of its own.
    YIELDS (Journal): With the answers so far.
    """
    path = cache or journal_path(output)
    refuse_folder(output)
    if output.suffix != ".jsonl":
        raise RadsentError(f"{output}: is to hold records: name a .jsonl file.")
    if resume and force:
        raise RadsentError("--resume goes on with what is there, and --force sets it aside: give one of them.")
    if output.exists():
        _refuse_changed(output, path)
        if (there := read_bytes(output).count(b"\n")) > reports:
            raise RadsentError(
                f"{output}: holds {there} reports, and this run is for {reports}: name another file, or move this one."
            )
        if not (resume or force):
            raise _is_there(output)
    if force and cache is None and path.exists():
        set_aside(path)
    with Journal(path) as journal:
        if cache is None:
            if journal.entries and not resume:
                raise _is_there(path)
            journal.start(asked)
        if force and output.exists():
            journal.add_output(read_bytes(output))  # which stays where the run gets no answer
        if not batch and not all(journal.batches.values()):
            raise RadsentError(f"{path}: waits for a batch: go on with --batch, or start anew with --force.")
        try:
            yield journal
        except KeyboardInterrupt:
            print("Interrupted: go on with --resume.", file=sys.stderr)
            raise


def client_of(journal: Journal, bill: Bill, concurrency: int, max_retries: int, batch: bool, resumed: bool) -> Client:
    """RETURNS (Client): What asks: each request on its own, or by batches. See `Client` and `BatchClient`."""
    return BatchClient(journal, bill, resumed) if batch else Client(journal, bill, concurrency, max_retries)


def _is_there(path: Path) -> RadsentError:
    return RadsentError(
        f"{path}: is there already: go on with --resume, or start anew with --force, which sets the answers that were "
        f"paid for aside."
    )


def _refuse_changed(output: Path, journal: Path) -> None:
    """Say so where an output that is there is not as a run with this journal left it: it may hold labels by hand."""
    if not wrote(journal, output):
        raise RadsentError(
            f"{output}: was not written with the answers of {journal}, or was changed since: name another file, or "
            f"move this one."
        )


def set_aside(path: Path) -> None:
    """Rename a journal, so that a new one can take its place. One that was set aside before stays."""
    Journal(path, read=False).close()  # refused where another process writes to it
    names = (path.with_name(f"{path.name}.old{number or ''}") for number in count())
    path.rename(next(name for name in names if not name.exists()))


def write_output(records: list[Record], output: Path, journal: Journal) -> None:
    """Write the reports of a run. The journal is told before, so that a run that is killed knows them again."""
    if output.exists():  # it may have been changed while the answers came
        _refuse_changed(output, journal.path)
    content = "".join(map(record_line, records)).encode()
    journal.add_output(content)
    with atomic_writer(output, "wb") as file:
        file.write(content)


def write_rejects(rejects: list[dict[str, Any]], output: Path) -> None:
    """Write the answers that cannot be used beside the output, and print how many; no file where there are none."""
    path = rejects_path(output)
    if not rejects:
        path.unlink(missing_ok=True)
        return
    with atomic_writer(path) as file:
        for row in rejects:
            # An answer may hold half of a surrogate pair.
            file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n")
    counts = Counter(row["reason"] for row in rejects).most_common()
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts)
    print(f"{path}: {len(rejects)} answers that cannot be used ({reasons})")


def tell_failures(client: Client, failed: int, asked: int) -> None:
    """Raise where questions got no answer."""
    if failed:
        error = next(iter(client.errors.values()))
        raise RadsentError(f"{failed} of {asked} requests got no answer; run again with --resume. The first: {error}")


def known_keys(output: Path, resume: bool, cache: Path | None) -> set[str]:
    """RETURNS (Set[str]): Of the requests that a run would not send."""
    path = cache or journal_path(output)
    if not (path.exists() and (resume or cache)):
        return set()
    with Journal(path) as journal:
        return set(journal.entries)


def show_plan(requests: list[tuple[dict[str, Any], float]], known: set[str], bill: Bill) -> None:
    """Print the first prompts, and what all would cost.

    requests (List[Tuple[Dict[str, Any], float]]): Bodies, and the tokens that their answers may take.
    known (Set[str]): Keys of those that are answered.
    bill (Bill): Knows prices.
    """
    tokens: dict[str, tuple[float, float]] = {}
    missing = [(body, answer) for body, answer in requests if key_of(body) not in known]
    bodies = [body for body, _ in missing]
    for body, answer in missing:
        prompt, completion = tokens.get(body["model"], (0.0, 0.0))
        asked = TOKENS_PER_CHAR * sum(len(message["content"]) for message in body["messages"])
        tokens[body["model"]] = prompt + asked, completion + answer
    for i, body in enumerate(bodies[:SHOWN_PROMPTS], 1):
        for message in body["messages"]:
            print(f"--- request {i}, {message['role']}\n{message['content']}\n")
    print(f"{len(bodies)} requests, nothing sent. Estimated:")
    for model, (prompt, completion) in tokens.items():
        cost = dollars(bill.cost_of({model: (prompt, completion)}))
        print(f"  {model}: {prompt:,.0f} + {completion:,.0f} tokens, {cost}")


@contextmanager
def connected(endpoints: list[Endpoint]) -> Iterator[None]:
    """Make ready to ask: make sure of the keys and of what must be installed, before anything is written."""
    with needs_extra("synth"):
        import datasketch  # noqa: F401
        import filelock  # noqa: F401
        import tenacity  # noqa: F401
    with ExitStack() as stack:
        for endpoint in endpoints:
            endpoint.connect()
            stack.callback(endpoint.close)
        gc.freeze()  # a tenth of the time went into looking for garbage among what is imported
        stack.callback(gc.unfreeze)
        yield
