"""The rendered routines: scores by the stated formula, boxes around the athlete, same seed same pixels."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.synthetic.arena import HEIGHT, WIDTH
from aqa_pipeline.datasets.synthetic.choreography import DIFFICULTY_TENTHS, NUM_ELEMENTS, Element, Routine
from aqa_pipeline.datasets.synthetic.dataset import render_synthetic
from aqa_pipeline.datasets.synthetic.render import (
    FPS,
    routine_of,
    scene_of,
    write_video,
)
from aqa_pipeline.errors import DatasetError, VideoError

pytestmark = pytest.mark.xdist_group("synthetic")  # one worker renders the dataset for all of them

NUM_VIDEOS = 2


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthetic")
    render_synthetic(root, num_videos=NUM_VIDEOS, seed=5)
    return root


def decode(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scores_are_the_sum_of_elements_less_deductions(root: Path) -> None:
    difficulty: dict[str, float] = defaultdict(float)
    deductions: dict[str, float] = defaultdict(float)
    for row in table(root / "routines.csv"):
        difficulty[row["video"]] += float(row["difficulty"] or 0)
        deductions[row["video"]] += float(row["wobble_deduction"] or 0) + 1.0 * (row["phase"] == "fall")
    dataset = load_dataset("synthetic", root)
    assert len(dataset.videos) == NUM_VIDEOS
    for video in dataset.videos:
        name = video.video_id
        assert video.labels["difficulty"] == pytest.approx(difficulty[name])
        assert video.labels["deductions"] == pytest.approx(deductions[name])
        assert video.labels["score"] == pytest.approx(difficulty[name] - deductions[name])


def test_formula_by_hand() -> None:
    elements = (Element("kick", 16, 2, False, 1.6), Element("spin", 28, 3, True, 1.6))
    routine = Routine(elements)
    assert (routine.difficulty, routine.deductions, routine.score) == (4.4, 1.5, 2.9)
    assert [element.amount for element in elements] == [0.5, 1.0]


def test_routines_are_within_the_targets_and_above_zero() -> None:
    routines = [routine_of(index, seed=1) for index in range(500)]
    for routine in routines:
        assert len({element.kind for element in routine.elements}) == NUM_ELEMENTS
        assert all(
            0 <= element.amount <= 1 and 0 <= element.unsteadiness <= 1 for element in routine.elements
        )
        assert 0 < routine.score <= 17
        assert 0 <= routine.deductions <= 3
    scores = np.array([routine.score for routine in routines])
    assert scores.std() > 3
    assert 0.15 < np.mean([any(element.falls for element in routine.elements) for routine in routines]) < 0.6


def test_easiest_routine_with_every_deduction_stays_above_zero() -> None:
    easiest = sum(sorted(low for low, _ in DIFFICULTY_TENTHS.values())[:NUM_ELEMENTS]) / 10
    hardest = sum(sorted(high for _, high in DIFFICULTY_TENTHS.values())[-NUM_ELEMENTS:]) / 10
    assert easiest - (NUM_ELEMENTS * 0.3 + 1.0) > 0
    assert hardest <= 17


def test_videos_are_320x240_at_15_fps_with_a_box_in_every_frame(root: Path) -> None:
    for video in load_dataset("synthetic", root).videos:
        with av.open(str(video.path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, FPS)
            assert stream.codec_context.name == "h264"
        frames = decode(video.path)
        assert video.boxes is not None
        boxes = read_boxes(video.boxes)
        assert list(boxes) == list(range(len(frames)))
        assert all(len(rows) == 1 for rows in boxes.values())
        assert 11 < len(frames) / FPS < 16


def test_files_show_the_scene(root: Path) -> None:
    frames = decode(root / "videos/routine-001.mp4")
    scene = scene_of(1, seed=5)
    assert len(frames) == len(scene.points)
    difference = np.abs(frames[:40].astype(int) - np.stack(list(islice(scene.frames(), 40))))
    assert difference.mean() < 5  # of 255: what the encoder loses


def test_same_seed_same_files_with_any_number_of_workers(root: Path, tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    render_synthetic(
        tmp_path,
        num_videos=NUM_VIDEOS,
        seed=5,
        workers=2,
        progress=lambda done, total: counts.append((done, total)),
    )
    assert counts == [(done, NUM_VIDEOS) for done in range(1, NUM_VIDEOS + 1)]
    assert contents(tmp_path) == contents(root)


def test_other_seed_other_routines() -> None:
    assert routine_of(0, seed=5) != routine_of(0, seed=6)
    assert not np.array_equal(scene_of(0, seed=5).points[:50], scene_of(0, seed=6).points[:50])


def test_an_interrupted_set_is_completed_and_finished_files_kept(root: Path, tmp_path: Path) -> None:
    whole = contents(root)
    for name, content in whole.items():
        if name not in {"scores.csv", "routines.csv", "videos/routine-001.mp4"}:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
    kept = (tmp_path / "videos/routine-000.mp4").stat()
    with pytest.raises(DatasetError, match="no complete set of synthetic routines"):
        load_dataset("synthetic", tmp_path)
    rendered: list[int] = []
    render_synthetic(tmp_path, num_videos=NUM_VIDEOS, seed=5, progress=lambda done, _: rendered.append(done))
    assert rendered == [NUM_VIDEOS]
    assert (tmp_path / "videos/routine-000.mp4").stat() == kept
    assert contents(tmp_path) == whole


@pytest.mark.parametrize(("num_videos", "seed"), [(NUM_VIDEOS + 1, 5), (NUM_VIDEOS, 6)])
def test_other_parameters_are_an_error(root: Path, num_videos: int, seed: int) -> None:
    before = contents(root)
    with pytest.raises(
        DatasetError, match=r"other parameters: (num_videos 2 \(wanted 3\)|seed 5 \(wanted 6\))"
    ):
        render_synthetic(root, num_videos=num_videos, seed=seed)
    assert contents(root) == before


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DatasetError, match=r"is not empty and holds no synthetic\.json"):
        render_synthetic(tmp_path, num_videos=1)


def test_nothing_to_render(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="must be at least 1, got 0 and 1"):
        render_synthetic(tmp_path, num_videos=0)


@pytest.mark.parametrize("text", ["{", "[]", '{"seed": "x"}'])
def test_broken_parameters(tmp_path: Path, text: str) -> None:
    (tmp_path / "synthetic.json").write_text(text)
    (tmp_path / "scores.csv").write_text("video,score\na,1\n")
    with pytest.raises(DatasetError, match="delete the folder and render it again"):
        load_dataset("synthetic", tmp_path)


def test_splits(tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_text(json.dumps({"num_videos": 75, "seed": 2, "renderer": 1}))
    rows = "".join(f"routine-{i:03d},{i},{i},0,meet-{i % 4 + 1}\n" for i in range(75))
    (tmp_path / "scores.csv").write_text("video,score,score:difficulty,score:deductions,group\n" + rows)
    dataset = load_dataset("synthetic", tmp_path)
    split = dataset.split("default")
    assert dataset.default_splits == ("default",)
    assert (len(split.train), len(split.test)) == (50, 25)
    group = {video.video_id: video.group for video in dataset.videos}
    for seed in range(5):
        grouped = dataset.split(f"grouped-{seed}")
        assert not {group[i] for i in grouped.train} & {group[i] for i in grouped.test}


def test_a_frame_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"x.mp4 cannot be encoded: .*libx264"):
        write_video(tmp_path / "x.mp4", [np.zeros((7, 9, 3), np.uint8)])
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_no_video(tmp_path: Path) -> None:
    def frames() -> Iterator[np.ndarray]:
        yield np.zeros((16, 16, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / "x.mp4", frames())
    assert list(tmp_path.iterdir()) == []
