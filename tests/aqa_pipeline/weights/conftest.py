"""A home of its own for every test, and a file server whose manners each test chooses."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aqa_pipeline.weights import WEIGHTS, Identity, Package, WeightsFile


@dataclass
class Served:
    """What the server says of one path, and the `Range` headers that it was asked with."""

    content: bytes
    cut_after: int | None = None  # closes the connection after so many bytes of the first answer
    ranges: bool = True
    etag: str | None = None
    lie_about_range: bool = False
    sends_on_to: str | None = None
    length: str | None = "stated"  # or "chunked", or None: the end of the connection ends the file
    endless: bool = False
    asked: list[str | None] = field(default_factory=list)


class FileServer:
    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        handler = type("Handler", (_Handler,), {"files": self.files})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def serve(self, name: str, content: bytes, **manners: object) -> Served:
        self.files[name] = Served(content, **manners)  # type: ignore[arg-type]
        return self.files[name]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    files: dict[str, Served]

    def do_GET(self) -> None:
        served = self.files.get(self.path.lstrip("/"))
        if served is None:
            self.send_error(404)
            return
        served.asked.append(self.headers.get("Range"))
        if served.sends_on_to:
            self._without_content(302, "Location", served.sends_on_to)
            return
        start = self._start(served)
        if start >= len(served.content):
            self._without_content(416, "Content-Range", f"bytes */{len(served.content)}")
            return
        body = served.content[start:]
        self.send_response(206 if start else 200)
        if start:
            stated = 0 if served.lie_about_range else start
            last = len(served.content) - 1
            self.send_header("Content-Range", f"bytes {stated}-{last}/{len(served.content)}")
        if served.etag:
            self.send_header("ETag", served.etag)
        if served.length == "stated":
            self.send_header("Content-Length", str(len(body)))
        elif served.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        self.end_headers()
        if served.cut_after is not None:
            body, served.cut_after = body[: served.cut_after], None
        self._write(body, endless=served.endless)

    def _without_content(self, status: int, header: str, value: str) -> None:
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _write(self, body: bytes, *, endless: bool) -> None:
        self.wfile.write(body)
        with contextlib.suppress(OSError):  # until the other end has had enough
            while endless:
                self.wfile.write(body)

    def _start(self, served: Served) -> int:
        wanted = self.headers.get("Range")
        if wanted is None or not served.ranges or self.headers.get("If-Range", served.etag) != served.etag:
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_weights_packages: None) -> Path:
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


Register = Callable[..., WeightsFile]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Add an entry `net` (file `net.pt`) to the registry for one test."""

    def register(
        *urls: str,
        identity: Identity | None = None,
        size: int | None = None,
        manual: str | None = None,
        package: Package | None = None,
    ) -> WeightsFile:
        entry = WeightsFile("net", "net.pt", urls, identity, "none", "for tests", size, manual, package)
        monkeypatch.setitem(WEIGHTS, "net", entry)
        return entry

    return register
