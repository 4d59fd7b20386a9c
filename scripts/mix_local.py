"""Mix a few labelled reports of one's own with some of the training corpus, to go on training on both."""

import re
import sys
from collections.abc import Sequence

from spacy_radsent.corpus.docbin import write_docbin
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record
from spacy_radsent.corpus.replay import LOCAL, is_local, replay_mixture
from spacy_radsent.errors import RadsentError

MAX_SHARE = 0.95


def main(local: str, corpus: str, output: str, share: str, seed: str, *tests: str) -> None:
    if not local:
        raise RadsentError("No reports of your own are given: add --vars.local my_reports.jsonl.")
    if not re.fullmatch(r"0?\.\d+", share) or not 0 < float(share) <= MAX_SHARE:
        raise RadsentError(f"share {share}: give a number above 0 and up to {MAX_SHARE}.")
    if not seed.isdecimal():
        raise RadsentError(f"seed {seed}: give a whole number.")
    own = [record for record in import_records(local) if any(sentence.label for sentence in record.sentences)]
    if not own:
        raise RadsentError(f"{local}: no sentence has a label: label some reports first (docs/labels.md).")
    own = _untested(own, local, tests)
    known = list(import_records(corpus))
    mixture = replay_mixture(own, known, float(share), int(seed))
    left_out = set(write_docbin(mixture, output).left_out)
    mixture = [record for record in mixture if record.id not in left_out]
    names = sorted({id.partition(LOCAL)[0] for id in left_out if LOCAL in id})
    if names:
        print(f"Left out, since two of their sentences share a token: {', '.join(names)}")
    used, copies = len(own) - len(names), sum(map(is_local, mixture))
    if not copies:
        raise RadsentError(f"{local}: no report is left: correct where their sentences begin and end.")
    drawn = len(mixture) - copies
    print(f"{output}: {used} reports of your own, repeated to {copies}, and {drawn} of {len(known)} of {corpus}")


def _untested(own: list[Record], local: str, tests: Sequence[str]) -> list[Record]:
    """RETURNS (List[Record]): Those that no test set holds: what was learned would tell nothing there."""
    tested = {record.text for path in tests for record in import_records(path)}
    others = [record for record in own if record.text not in tested]
    if not others:
        raise RadsentError(f"{local}: {' and '.join(tests)} hold the same reports: keep some to test on.")
    if len(others) < len(own):
        print(f"Left out: {len(own) - len(others)} reports that stand in {' or '.join(tests)} as well")
    return others


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RadsentError as error:
        sys.exit(f"Error: {error}")
