"""Detectors are compared with torchvision itself, with real frames, and with written annotations."""

import importlib.util
import os
import pickle
import subprocess
import sys

import av
import numpy as np
import pytest
import torch
from torchvision.models import detection, get_model_weights
from torchvision.models._api import WeightsEnum

from aqa_pipeline.errors import DatasetError, UnknownName, WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.weights import WEIGHTS
from extract.detectors import crop_person, largest_person, load_detector
from extract.detectors import torchvision_detection as tv


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))


FOOTAGE = Footage(20, 20, 30, 10, 13, 25.0)


def a_video(path, **facts):
    return Video("a", path, **facts)


# --- the athlete among the persons


def test_the_largest_person_is_the_one_of_largest_area():
    boxes = np.array([[0, 0, 10, 10, 0.9], [0, 0, 5, 30, 0.3], [0, 0, 30, 5, 0.8]], np.float32)
    np.testing.assert_array_equal(largest_person(boxes), boxes[1])
    assert largest_person(np.empty((0, 5), np.float32)) is None


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((10.7, 3.0, 20.2, 7.0), (3, 7), (10, 21)),  # outwards
        ((-5, -5, 1000, 1000), (0, 30), (0, 40)),
        ((39.2, 29.9, 80, 80), (29, 30), (39, 40)),
        ((50, 50, 60, 60), (29, 30), (39, 40)),  # beside the frame
        ((-9, -9, -3, -3), (0, 1), (0, 1)),
        ((12, 8, 12, 8), (8, 9), (12, 13)),  # without area
    ],
)
def test_a_crop_is_every_pixel_that_the_box_touches(box, rows, columns):
    frame = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    crop = crop_person(frame, np.array(box, np.float32))
    np.testing.assert_array_equal(crop, frame[slice(*rows), slice(*columns)])
    assert not np.shares_memory(crop, frame)


# --- names


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("yolov3", "unknown detector 'yolov3'. .*Known: annotations, torchvision, yolo"),
        ("yolo:yolov99", "unknown YOLO model .* 'yolov99'.*yolov3u"),
        ("torchvision:resnet50", "unknown torchvision detector 'resnet50'.*ssdlite320_mobilenet_v3_large"),
        ("annotations:mine", "unknown detector 'annotations:mine'"),
    ],
)
def test_unknown_names_list_the_known(spec, message):
    with pytest.raises(UnknownName, match=message):
        load_detector(spec, device="cpu")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("yolo", "weights 'yolov3u' are not on this machine.*`aqa weights fetch yolov3u`"),
        ("yolo:yolo11n", "`aqa weights fetch yolo11n`"),
        ("torchvision", "`aqa weights fetch fasterrcnn_mobilenet_v3_large_320_fpn`"),
        ("yolo:/no/such/model.pt", "no YOLO model at /no/such/model.pt"),
    ],
)
def test_missing_weights_are_named(spec, message):
    with pytest.raises(WeightsError, match=message):
        load_detector(spec, device="cpu")


def test_the_names_need_neither_torch_nor_ultralytics():
    code = "import extract.detectors, sys; sys.exit(bool({'torch', 'ultralytics'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- annotations

CSV = "frame_index,x1,y1,x2,y2\n10,1,2,3,4.5\n10,0,0,9,9\n12,5,5,16,16\n"


def test_annotated_boxes_are_found_by_the_frame_of_the_file(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    video = a_video(tmp_path / "a.mp4", start_frame=10, boxes=tmp_path / "a.csv")
    frames = [np.zeros((20, 20, 3), np.uint8)] * 3
    first, second, third = load_detector("annotations", device="cpu").for_video(video, FOOTAGE)(
        frames, [0, 1, 2]
    )
    np.testing.assert_array_equal(first, np.array([[1, 2, 3, 4.5, 1], [0, 0, 9, 9, 1]], np.float32))
    assert first.dtype == np.float32
    assert second.shape == (0, 5)
    np.testing.assert_array_equal(third, [[5, 5, 16, 16, 1]])


def test_a_video_without_boxes_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="video 'a' came without person boxes: use another detector"):
        load_detector("annotations", device="cpu").for_video(a_video(tmp_path / "a.mp4"), FOOTAGE)


# --- torchvision


def official_like_state(model):
    """Return random weights like an official file's: without the counters of batch normalization."""
    torch.manual_seed(0)
    network = tv.build_network(model)
    return {key: value for key, value in network.state_dict().items() if "num_batches" not in key}


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Return a function that replaces a detector's official file with a given state."""

    def offer(model, state):
        torch.save(state, tmp_path / f"{model}.pth")
        monkeypatch.setattr(tv, "find_weights", lambda name: tmp_path / f"{name}.pth")

    return offer


@pytest.mark.parametrize("model", ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large"])
def test_it_is_the_network_that_torchvision_builds_around_its_weights(model, offer, monkeypatch):
    state = official_like_state(model)
    offer(model, state)
    detector = load_detector(f"torchvision:{model}", device="cpu")
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda self, *args, **kwargs: state)
    reference = getattr(detection, model)(weights=get_model_weights(model).COCO_V1).eval()
    picture = torch.rand(3, 120, 160, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours, theirs = detector.network([picture])[0], reference([picture])[0]
    for key in ("boxes", "scores"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-4, atol=1e-4)
    assert torch.equal(ours["labels"], theirs["labels"])


@pytest.mark.parametrize("model", tv.MODELS)
def test_every_torchvision_detector_has_registered_weights(model):
    assert model in WEIGHTS


def test_only_certain_persons_are_kept():
    class Network(torch.nn.Module):
        def forward(self, pictures):
            assert pictures[0].shape == (3, 6, 8)
            assert pictures[0].max() == 1
            boxes = torch.tensor([[0.0, 1, 2, 3], [1, 1, 4, 4], [2, 2, 5, 5]])
            return [
                {"boxes": boxes, "scores": torch.tensor([0.9, 0.8, 0.3]), "labels": torch.tensor([1, 2, 1])}
            ]

    detector = tv.TorchvisionPersons("m", "0" * 64, 0.5, "cpu", Network())
    (found,) = detector.for_video(a_video("x.mp4"), FOOTAGE)([np.full((6, 8, 3), 255, np.uint8)], [0])
    np.testing.assert_allclose(found, [[0, 1, 2, 3, 0.9]], rtol=1e-6)
    assert found.dtype == np.float32
    assert detector.identity == f"torchvision:m sha256:{'0' * 64} confidence>=0.5"
    assert detector.for_video(a_video("x.mp4"), FOOTAGE)([], []) == []


def test_weights_of_another_detector_are_refused(offer):
    offer("fasterrcnn_mobilenet_v3_large_320_fpn", {"backbone.weight": torch.ones(1)})
    with pytest.raises(WeightsError, match="does not fit this torchvision"):
        load_detector("torchvision", device="cpu")


# --- ultralytics


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
