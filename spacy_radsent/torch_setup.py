"""What torch needs to be told for memory that stays flat, and for worker processes."""

import os

import torch

from .errors import RadsentError

# oneDNN keeps the kernels that it made for every shape of a batch, 1,024 of them: 600 MB after 10,000 reports, with
# hardly a hit. It reads this with its first operation; a user's own setting is left.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


class ForkGuard:
    """Notices that a process was forked: neither torch's threads nor its hold on a GPU survive that."""

    def __init__(self) -> None:
        self.process = os.getpid()

    def check(self, device: torch.device) -> None:
        """Use one thread from now on if this is a fork of the process that made the guard.

        device (torch.device): Where the model is; RadsentError in a fork if that is a GPU.
        """
        if self.process == os.getpid():
            return
        if device.type == "cuda":
            raise RadsentError("A model on a GPU cannot be shared by several processes: set n_process = 1.")
        torch.set_num_threads(1)
        self.process = os.getpid()
