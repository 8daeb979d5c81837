"""Contact sheets from stored crops: one per video that did not change since, else the reason."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.store import Store
from aqa_pipeline.video import source_of
from extract.preview.contact_sheet import contact_sheets
from extract.run.extraction import Extraction

SPEC = StreamSpec("crops", {"preprocess": "squash-224", "frames_per_step": 1, "rate_fps": 1.0})
FPS, NUM_FRAMES = 2.0, 100


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a folder of small pictures that many videos of the tests are copies of."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(NUM_FRAMES):
        Image.new("RGB", (32, 24), (number, 2 * number, 90)).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture
def video(tmp_path: Path, pictures: Path) -> Video:
    folder = tmp_path / "final 1"
    folder.mkdir()
    for path in pictures.iterdir():
        os.link(path, folder / path.name)
    return Video("final 1", folder, fps=FPS)


def crops(video: Video, *, steps: int = 5, missed: int = 0, **facts: object) -> Record:
    frames = np.linspace(0, NUM_FRAMES - 1, steps).astype(int)[:, None]
    start = frames[:, 0] / FPS
    made = {
        "dataset": "toy",
        "video_id": video.video_id,
        "spec": SPEC,
        "features": np.zeros((steps, 2), np.float32),
        "pts_seconds": np.stack([start, start + 1], axis=1),
        "source": source_of(video),
        "extras": {"frame_index": frames, "boxes": np.tile([4.0, 4, 20, 20, 0.9], (steps, 1))},
        "counts": {"num_steps": steps + missed, "num_steps_without_person": missed},
    }
    return Record(**{**made, **facts})  # type: ignore[arg-type]


def sheets(store: Store, *videos: Video) -> list[str]:
    extraction = Extraction("toy", store, [])
    return list(contact_sheets(extraction, [SPEC], videos, store.root.parent / "sheets"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.mark.parametrize("steps", [0, 1, 5, 50])
def test_a_sheet_is_drawn_for_any_number_of_crops(store, video, steps):
    store.write(crops(video, steps=steps))
    (line,) = sheets(store, video)
    path = store.root.parent / "sheets" / "final 1.jpg"
    assert line == f"contact sheet: {path}"
    with Image.open(path) as sheet:
        assert sheet.format == "JPEG"
        tiles = np.asarray(sheet.convert("RGB")).astype(int)
    marked = (abs(tiles - [255, 90, 31]) < 60).all(axis=2).sum()
    assert (marked > 200) == (steps > 0), "a box is drawn in each tile"


def test_a_video_without_crops_in_the_store_has_no_line(store, video):
    store.write(crops(video))
    assert len(sheets(store, replace(video, video_id="other"), video)) == 1


def exchange_a_picture(video: Video) -> None:
    (video.path / "007.png").unlink()
    Image.new("RGB", (32, 24), (255, 255, 255)).save(video.path / "007.png")


def delete_the_video(video: Video) -> None:
    for path in video.path.iterdir():
        path.unlink()
    video.path.rmdir()


CHANGES = {
    "another picture": (exchange_a_picture, {}, "other pictures"),
    "another rate": (lambda video: None, {"fps": 25.0}, "25 fps instead of 2"),
    "another window": (lambda video: None, {"start_frame": 3}, "frames 3 to the end instead of 0 to the end"),
    "no video": (delete_the_video, {}, "no longer there: "),
}


@pytest.mark.parametrize(("change", "facts", "reason"), CHANGES.values(), ids=CHANGES)
def test_no_sheet_is_drawn_of_another_video_and_the_reason_is_told(store, video, change, facts, reason):
    store.write(crops(video))
    change(video)
    (line,) = sheets(store, replace(video, **facts))
    assert line.startswith("no contact sheet of final 1: ")
    assert reason in line
    assert not (store.root.parent / "sheets").exists()


def test_a_touched_video_is_the_same_video(store, video):
    store.write(crops(video))
    os.utime(video.path / "000.png", (10**9, 10**9))
    assert sheets(store, video)[0].startswith("contact sheet: ")


def test_a_sheet_replaces_an_earlier_one_whole(store, video):
    store.write(crops(video))
    folder = store.root.parent / "sheets"
    folder.mkdir()
    (folder / "final 1.jpg").write_bytes(b"old")
    sheets(store, video)
    assert [path.name for path in folder.iterdir()] == ["final 1.jpg"]
    with Image.open(folder / "final 1.jpg") as sheet:
        assert sheet.width > 100
