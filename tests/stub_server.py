"""A server on loopback that speaks as much of OpenAI's protocol as is asked of it, and fails as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubServer:
    """Answers chat completions.

    answer (Callable): From a request's JSON to the content of a message, or to a `Reply`.
    requests (List[Dict]): What came in, in order.
    most_at_once (int): Requests that were open at the same time.
    """

    def __init__(self, answer: Callable[[dict], Any]) -> None:
        self.answer = answer
        self.batches = Batches(self)
        self.requests: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.open = self.most_at_once = 0
        self.lock = threading.Lock()

    def reply_to(self, request: dict, headers: dict) -> "Reply":
        with self.lock:
            self.requests.append(request)
            self.headers.append(headers)
            self.open += 1
            self.most_at_once = max(self.most_at_once, self.open)
        try:
            answer = self.answer(request)
        finally:
            with self.lock:
                self.open -= 1
        return answer if isinstance(answer, Reply) else Reply.completion(answer)


class Batches:
    """OpenAI's Batch API: a batch is done when it was looked at `looks` times.

    status (str): How a batch ends. `errors`: Why. `lines` (Callable): Changes the lines of its output.
    """

    def __init__(self, stub: StubServer) -> None:
        self.stub = stub
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict] = {}
        self.looks, self.status, self.errors, self.lines = 1, "completed", None, lambda lines: lines

    def post(self, path: str, body: bytes) -> "Reply":
        if path.endswith("/files"):
            boundary = body[: body.index(b"\r\n")]
            part = next(part for part in body.split(boundary) if b"filename=" in part)
            id = f"file-{len(self.files)}"
            self.files[id] = part.partition(b"\r\n\r\n")[2].rstrip(b"\r\n").decode()
            return Reply(200, json.dumps({"id": id, "object": "file", "purpose": "batch"}))
        request = json.loads(body)
        id = f"batch-{len(self.batches)}"
        self.batches[id] = {
            **{"id": id, "object": "batch", "status": "in_progress", "metadata": request["metadata"], "created_at": 0},
            **{name: request[name] for name in ("input_file_id", "endpoint", "completion_window")},
            "looked": 0,
        }
        return Reply(200, json.dumps(self.batches[id]))

    def get(self, path: str) -> "Reply":
        *_, kind, id = path.removesuffix("/content").split("/")
        if id not in {**self.files, **self.batches, "batches": {}}:
            return Reply.error(404)
        if kind == "files":
            return Reply(200, self.files[id])
        if id.startswith("batches"):
            return Reply(200, json.dumps({"object": "list", "data": list(self.batches.values()), "has_more": False}))
        batch = self.batches[id]
        batch["looked"] += 1
        if batch["looked"] > self.looks and batch["status"] == "in_progress":
            batch["status"], batch["errors"] = self.status, self.errors
            batch["output_file_id"] = f"out-{id}"
            lines = [self._answer(json.loads(line)) for line in self.files[batch["input_file_id"]].splitlines()]
            self.files[batch["output_file_id"]] = "".join(
                json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines(lines[::-1])
            )
        return Reply(200, json.dumps(batch))

    def _answer(self, line: dict) -> dict:
        reply = self.stub.reply_to(line["body"], {})
        response = {"status_code": reply.status, "request_id": "r", "body": json.loads(reply.body)}
        return {"id": "x", "custom_id": line["custom_id"], "response": response, "error": None}


class Reply:
    """A response: status, body, headers.

    `cut` closes the connection in the middle of the body, `drip` lets it come by single bytes, with that between them.
    """

    def __init__(
        self,
        status: int,
        body: str,
        headers: dict[str, str] | None = None,
        cut: bool = False,
        drip: Callable[[], Any] | None = None,
    ) -> None:
        self.status, self.body, self.headers, self.cut, self.drip = status, body, headers or {}, cut, drip

    def chunks(self, body: bytes) -> Iterator[bytes]:
        if self.drip is None:
            yield body[: len(body) // 2] if self.cut else body
            return
        for i in range(len(body)):
            yield body[i : i + 1]
            self.drip()

    @classmethod
    def completion(cls, content: str | None, finish_reason: str = "stop", **message: Any) -> "Reply":
        choice = {
            "index": 0,
            "finish_reason": finish_reason,
            "message": {"role": "assistant", "content": content, **message},
        }
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
        return cls(200, json.dumps(body, ensure_ascii=False))

    @classmethod
    def error(cls, status: int, **headers: str) -> "Reply":
        """An error that quotes what was asked, as servers do; `retry_after` becomes the header Retry-After."""
        body = json.dumps({"error": {"message": "no: 右肺に結節", "type": "x"}})
        return cls(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def serve(answer: Callable[[dict], Any]) -> Iterator[tuple[StubServer, str]]:
    """YIELDS (Tuple[StubServer, str]): The server and its base URL."""
    stub = StubServer(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # which keeps connections, as servers do
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if self.path.endswith("/chat/completions"):
                self.send(stub.reply_to(json.loads(content), headers))
            else:
                self.send(stub.batches.post(self.path, content))

        def do_GET(self) -> None:
            self.send(stub.batches.get(self.path.partition("?")[0]))

        def send(self, reply: Reply) -> None:
            body = reply.body.encode()
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for chunk in reply.chunks(body):
                    self.wfile.write(chunk)
            except ConnectionError:  # the client gave up
                pass
            self.close_connection = reply.cut

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stub, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
