"""The task `spacy_radsent.SentenceLabels.v1` for the `llm` pipe of spacy-llm."""

from typing import Iterable  # noqa: UP035  # spacy-llm compares these types by name

from spacy.tokens import Doc

from ..labeller import find_sentences, write_labelled
from ..labels import SPANS_KEY
from ..questions import ask_by_number, parse_by_number, read_instructions
from .parse import labelled
from .skeleton import text_of

SOURCE = "spacy_radsent.SentenceLabels.v1"


class SentenceLabelsTask:
    """Asks for the labels of a report's sentences by number, and writes what `radsent_llm` writes.

    A sentence that got no label has the status "error". The sentences are those of the document: put a
    `radsent_sentencizer` before the `llm` pipe.
    """

    def __init__(self, prompt: str = "ja_v1", spans_key: str = SPANS_KEY) -> None:
        """Build the task.

        prompt (str): Version of the prompt.
        spans_key (str): Key of the span group to write.
        """
        self.instructions = read_instructions(prompt, "number")
        self.spans_key = spans_key

    def generate_prompts(self, docs: Iterable[Doc]) -> Iterable[str]:
        """YIELDS (str): A prompt for each document."""
        for doc in docs:
            sentences = find_sentences(doc, SOURCE)
            texts = [sentence.text for sentence in sentences]
            messages = ask_by_number(self.instructions, text_of(sentences), texts)
            yield "\n\n".join(message["content"] for message in messages)

    def parse_responses(self, docs: Iterable[Doc], responses: Iterable[str]) -> Iterable[Doc]:
        """YIELDS (Doc): The documents, labelled."""
        # In spite of the type that spacy-llm asks for, models give a list of answers for each document.
        for doc, answers in zip(docs, responses, strict=True):
            sentences = find_sentences(doc, SOURCE)
            codes = parse_by_number("".join(map(str, answers)), len(sentences))
            write_labelled(doc, labelled(sentences, codes), self.spans_key, SOURCE)
            yield doc
