"""The small GitHub: an HTTP server over a `State`. Errors, rate limits, short pages, cut answers
and a sudden death are had on demand.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub.description import Description
from hub.state import ANSWERS, Refusal, Request, State

#: What a fault does: fail before anything is done, limit, do it and lose the answer, do it and send
#: half of the answer.
KINDS = ("error", "secondary", "too many", "lost", "cut")


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" matches."""

    pattern: str
    kind: str
    times: int = 1


@dataclass
class Server:
    """A small GitHub that listens. `violations` are requests that GitHub's description does not
    allow, and answers of ours that it does not either.
    """

    state: State
    description: Description
    faults: list[Fault] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    #: The longest page that is given, whatever is asked for.
    longest_page: int = 100
    #: Requests that are answered before it dies; None for ever.
    lives: int | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Server:
        server = self

        class Handler(_Handler):
            hub = server

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def fault(self, pattern: str, kind: str, times: int = 1) -> None:
        """Let the next requests that match fail."""
        assert kind in KINDS
        self.faults.append(Fault(pattern, kind, times))

    def next_fault(self, line: str) -> str:
        """The fault that a request has, if any."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.pattern, line):
                fault.times -= 1
                return fault.kind
        return ""

    def asked(self, pattern: str) -> int:
        """How many requests matched."""
        return sum(bool(re.search(pattern, line)) for line in self.log)


class _Handler(BaseHTTPRequestHandler):
    hub: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        with self.hub.lock:
            self.serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def serve(self) -> None:
        hub = self.hub
        parts = urlsplit(self.path)
        line = f"{self.command} {self.path}"
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if hub.lives is not None and hub.lives <= 0:
            self.close_connection = True
            return
        hub.log.append(line)
        fault = hub.next_fault(line)
        if fault == "error":
            return self.send(502, {"message": "Server Error"})
        if fault in ("secondary", "too many"):
            return self.send(
                403 if fault == "secondary" else 429,
                {"message": "You have exceeded a secondary rate limit."},
                {"Retry-After": "0"},
            )
        status, body, headers = self.answer(
            parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), raw
        )
        if hub.lives is not None:
            hub.lives -= 1
        if fault == "lost" or hub.lives == 0:
            self.close_connection = True
            return
        self.send(status, body, headers, cut=fault == "cut")

    def answer(
        self, path: str, query: dict[str, str], raw: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        hub = self.hub
        found = hub.description.operation(self.command, path)
        if found is None:
            return self.violation(f"{self.command} {path}: GitHub has no such endpoint")
        name, template, operation, values = found
        body = json.loads(raw) if raw else None
        problems = hub.description.check(self.command, template, operation, values, query, body)
        if problems:
            return self.violation(f"{self.command} {path}: {'; '.join(problems)}")
        if name not in ANSWERS:
            return self.violation(f"{self.command} {path}: {name} is not to be had here")
        try:
            if not hub.state.knows(
                self.headers.get("Authorization", ""),
                app=path.startswith("/app") or path.endswith("/installation"),
            ):
                raise Refusal(401, "Bad credentials")
            status, answer = ANSWERS[name](hub.state, Request(values, query, body or {}))
        except Refusal as refusal:
            return (
                refusal.status,
                {
                    "message": refusal.message,
                    "documentation_url": "https://docs.github.com/rest",
                    "errors": refusal.errors,
                },
                {},
            )
        headers = {}
        if isinstance(answer, list):
            answer, headers = self.page(answer, path, query)
        wrong = hub.description.check_answer(self.command, template, operation, status, answer)
        if wrong:
            hub.violations.append(f"our answer to {self.command} {path}: {wrong}")
        return status, answer, headers

    def violation(self, sentence: str) -> tuple[int, Any, dict[str, str]]:
        self.hub.violations.append(sentence)
        return 400, {"message": sentence}, {}

    def page(
        self, entries: list[Any], path: str, query: dict[str, str]
    ) -> tuple[list[Any], dict[str, str]]:
        """One page, with a link to the next: numbered, or where the listing is a
        record, by a mark.
        """
        size = min(int(query.get("per_page", 30)), self.hub.longest_page)
        by_mark = path.endswith("/activity")
        start = (
            int(query.get("after", "0")) if by_mark else (int(query.get("page", "1")) - 1) * size
        )
        if start + size >= len(entries):
            return entries[start : start + size], {}
        following = {
            **query,
            **({"after": str(start + size)} if by_mark else {"page": str(start // size + 2)}),
        }
        link = "&".join(f"{key}={value}" for key, value in following.items())
        return entries[start : start + size], {"Link": f'<{self.hub.url}{path}?{link}>; rel="next"'}

    def send(
        self, status: int, body: Any, headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        if cut:
            data = data[: len(data) // 2]
        self.send_response(status)
        for name, value in {
            **(headers or {}),
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(data)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
