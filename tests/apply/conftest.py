import pytest
from tiny import make_examples, make_pipeline


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory):
    """An untrained pipeline, with findings: what it labels is of no interest here."""
    nlp = make_pipeline()
    nlp.initialize(lambda: make_examples(nlp))
    nlp.add_pipe("radsent_findings")
    folder = tmp_path_factory.mktemp("pipeline") / "model"
    nlp.to_disk(folder)
    return folder
