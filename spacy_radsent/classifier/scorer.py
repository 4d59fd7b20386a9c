"""Scores of sentence labels. The one scorer behind `spacy train`, `spacy evaluate` and the benchmarks."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from ..labels import LABELS, SPANS_KEY, Label


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
        label are right) and `radsent_e2e_macro_f`, over reports labelled throughout. None where nothing can be scored.
    """
    examples = [eg for eg in examples if spans_key in eg.reference.spans]
    labelled = examples if on_gold_boundaries is None else list(on_gold_boundaries)
    pairs = [pair for eg in labelled if spans_key in eg.reference.spans for pair in _pairs(eg, spans_key)]
    per_label = {label: _label_prf(pairs, label) for label in LABELS}
    end_to_end = [
        (_offsets_with_labels(eg.predicted, spans_key), _offsets_with_labels(eg.reference, spans_key))
        for eg in examples
        if all(gold.label_ for gold in eg.reference.spans[spans_key])
    ]
    exact = _exact_prf(end_to_end)
    positive = per_label[Label.POSITIVE.name]
    scores: dict[str, Any] = {
        "acc": sum(gold == predicted for gold, predicted in pairs) / len(pairs) if pairs else None,
        "macro_f": _macro_f(per_label.values()) if pairs else None,
        "ppv_1": positive.precision if pairs else None,
        "recall_1": positive.recall if pairs else None,
        "f_1": positive.fscore if pairs else None,
        "per_type": {label: prf.to_dict() for label, prf in per_label.items()} if pairs else None,
        "e2e_p": exact.precision if end_to_end else None,
        "e2e_r": exact.recall if end_to_end else None,
        "e2e_f": exact.fscore if end_to_end else None,
        "e2e_macro_f": _macro_f(_exact_prf(end_to_end, label) for label in LABELS) if end_to_end else None,
    }
    return {f"radsent_{key}": value for key, value in scores.items()}


def _pairs(example: Example, spans_key: str) -> list[tuple[str, str | None]]:
    """RETURNS (List[Tuple[str, Optional[str]]]): Reference label and predicted label of every reference sentence."""
    predicted = example.predicted.spans.get(spans_key, [])
    by_character = {i: span.label_ for span in predicted for i in range(span.start_char, span.end_char)}
    return [
        (gold.label_, by_character.get(gold.start_char)) for gold in example.reference.spans[spans_key] if gold.label_
    ]


def _label_prf(pairs: list[tuple[str, str | None]], label: str) -> PRFScore:
    return PRFScore(
        tp=sum(gold == predicted == label for gold, predicted in pairs),
        fp=sum(gold != label and predicted == label for gold, predicted in pairs),
        fn=sum(gold == label and predicted != label for gold, predicted in pairs),
    )


def _offsets_with_labels(doc: Doc, spans_key: str) -> set:
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans.get(spans_key, [])}


def _exact_prf(documents: list[tuple[set, set]], label: str | None = None) -> PRFScore:
    score = PRFScore()
    for predicted, gold in documents:
        if label is not None:
            predicted, gold = ({span for span in spans if span[2] == label} for spans in (predicted, gold))
        score.score_set(predicted, gold)
    return score


def _macro_f(scores: Iterable[PRFScore]) -> float:
    return sum(score.fscore for score in scores) / len(LABELS)


def make_label_scorer() -> Callable:
    return label_score
