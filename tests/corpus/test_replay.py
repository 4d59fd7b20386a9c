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


def test_every_local_report_is_in_it(bundled):
    mixture = replay_mixture(bundled[:40], bundled[100:110], 0.01)
    assert sum("#local" in record.id for record in mixture) == 40
