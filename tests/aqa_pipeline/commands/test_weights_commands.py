"""`aqa weights list`, `add` and `verify`: what is here, and whether it is what its name says."""

import hashlib
from pathlib import Path

import pytest

from aqa_pipeline.weights import WEIGHTS, Identity, WeightsFile

CONTENT = b"some weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


pytestmark = pytest.mark.usefixtures("no_weights_packages")


@pytest.fixture
def register(monkeypatch):
    """Add an entry `net` to the registry for one test."""

    def register(**facts):
        entry = WeightsFile(
            "net", "net.pt", ("http://localhost/net.pt",), facts.get("identity"), "MIT; as is", ""
        )
        monkeypatch.setitem(WEIGHTS, "net", entry)
        return entry

    return register


def row_of(output: str, name: str) -> str:
    (line,) = (line for line in output.splitlines() if f" {name} " in f" {line} ")
    return line


def test_the_list_marks_what_is_here(aqa, here, register):
    register(identity=Identity("sha256", DIGEST))
    assert row_of(aqa("weights", "list").output, "net").startswith("-")
    (here / "net.pt").write_bytes(CONTENT)
    aqa("weights", "add", "net", "net.pt")
    output = aqa("weights", "list").output
    row = row_of(output, "net")
    assert row.startswith("yes")
    assert "MIT" in row
    assert "as is" not in row, "the license's name alone"
    assert f"Folder: {here / 'home' / 'weights'} (set AQA_HOME to use another folder)" in output


def test_a_file_that_proves_itself_is_copied_and_verified(aqa, here, register):
    register(identity=Identity("sha256", DIGEST))
    (here / "my copy.bin").write_bytes(CONTENT)
    output = aqa("weights", "add", "net", "my copy.bin").output
    assert output == f"net: {here / 'home' / 'weights' / 'net.pt'}\n"
    assert (here / "home" / "weights" / "net.pt").read_bytes() == CONTENT
    assert row_of(aqa("weights", "verify").output, "net").split() == ["net", "ok"]


WRONG = {
    "another file": (
        b"other weights",
        f"its sha256 is {hashlib.sha256(b'other weights').hexdigest()}, expected",
    ),
    "a web page": (b"\n <!DOCTYPE html><html>", "it is a web page of 23 bytes (a login or error page"),
    "an empty file": (b"", f"its sha256 is {hashlib.sha256(b'').hexdigest()}, expected {DIGEST}"),
}


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=WRONG)
def test_another_file_is_not_added(aqa, here, register, content, reason):
    register(identity=Identity("sha256", DIGEST))
    (here / "x").write_bytes(content)
    output = aqa("weights", "add", "net", "x", code=1).output
    assert f"x is not 'net': {reason}" in output
    assert not list((here / "home").rglob("net.pt*"))
    assert not list((here / "home").rglob(".*.part"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("net", "absent.pt"), "no file at absent.pt: give the path of your copy of net.pt"),
        (("net", "."), "no file at .: give the path of your copy of net.pt"),
        (("nett", "absent.pt"), "unknown weights 'nett'. Did you mean 'net'?"),
    ],
    ids=["absent", "folder", "typo"],
)
def test_what_cannot_be_added_is_reported(aqa, register, words, message):
    register()
    assert message in aqa("weights", "add", *words, code=1).output


def test_damage_is_found_by_verify_with_exit_code_3(aqa, here, register):
    register(identity=Identity("sha256", DIGEST))
    (here / "net.pt").write_bytes(CONTENT)
    aqa("weights", "add", "net", "net.pt")
    (here / "home" / "weights" / "net.pt").write_bytes(CONTENT.upper())
    output = aqa("weights", "verify", code=3).output
    assert f"expected {DIGEST}" in row_of(output, "net")


def test_trust_on_first_use_is_kept(aqa, here, register):
    register(identity=None)
    (here / "net.pt").write_bytes(CONTENT)
    aqa("weights", "add", "net", "net.pt")
    (here / "home" / "weights" / "net.pt").write_bytes(b"swapped")
    output = aqa("weights", "verify", code=3).output
    assert f"but {DIGEST} was trusted on first use (to trust another file, delete " in output


def test_a_file_that_was_only_copied_there_is_of_unknown_origin(aqa, here, register):
    register(identity=None)
    (here / "home" / "weights").mkdir(parents=True)
    (here / "home" / "weights" / "net.pt").write_bytes(CONTENT)
    output = aqa("weights", "verify", code=3).output
    assert "its origin is unknown, because it was not added with `aqa weights`" in output


def test_an_empty_home_has_nothing_to_verify(aqa, here):
    output = aqa("weights", "verify").output
    assert output == (
        f"No weights in {here / 'home' / 'weights'}, nor in installed packages. "
        "`aqa weights list` shows the known files.\n"
    )


def test_fetching_without_a_name_or_with_a_typo_downloads_nothing(aqa, here):
    assert "Missing argument 'NAME...'" in aqa("weights", "fetch", code=2).output
    output = aqa("weights", "fetch", "resnet50-imagenet-v1", "resnet50-imagnet-v2", code=1).output
    assert "Did you mean 'resnet50-imagenet-v2'?" in output
    assert not Path("home").exists()
