"""The augmenter `spacy_radsent.report_style.v1`: the same report as another institution would write it."""

from collections.abc import Callable, Iterator
from random import Random

from spacy.language import Language
from spacy.training import Example

from ..errors import RadsentError
from ..labels import SPANS_KEY
from .answers import ANSWERS
from .layout import LAYOUT
from .lexicon import read_lexicon
from .order import ORDER
from .report import example_of, pieces_of
from .wording import WORDING

# In the order in which they are applied: what is told, how it is said, how it is laid out.
FAMILIES = {**ORDER, **WORDING, **ANSWERS, **LAYOUT}
# Chosen on left-out styles of the bundled corpus (docs/lab-notebook.md). A sentence with a line break in it is seen
# only where the sentencizer's `hard_wrap` is on.
DEFAULT_PROBABILITIES = {**dict.fromkeys(FAMILIES, 0.5), "brief": 0.15, "misprints": 0.3, "width": 0.2, "wraps": 0.0}
DEFAULT_PROBABILITIES |= {"known": 0.25, "choices": 0.15, "lists": 0.25}


def build_report_style_augmenter(
    copies: int = 3,
    families: dict[str, float] | None = None,
    seed: int = 0,
    lexicon: str | None = None,
    spans_key: str = SPANS_KEY,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Build an augmenter for the reader of the training corpus.

    copies (int): Variants of each report, beside the report itself.
    families (Optional[Dict[str, float]]): Probability of each family of changes to be applied to a variant; 0 for those
        not named. The defaults of docs/generalisation.md if None.
    seed (int): Same seed, same reports in the same order: same variants.
    lexicon (Optional[str]): A YAML file of what may stand for what, in place of the bundled one.
    spans_key (str): Key of the span group with the labelled sentences.
    RETURNS (Callable[[Language, Example], Iterator[Example]]): The augmenter.
    """
    probabilities = dict(DEFAULT_PROBABILITIES if families is None else families)
    for name, probability in probabilities.items():
        is_number = isinstance(probability, (int, float))
        if name not in FAMILIES or not is_number or not 0.0 <= probability <= 1.0:
            raise RadsentError(
                f"report_style has the family {name!r}: {probability}: give probabilities for {', '.join(FAMILIES)}."
            )
    if not isinstance(copies, int) or copies < 0:
        raise RadsentError(f"report_style makes {copies} copies: give a whole number of at least 0.")
    words, rng = read_lexicon(lexicon), Random(seed)

    def augment(nlp: Language, example: Example) -> Iterator[Example]:
        yield example
        pieces = pieces_of(example.reference, spans_key)
        for _ in range(copies if pieces else 0):
            changed = pieces
            for name, change in FAMILIES.items():
                if rng.random() < probabilities.get(name, 0.0):
                    # A sentence that is a full stop or a bullet alone may be left with nothing.
                    changed = [piece for piece in change(changed, rng, words) if piece.text.strip()] or changed
            if variant := example_of(changed, nlp, spans_key):
                yield variant

    return augment
