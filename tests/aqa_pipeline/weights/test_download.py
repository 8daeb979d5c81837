"""Fetching from a real HTTP server on this machine, one that cuts connections, forgets files and lies."""

import hashlib
import os

import numpy as np
import pytest

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.weights import Identity, download, fetch, find_weights, verify

CONTENT = np.random.default_rng(0).integers(0, 256, 1_500_000, dtype=np.uint8).tobytes()
OTHER = np.random.default_rng(1).integers(0, 256, 1_500_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Identity("sha256", SHA256)
CUT = 700_000


def files_in(home):
    return sorted(path.name for path in (home / "weights").iterdir())


def test_a_file_comes_whole_and_says_how_far_it_is(server, register, home):
    server.serve("a", CONTENT)
    register(server.url("a"), identity=KNOWN, size=len(CONTENT))
    seen = []
    path = fetch("net", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert files_in(home) == ["net.pt", "net.pt.json"]
    assert find_weights("net") == path
    assert verify() == [("net", "ok")]


def test_a_file_that_is_here_is_not_asked_for_again(server, register):
    a = server.serve("a", CONTENT)
    register(server.url("a"), identity=KNOWN)
    assert fetch("net") == fetch("net")
    assert len(a.asked) == 1


def test_a_cut_connection_is_reported_and_the_next_call_goes_on(server, register, home):
    a = server.serve("a", CONTENT, cut_after=CUT)
    register(server.url("a"), identity=KNOWN)
    message = r"cut after 700,000 of 1,500,000 bytes(.|\n)*700,000 bytes are kept: `aqa weights fetch net`"
    with pytest.raises(WeightsError, match=message):
        fetch("net")
    assert files_in(home) == ["net.pt.part"]
    with pytest.raises(WeightsError, match=r"not on this machine.*`aqa weights fetch net`"):
        find_weights("net")
    seen = []
    assert fetch("net", lambda done, total: seen.append((done, total))).read_bytes() == CONTENT
    assert a.asked == [None, f"bytes={CUT}-"]
    assert seen[0] == (CUT, len(CONTENT))


def test_a_mirror_goes_on_where_the_first_server_broke_off(server, register):
    server.serve("a", CONTENT, cut_after=CUT)
    b = server.serve("b", CONTENT)
    register(server.url("a"), server.url("b"), identity=KNOWN)
    assert fetch("net").read_bytes() == CONTENT
    assert b.asked == [f"bytes={CUT}-"]


def test_a_server_without_ranges_sends_all_again(server, register):
    a = server.serve("a", CONTENT, cut_after=CUT, ranges=False)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match="cut after"):
        fetch("net")
    assert fetch("net").read_bytes() == CONTENT
    assert a.asked == [None, f"bytes={CUT}-"]


def test_a_range_other_than_asked_for_is_refused(server, register):
    server.serve("a", CONTENT, cut_after=CUT, lie_about_range=True)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match="cut after"):
        fetch("net")
    with pytest.raises(WeightsError, match="asked for bytes from 700,000 on, the server sent '0-1499999'"):
        fetch("net")


def test_a_whole_part_that_was_never_checked_is_checked(server, register, home):
    server.serve("a", CONTENT)
    register(server.url("a"), identity=KNOWN)
    (home / "weights").mkdir(parents=True)
    (home / "weights" / "net.pt.part").write_bytes(CONTENT)
    assert fetch("net").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_starts_again(server, register, home):
    a = server.serve("a", CONTENT)
    register(server.url("a"), identity=KNOWN)
    (home / "weights").mkdir(parents=True)
    (home / "weights" / "net.pt.part").write_bytes(CONTENT + b"!")
    assert fetch("net").read_bytes() == CONTENT
    assert a.asked == ["bytes=1500001-", None]


def test_a_wrong_hash_names_both_and_leaves_nothing(server, register, home):
    server.serve("a", OTHER)
    register(server.url("a"), identity=KNOWN)
    got = hashlib.sha256(OTHER).hexdigest()
    with pytest.raises(WeightsError, match=f"its sha256 is {got}, expected {SHA256}"):
        fetch("net")
    assert files_in(home) == []


def test_a_part_of_another_file_is_found_out_by_the_hash(server, register, home):
    a = server.serve("a", OTHER, cut_after=CUT)
    register(server.url("a"), identity=KNOWN)
    with pytest.raises(WeightsError, match="cut after"):
        fetch("net")
    a.content = CONTENT
    with pytest.raises(WeightsError, match="its sha256 is"):
        fetch("net")
    assert fetch("net").read_bytes() == CONTENT


