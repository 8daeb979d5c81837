"""Clips that count frames last as long as the frame rate says; rates far apart are reported."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.synthetic.render import write_video
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from aqa_pipeline.video.clip_seconds import clip_notes, rate_notes

CLIPS = StreamSpec("clips", {"span": "whole", "frames_per_step": 16, "views": "end-0"})
SEGMENTS = StreamSpec("segments", {"rate_fps": 5.0, "frames_per_step": 16})


def stored(store: Store, spec: StreamSpec, video_id: str, *, fps: float, num_frames: int = 16) -> None:
    index = np.maximum(np.arange(num_frames - 16, num_frames), 0)[None]
    seconds = np.array([[index[0, 0] / fps, num_frames / fps]])
    features = np.zeros((1, 1, 4), np.float32)
    store.write(Record("d", video_id, spec, features, seconds, Source("0" * 64), {"frame_index": index}))


@pytest.mark.parametrize("rates", [[], [24.0], [24.0, 25.0, 30.0], [20.0, 30.0]])
def test_usual_rates_are_not_worth_a_word(rates: list[float]) -> None:
    assert rate_notes(rates) == ()


def test_check_tells_rates_that_are_far_apart(tmp_path: Path) -> None:
    for name, fps in (("slow", 24), ("fast", 240)):
        write_video(tmp_path / f"{name}.mp4", [np.zeros((48, 64, 3), np.uint8)] * 12, fps=fps)
    (tmp_path / "scores.csv").write_text("video,score\nslow,1\nfast,2\n")
    report = check_dataset(load_dataset("folder", tmp_path))
    (note,) = report.notes
    assert note.startswith("frame rates range from 24 to 240 fps")
    assert "16 frames cover 0.67 s of one video and 0.067 s of another" in note
    assert report.complete


def test_stored_clips_tell_their_seconds(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for video_id, fps in (("a", 24), ("b", 30), ("c", 240)):
        stored(store, CLIPS, video_id, fps=fps)
        stored(store, SEGMENTS, video_id, fps=fps)
    assert list(clip_notes(store, "d", [CLIPS, SEGMENTS], ["a", "b", "absent"])) == []
    (note,) = clip_notes(store, "d", [CLIPS, SEGMENTS], ["a", "b", "c", "absent"])
    assert note.startswith(
        "clips count frames, and frame rates differ: a clip of 16 frames covers 0.67 s of a and 0.067 s of c."
    )


def test_a_short_video_is_not_a_fast_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stored(store, CLIPS, "a", fps=25)
    stored(store, CLIPS, "short", fps=25, num_frames=4)  # its first frame fills the clip
    assert list(clip_notes(store, "d", [CLIPS], ["a", "short"])) == []
