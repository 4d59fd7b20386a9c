"""Endpoint mode: a model on a server labels the sentences of a report by their numbers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from spacy.tokens import Span

from ..endpoint import Endpoint, EndpointError
from ..errors import RadsentError
from ..labeller import Labelled
from ..questions import ask_by_number, parse_by_number, read_instructions, schema_by_number
from .parse import ParseCounts, fuller, labelled
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
        self.endpoint.connect()
        with ThreadPoolExecutor(self.endpoint.settings.concurrency) as pool:
            results = list(pool.map(self._label, reports))
        for result in results:
            if result.error is None:
                self.counts.add(result)
        return results

    def _label(self, sentences: list[Span]) -> Labelled:
        try:
            return labelled(sentences, self._codes(sentences))
        except EndpointError as error:
            return Labelled.failed(sentences, error)

    def _codes(self, sentences: list[Span]) -> list[int | None]:
        if not self.endpoint.may_read(sentences[0].doc._.radsent_source):
            raise EndpointError(
                f"The report is not marked synthetic, and {self.endpoint.settings.base_url} is not on this machine: "
                f"set doc._.radsent_source = 'synthetic' if it is, or endpoint.allow_remote_phi = true if it may go "
                f"there."
            )
        texts = [sentence.text for sentence in sentences]
        messages = ask_by_number(self.instructions, text_of(sentences), texts)
        schema = schema_by_number(len(sentences))
        codes: list[int | None] = [None] * len(sentences)
        for attempt in range(self.settings.attempts):
            body = self.endpoint.body(messages, schema, temperature=0 if attempt == 0 else 1)
            try:
                answer = self.endpoint.ask(body)
            except EndpointError:
                if all(code is None for code in codes):
                    raise
                break  # what an answer before labelled stays
            if answer.problem is None:
                codes = fuller(codes, parse_by_number(answer.text, len(sentences)))
            if None not in codes:
                break
        return codes
