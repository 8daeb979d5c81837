"""Extraction on a cluster of two nodes: the store and the report of one machine, whatever workers suffer."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.cluster import Done, Note
from aqa_pipeline.errors import StoreError
from aqa_pipeline.installation import install_command
from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from extract.choices.options import NetworkOptions, StreamOptions
from extract.run import on_ray
from extract.run.engine import Order
from extract.run.extraction import Extraction
from extract.run.local import local_engine
from extract.run.on_ray import ray_engine
from extract.run.ray_worker import VideoWorker
from extract.run.stage import ExtractReport

ray = pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
pytestmark = pytest.mark.xdist_group("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module

IDS = [f"v{number}" for number in range(6)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six videos of noise, of one to four seconds."""
    root = tmp_path_factory.mktemp("data")
    (root / "videos").mkdir()
    lines = ["video,score", *(f"{name}.mp4,{at}.5" for at, name in enumerate(IDS))]
    (root / "scores.csv").write_text("\n".join(lines) + "\n")
    for seed, name in enumerate(IDS):
        noise = np.random.default_rng(seed)
        with av.open(str(root / "videos" / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(5 + 3 * seed):
                picture = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    return root


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def order_of(root: Path, store: Path) -> Order:
    networks = NetworkOptions(
        backbones={"": "resnet18"}, weights={"": "random:0"}, device="cpu", runtime="eager"
    )
    extraction = Extraction("data", Store(store), (), workers=1)
    return Order(["frames"], StreamOptions(networks=networks), extraction, root)


def videos_of(root: Path) -> list[Video]:
    return [Video(name, root / "videos" / f"{name}.mp4") for name in IDS]


@pytest.fixture(scope="module")
def undisturbed(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], ExtractReport]:
    """Return the store of a run on this machine, and its report."""
    store = tmp_path_factory.mktemp("local") / "store"
    with local_engine(order_of(dataset, store)) as engine:
        report = engine.extract(videos_of(dataset), progress=lambda **_: None)
    return files(store), report


def on_cluster(root: Path, store: Path, address: str, *, actors: int) -> tuple[ExtractReport, list[float]]:
    """Return the report, and how far the run was each time it was told."""
    told: list[float] = []
    order, videos = order_of(root, store), videos_of(root)
    with ray_engine(
        order, address=address, actors=actors, num_videos=len(videos), tell=lambda text: None
    ) as engine:
        report = engine.extract(videos, progress=lambda *, videos, **_: told.append(videos))
    return report, told


def test_store_and_report_are_those_of_one_machine(
    dataset: Path, tmp_path: Path, ray_cluster: str, undisturbed
) -> None:
    report, told = on_cluster(dataset, tmp_path / "store", ray_cluster, actors=2)
    expected_files, expected = undisturbed
    assert files(tmp_path / "store") == expected_files
    assert (report.written, report.num_done) == (expected.written, 6)
    assert report.video_seconds == pytest.approx(expected.video_seconds)
    assert (report.failures, report.num_already_there) == ([], 0)
    assert set(report.clock.seconds) == set(expected.clock.seconds)
    assert told == sorted(told)
    assert told[-1] == 6


def extract(root: Path, store: Path, *options: str) -> Result:
    words = f"extract --dataset folder --root {root} --store {store} --streams frames --backbone resnet18"
    return CliRunner().invoke(
        cli.main, [*words.split(), "--runtime", "eager", "--weights", "random:0", *options]
    )


def test_through_the_front_door_a_bad_video_is_named_and_a_second_call_goes_on(
    dataset: Path, tmp_path: Path, ray_cluster: str, undisturbed
) -> None:
    root, store = tmp_path / "data", tmp_path / "store"
    (root / "videos").mkdir(parents=True)
    for name in files(dataset):
        os.link(dataset / name, root / name)
    bad = root / "videos" / "v3.mp4"
    bad.unlink()
    bad.write_text("no video")
    options = ["--engine", "ray", "--ray-address", ray_cluster, "--actors", "1"]
    result = extract(root, store, *options)
    assert result.exit_code == 3
    assert "1 video failed, the others are stored:\n  v3: " in result.stdout
    assert f"Ray at {ray_cluster}: 2 nodes, 4 CPUs, 0 GPUs; 1 worker with 2 CPUs each" in result.stderr
    assert "RANDOM WEIGHTS" in result.stderr
    bad.unlink()
    os.link(dataset / "videos" / "v3.mp4", bad)
    result = extract(root, store, *options)
    assert (result.exit_code, "5 videos were in the store already" in result.stdout) == (0, True)
    origin = {"data/dataset.json": (store / "data" / "dataset.json").read_bytes()}
    assert files(store) == undisturbed[0] | origin


class Fragile(VideoWorker):
    """Is killed after its first video, once per file that can be made; always by the video `deadly`."""

    deadly, folder = "", Path()

    def work(self, items: Sequence[tuple[int, Video]]) -> Iterator[Done | Note]:
        for word in super().work(items):
            yield word
            if self.deadly in [video.video_id for _, video in items] or self._first_time():
                self._note_decoders()
                os.kill(os.getpid(), signal.SIGKILL)

    def _first_time(self) -> bool:
        try:
            (self.folder / "killed").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _note_decoders(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            if _parent(process) == os.getpid():
                (self.folder / f"decoder-{process.name}").touch()


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _is_running(pid: str) -> bool:
    stat = Path("/proc") / pid / "stat"
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def fragile(folder: Path, *, deadly: str = "") -> type[Fragile]:
    return type("Fragile", (Fragile,), {"folder": folder, "deadly": deadly, "__module__": __name__})


def test_a_lost_worker_costs_nothing(
    dataset: Path, tmp_path: Path, ray_cluster: str, undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "VideoWorker", fragile(tmp_path))
    report, told = on_cluster(dataset, tmp_path / "store", ray_cluster, actors=1)
    assert (tmp_path / "killed").exists()
    assert files(tmp_path / "store") == undisturbed[0]
    assert report.failures == []
    assert report.num_done + report.num_already_there == 6  # written, but its worker killed before it said so
    assert told == sorted(told)
    decoders = [path.name.removeprefix("decoder-") for path in tmp_path.glob("decoder-*")]
    assert not [pid for pid in decoders if _is_running(pid)], "decoders outlived their worker"


def test_a_video_that_kills_its_workers_is_named_and_the_others_are_done(
    dataset: Path, tmp_path: Path, ray_cluster: str, undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killed").touch()

    class Deadly(fragile(tmp_path, deadly="v2")):  # type: ignore[misc]
        def work(self, items: Sequence[tuple[int, Video]]) -> Iterator[Done | Note]:
            if "v2" in [video.video_id for _, video in items]:
                os.kill(os.getpid(), signal.SIGKILL)
            yield from super().work(items)

    monkeypatch.setattr(on_ray, "VideoWorker", Deadly)
    report, told = on_cluster(dataset, tmp_path / "store", ray_cluster, actors=1)
    (failure,) = report.failures
    assert failure.video_id == "v2"
    assert failure.reason.startswith(
        "its worker was lost 3 times; the last reason: its worker process has died"
    )
    assert (report.num_done, told[-1]) == (5, 6)
    there = files(tmp_path / "store")
    assert there == {name: content for name, content in undisturbed[0].items() if not name.endswith("v2.h5")}


def test_a_store_that_refuses_stops_the_run_with_one_message(
    dataset: Path, tmp_path: Path, ray_cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(VideoWorker):
        def work(self, items: Sequence[tuple[int, Video]]) -> Iterator[Done | Note]:
            raise StoreError("cannot write there: no space left")
            yield

    monkeypatch.setattr(on_ray, "VideoWorker", Full)
    with pytest.raises(StoreError, match=r"^cannot write there: no space left$"):
        on_cluster(dataset, tmp_path / "store", ray_cluster, actors=1)


def test_missing_weights_are_named_once_before_any_video(
    dataset: Path, tmp_path: Path, ray_cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--engine", "ray", "--ray-address", ray_cluster, "--actors", "1"]
    words = f"extract --dataset folder --root {dataset} --store {tmp_path / 'store'} --streams frames"
    result = CliRunner().invoke(cli.main, [*words.split(), "--weights", str(tmp_path / "none.pth"), *options])
    assert result.exit_code == 1
    assert result.stderr.count("Error: ") == 1
    assert "none.pth" in result.stderr.splitlines()[-1]


def test_without_ray_one_message_says_how_to_get_it(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = extract(dataset, tmp_path / "store", "--engine", "ray")
    assert result.exit_code == 1
    assert install_command("ray") in result.stderr
    assert not (tmp_path / "store").exists()
