"""Render synthetic routines: videos with known scores, elements and athlete boxes.

They serve the demo and the tests: they need no download, and they have a known quality signal. An articulated
athlete performs six elements (choreography.py gives their scores) on the floor of one of four meets. The
folder can be loaded as dataset `synthetic` or as `folder`.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters import folder
from aqa_pipeline.datasets.reading.disk import read_label_text
from aqa_pipeline.datasets.splits import grouped_splits, random_split, share_of
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Target

NAME = "synthetic"
NUM_VIDEOS = 72
TEST_SHARE = 1 / 3
# The version, raised when the same seed no longer gives the same videos.
RENDERER = 1

PARAMETERS_FILE, SCORES_FILE, ROUTINES_FILE = "synthetic.json", "scores.csv", "routines.csv"

# The six hardest elements sum to 16.6 points. The largest deduction of a routine is 2.8.
TARGETS = (Target("score", 0.0, 17.0), Target("difficulty", 0.0, 17.0), Target("deductions", 0.0, 3.0))

WHERE = "Rendered on this machine by `aqa demo`, or by render_synthetic(root) in Python."

LAYOUT = f"""\
ROOT/{PARAMETERS_FILE}    number of videos and seed
ROOT/{SCORES_FILE}        video, score, score:difficulty, score:deductions, group (the meet)
ROOT/{ROUTINES_FILE}      the elements of every video and their times
ROOT/videos/routine-000.mp4 ...   320x240, 15 fps, 12 to 15 seconds
ROOT/boxes/routine-000.csv ...    the athlete's box in every frame"""


def render_synthetic(
    root: Path,
    *,
    num_videos: int = NUM_VIDEOS,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render `num_videos` routines into `root`; keep finished files of an earlier, interrupted call.

    The same `seed` gives the same videos; a larger `num_videos` begins with those of a smaller one.
    `progress(done, total)` is called after each video. Raises `DatasetError` if `root` holds a set with other
    parameters.
    """
    if num_videos < 1 or workers < 1:
        raise DatasetError(f"num_videos and workers must be at least 1, got {num_videos} and {workers}")
    root = Path(root)
    _claim(root, {"num_videos": num_videos, "seed": seed, "renderer": RENDERER})
    missing = [i for i in range(num_videos) if not _is_rendered(root, i)]
    done = num_videos - len(missing)
    for _ in _run(partial(_render_one, root, seed), missing, workers=workers):
        done += 1
        if progress is not None:
            progress(done, num_videos)
    _write_tables(root, num_videos=num_videos, seed=seed)


def load(root: Path) -> Dataset:
    """Load the rendered routines from `root`, with a default split (2/3 training) and splits by meet.

    The function renders nothing. Raises `DatasetError` if `root` holds no complete set.
    """
    if not (root / SCORES_FILE).is_file() or not (root / PARAMETERS_FILE).is_file():
        raise DatasetError(f"no complete set of synthetic routines in {root}. {WHERE}\n{LAYOUT}")
    seed = _parameters(root)["seed"]
    dataset = folder.load(root)
    ids = [video.video_id for video in dataset.videos]
    splits = {}
    if len(ids) > 1:
        num_test = share_of(len(ids), TEST_SHARE)
        splits["default"] = random_split("default", ids, num_test=num_test, seed=seed)
        splits |= grouped_splits({v.video_id: str(v.group) for v in dataset.videos}, num_test=num_test)
    return replace(dataset, name=NAME, splits=splits, targets=TARGETS, default_splits=tuple(splits)[:1])


def video_id_of(index: int) -> str:
    """Return the video id of an index: `routine-007` for 7."""
    return f"routine-{index:03d}"


def _video_path(root: Path, index: int) -> Path:
    return root / "videos" / f"{video_id_of(index)}.mp4"


def _boxes_path(root: Path, index: int) -> Path:
    return root / "boxes" / f"{video_id_of(index)}.csv"


def _is_rendered(root: Path, index: int) -> bool:
    return _video_path(root, index).is_file() and _boxes_path(root, index).is_file()


def _claim(root: Path, wanted: dict[str, int]) -> None:
    """Make the folder `root` for that set, or check that it holds the same set."""
    path = root / PARAMETERS_FILE
    if not path.is_file():
        if root.is_dir() and any(root.iterdir()):
            raise DatasetError(f"{root} is not empty and holds no {PARAMETERS_FILE}; choose an empty folder")
        root.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(wanted) + "\n").encode())
        return
    present = _parameters(root)
    if present != wanted:
        differences = ", ".join(
            f"{name} {present.get(name)} (wanted {wanted.get(name)})"
            for name in sorted({*present, *wanted})
            if present.get(name) != wanted.get(name)
        )
        raise DatasetError(
            f"{root} holds synthetic routines with other parameters: {differences}. "
            "Choose another folder, delete this one, or ask for its parameters."
        )


def _parameters(root: Path) -> dict[str, int]:
    path = root / PARAMETERS_FILE
    try:
        parameters = json.loads(read_label_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path} cannot be read as JSON ({error}); delete the folder and render it again"
        ) from error
    if not isinstance(parameters, dict) or not isinstance(parameters.get("seed"), int):
        raise DatasetError(f"{path} names no seed; delete the folder and render it again")
    return parameters


def _run(render: Callable[[int], None], indices: list[int], *, workers: int) -> Iterator[None]:
    if workers == 1 or len(indices) < 2:
        yield from map(render, indices)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    # Spawned, not forked: forking is unsafe if the caller runs threads.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(render, index) for index in indices]):
            yield future.result()


def _render_one(root: Path, seed: int, index: int) -> None:
    """Render one routine. The boxes come first, because a present video means that its index is done."""
    from aqa_pipeline.athlete.boxes import write_boxes
    from aqa_pipeline.datasets.synthetic.render import scene_of, write_video

    scene = scene_of(index, seed=seed)
    write_boxes(_boxes_path(root, index), {frame: [box] for frame, box in enumerate(scene.boxes())})
    write_video(_video_path(root, index), scene.frames())


def _write_tables(root: Path, *, num_videos: int, seed: int) -> None:
    """Write the table of elements, then the scores, because present scores mean that the set is complete."""
    from aqa_pipeline.datasets.synthetic.movement import timetable
    from aqa_pipeline.datasets.synthetic.render import meet_of, routine_of

    scores: list[tuple[object, ...]] = [("video", "score", "score:difficulty", "score:deductions", "group")]
    phases: list[tuple[object, ...]] = [
        ("video", "start_seconds", "stop_seconds", "phase", "difficulty", "wobble_deduction")
    ]
    for index in range(num_videos):
        name, routine = video_id_of(index), routine_of(index, seed=seed)
        group = f"meet-{meet_of(index) + 1}"
        scores.append((name, routine.score, routine.difficulty, routine.deductions, group))
        for phase in timetable(routine):
            times = (f"{phase.start_seconds:.3f}", f"{phase.stop_seconds:.3f}")
            element = phase.element
            marks = (element.difficulty_tenths / 10, element.wobble_tenths / 10) if element else ("", "")
            phases.append((name, *times, phase.name, *marks))
    write_whole(root / ROUTINES_FILE, (_csv_text(phases)).encode())
    write_whole(root / SCORES_FILE, (_csv_text(scores)).encode())


def _csv_text(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


ADAPTER = DatasetAdapter(
    name=NAME,
    title="Synthetic routines with known scores and boxes, rendered on this machine",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
