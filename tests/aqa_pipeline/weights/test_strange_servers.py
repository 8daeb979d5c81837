"""Servers that send on to others, tell no length or never end: what is followed, and what is refused."""

import hashlib

import numpy as np
import pytest

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import Identity, download, fetch

CONTENT = np.random.default_rng(0).integers(0, 256, 1_500_000, dtype=np.uint8).tobytes()
OTHER = np.random.default_rng(1).integers(0, 256, 1_500_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Identity("sha256", SHA256)
CUT = 700_000


def files_in(home):
    return sorted(path.name for path in (home / "weights").iterdir())


def test_a_server_may_send_on_to_another_address(server, register):
    server.serve("b", CONTENT)
    server.serve("a", b"", sends_on_to=server.url("b"))
    register(server.url("a"), identity=KNOWN)
    assert fetch("net").read_bytes() == CONTENT


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/net.pt", "file:///etc/hostname"])
def test_but_to_no_other_protocol(server, register, home, target):
    server.serve("a", b"", sends_on_to=target)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match=r"redirects from http to ftp|is not allowed"):
        fetch("net")
    assert files_in(home) == []


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [("https", "https", True), ("http", "https", True), ("http", "http", True), ("https", "http", False)],
)
def test_no_redirect_leaves_tls(before, after, allowed):
    redirects = download._Redirects()
    request = download.Request(f"{before}://127.0.0.1/a")
    call = (request, None, 302, "Found", {}, f"{after}://127.0.0.1/b")
    if allowed:
        assert redirects.redirect_request(*call).full_url == f"{after}://127.0.0.1/b"
    else:
        with pytest.raises(WeightsError, match="from https to http"):
            redirects.redirect_request(*call)


def test_a_file_without_length_and_digest_is_not_trusted(server, register, home):
    server.serve("a", CONTENT, length=None, cut_after=CUT)
    register(server.url("a"))
    with pytest.raises(WeightsError, match="does not send the length of the file"):
        fetch("net")
    assert not (home / "weights" / "net.pt").exists()


def test_a_digest_tells_where_the_server_tells_no_length(server, register, home):
    a = server.serve("a", CONTENT, length=None, cut_after=CUT)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match="its sha256 is"):
        fetch("net")
    a.cut_after = None
    assert fetch("net").read_bytes() == CONTENT


def test_chunks_that_stop_midway_are_a_cut_connection(server, register, home):
    server.serve("a", CONTENT, length="chunked", cut_after=CUT)
    register(server.url("a"))
    with pytest.raises(WeightsError, match="IncompleteRead"):
        fetch("net")
    assert not (home / "weights" / "net.pt").exists()


def test_a_server_that_never_ends_is_left(server, register, home, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 3_000_000)
    server.serve("a", CONTENT, length=None, endless=True)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match="sent more than 3,000,000 bytes"):
        fetch("net")
    assert files_in(home) == []


def test_a_file_larger_than_its_published_size_is_not_begun(server, register, home):
    server.serve("a", CONTENT + b"!")
    register(server.url("a"), identity=KNOWN, size=len(CONTENT))
    with pytest.raises(WeightsError, match="offers 1,500,001 bytes, expected at most 1,500,000"):
        fetch("net")
    assert files_in(home) == []
