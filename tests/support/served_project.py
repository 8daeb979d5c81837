"""The command `aqa serve` in a process of its own, as a person starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

# Commands extract still frames by a small network with random weights, and fit one seed, all on the CPU.
SMALL = {
    "AQA_EXTRACT_BACKBONE": "resnet18",
    "AQA_EXTRACT_WEIGHTS": "random:0",
    "AQA_EXTRACT_STREAMS": "frames",
    "AQA_EXTRACT_RUNTIME": "eager",
    "AQA_EXTRACT_DEVICE": "cpu",
    "AQA_EXTRACT_WORKERS": "1",
    "AQA_FIT_STREAMS": "frames",
    "AQA_FIT_SEEDS": "0",
    "AQA_FIT_DEVICE": "cpu",
    "AQA_SCORE_DEVICE": "cpu",
}
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A running server: the address that it printed, with its token."""

    address: str
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        """The address without path and token."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def ask(self, path: str, *, method: str = "GET") -> str:
        """Return the text of an answer, as a page of the app gets it; raise `HTTPError` for a refusal."""
        (token,) = parse_qs(urlsplit(self.address).query)["token"]
        headers = {"Cookie": f"aqa-{self.port}={token}", "Origin": self.base}
        asked = Request(f"{self.base}{path}", headers=headers, method=method)
        with urlopen(asked) as answer:
            text: str = answer.read().decode()
        return text

    def kill(self) -> None:
        """End the server as a power cut does: it can do nothing more."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def serve(folder: Path, *, environment: Mapping[str, str]) -> Iterator[Server]:
    """Start `aqa serve` in the folder on a free port; end it with the block."""
    code = "import cli; cli.main()"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, "serve", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, "the server ended before it printed its address"
        yield Server(address, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()
