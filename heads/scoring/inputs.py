"""The inputs of `aqa score` and `Run.score`: videos, or features of videos; one input per video."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from numpy.typing import ArrayLike

from aqa_pipeline.datasets.reading.disk import is_frame_folder, is_video_file
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Record, Video
from heads.scoring.display_names import distinct_names
from heads.scoring.ensemble import Ensemble
from heads.scoring.external_features import StepSeconds, arrays_as_video, external_records, find_external

Records = Mapping[str, Record]


@dataclass(frozen=True, eq=False)
class ScoreInput:
    """One video: its name in tables, the place of its file or of its features, and how to get its records."""

    name: str
    video: Video
    records: Callable[[], Records]


def find_videos(paths: Sequence[Path]) -> list[Path]:
    """Return the paths of single videos: a folder of pictures is one video, another folder holds several.

    Raises `DatasetError` for a folder of both pictures and videos, or of neither.
    """
    return [video for path in paths for video in (_videos_of(path) if path.is_dir() else [path])]


def _videos_of(folder: Path) -> list[Path]:
    inside = sorted(folder.iterdir())
    files = [path for path in inside if is_video_file(path)]
    if is_frame_folder(folder):
        if files:
            raise DatasetError(
                f"{folder} holds pictures and videos ({files[0].name}): name the videos themselves, or put "
                "the pictures of one video into a folder of their own."
            )
        return [folder]
    videos = [path for path in inside if is_video_file(path) or is_frame_folder(path)]
    if not videos:
        raise DatasetError(
            f"{folder} holds neither videos nor pictures: expected video files, or numbered pictures such as "
            "0001.jpg."
        )
    return videos


def video_inputs(
    paths: Sequence[Path], records_of: Callable[[Video], Records], *, boxes: Path | None, fps: float | None
) -> list[ScoreInput]:
    """Return an input per video; `records_of` makes its records, `fps` is the rate of folders of pictures."""
    items = []
    for path, name in zip(paths, distinct_names(paths), strict=True):
        video = Video(video_id=path.stem, path=path, boxes=boxes, fps=fps if path.is_dir() else None)
        items.append(ScoreInput(name, video, partial(records_of, video)))
    return items


def feature_inputs(path: Path, ensemble: Ensemble, seconds: StepSeconds) -> list[ScoreInput]:
    """Return an input per video whose features are in `path`; raise as `find_external`."""
    seconds.check(tuple(ensemble.specs))
    return [
        ScoreInput(
            given.video_id,
            Video(given.video_id, given.path),
            partial(external_records, given, ensemble, seconds),
        )
        for given in find_external(path, ensemble)
    ]


def array_input(
    arrays: Mapping[str, ArrayLike] | ArrayLike, ensemble: Ensemble, seconds: StepSeconds
) -> ScoreInput:
    """Return the input of one video from its features in memory; raise as `arrays_as_video`."""
    seconds.check(tuple(ensemble.specs))
    given = arrays_as_video(arrays, ensemble)
    video = Video(given.video_id, given.path)
    return ScoreInput(given.video_id, video, partial(external_records, given, ensemble, seconds))
