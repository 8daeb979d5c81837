"""Both doors extract by one function: it keeps the dataset's folder, and shows a bar only if asked."""

import shutil
from pathlib import Path

import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Dataset, StreamSpec, Video
from aqa_pipeline.store import Store
from extract.choices.options import AthleteOptions, ExtractOptions, NetworkOptions, StreamOptions
from extract.clock import Clock
from extract.run.engine import Order, extract_videos
from extract.run.stage import ExtractReport
from extract.run.time_left import Amount

SPEC = StreamSpec("crops", {"backbone": "resnet18", "weights": "sha256:00", "detector": "annotations"})


class OneVideoEngine:
    """Reports one extracted video after one step of progress."""

    def __init__(self) -> None:
        self.specs = [SPEC]
        self.asked: list[Video] = []

    def extract(self, videos, *, progress) -> ExtractReport:
        self.asked = list(videos)
        progress(videos=1.0, video_id=videos[0].video_id, clock=Clock(), amount=Amount(5.0, 5.0))
        return ExtractReport(num_done=1)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset("mine", tmp_path / "videos", (Video("a", tmp_path / "a.mp4"),), {}, (), adapter="folder")


def order_of(dataset: Dataset, store: Store, weights: Path) -> Order:
    networks = NetworkOptions(weights={"": str(weights)})
    options = StreamOptions(networks=networks, athlete=AthleteOptions(detector="annotations"))
    return Order.of(ExtractOptions(streams=("crops",), stream_options=options), dataset, store)


@pytest.mark.parametrize("show", [False, True])
def test_the_store_keeps_the_folder_and_the_named_files(dataset, tmp_path, capsys, show) -> None:
    store, engine = Store(tmp_path / "s"), OneVideoEngine()
    order = order_of(dataset, store, tmp_path / "w.pt")
    report = extract_videos(engine, order, dataset, dataset.videos, show=show)
    assert (report.num_done, engine.asked) == (1, list(dataset.videos))
    origin = store.origin("mine")
    assert (origin.adapter, origin.name, origin.root) == ("folder", "mine", tmp_path / "videos")
    assert origin.files == {SPEC.hash: {"weights": str(tmp_path / "w.pt")}}
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("1.0/1 videos" in shown.err) is show


def test_a_second_extraction_keeps_the_files_of_the_first(dataset, tmp_path) -> None:
    store = Store(tmp_path / "s")
    for name in ("w.pt", "official"):
        order = order_of(dataset, store, tmp_path / name if name == "w.pt" else Path(name))
        extract_videos(OneVideoEngine(), order, dataset, dataset.videos, show=False)
    assert store.origin("mine").files == {SPEC.hash: {"weights": str(tmp_path / "w.pt")}}


def test_a_store_that_is_a_link_is_refused_before_any_video(dataset, tmp_path) -> None:
    store, engine = Store(tmp_path / "s"), OneVideoEngine()
    order = order_of(dataset, store, tmp_path / "w.pt")
    extract_videos(OneVideoEngine(), order, dataset, dataset.videos, show=False)
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(tmp_path / "s" / "mine")
    (tmp_path / "s" / "mine").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="mine is a link, which a store never follows: put a folder"):
        extract_videos(engine, order, dataset, dataset.videos, show=False)
    assert engine.asked == []
    assert not list((tmp_path / "elsewhere").iterdir())


def test_own_videos_follow_one_athlete_and_an_order_keeps_what_was_chosen(dataset, tmp_path) -> None:
    order = order_of(dataset, Store(tmp_path / "s"), tmp_path / "w.pt")
    assert order.options.athlete.crop_rule.athlete == "followed"
    assert order.options.athlete.detector == "annotations"
    assert order.options.networks.weights_of("crops") == str(tmp_path / "w.pt")
    assert (order.extraction.dataset, order.extraction.streams) == ("mine", ())
