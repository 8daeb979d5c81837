"""Finding, adding and verifying files in the folder of weights."""

import hashlib
import subprocess

import pytest

from aqa_pipeline.disk import files
from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.weights import (
    Identity,
    add,
    aqa_home,
    check_weights,
    find_weights,
    git_blob_of,
    sha256_of,
    status,
    verify,
    weights_folder,
)

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Identity("sha256", SHA256)


@pytest.fixture
def copy(tmp_path):
    path = tmp_path / "downloaded by hand.bin"
    path.write_bytes(CONTENT)
    return path


def test_the_home_follows_the_environment(monkeypatch, tmp_path):
    assert weights_folder() == tmp_path / "home" / "weights"
    monkeypatch.delenv("AQA_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert aqa_home() == tmp_path / "cache" / "aqa"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert aqa_home() == tmp_path / ".cache" / "aqa"


def test_missing_weights_name_the_commands_that_bring_them():
    with pytest.raises(
        WeightsError, match=r"Run `aqa weights fetch resnet50-imagenet-v1`, or `aqa weights add"
    ):
        find_weights("resnet50-imagenet-v1")


@pytest.mark.parametrize("call", [find_weights, lambda name: add(name, None)])
def test_unknown_names_list_the_known(call):
    with pytest.raises(UnknownName, match=r"unknown weights 'resnet'.*resnet50-imagenet-v1"):
        call("resnet")


def test_all_missing_files_stand_in_one_message_with_one_command():
    names = ["resnet50-imagenet-v1", "yolov3u", "resnet50-imagenet-v1", "r3d34-kinetics700-hara"]
    with pytest.raises(WeightsError) as caught:
        check_weights(names)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("3 checkpoints are not on this machine")
    assert lines[1:4] == [
        "  resnet50-imagenet-v1: resnet50-0676ba61.pth  103 MB",
        "  yolov3u: yolov3u.pt",
        "  r3d34-kinetics700-hara: r3d34_K_200ep.pth",
    ]
    command = "Run `aqa weights fetch resnet50-imagenet-v1 yolov3u` (about 103 MB and 1 of unknown size)."
    assert lines[4] == command
    assert "aqa weights add r3d34-kinetics700-hara PATH" in lines[5]


def test_what_is_here_is_not_missing(register, copy):
    entry = register("http://nowhere.invalid/net.pt", identity=Identity("sha256", sha256_of(copy)))
    add(entry.name, copy)
    check_weights([entry.name])
    with pytest.raises(WeightsError, match="weights 'yolov3u' are not on this machine"):
        check_weights([entry.name, "yolov3u"])


def test_a_file_got_by_hand_is_copied_once_it_proves_itself(register, copy):
    register(identity=KNOWN)
    assert add("net", copy).read_bytes() == CONTENT
    assert copy.exists()
    assert sorted(path.name for path in weights_folder().iterdir()) == ["net.pt", "net.pt.json"]


def test_a_wrong_file_is_refused_and_the_old_one_stays(register, copy):
    register(identity=KNOWN)
    add("net", copy)
    copy.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=f"is not 'net': its sha256 is .*, expected {KNOWN.digest}"):
        add("net", copy)
    assert find_weights("net").read_bytes() == CONTENT
    assert sorted(path.name for path in weights_folder().iterdir()) == ["net.pt", "net.pt.json"]


def test_a_copy_that_is_not_there_is_reported(register, tmp_path):
    register(identity=KNOWN)
    with pytest.raises(WeightsError, match=r"no file at .*nowhere: give the path of your copy of net.pt"):
        add("net", tmp_path / "nowhere")


def test_damage_on_disk_is_found(register, copy):
    register("http://127.0.0.1:9/net.pt", identity=KNOWN)
    path = add("net", copy)
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(WeightsError, match=r"its sha256 is .* Delete it\. Run `aqa weights fetch net`"):
        find_weights("net")
    ((name, problem),) = verify()
    assert name == "net"
    assert "expected" in problem


def test_trust_on_first_use_compares_ever_after(register, copy):
    register()
    path = add("net", copy)
    assert verify() == [("net", "ok")]
    path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match=f"but {KNOWN.digest} was trusted on first use"):
        find_weights("net")


def test_a_file_without_digest_that_nobody_added_is_not_trusted(register, copy):
    register("http://127.0.0.1:9/net.pt")
    weights_folder().mkdir(parents=True)
    path = weights_folder() / "net.pt"
    path.write_bytes(CONTENT)
    with pytest.raises(
        WeightsError, match=f"its origin is unknown, .* If you trust it, run `aqa weights add net {path}`"
    ):
        find_weights("net")
    assert add("net", path) == path  # as the message says, with the very file
    assert find_weights("net").read_bytes() == CONTENT


def test_a_damaged_record_is_reported(register, copy):
    register("http://127.0.0.1:9/net.pt")
    path = add("net", copy)
    path.with_name("net.pt.json").write_text("{")
    with pytest.raises(WeightsError, match=r"net.pt.json is damaged: delete it"):
        find_weights("net")


def test_a_home_that_cannot_be_made_is_reported(register, copy, monkeypatch):
    register(identity=KNOWN)
    monkeypatch.setenv("AQA_HOME", str(copy))  # a file
    with pytest.raises(WeightsError, match=r"cannot make .*: set AQA_HOME to a folder"):
        add("net", copy)


def test_status_lists_every_file(register, copy):
    register(identity=KNOWN)
    assert not any(each.present for each in status())
    add("net", copy)
    assert [each.entry.name for each in status() if each.present] == ["net"]


def test_digests_are_those_of_sha256sum_and_git(copy):
    git = subprocess.run(["git", "hash-object", str(copy)], capture_output=True, text=True, check=True)
    assert git_blob_of(copy) == git.stdout.strip()
    assert sha256_of(copy) == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("kind", ["sha256", "sha256_prefix", "git_blob"])
def test_every_kind_of_identity_accepts_its_file_and_no_other(register, copy, kind):
    digest = {"sha256": KNOWN.digest, "sha256_prefix": KNOWN.digest[:8], "git_blob": git_blob_of(copy)}[kind]
    register(identity=Identity(kind, digest))
    add("net", copy)
    copy.write_bytes(CONTENT + b" ")
    with pytest.raises(WeightsError, match=f"its {kind} is"):
        add("net", copy)


@pytest.mark.parametrize(
    ("kind", "digest"),
    [("sha256", "ab" * 31), ("sha256_prefix", "abc"), ("git_blob", "xy" * 20), ("sha256", "AB" * 32)],
)
def test_what_is_no_digest_is_no_identity(kind, digest):
    with pytest.raises(ValueError, match="is no"):
        Identity(kind, digest)


def test_a_copy_that_was_interrupted_is_cleared_by_the_next(register, copy, home):
    register(identity=KNOWN)
    (home / "weights").mkdir(parents=True)
    dead = home / "weights" / f".{'0' * 16}-{'0' * 8}@{files.machine()}@999999999.part"
    dead.write_bytes(b"half")
    add("net", copy)
    assert sorted(path.name for path in (home / "weights").iterdir()) == ["net.pt", "net.pt.json"]


def test_eight_digits_are_not_enough_once_a_file_was_seen(register, copy, home):
    """Another file with the same first digits takes 2**32 tries; the whole digest was remembered."""
    entry = register(identity=Identity("sha256_prefix", SHA256[:8]))
    path = add("net", copy)
    record = path.with_name("net.pt.json")
    record.write_text(record.read_text().replace(SHA256, SHA256[:8] + "0" * 56))
    with pytest.raises(WeightsError, match="was trusted on first use"):
        find_weights(entry.name)
