"""A local HTTP API that can be told to misbehave, request by request."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Asked = dict[str, str]


@dataclass
class Request:
    """One request as it came, and when."""

    parameters: Asked
    headers: dict[str, str]
    at: float


@dataclass
class Api:
    """Answers pages of `rows`; `plan` says how each request, from the first on, goes wrong.

    Entries of `plan`: None (well), a status, ("cut", bytes), ("slow", seconds), ("page", start),
    ("headers", status, headers), ("body", bytes).
    """

    rows: list[dict[str, Any]]
    plan: list[Any] = field(default_factory=list)
    total: int | None = None
    states_total: bool = True
    largest_page: int = 1_000
    clock_ahead: float = 0.0
    admits: Callable[[Request], bool] = lambda _: True
    requests: list[Request] = field(default_factory=list)
    address: str = ""

    def page(self, asked: Asked) -> dict[str, Any]:
        size = min(int(asked.get("size", "1000")), self.largest_page)
        if "page" in asked:
            start = (int(asked["page"]) - 1) * size
        else:
            start = int(asked.get("start") or asked.get("cursor") or 0)
        rows = self.rows[start : start + size]
        following = str(start + size) if start + size < len(self.rows) else None
        data: dict[str, Any] = {"rows": rows, "next": following}
        if self.states_total:
            data["total"] = len(self.rows) if self.total is None else self.total
        return {"code": 200, "data": data}


def serve(api: Api) -> Callable[[], None]:
    """Start the API on a free loopback port; returns what stops it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            """Silence."""

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + api.clock_ahead)

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            asked = {name: values[0] for name, values in query.items()}
            request = Request(asked, dict(self.headers), time.monotonic())
            api.requests.append(request)
            step = api.plan.pop(0) if api.plan else None
            if not api.admits(request):
                self.answer(401, b"{}")
            elif isinstance(step, int):
                self.answer(step, b"<html>out of order</html>")
            elif isinstance(step, tuple):
                self.misbehave(step, asked)
            else:
                self.answer(200, json.dumps(api.page(asked)).encode())

        def misbehave(self, step: tuple, asked: Asked) -> None:
            body = json.dumps(api.page(asked)).encode()
            match step:
                case ("headers", status, headers):
                    self.answer(status, b"{}", headers)
                case ("cut", count):
                    self.answer(200, body, cut=count)
                case ("slow", seconds):
                    time.sleep(seconds)
                    self.answer(200, body)
                case ("page", start):
                    asked = {**asked, "start": str(start)}
                    self.answer(200, json.dumps(api.page(asked)).encode())
                case ("body", text):
                    self.answer(200, text)

        def answer(
            self,
            status: int,
            body: bytes,
            headers: dict[str, str] | None = None,
            cut: int | None = None,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body[:cut])
                if cut is not None:
                    self.wfile.flush()
                    self.close_connection = True
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that gave up is part of the test."""

    server = Server(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_address[1]}/records"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