def test_a_wrong_size_names_both(server, register, home):
    server.serve("a", CONTENT[:-5])
    register(server.url("a"), identity=KNOWN, size=len(CONTENT))
    with pytest.raises(WeightsError, match="it has 1,499,995 bytes, expected 1,500,000"):
        fetch("net")
    assert files_in(home) == []


def test_a_file_not_found_sends_us_to_the_mirror(server, register):
    server.serve("b", CONTENT)
    register(server.url("gone"), server.url("b"), identity=KNOWN)
    assert fetch("net").read_bytes() == CONTENT


def test_every_url_and_reason_is_named_when_all_fail(server, register):
    server.serve("b", OTHER)
    register(server.url("gone"), server.url("b"), "http://127.0.0.1:9/closed", identity=KNOWN)
    with pytest.raises(WeightsError) as error:
        fetch("net")
    lines = str(error.value).splitlines()
    assert lines[0] == "could not fetch 'net':"
    assert "gone: the server answered 404" in lines[1]
    assert "/b: " in lines[2]
    assert "its sha256 is" in lines[2]
    assert "closed: no connection" in lines[3]
    assert "`aqa weights add net PATH`" in lines[4]


def test_a_web_page_in_the_place_of_weights_is_refused(server, register):
    server.serve("a", b"<!DOCTYPE html><html>Please log in</html>")
    register(server.url("a"))
    with pytest.raises(WeightsError, match="is a web page of 41 bytes"):
        fetch("net")


def test_trust_on_first_use_remembers_the_digest(server, register, home):
    a = server.serve("a", CONTENT)
    register(server.url("a"))
    path = fetch("net")
    assert SHA256 in (home / "weights" / "net.pt.json").read_text()
    path.unlink()
    a.content = OTHER
    with pytest.raises(WeightsError, match=f"but {SHA256} was trusted on first use"):
        fetch("net")
    (home / "weights" / "net.pt.json").unlink()  # what the message tells to do
    assert fetch("net").read_bytes() == OTHER


@pytest.mark.parametrize(
    ("etag", "asked_again"), [(None, None), ('"one"', f"bytes={CUT}-"), ('W/"weak"', None)]
)
def test_trust_on_first_use_goes_on_only_with_a_promise_of_the_same_bytes(
    server, register, etag, asked_again
):
    a = server.serve("a", CONTENT, cut_after=CUT, etag=etag)
    register(server.url("a"))
    with pytest.raises(WeightsError, match="cut after"):
        fetch("net")
    assert fetch("net").read_bytes() == CONTENT
    assert a.asked == [None, asked_again]


def test_trust_on_first_use_never_joins_two_files(server, register):
    a = server.serve("a", CONTENT, cut_after=CUT, etag='"one"')
    register(server.url("a"))
    with pytest.raises(WeightsError, match="cut after"):
        fetch("net")
    a.content, a.etag = OTHER, '"two"'
    assert fetch("net").read_bytes() == OTHER


def test_a_kill_before_the_last_step_leaves_no_file(server, register, home, monkeypatch):
    server.serve("a", CONTENT)
    register(server.url("a"), identity=KNOWN)
    real_replace = os.replace

    def killed(source, target):
        if str(target).endswith("net.pt"):
            raise KeyboardInterrupt
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        fetch("net")
    monkeypatch.setattr(os, "replace", real_replace)
    assert not (home / "weights" / "net.pt").exists()
    assert fetch("net").read_bytes() == CONTENT


def test_a_full_disk_is_named_and_no_mirror_is_tried(server, register, monkeypatch):
    server.serve("a", CONTENT)
    b = server.serve("b", CONTENT)
    register(server.url("a"), server.url("b"), identity=KNOWN)

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_receive", full)
    with pytest.raises(WeightsError, match="No space left on device"):
        fetch("net")
    assert b.asked == []


def test_what_no_url_gives_says_where_to_get_it(register):
    register(manual="Ask the authors for net.pt.")
    with pytest.raises(
        WeightsError, match=r"Ask the authors for net.pt. Then run `aqa weights add net PATH`"
    ):
        fetch("net")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown weights 'yolo11'.*Did you mean 'yolo11\w'.*yolov3u"):
        fetch("yolo11")
