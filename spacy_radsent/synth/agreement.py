"""Agreement of two annotators."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import write_json
from ..labels import LABELS
from ..metrics import NO_LABEL, confusion, measure, number_or_none


@dataclass(frozen=True)
class Agreement:
    """How far two annotators agree on the labels of sentences; `radsent agreement` tells more.

    annotators (List[str]): Their names.
    sentences (int): How many both labelled.
    agreed (Optional[float]): Share of the sentences with the same label; None where there are none.
    kappa (Optional[float]): Cohen's kappa (Cohen 1960); None where it is not defined: all have one label.
    confusion (List[List[int]]): Sentences by the first annotator's label (rows) and the second's (columns), as LABELS.
    """

    annotators: list[str]
    sentences: int
    agreed: float | None
    kappa: float | None
    confusion: list[list[int]]

    @classmethod
    def of(cls, annotators: Sequence[str], pairs: Sequence[tuple[int, int]]) -> "Agreement":
        """Compare.

        annotators (Sequence[str]): Names of the two.
        pairs (Sequence[Tuple[int, int]]): Codes of the labels that they give to each sentence.
        RETURNS (Agreement): How far they agree.
        """
        matrix = confusion([one for one, _ in pairs], [other for _, other in pairs])[0]
        metrics = {name: number_or_none(value) for name, value in measure(matrix).items()}
        counts = matrix[:, :NO_LABEL].tolist()
        return cls(list(annotators), len(pairs), metrics["accuracy"], metrics["kappa"], counts)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, {**asdict(self), "labels": LABELS})

    def __str__(self) -> str:
        if self.agreed is None:
            return "No sentence has a label of both annotators."
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.3f}"
        head = f"{' and '.join(self.annotators)}: {self.sentences} sentences, {self.agreed:.3f} agree, kappa {kappa}"
        width = max(map(len, LABELS))
        columns = f"{'':{width}}  " + "  ".join(f"{name:>{width}}" for name in LABELS)
        rows = (
            f"{name:{width}}  " + "  ".join(f"{count:>{width}}" for count in row)
            for name, row in zip(LABELS, self.confusion, strict=True)
        )
        return "\n".join([head, columns, *rows])
