"""A mixture of a few reports of one's own with a training corpus, so that training goes on without forgetting."""

import random
from collections.abc import Sequence

from .records import Record

# Reports of the corpus that are seen again, about as many as it had when adapting was measured
# (docs/lab-notebook.md): with more, the few local ones would be repeated some hundred times.
REPLAYED = 800
LOCAL = "#local"  # in the id of each copy of a report of one's own


def replay_mixture(local: Sequence[Record], corpus: Sequence[Record], share: float, seed: int = 0) -> list[Record]:
    """Mix.

    local (Sequence[Record]): Reports of one's own, at least one.
    corpus (Sequence[Record]): What the model was trained on: `REPLAYED` of them are drawn, to be seen again (experience
        replay).
    share (float): Share that the local reports have of the mixture, [0, 1): they are repeated as often as it takes.
    seed (int): For what is drawn, and for the order.
    RETURNS (List[Record]): The mixture; repeated reports have ids of their own.
    """
    rng = random.Random(seed)
    drawn = rng.sample(corpus, min(REPLAYED, len(corpus)))
    wanted = max(len(local), round(len(drawn) * share / (1 - share)))
    repeated = [
        local[i % len(local)].model_copy(update={"id": f"{local[i % len(local)].id}{LOCAL}{i // len(local)}"})
        for i in range(wanted)
    ]
    mixture = [*repeated, *drawn]
    rng.shuffle(mixture)
    return mixture


def is_local(record: Record) -> bool:
    """RETURNS (bool): Whether a report of a mixture is one's own."""
    return LOCAL in record.id
