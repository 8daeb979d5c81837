"""Requests that no page makes: each is answered, none is an error of the server, none changes a file."""

import random
from pathlib import Path

from starlette.testclient import TestClient

NUM_REQUESTS = 400
HOST = "http://127.0.0.1:8000"
PARTS = (
    *("videos", "pages", "project", "thumbnail", "jobs", "label", "score", "upload", "static", "cancel"),
    *("a.mp4", "aqa.toml", ".serve", "..", "%2e%2e", "%2F", "\\", "%5c", "%00", "%ff", "%25", "%0d%0aX:1"),
    *(
        "1",
        "-1",
        "9" * 20,
        "{{7*7}}",
        "<b>",
        "'",
        '"',
        "\U0001f642",
        "q",
        "sort",
        "id",
        "video",
        "part",
        "all",
    ),
)
BODIES = (
    *(b"", b"video=%00", b"video=..%2f..%2fa.mp4", b"video=a&" * 50, b"\xff\xfe" * 10, b"all"),
    *(b"video=a.mp4&id=..%2fx&digest=y&mark%3Ascore=1e999&start=9&end=1", b"--x\r\n\r\n--x--"),
)
KINDS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/x",
)


def test_no_request_is_an_error_of_the_server(client: TestClient, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    dice = random.Random(0)
    statuses = set()
    for _ in range(NUM_REQUESTS):
        path = "".join(
            dice.choice(["/", "/", "", "?", "&", "="]) + dice.choice(PARTS) for _ in range(dice.randint(1, 6))
        )
        method = dice.choice(["GET", "GET", "POST", "HEAD", "PUT"])
        content = dice.choice(BODIES) if method in ("POST", "PUT") else b""
        answer = client.request(
            method, f"{HOST}/{path}", content=content, headers={"Content-Type": dice.choice(KINDS)}
        )
        statuses.add(answer.status_code)
        assert answer.status_code < 500, (method, path, content)
    assert {200, 400, 404, 405} <= statuses
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
