"""What torch needs to be told for memory that stays flat, and for worker processes."""

import os

import torch

# oneDNN keeps the kernels that it made for every shape of a batch, 1,024 of them: 600 MB after 10,000 reports, with
# hardly a hit. It reads this with its first operation; a user's own setting is left.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


class ForkGuard:
    """Notices that a process was forked: the threads of torch in its parent did not survive that."""

    def __init__(self) -> None:
        self.process = os.getpid()

    def check(self) -> None:
        """Use one thread from now on if this is a fork of the process that made the guard."""
        if self.process != os.getpid():
            torch.set_num_threads(1)
            self.process = os.getpid()
