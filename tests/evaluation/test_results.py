"""The documented schema of metrics.json is that of the code."""

import json
from pathlib import Path

from spacy_radsent.evaluation.results import Evaluation

SCHEMA = Path(__file__).parents[2] / "docs/metrics.schema.json"


def test_documented_schema_is_current():
    """To write it anew: python -c "import json; from spacy_radsent.evaluation.results import Evaluation; \
    print(json.dumps(Evaluation.json_schema(), indent=2))" > docs/metrics.schema.json"""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == Evaluation.json_schema()
