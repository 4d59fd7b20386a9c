"""The journal of a run: every answer that was paid for, on disk before it is used.

One line of JSON an answer, appended and synced, by the SHA-256 of what was asked (model, parameters, messages, schema):
what is in it is not asked again, however the run ended and whatever asks for it.
"""

import errno
import json
import os
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..endpoint import Answer
from ..errors import RadsentError, needs_extra
from ..files import read_bytes

ROWS = (b'{"asked": ', b'{"key": ', b'{"batch": ', b'{"output": ')  # how a line begins


class Entry(NamedTuple):
    """An answer, and the day (UTC, "2026-11-26") on which it came."""

    answer: Answer
    date: str


def key_of(body: dict[str, Any]) -> str:
    """RETURNS (str): SHA-256 of the body of a request."""
    return sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _output_row(content: bytes) -> dict[str, Any]:
    return {"output": sha256(content).hexdigest()}


def wrote(journal: Path, output: Path) -> bool:
    """RETURNS (bool): Whether a file is as a run with this journal, which may be damaged or missing, left it."""
    row = json.dumps(_output_row(read_bytes(output))).encode()
    return journal.is_file() and row in read_bytes(journal)  # in the text of an answer the quotes are escaped


class Journal:
    """Answers by key. One process at a time; safe to share among threads. A context manager."""

    def __init__(self, path: Path, read: bool = True) -> None:
        """Open a journal, or start one.

        path (Path): The file, readable by its owner alone. A last line that a crash cut off is dropped.
        read (bool): Take what is in it.
        """
        with needs_extra("synth"):
            import filelock
        self.path = path
        self.entries: dict[str, Entry] = {}
        self.batches: dict[str, bool] = {}
        self.asked: dict[str, Any] | None = None
        self._append = threading.Lock()
        self._lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            # Without a buffer, which would hold on to what a full disk did not take.
            self._file = open(  # noqa: SIM115  # until close()
                os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0
            )
        except filelock.Timeout:
            raise RadsentError(f"{path}: another process writes to it: wait until it is done.") from None
        except OSError as error:
            self._lock.release()
            raise RadsentError(f"{path}: cannot be written ({error.strerror}): choose a writable folder.") from None
        try:
            if read:
                self._load()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let others write to it."""
        self._file.close()
        self._lock.release()

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def start(self, asked: dict[str, Any]) -> None:
        """Say what the run is, or make sure that it is the one that the journal is of."""
        if self.asked is None or not (self.entries or self.batches):
            self._write({"asked": asked})
            self.asked = asked
        for name, value in asked.items():
            if (before := self.asked.get(name)) != value:
                raise RadsentError(
                    f"{self.path}: is of a run with {name} {before!r}, and this one has {value!r}: give the same, "
                    f"another output, or --force."
                )

    def add(self, key: str, entry: Entry) -> None:
        """Keep an answer: it is on disk when this returns."""
        self._write({"key": key, **entry.answer._asdict(), "date": entry.date})
        self.entries[key] = entry

    def add_batch(self, id: str, done: bool) -> None:
        """Keep that a batch was handed in, or that all of its answers are here."""
        self._write({"batch": id, "done": done})
        self.batches[id] = done

    def add_output(self, content: bytes) -> None:
        """Keep, by its SHA-256, what is about to be written of the answers; see `wrote`."""
        self._write(_output_row(content))

    def _write(self, row: dict[str, Any]) -> None:
        line = json.dumps(row).encode() + b"\n"
        with self._append:
            place = self._file.seek(0, os.SEEK_END)
            try:
                if self._file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._file.fileno())
            except OSError as error:
                self._file.truncate(place)
                raise RadsentError(
                    f"{self.path}: cannot be written ({error.strerror}): free some space, then go on with --resume."
                ) from None

    def _load(self) -> None:
        content = self._file.readall()
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError):
                raise self._foreign(number) from None
        written = rest.rstrip(b"\0")  # a power cut may leave zeros
        if not any(written.startswith(row[: len(written)]) for row in ROWS):  # nor nothing, or half a row
            raise self._foreign(len(lines) + 1)
        self._file.truncate(len(content) - len(rest))

    def _foreign(self, number: int) -> RadsentError:
        return RadsentError(
            f"{self.path}, line {number}: is not of this journal: restore the file, or start anew with --force."
        )

    def _take(self, row: dict[str, Any]) -> None:
        if "asked" in row:
            self.asked = dict(row["asked"])
        elif "batch" in row:
            self.batches[row["batch"]] = row["done"]
        elif "output" not in row:
            key, date = row.pop("key"), row.pop("date")
            self.entries[key] = Entry(Answer(**row), date)
