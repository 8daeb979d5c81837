"""YOLO finds persons in real frames, and a file of weights runs no code of its own."""

import importlib.util
import os
import pickle

import av
import numpy as np
import pytest
import torch

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors import crop_person, largest_person, load_detector

FOOTAGE = Footage(20, 20, 30, 10, 13, 25.0)


def a_video(path, **facts):
    return Video("a", path, **facts)


@pytest.fixture(scope="module")
def ultralytics():
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("the extra [yolo] is not installed")
    from extract.detectors.yolo import import_ultralytics

    return import_ultralytics(safely=True)


@pytest.fixture(scope="module")
def yolo11n(yolo_export):
    return load_detector(yolo_export, device="cpu")


@pytest.mark.parametrize("clip", ["weightlifting", "football_juggling", "arm_wrestling", "basketball"])
def test_the_real_yolo_finds_persons_in_real_clips(yolo11n, shared, clip):
    path = shared / "clips" / f"{clip}.mp4"
    with av.open(path) as container:
        frames = [
            frame.to_ndarray(format="rgb24")
            for index, frame in enumerate(container.decode(video=0))
            if index % 40 == 0
        ]
    threads = torch.get_num_threads()
    found = yolo11n.for_video(a_video(path), FOOTAGE)(frames, range(len(frames)))
    assert torch.get_num_threads() == threads
    height, width = frames[0].shape[:2]
    for persons in found:
        assert persons.shape[1:] == (5,)
        assert persons.dtype == np.float32
        assert np.all((persons[:, :4] >= 0) & (persons[:, :4] <= [width, height, width, height]))
        assert np.all(persons[:, 4] >= 0.25)
    with_person = [largest_person(persons) for persons in found if len(persons)]
    assert len(with_person) >= 0.8 * len(frames)
    assert np.median([crop_person(frames[0], person).size for person in with_person]) > 500


def test_the_order_of_colors_matters_and_is_right(yolo11n, shared):
    """Our RGB frames give what ultralytics finds in the same frame as BGR."""
    with av.open(shared / "clips" / "weightlifting.mp4") as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    (ours,) = yolo11n.for_video(a_video("x.mp4"), FOOTAGE)([frame], [0])
    as_bgr = np.ascontiguousarray(frame[:, :, ::-1])
    result = yolo11n.network.predict(as_bgr, classes=[0], conf=0.25, verbose=False, device="cpu")[0]
    np.testing.assert_allclose(ours[:, :4], result.boxes.xyxy.numpy(), rtol=1e-6)
    (swapped,) = yolo11n.for_video(a_video("x.mp4"), FOOTAGE)([as_bgr], [0])
    assert swapped.shape != ours.shape or not np.allclose(swapped, ours, rtol=1e-4)


def test_the_identity_names_model_bytes_and_threshold_but_no_place(yolo11n):
    assert yolo11n.identity.split()[0] == yolo11n.name == "yolo:yolo11n_int8_openvino_model"
    assert len(yolo11n.identity.split()[1]) == len("sha256:") + 64
    assert yolo11n.identity.split()[2] == "confidence>=0.25"
    assert os.sep not in yolo11n.identity


def test_a_pt_file_loads_and_its_persons_are_found_by_name(tmp_path, ultralytics):
    torch.manual_seed(0)
    network = ultralytics.YOLO("yolo11n.yaml", task="detect", verbose=False)
    network.model.names = {index: f"class {index}" for index in range(80)} | {7: "Person"}
    network.save(tmp_path / "mine.pt")
    detector = load_detector(f"yolo:{tmp_path / 'mine.pt'}", device="cpu", confidence=1e-6)
    assert detector.person_classes == (7,)
    assert detector.name == "yolo:mine"
    frames = [np.zeros((64, 96, 3), np.uint8)] * 3
    found = detector.for_video(a_video("x.mp4"), FOOTAGE)(frames, [0, 1, 2])
    assert [persons.shape[1] for persons in found] == [5, 5, 5]
    assert detector.for_video(a_video("x.mp4"), FOOTAGE)([], []) == []


def test_a_model_without_persons_is_refused(tmp_path, ultralytics):
    network = ultralytics.YOLO("yolo11n.yaml", task="detect", verbose=False)
    network.model.names = {index: f"class {index}" for index in range(80)}
    network.save(tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match="knows no class 'person', only class 0, class 1"):
        load_detector(f"yolo:{tmp_path / 'mine.pt'}", device="cpu")


class Runs:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("plain", [True, False], ids=["pickle", "torch.save"])
def test_a_malicious_pt_file_runs_nothing(tmp_path, ultralytics, plain):
    attack = Runs(f"touch '{tmp_path / 'victim'}'")
    if plain:
        (tmp_path / "evil.pt").write_bytes(pickle.dumps(attack, protocol=2))
    else:
        torch.save({"model": attack}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match=r"evil\.pt"):
        load_detector(f"yolo:{tmp_path / 'evil.pt'}", device="cpu")
    assert not (tmp_path / "victim").exists()
    pickle.loads(pickle.dumps(attack))
    assert (tmp_path / "victim").exists()  # the attack works with plain pickle


class Makes:
    """An object that is pickled as a call of `make` with `arguments`."""

    def __init__(self, make, *arguments):
        self.call = make, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "attack",
    [
        Makes(bytearray, 3 * 10**9),
        Makes(torch.nn.Linear, 30_000, 30_000),
        Makes(torch.FloatTensor, 10**9),
        [Makes(torch.nn.Identity)] * 3 + [Makes(bytearray, 3 * 10**9)],
    ],
    ids=["bytearray", "layer", "tensor", "hidden"],
)
def test_a_pt_file_that_asks_for_gigabytes_is_refused_before_it_is_loaded(
    tmp_path, ultralytics, monkeypatch, attack
):
    monkeypatch.setattr(ultralytics, "YOLO", lambda *_, **__: pytest.fail("the file reached ultralytics"))
    torch.save({"model": attack}, tmp_path / "bomb.pt")
    assert (tmp_path / "bomb.pt").stat().st_size < 2000
    with pytest.raises(WeightsError, match=r"bomb\.pt (was refused|is damaged)"):
        load_detector(f"yolo:{tmp_path / 'bomb.pt'}", device="cpu")


def test_an_ultralytics_that_would_run_code_is_refused(tmp_path, ultralytics, monkeypatch):
    monkeypatch.setattr(ultralytics.utils, "SAFE_LOAD", False)
    (tmp_path / "mine.pt").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"is too old to load a .pt file without running its code"):
        load_detector(f"yolo:{tmp_path / 'mine.pt'}", device="cpu")


def test_without_ultralytics_the_error_names_the_extra_and_the_alternative(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "metadata.yaml").touch()
    with pytest.raises(WeightsError, match=r"AGPL-3.0.*pip install .*\[yolo\].*--detector torchvision"):
        load_detector(f"yolo:{tmp_path}", device="cpu")


def test_a_folder_that_is_no_export_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"is no export of ultralytics: expected a metadata.yaml"):
        load_detector(f"yolo:{tmp_path}", device="cpu")
