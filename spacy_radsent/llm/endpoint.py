"""Endpoint mode: a model on a server labels the sentences of a report by their numbers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from spacy.tokens import Span

from ..endpoint import Endpoint, EndpointError, EndpointRefused
from ..errors import RadsentError
from ..labeller import Labelled
from ..labels import Label
from .parse import ParseCounts, fuller, labelled, parse_numbered
from .prompt import read_instructions
from .settings import LLMSettings
from .skeleton import text_of


class EndpointReader:
    """Labels reports by asking a server, several at once. A sentence that got no label has the status "error".

    There are no probabilities. A report that the server did not answer for goes to the error handler, alone. `counts`
    counts what could not be parsed, `endpoint.usage` the tokens.
    """

    def __init__(self, settings: LLMSettings) -> None:
        """settings (LLMSettings): The server, to which nothing is sent yet."""
        if settings.endpoint is None:
            raise RadsentError("mode is 'endpoint', but none is given: set endpoint.base_url.")
        self.settings = settings
        self.endpoint = Endpoint(settings.endpoint, settings.model)
        self.instructions = read_instructions(settings.prompt, "number")
        self.counts = ParseCounts()

    def __call__(self, reports: Sequence[list[Span]]) -> list[Labelled]:
        """Label reports.

        reports (Sequence[List[Span]]): The sentences of each, at least one.
        RETURNS (List[Labelled]): The labelled sentences of each.
        """
        self.endpoint.after_fork()
        with ThreadPoolExecutor(self.endpoint.settings.concurrency) as pool:
            results = list(pool.map(self._label, reports))
        for result in results:
            if result.error is None:
                self.counts.add(result)
        return results

    def _label(self, sentences: list[Span]) -> Labelled:
        try:
            return labelled(sentences, self._codes(sentences))
        except EndpointRefused:
            raise
        except EndpointError as error:
            return Labelled.failed(sentences, error)

    def _codes(self, sentences: list[Span]) -> list[int | None]:
        if not self.endpoint.may_read(sentences[0].doc._.radsent_source):
            raise EndpointError(
                f"The report is not marked synthetic, and {self.endpoint.settings.base_url} is not on this machine: "
                f"set doc._.radsent_source = 'synthetic' if it is, or endpoint.allow_remote_phi = true if it may go "
                f"there."
            )
        messages, schema = question(self.instructions, sentences), schema_of(len(sentences))
        codes: list[int | None] = [None] * len(sentences)
        for attempt in range(self.settings.attempts):
            answer = self.endpoint.ask(messages, schema, temperature=0 if attempt == 0 else 1)
            if answer.problem is None:
                codes = fuller(codes, parse_numbered(answer.text, len(sentences)))
            if None not in codes:
                break
        return codes


def question(instructions: str, sentences: list[Span]) -> list[dict[str, str]]:
    """RETURNS (List[Dict[str, str]]): The messages that ask for the labels of a report's sentences."""
    numbered = "\n".join(f"s{i}: {sentence.text}" for i, sentence in enumerate(sentences, 1))
    return [
        {"role": "system", "content": instructions},
        {"role": "user", "content": f"所見: {text_of(sentences)}\n文:\n{numbered}"},
    ]


def schema_of(count: int) -> dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of an answer for so many sentences."""
    keys = [f"s{i}" for i in range(1, count + 1)]
    code = {"type": "integer", "enum": [label.value for label in Label]}
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, code),
        "required": keys,
        "additionalProperties": False,
    }
