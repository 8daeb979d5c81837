"""Runs on the hub: the library's own client against a small server on this machine."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from heads.evaluation.evaluate import evaluate
from small_club import Club

COMMIT = "0" * 40

pytest.importorskip("huggingface_hub", reason="the extra `hub` is absent")


class Hub(BaseHTTPRequestHandler):
    """Repositories in memory: as much of the hub as creating, committing and loading ask for."""

    files: dict[str, bytes]
    asked: list[tuple[str, dict]]
    refuses = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.refuses:
            self._answer({"error": "no"}, status=self.refuses)
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            self.asked.append((self.path, asked))
            name = "/".join(asked[key] for key in ("organization", "name") if asked.get(key))
            self._answer({"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif self.path.endswith("/preupload/main"):
            names = [each["path"] for each in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]
            self._answer({"files": modes})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        else:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer(
                {
                    "commitUrl": f"http://{self.headers['Host']}/club/skating/commit/{COMMIT}",
                    "commitOid": COMMIT,
                    "success": True,
                }
            )

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        content = self.files.get(self.path.rpartition("/")[2])
        if content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound" if "nobody" in self.path else "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(content, etag=hashlib.sha1(content).hexdigest())

    def _answer(self, value: object, *, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status=status)

    def _send(self, content: bytes, *, status: int = 200, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Hub]]:
    from huggingface_hub import constants

    handler = type("Handler", (Hub,), {"files": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setenv("HF_TOKEN", "a token")
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def run(make_club: Callable[..., Club], tmp_path_factory: pytest.TempPathFactory) -> Path:
    club = make_club(tmp_path_factory.mktemp("club"))
    words = ["fit", "--head", "ridge", "--streams", "clips", "--seeds", "0", "--split", "given"]
    assert aqa(*words, *club.options, "--out", club.run("ridge")).exit_code == 0
    return club.run("ridge")


def aqa(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def test_a_pushed_run_is_pulled_as_it_was(hub: type[Hub], run: Path, tmp_path: Path) -> None:
    pushed = aqa("run", "push", run, "club/skating")
    assert pushed.exit_code == 0, pushed.output
    assert "/club/skating\n" in pushed.output
    assert set(hub.files) == {"run.zip", "README.md"}
    assert hub.files["README.md"].startswith(b"---\nlibrary_name: aqa-pipeline\n")
    pulled = aqa("run", "pull", "club/skating", "--out", tmp_path / "there")
    assert pulled.exit_code == 0, pulled.output
    assert evaluate(tmp_path / "there").cells == evaluate(run).cells


@pytest.mark.parametrize(("options", "private"), [((), True), (("--public",), False)])
def test_a_new_repository_is_private_unless_asked(
    hub: type[Hub], run: Path, options: tuple[str, ...], private: bool
) -> None:
    assert aqa("run", "push", run, "club/skating", *options).exit_code == 0
    ((_, asked),) = hub.asked
    said = asked.get("visibility", {True: "private", False: "public"}[asked.get("private", False)])
    assert said == ("private" if private else "public")


def test_what_is_no_run_writes_nothing(hub: type[Hub], tmp_path: Path) -> None:
    hub.files["run.zip"] = b"no zip"
    result = aqa("run", "pull", "club/skating", "--out", tmp_path / "there")
    assert result.exit_code == 1
    assert "damaged" in result.output
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ("club/empty", "holds no run.zip"),
        ("nobody/skating", "or it is private: log in"),
        ("../../etc", "is no name of a repository"),
    ],
)
def test_an_absent_run_is_one_sentence(hub: type[Hub], tmp_path: Path, repository: str, message: str) -> None:
    result = aqa("run", "pull", repository, "--out", tmp_path / "there")
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.startswith("Error: ")


def test_a_hub_that_refuses_is_one_sentence(hub: type[Hub], run: Path) -> None:
    hub.refuses = 403
    result = aqa("run", "push", run, "club/skating")
    assert result.exit_code == 1
    assert "the hub refused" in result.output


def test_a_hub_out_of_reach_is_one_sentence(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    result = aqa("run", "push", run, "club/skating")
    assert result.exit_code == 1
    assert "the hub cannot be reached" in result.output
