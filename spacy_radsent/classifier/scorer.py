"""Scores of sentence labels for `spacy train` and `spacy evaluate`; the metrics are those of `radsent evaluate`."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..labels import LABELS, SPANS_KEY, Label
from ..metrics import (
    NO_LABEL,
    Sentence,
    code_of,
    confusion,
    exact_matches,
    mean_of_defined,
    measure,
    precision_recall_f1,
    project,
)


def label_score(
    examples: Iterable[Example],
    *,
    on_gold_boundaries: Iterable[Example] | None = None,
    spans_key: str = SPANS_KEY,
    **kwargs: Any,
) -> dict[str, Any]:
    """Score sentence labels, apart from and together with sentence boundaries.

    examples (Iterable[Example]): Predicted and reference documents, both with `doc.spans[spans_key]`.
    on_gold_boundaries (Optional[Iterable[Example]]): The same, predicted for the sentences of the reference. Without
        them a reference sentence is compared with the predicted sentence that holds its first character.
    spans_key (str): Key of the span group.
    RETURNS (Dict[str, Any]): On reference boundaries: `radsent_acc`, `radsent_macro_f`, `radsent_ppv_1` (precision of
        POSITIVE, as in Kikuchi et al. 2026), `radsent_recall_1`, `radsent_f_1`, `radsent_per_type` (label -> p, r, f).
        End to end on predicted boundaries: `radsent_e2e_p`, `_r`, `_f` (a sentence counts when its boundaries and its
        label are right) and `radsent_e2e_macro_f`, over reports labelled throughout. Sentences without a predicted
        label count as wrong. None where nothing can be scored; 0 where a single metric is not defined, as in spaCy.
    """
    examples = [eg for eg in examples if spans_key in eg.reference.spans]
    labelled = examples if on_gold_boundaries is None else list(on_gold_boundaries)
    pairs = [pair for eg in labelled if spans_key in eg.reference.spans for pair in _pairs(eg, spans_key)]
    whole = [eg for eg in examples if all(gold.label_ for gold in eg.reference.spans[spans_key])]
    scores = {**_label_scores(pairs), **_end_to_end_scores(whole, spans_key)}
    return {f"radsent_{key}": value for key, value in scores.items()}


def _label_scores(pairs: list[tuple[int, int]]) -> dict[str, Any]:
    if not pairs:
        return dict.fromkeys(("acc", "macro_f", "ppv_1", "recall_1", "f_1", "per_type"))
    gold, predicted = zip(*pairs, strict=True)
    metrics = {name: _defined(value) for name, value in measure(confusion(gold, predicted)[0]).items()}
    positive = Label.POSITIVE.value
    return {
        "acc": metrics["accuracy"],
        "macro_f": metrics["macro_f1"],
        "ppv_1": metrics[f"precision_{positive}"],
        "recall_1": metrics[f"recall_{positive}"],
        "f_1": metrics[f"f1_{positive}"],
        "per_type": {
            name: {"p": metrics[f"precision_{i}"], "r": metrics[f"recall_{i}"], "f": metrics[f"f1_{i}"]}
            for i, name in enumerate(LABELS)
        },
    }


def _end_to_end_scores(examples: list[Example], spans_key: str) -> dict[str, Any]:
    if not examples:
        return dict.fromkeys(("e2e_p", "e2e_r", "e2e_f", "e2e_macro_f"))
    matches = sum(
        exact_matches(_sentences(eg.reference, spans_key), _sentences(eg.predicted, spans_key)) for eg in examples
    )
    precision, recall, f1 = precision_recall_f1(*matches.sum(0))
    _, _, by_label = precision_recall_f1(*matches[:NO_LABEL].T)
    scores = {"e2e_p": precision, "e2e_r": recall, "e2e_f": f1, "e2e_macro_f": mean_of_defined(by_label)}
    return {key: _defined(value) for key, value in scores.items()}


def _pairs(example: Example, spans_key: str) -> list[tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): Codes of the reference's and the predicted label of every reference sentence."""
    gold, predicted = _sentences(example.reference, spans_key), _sentences(example.predicted, spans_key)
    indices = project([start for start, _, _ in gold], predicted)
    return [
        (code_of(label), code_of(predicted[i][2] if i is not None else None))
        for (_, _, label), i in zip(gold, indices, strict=True)
        if label
    ]


def _sentences(doc: Doc, spans_key: str) -> list[Sentence]:
    return [(span.start_char, span.end_char, span.label_ or None) for span in doc.spans.get(spans_key, [])]


def _defined(value: Any) -> float:
    return float(numpy.nan_to_num(value))


def make_label_scorer() -> Callable:
    return label_score
