"""Commands of the product in processes of their own."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

RUN = "from spacy_radsent.cli import app; app()"


def command_line(*arguments: object) -> list[str]:
    """RETURNS (List[str]): `radsent`, in this Python."""
    return [sys.executable, "-c", RUN, *map(str, arguments)]


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen, seconds: float = 180) -> None:
    """Wait for what a process does, or for its end, and leave the cores to others meanwhile."""
    deadline = time.monotonic() + seconds
    while not is_so() and process.poll() is None:
        assert time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
