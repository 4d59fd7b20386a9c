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


class Reply:
    """A response: status, body, headers; `cut` closes the connection in the middle of the body."""

    def __init__(self, status: int, body: str, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        self.status, self.body, self.headers, self.cut = status, body, headers or {}, cut

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
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = stub.reply_to(request, {name.lower(): value for name, value in self.headers.items()})
            body = reply.body.encode()
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if reply.cut else body)
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
