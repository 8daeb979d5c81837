"""Open any video: a file or a folder of pictures, whole or a window of it, with the right reader."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Literal, Self

import numpy as np

from aqa_pipeline.errors import UnknownName, VideoError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import SpecValue, Video
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.readers.decord_reader import check_decord, read_decord
from aqa_pipeline.video.readers.frame_folder import folder_timeline, list_pictures, read_folder, read_picture
from aqa_pipeline.video.readers.pyav_reader import read_pyav
from aqa_pipeline.video.sampling import Timeline
from aqa_pipeline.video.timeline import Scan, scan_video

ReaderName = Literal["auto", "pyav", "decord"]
ReadFrames = Callable[[Sequence[int]], Iterator[Picture]]
READERS = {"pyav": read_pyav, "decord": read_decord}


@dataclass(eq=False)
class OpenVideo:
    """An opened video, or the window of it from `Video.start_frame` to `stop_frame`.

    `width` and `height` are the displayed size in square pixels. `reader` is pyav, decord or frames. `damage`
    says where the file ends before the window ends; None if it does not. `num_file_frames` counts the whole
    file. `picture` says how the frames read so far were converted (`plain.picture_facts`); it is empty for an
    ordinary video. `_passes` is None once the video is closed.
    """

    timeline: Timeline
    width: int
    height: int
    reader: str
    damage: str | None
    num_file_frames: int
    _start_frame: int
    _read: ReadFrames
    picture: Mapping[str, SpecValue] = field(default_factory=dict)
    _passes: list[Generator[tuple[int, Picture], None, None]] | None = field(default_factory=list)

    @property
    def footage(self) -> Footage:
        """Return the footage of the video, for checking boxes."""
        num_frames = self.timeline.num_frames
        return Footage(
            width=self.width,
            height=self.height,
            num_frames=self.num_file_frames,
            start_frame=self._start_frame,
            stop_frame=self._start_frame + num_frames,
            fps=num_frames / float(self.timeline.duration_seconds),
        )

    def frames(self, frame_index: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """Read the frames in one pass: (index, RGB picture), uint8 (height, width, channel) each.

        Indices count in the window and must be strictly increasing. One picture is in memory at a time. For a
        damaged file, all frames before the damage come first, then `VideoError`. Raises `ValueError` for
        indices that do not increase or are outside the window.
        """
        index = np.asarray(frame_index, dtype=np.int64)
        if self._passes is None:
            raise ValueError("this video is closed")
        if index.ndim != 1 or np.any(index[1:] <= index[:-1]):
            raise ValueError("frame indices must be strictly increasing: use np.unique on those of `Samples`")
        if len(index) and not 0 <= index[0] <= index[-1] < self.timeline.num_frames:
            raise ValueError(f"frame indices {index[0]}..{index[-1]} are not within {self.timeline}")
        one_pass = self._pass(index)
        self._passes.append(one_pass)
        return one_pass

    def _pass(self, index: np.ndarray) -> Generator[tuple[int, Picture], None, None]:
        if len(index):
            yield from zip(index.tolist(), self._read((index + self._start_frame).tolist()), strict=True)
        if self.damage:
            raise VideoError(self.damage)

    def close(self) -> None:
        """End all passes and release their files."""
        passes, self._passes = self._passes or [], None
        while passes:
            passes.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(video: Video, *, reader: ReaderName = "auto", num_threads: int = 1) -> OpenVideo:
    """Open the video and list its frames.

    The reader `auto` is PyAV. `num_threads` threads decode one file (use 1 if workers read different files).
    Raises `VideoError` for a file that cannot be read, for a window beyond the end, and for decord if it is
    not installed or not exact for this file; `UnknownName` for another reader.
    """
    check_reader(reader)
    if video.path.is_dir():
        return _open_folder(video)
    scan = scan_video(video.path)
    name = _exact_reader(scan, reader)
    timeline = _window(video, scan.timeline, scan.damage)
    width, height = scan.frame_format.shown_size
    reaches_end = video.stop_frame is None
    picture: dict[str, SpecValue] = {}
    return OpenVideo(
        timeline=timeline,
        width=width,
        height=height,
        reader=name,
        damage=scan.damage if reaches_end else None,
        num_file_frames=scan.timeline.num_frames,
        _start_frame=video.start_frame,
        _read=partial(READERS[name], scan, picture=picture, num_threads=num_threads),
        picture=picture,
    )


def check_reader(reader: ReaderName) -> None:
    """Raise `UnknownName` for a reader that does not exist, `VideoError` if decord is not installed."""
    if reader != "auto" and reader not in READERS:
        raise UnknownName("video reader", reader, ["auto", *READERS])
    if reader == "decord":
        check_decord()


def _exact_reader(scan: Scan, asked: ReaderName) -> str:
    """Return the name of the reader; raise `VideoError` if decord was asked for but is not exact."""
    if asked != "decord":
        return "pyav"
    if scan.decord_doubt:
        raise VideoError(
            f"{scan.path}: decord may read wrong frames of this file: {scan.decord_doubt}. "
            "Use the reader pyav or auto."
        )
    return "decord"


def _open_folder(video: Video) -> OpenVideo:
    pictures = list_pictures(video.path)
    timeline = _window(video, folder_timeline(video.path, len(pictures), video.fps), None)
    height, width = read_picture(pictures[0]).shape[:2]
    return OpenVideo(
        timeline=timeline,
        width=width,
        height=height,
        reader="frames",
        damage=None,
        num_file_frames=len(pictures),
        _start_frame=video.start_frame,
        _read=partial(read_folder, pictures, size=(width, height)),
    )


def _window(video: Video, timeline: Timeline, damage: str | None) -> Timeline:
    try:
        return timeline.window(video.start_frame, video.stop_frame)
    except VideoError as error:
        raise VideoError(
            f"{video.path}: {error}" + (f" The file is damaged: {damage}" if damage else "")
        ) from error
