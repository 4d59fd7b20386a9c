"""The prompt for a report, rendered from a Jinja template: the system's message, a line of dashes, the user's."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from ..errors import RadsentError
from ..files import read_text
from .attributes import Drawn

BUNDLED = Path(__file__).parent / "templates" / "report_v1.jinja"
DASHES = re.compile(r"^-{3,}$", re.MULTILINE)
# Of the answer: a report in a field of its own, so that a greeting or a code fence cannot get into it.
SCHEMA = {
    "type": "object",
    "properties": {"findings": {"type": "string"}},
    "required": ["findings"],
    "additionalProperties": False,
}


class ReportPrompt:
    """Renders the prompt for a report.

    name (str): Of the template.
    sha256 (str): Of the template.
    """

    def __init__(self, path: Path | None = None) -> None:
        """path (Optional[Path]): A template; the bundled one by default."""
        path = path or BUNDLED
        source = read_text(path)
        self.path = path
        self.name = path.stem
        self.sha256 = sha256(source.encode()).hexdigest()
        environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        try:
            self.template = environment.from_string(source)
        except TemplateError as error:
            raise self._wrong(error) from None

    def __call__(self, drawn: Drawn) -> list[dict[str, Any]]:
        """RETURNS (List[Dict[str, Any]]): Messages as in OpenAI's chat completions."""
        try:
            text = self.template.render(drawn.values, style=drawn.style, hard_cases=list(drawn.hard_cases.values()))
        except Exception as error:  # a template may compute anything
            raise self._wrong(error) from None
        parts = [part.strip() for part in DASHES.split(text)]
        if len(parts) != 2 or not all(parts):
            raise RadsentError(f"{self.path}: a line of dashes must part the system's message from the user's, once.")
        return [{"role": role, "content": part} for role, part in zip(("system", "user"), parts, strict=True)]

    def _wrong(self, error: Exception) -> RadsentError:
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        return RadsentError(f"{self.path}{place}: the template is not right ({error}): mend it.")
