"""The corpus that comes with the project: complete, apart from what it is tested on, and about nobody."""

from collections import Counter

from spacy_radsent.boundaries import sentence_offsets
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.split import find_leaks
from spacy_radsent.labels import LABELS
from spacy_radsent.synth.privacy import IdentifierScreen


def test_institutions_are_complete(bundled, institutions):
    assert set(Counter(record.meta["institution"] for record in institutions).values()) == {9}
    manners = Counter(record.meta["manner"] for record in institutions)
    assert manners == {"unusual": 144 * 9, "common": 920 * 9}
    ids = [record.id for record in (*bundled, *institutions)]
    assert len(set(ids)) == len(ids)
    labels = Counter(sentence.label for record in institutions for sentence in record.sentences)
    assert set(labels) == set(LABELS) and min(labels.values()) > 0.15 * labels.total()  # none is rare


def test_sentences_of_institutions_are_those_found_by_rule(institutions):
    for record in institutions:
        found = list(sentence_offsets(record.text))
        assert found == [(sentence.start, sentence.end) for sentence in record.sentences], record.id


def test_nothing_of_the_test_sets_is_in_it(institutions, shared_data):
    for name in ("external_dev.jsonl", "jichi/validation.jsonl"):
        assert find_leaks(institutions, list(import_records(shared_data(name)))) == []


def test_nobody_is_named(institutions):
    screen = IdentifierScreen()
    told = Counter(kind for record in institutions for kind in screen(record.text))
    assert told == {"a name": 8}  # "Dr", "S3" beside it, "capsule", "Barrett様", "Morton様" and the like: read by hand
