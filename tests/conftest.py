"""Fixtures for all rooms."""

import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import extract  # noqa: F401  # before a test imports OpenVINO, whose telemetry this switches off
from chromium import Browser, find_chromium, start_chromium
from noise_video import write_noise_video

REPOSITORY = Path(__file__).resolve().parents[1]
GIVE_UP_SECONDS = 300  # only a test that fails ever waits as long, however busy the machine is

RANDOM_INITS = (
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "trunc_normal_",
    "uniform_",
    "xavier_uniform_",
)

# A machine that others use too may take any time over an example.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Return a function that waits for a condition: `until(lambda: is_ready(), "it is never ready")`."""

    def wait(condition: Callable[[], object], otherwise: str) -> None:
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while not condition():
            assert time.monotonic() < give_up, otherwise
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real clips, label files, weights and golden outputs (`AQA_TEST_DATA`)."""
    folder = Path(os.environ.get("AQA_TEST_DATA", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set AQA_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Skips without a Chromium; with AQA_REQUIRE_BROWSER=1 its absence is a failure."""
    program = find_chromium()
    if program is None:
        assert os.environ.get("AQA_REQUIRE_BROWSER") != "1", "AQA_REQUIRE_BROWSER=1, but there is no Chromium"
        pytest.skip("no Chromium: install it, or name one with AQA_CHROMIUM")
    pytest.importorskip("websocket", reason="needs websocket-client of the extra `dev`")
    with start_chromium(program) as started:
        yield started


@pytest.fixture
def no_weights_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the packages with weights that our own installation brings."""
    from aqa_pipeline.weights import WEIGHTS, cache

    hidden = [entry.package for entry in WEIGHTS.values() if entry.package is not None]
    find = cache.installed_file
    monkeypatch.setattr(cache, "installed_file", lambda package: None if package in hidden else find(package))


@pytest.fixture(scope="session")
def yolo_export(shared: Path) -> str:
    """Return a detector's name: a real YOLO11n in int8, which OpenVINO runs."""
    for package in ("ultralytics", "openvino"):  # not imported: that is for `import_ultralytics`, safely
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the real detector needs {package}")
    folder = shared / "weights" / "yolo11n_int8_openvino_model"
    if not folder.is_dir():
        pytest.skip(f"no detector at {folder}")
    if "ONEDNN_MAX_CPU_ISA" in os.environ:
        pytest.skip("OpenVINO compiles no int8 network for fewer instructions than it sees in the CPU")
    return f"yolo:{folder}"


@pytest.fixture
def own_weights(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that lets the test use weights of this machine, or skips it: `own_weights("i3d")`."""
    from aqa_pipeline.weights import missing_weights

    def use(*names: str) -> None:
        monkeypatch.undo()  # a test's own home, which is empty
        if missing := missing_weights(names):
            pytest.skip(f"the weights {missing[0].name} are not on this machine: see `aqa weights list`")

    return use


@pytest.fixture(scope="session")
def bf16() -> None:
    """Skip the test if this CPU does not compute in bfloat16."""
    from aqa_pipeline.precision import cpu_has_bf16

    if not cpu_has_bf16():
        pytest.skip("this CPU cannot compute in bf16")


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """Return the address of a Ray cluster on this machine: two nodes with two CPUs each."""
    from aqa_pipeline.cluster.connection import OBJECT_STORE_BYTES, import_ray

    pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=2, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def weightless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build networks with whatever lies in memory: drawing weights takes a second for the large ones."""
    from torch.nn import init

    for name in RANDOM_INITS:
        monkeypatch.setattr(init, name, lambda tensor, *_, **__: tensor)


@pytest.fixture(scope="session")
def quick_build() -> Callable[[Callable[[], Any]], Any]:
    """Build networks with He-scaled weights of one repeated noise: drawing them all takes a second."""
    import torch
    from torch.nn import init

    noise = torch.randn(1 << 20, generator=torch.Generator().manual_seed(0))

    def build(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
        with pytest.MonkeyPatch.context() as patch:
            for name in RANDOM_INITS:
                patch.setattr(init, name, lambda tensor, *_, **__: tensor)
            network = make().eval()
        with torch.no_grad():
            for name, value in network.named_parameters():
                if value.ndim > 1:
                    times = -(-value.numel() // len(noise))
                    drawn = noise.repeat(times)[: value.numel()].view(value.shape)
                    value.copy_(drawn * math.sqrt(2 / value[0].numel()))
                elif name.endswith("bias"):
                    value.zero_()
        return network

    return build


@pytest.fixture(scope="session")
def researcher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with own videos, their features, a run on them (`runs/mine`) and a new video.

    The networks of stage 1 have random weights: nothing is downloaded. Tests must not change the folder.
    """
    import aqa

    folder = tmp_path_factory.mktemp("researcher")
    names = [f"v{number}.mp4" for number in range(9)]
    (folder / "my-videos" / "videos").mkdir(parents=True)
    rows = [f"{name},{number}.5,athlete {number % 3}" for number, name in enumerate(names)]
    (folder / "my-videos" / "scores.csv").write_text("\n".join(["video,score,group", *rows]) + "\n")
    for seed, path in enumerate(
        [*(folder / "my-videos" / "videos" / name for name in names), folder / "new.mp4"]
    ):
        write_noise_video(path, seed=seed)
    dataset = aqa.load_dataset("folder", folder / "my-videos")
    store = aqa.open_store(folder / "features")
    networks = aqa.NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
    options = aqa.StreamOptions(networks=networks)
    report = aqa.extract(dataset, store, streams=["frames"], options=options, workers=1)
    assert not report.failures
    how = {"streams": ["frames"], "seeds": [0], "epochs": 2, "device": "cpu"}
    aqa.fit(dataset, store, head="wd", out=folder / "runs" / "mine", **how)
    return folder
