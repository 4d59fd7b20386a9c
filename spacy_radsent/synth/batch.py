"""The same questions through OpenAI's Batch API: half the price, within a day.

What was handed in stands in the journal: a run that is cut off goes on waiting for it, and hands in nothing twice.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from ..endpoint import Endpoint, EndpointError
from ..errors import RadsentError
from .client import Client, Request, today
from .costs import Bill
from .journal import Entry, Journal

# OpenAI takes 50,000 requests and 200 MB a batch; a smaller one is lost to less when it fails.
REQUESTS_PER_BATCH = 5000
OVER = frozenset({"completed", "failed", "expired", "cancelled"})


class BatchClient(Client):
    """Asks by batches, and waits for them."""

    def __init__(self, journal: Journal, bill: Bill, resumed: bool, seconds_between_looks: float = 60) -> None:
        """Set up.

        journal, bill: As for `Client`.
        resumed (bool): Whether an earlier run may have handed in a batch that does not stand in the journal.
        seconds_between_looks (float): How long to wait until the server is asked again whether a batch is done.
        """
        super().__init__(journal, bill)
        self.resumed = resumed
        self.seconds_between_looks = seconds_between_looks
        self._why = ""  # the last batch that failed as a whole did so

    def send(self, requests: Iterable[Request]) -> Iterator[str]:
        """Ask, all at once: first for what an earlier run handed in, then for the rest. As for `Client`."""
        yield from self._send_all({request.key: request for request in requests})

    def _send_all(self, requests: dict[str, Request]) -> Iterator[str]:
        if not requests:
            return
        self.bill.expect(len(requests))
        endpoint = next(iter(requests.values())).endpoint
        self._collect(endpoint, requests)
        by_model: dict[str, list[str]] = defaultdict(list)
        for key, request in requests.items():
            if key not in self.journal:
                by_model[request.endpoint.model].append(key)
        for keys in by_model.values():
            for start in range(0, len(keys), REQUESTS_PER_BATCH):
                self._hand_in(endpoint, {key: requests[key] for key in keys[start : start + REQUESTS_PER_BATCH]})
        self._collect(endpoint, requests)
        for key in requests:
            if key in self.journal:
                yield key
            else:
                self.errors.setdefault(
                    key, f"{endpoint.settings.base_url}: its batch ended without an answer{self._why}."
                )
                self.bill.fail()

    def _hand_in(self, endpoint: Endpoint, requests: dict[str, Request]) -> None:
        # Found again by this where a run was killed before the batch stood in the journal.
        mark = sha256("".join(sorted(requests)).encode()).hexdigest()
        with endpoint.errors_told():
            try:
                batches = endpoint.client.batches.list(limit=100).data if self.resumed else []
                known = [batch for batch in batches if self._is_lost(batch, mark)]
                batch = known[0] if known else self._create(endpoint, requests, mark)
            except endpoint.openai.NotFoundError:
                raise RadsentError(f"{endpoint.settings.base_url} takes no batches: run without --batch.") from None
        self.journal.add_batch(batch.id, done=False)

    def _create(self, endpoint: Endpoint, requests: dict[str, Request], mark: str) -> Any:
        lines = (
            {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": request.body}
            for key, request in requests.items()
        )
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        file = endpoint.client.files.create(file=("requests.jsonl", content), purpose="batch")
        # Tried once: a server that fails may have taken it. The next run finds it then.
        return endpoint.client.with_options(max_retries=0).batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"radsent": mark},
        )

    def _collect(self, endpoint: Endpoint, requests: dict[str, Request]) -> None:
        """Wait for the batches that are not done, and take their answers."""
        for id in [id for id, done in self.journal.batches.items() if not done]:
            with endpoint.errors_told():
                batch = self._ended(endpoint, id)
                files = batch.output_file_id, batch.error_file_id  # one that expired has the answers until then
                texts = [_content(endpoint, file) for file in files if file]
            if batch.errors and batch.errors.data:
                self._why = f" ({', '.join(sorted({str(error.code) for error in batch.errors.data}))})"
            for line in "\n".join(texts).split("\n"):
                try:
                    row = json.loads(line)
                    key, response = row["custom_id"], row.get("response") or {}
                except (ValueError, LookupError, TypeError, AttributeError):
                    continue  # nothing, or damaged: its request has no answer
                self._take(endpoint, key, response, requests)
            self.journal.add_batch(id, done=True)

    def _ended(self, endpoint: Endpoint, id: str) -> Any:
        """RETURNS (Batch): As it is when it is over."""
        try:
            while (batch := endpoint.client.batches.retrieve(id)).status not in OVER:
                time.sleep(self.seconds_between_looks)
        except endpoint.openai.NotFoundError:
            raise RadsentError(
                f"{endpoint.settings.base_url} knows nothing of the batch {id}: give the address and key that it was "
                f"handed in with, or start anew with --force (or another --cache)."
            ) from None
        return batch

    def _take(self, endpoint: Endpoint, key: str, response: dict[str, Any], requests: dict[str, Request]) -> None:
        if key in self.journal:
            return
        asked = requests[key].endpoint if key in requests else endpoint
        try:
            with asked.errors_told():
                if (status := response.get("status_code")) != 200:
                    raise EndpointError(f"{endpoint.settings.base_url}: HTTP {status or 'none'} in a batch.")
                # As the client reads one that is not of a batch: what is not needed may be missing or new.
                answer = asked.read(endpoint.openai.types.chat.ChatCompletion.construct(**response["body"]))
        except EndpointError as error:
            self.errors[key] = str(error)
            return
        self.journal.add(key, Entry(answer, today()))
        self.bill.add(asked.model, answer)

    def _is_lost(self, batch: Any, mark: str) -> bool:
        """RETURNS (bool): Whether a batch holds these requests, but a run was killed before it stood in the journal."""
        over = batch.status in ("failed", "expired", "cancelled")
        return (batch.metadata or {}).get("radsent") == mark and not over and batch.id not in self.journal.batches


def _content(endpoint: Endpoint, file: str) -> str:
    """RETURNS (str): Of a file of answers; nothing if it is gone, as after 30 days: they are asked for again."""
    try:
        return endpoint.client.files.content(file).text
    except endpoint.openai.NotFoundError:
        return ""
