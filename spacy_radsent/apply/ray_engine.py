"""Labelling parts on a Ray cluster: actors that load the pipeline once, restarted and asked again where one is lost."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.language import Language

from ..errors import RadsentError, needs_extra
from ..pipelines import load_labeller
from .label import Counts, Part, label_part

if TYPE_CHECKING:
    from .run import Settings

# Of a part whose actor was lost; a part that kills each actor it comes to ends the run.
RETRIES = 3


class Labeller:
    """What an actor is: a pipeline, and where its parts go."""

    nlp: Language | None = None

    def __init__(self, settings: "Settings", output: str) -> None:
        self.settings = settings
        self.output = Path(output)

    def label(self, part: Part) -> Counts:
        """RETURNS (Counts): What became of the part's rows; they are written where all machines see them."""
        # Ray shows an actor its GPU as number 0. Not in __init__, from where an error comes back as a lost actor.
        self.nlp = self.nlp or load_labeller(self.settings.model, 0 if self.settings.gpu_id >= 0 else -1)
        return label_part(self.nlp, part, self.output, self.settings.format, self.settings.batch_size)


def label_on_cluster(parts: Iterator[Part], output: Path, settings: "Settings") -> Iterator[Counts]:
    """Label parts with `settings.n_process` actors: of the cluster at RAY_ADDRESS, else of this machine.

    parts (Iterator[Part]): The parts.
    output (Path): A folder that all machines of the cluster share.
    settings (Settings): How; with a `gpu_id` each actor gets a GPU.
    YIELDS (Counts): Of each part, as they are done.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    with needs_extra("ray"):
        import ray
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    resources = {"num_cpus": 1, "num_gpus": 1 if settings.gpu_id >= 0 else 0}
    decorate: Any = ray.remote
    remote = decorate(max_restarts=-1, max_task_retries=RETRIES, **resources)(Labeller)
    try:
        actors = [remote.remote(settings, str(output.resolve())) for _ in range(settings.n_process)]
        yield from _as_they_are_done(ray, actors, parts)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, RadsentError):
            raise error.cause from None
        raise RadsentError(f"{output}: an actor failed ({type(error.cause).__name__}): what is done is kept.") from None
    except ray.exceptions.RayActorError as error:
        raise RadsentError(
            f"{output}: an actor was lost {RETRIES + 1} times on one part or could not start ({type(error).__name__}): "
            f"what is done is kept, run the command again, with a smaller --batch-size."
        ) from None
    finally:
        if started:
            ray.shutdown()


def _as_they_are_done(ray: Any, actors: list[Any], parts: Iterator[Part]) -> Iterator[Counts]:
    """YIELDS (Counts): Of each part; each actor has one part at work and one waiting."""
    at_work: dict[Any, Any] = {}
    free = [*actors, *actors]
    for part in parts:
        if not free:
            yield _take(ray, at_work, free)
        actor = free.pop(0)
        at_work[actor.label.remote(part)] = actor
    while at_work:
        yield _take(ray, at_work, free)


def _take(ray: Any, at_work: dict[Any, Any], free: list[Any]) -> Counts:
    (done,), _ = ray.wait(list(at_work), num_returns=1)
    free.append(at_work.pop(done))
    return ray.get(done)
