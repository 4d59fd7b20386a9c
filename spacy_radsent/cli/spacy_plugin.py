"""Makes the commands available as `python -m spacy radsent COMMAND` (entry point group "spacy_cli")."""

from spacy.cli._util import app as spacy_app

from . import app

spacy_app.add_typer(app, name="radsent")
