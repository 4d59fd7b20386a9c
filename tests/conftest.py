"""Shared fixtures. Everything runs offline; what is not at hand is skipped, not fetched."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from encoders import save_checkpoint
from hypothesis import settings
from spacy.language import Language

from spacy_radsent.corpus.docbin import blank_pipeline
from spacy_radsent.corpus.importers import import_records
from spacy_radsent.corpus.records import Record

ROOT = Path(__file__).parents[1]

# A busy machine must not fail a test, and two runs of one commit must try the same examples.
settings.register_profile("radsent", deadline=None, derandomize=True, database=None)
settings.load_profile("radsent")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest comes first: it runs on one core while the others have the rest."""
    items.sort(key=lambda item: item.path.name != "test_project.py")


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The empty Japanese pipeline. Shared: add components to a `blank_pipeline()` of your own."""
    return blank_pipeline()


@pytest.fixture(scope="session")
def ja_ginza() -> Language:
    """The full GiNZA pipeline. Shared: a test that adds a component removes it again."""
    if not spacy.util.is_package("ja_ginza"):
        pytest.skip("ja_ginza is not installed")
    return spacy.load("ja_ginza")


@pytest.fixture(scope="session")
def bundled() -> list[Record]:
    """The labelled synthetic reports in sampled styles that come with the project."""
    return _bundled("part*.jsonl")


@pytest.fixture(scope="session")
def institutions() -> list[Record]:
    """Those in the manners of invented institutions: as messy as reports get."""
    return _bundled("institutions*.jsonl")


def _bundled(pattern: str) -> list[Record]:
    return [record for path in sorted((ROOT / "assets/bundled").glob(pattern)) for record in import_records(path)]


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """RETURNS (Callable[[str], Path]): Finds a file of ../shared/data; the test is skipped where it is missing."""

    def find(name: str) -> Path:
        path = ROOT.parent / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"shared/data/{name} is not at hand")
        return path

    return find


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """RETURNS (Callable[[str], Path]): Gives the folder of a tiny encoder of a kind."""
    folder = tmp_path_factory.mktemp("encoders")

    def find(kind):
        path = folder / kind
        return path if path.exists() else save_checkpoint(kind, path)

    return find


@pytest.fixture
def no_network(monkeypatch):
    """Fails a test that tries to connect."""

    def refuse(*args):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
