"""A few reports of one's own among many: in the share that is asked for, each as often as the others."""

from collections import Counter

import pytest

from spacy_radsent.corpus.replay import replay_mixture


@pytest.mark.parametrize(("count", "share"), [(10, 0.5), (7, 0.2), (40, 0.3)])
def test_share_and_ids(bundled, count, share):
    local, corpus = bundled[:count], bundled[100:200]
    mixture = replay_mixture(local, corpus, share)
    repeated = [record for record in mixture if "#local" in record.id]
    assert len(repeated) / len(mixture) == pytest.approx(share, abs=0.01)
    assert len({record.id for record in mixture}) == len(mixture)
    often = Counter(record.text for record in repeated)
    assert set(often) == {record.text for record in local} and max(often.values()) - min(often.values()) <= 1
    assert sorted(r.id for r in mixture if "#local" not in r.id) == sorted(r.id for r in corpus), "all is seen again"
    assert mixture != [*repeated, *corpus] and mixture == replay_mixture(local, corpus, share)


def test_of_a_large_corpus_some_are_drawn_and_local_reports_repeat_no_more_often(bundled, institutions):
    corpus = [*bundled[10:], *institutions]
    mixture = replay_mixture(bundled[:10], corpus, 0.5)
    drawn = [record for record in mixture if "#local" not in record.id]
    assert len(drawn) == 800 == len(mixture) - len(drawn)
    assert len({record.id for record in drawn}) == 800 and {r.id for r in drawn} < {r.id for r in corpus}
    assert 0.5 < sum("institution" in record.meta for record in drawn) / len(drawn) < 0.95, "of all kinds"


def test_every_local_report_is_in_it(bundled):
    mixture = replay_mixture(bundled[:40], bundled[100:110], 0.01)
    assert sum("#local" in record.id for record in mixture) == 40
