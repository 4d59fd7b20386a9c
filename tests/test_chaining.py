"""`radsent` in one pipeline with other clinical components: negated entities are told from present ones."""

import pytest
import spacy
from tiny import GOLD, REPORTS, labels_of, train_tiny

from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.labels import LABELS

TERMS = [{"label": "FINDING", "pattern": term} for term in ("結節", "低吸収域", "嚢胞", "腫瘤", "胸水", "筋腫", "腫大")]


@pytest.fixture(scope="module")
def trained():
    return train_tiny()


@pytest.fixture(scope="module")
def chained(trained):
    """GiNZA with its parser and NER, an entity ruler, and the sentence labels, in one nlp."""
    pytest.importorskip("ja_ginza")
    nlp = spacy.load("ja_ginza")
    nlp.add_pipe("radsent_sentencizer", first=True)
    nlp.add_pipe("entity_ruler", after="ner", config={"overwrite_ents": True}).add_patterns(TERMS)
    nlp.add_pipe("radsent", source=trained)
    return nlp


def test_labels_are_those_of_the_pipeline_alone(chained, trained):
    for text, gold in zip(REPORTS, GOLD, strict=True):
        doc = chained(text)
        assert labels_of(doc) == gold.split() == labels_of(trained(text))
        assert doc.has_annotation("DEP")
        assert {ent.label_ for ent in doc.ents} >= {"FINDING"}


def test_entities_know_the_label_of_their_sentence(chained):
    doc = chained(REPORTS[0])
    findings = [(ent.text, ent._.radsent_label) for ent in doc.ents if ent.label_ == "FINDING"]
    assert findings == [("結節", "POSITIVE"), ("結節", "NEGATIVE"), ("胸水", "NEGATIVE")]
    present = {ent.text for ent in doc.ents if ent._.radsent_label == "POSITIVE"}
    assert "胸水" not in present
    assert set(doc.ents[0]._.radsent_scores) == set(LABELS)


def test_other_annotations_stay_as_they_were(chained):
    with chained.select_pipes(disable=["radsent"]):
        before = chained(REPORTS[2])
    after = chained(REPORTS[2])
    assert [(ent.text, ent.label_) for ent in after.ents] == [(ent.text, ent.label_) for ent in before.ents]
    assert [token.dep_ for token in after] == [token.dep_ for token in before]
    assert [sent.text for sent in after.sents] == [sent.text for sent in before.sents]


def test_beside_negspacy(trained):
    """negspacy finds negation by terms near an entity, radsent by the sentence in its report: both on one entity."""
    negspacy = pytest.importorskip("negspacy.negation")
    nlp = blank_pipeline()
    nlp.add_pipe("radsent_sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(TERMS)
    nlp.add_pipe("radsent", source=trained)
    termset = {"pseudo_negations": [], "preceding_negations": [], "following_negations": ["なし"], "termination": []}
    nlp.add_pipe("negex", config={"neg_termset": termset, "ent_types": ["FINDING"]})
    assert negspacy.__name__ == "negspacy.negation"
    doc = nlp(REPORTS[0])
    seen = [(ent.text, ent._.negex, ent._.radsent_label == "NEGATIVE") for ent in doc.ents]
    assert seen == [("結節", False, False), ("結節", True, True), ("胸水", True, True)]
