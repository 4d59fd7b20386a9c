"""A mixture of a few reports of one's own with a training corpus, so that training goes on without forgetting."""

import random
from collections.abc import Sequence

from .records import Record


def replay_mixture(local: Sequence[Record], corpus: Sequence[Record], share: float, seed: int = 0) -> list[Record]:
    """Mix.

    local (Sequence[Record]): Reports of one's own, at least one.
    corpus (Sequence[Record]): What the model was trained on: all of it is seen again (experience replay).
    share (float): Share that the local reports have of the mixture, [0, 1): they are repeated as often as it takes.
    seed (int): For the order.
    RETURNS (List[Record]): The mixture; repeated reports have ids of their own.
    """
    wanted = max(len(local), round(len(corpus) * share / (1 - share)))
    repeated = [
        local[i % len(local)].model_copy(update={"id": f"{local[i % len(local)].id}#local{i // len(local)}"})
        for i in range(wanted)
    ]
    mixture = [*repeated, *corpus]
    random.Random(seed).shuffle(mixture)
    return mixture
