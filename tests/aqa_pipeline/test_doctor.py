"""`aqa doctor`: what is present, absent and broken, each in a line, and never an error."""

import numpy as np
import pytest
import torch

from aqa_pipeline.doctor import examine
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from aqa_pipeline.weights import WEIGHTS, Identity, WeightsFile, add, sha256_of


@pytest.fixture
def findings(tmp_path, monkeypatch, no_weights_packages):
    """Examine the folders `data` and `features` below a folder of this test; return findings by topic."""
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))

    def examined() -> dict[str, tuple[str, str]]:
        found = examine(data=tmp_path / "data", store=tmp_path / "features")
        return {each.topic: (each.state, each.text) for each in found}

    return examined


def write_skating(root) -> None:
    root.mkdir(parents=True)
    lines = [f"{at}_Worlds-abcdefghijk 60.5 30.0 30.5 0 96" for at in (1, 2)]
    (root / "annotations.txt").write_text("\n".join(lines))


def test_an_empty_machine_lacks_data_and_nothing_is_broken(findings, tmp_path):
    found = findings()
    assert found["store"] == (
        "lacks",
        f"no features yet at {tmp_path / 'features'} (see `aqa extract --help`)",
    )
    assert found["dataset aqa7"] == (
        "lacks",
        f"no folder {tmp_path / 'data' / 'aqa7'} (see `aqa datasets list`)",
    )
    assert found["weights"][0] == "lacks"
    assert found["disk"][1].endswith(f"GiB free for features at {tmp_path}"), (
        "of a folder that is not there yet"
    )
    assert "broken" not in {state for state, _ in found.values()}


def test_videos_of_a_dataset_are_counted(findings, tmp_path):
    root = tmp_path / "data" / "mit-skating"
    write_skating(root)
    assert findings()["dataset mit-skating"] == ("lacks", f"0 of 2 videos at {root}")
    (root / "videos").mkdir()
    (root / "videos" / "Worlds-abcdefghijk.mp4").touch()
    assert findings()["dataset mit-skating"] == ("has", f"2 of 2 videos at {root}")


def test_labels_that_cannot_be_read_are_broken_and_the_rest_is_reported(findings, tmp_path):
    (tmp_path / "data" / "mit-skating").mkdir(parents=True)
    (tmp_path / "data" / "mit-skating" / "annotations.txt").write_bytes(b"\xff\xff\xff")
    state, text = findings()["dataset mit-skating"]
    assert state == "broken"
    assert "is not UTF-8 text" in text
    assert findings()["store"][0] == "lacks"


def test_records_of_a_store_are_counted_and_a_damaged_store_is_reported(findings, tmp_path):
    times = np.array([[0.0, 1.0]])
    spec = StreamSpec("segments", {})
    Store(tmp_path / "features").write(Record("toy", "a", spec, np.ones((1, 2)), times, Source("0" * 64)))
    assert findings()["store"] == ("has", f"1 record at {tmp_path / 'features'}")
    (tmp_path / "features" / "store.json").write_text('{"schema": 1}')
    state, text = findings()["store"]
    assert state == "broken"
    assert "has schema 1, this version reads and writes" in text


def test_weights_are_verified(findings, tmp_path, monkeypatch):
    (tmp_path / "net.pt").write_bytes(b"weights")
    identity = Identity("sha256", sha256_of(tmp_path / "net.pt"))
    monkeypatch.setitem(WEIGHTS, "net", WeightsFile("net", "net.pt", (), identity, "MIT", ""))
    path = add("net", tmp_path / "net.pt")
    assert findings()["weights net"] == ("has", "ok")
    path.write_bytes(b"damaged")
    state, text = findings()["weights net"]
    assert state == "broken"
    assert "expected" in text


@pytest.mark.parametrize(
    ("cuda", "is_told"), [("13.2", True), (None, False)], ids=["CUDA build", "CPU build"]
)
def test_a_machine_without_gpu_hears_of_unused_cuda_libraries(findings, monkeypatch, cuda, is_told):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    state, text = findings()["gpu"]
    assert state == "lacks"
    assert text.startswith(f"no CUDA device (torch {torch.__version__})")
    assert ("`uv pip install --torch-backend cpu torch torchvision`" in text) == is_told


def test_an_absent_library_says_what_it_is_for_and_how_to_get_it(findings, monkeypatch):
    from aqa_pipeline import doctor

    monkeypatch.setitem(doctor.LIBRARIES, "no-such-library", ("yolo", "finds persons"))
    state, text = findings()["no-such-library"]
    assert state == "lacks"
    assert text.startswith("finds persons (pip install ")
    assert findings()["av"][0] == "has"
