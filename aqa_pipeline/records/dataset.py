"""A dataset as found on disk: its videos with their labels, its splits and its targets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.plurals import counted
from aqa_pipeline.records.read_only import read_only


@dataclass(frozen=True)
class Video:
    """One performance: where its pictures are, and what the judges said of it.

    `path` is a video file or a folder of numbered pictures (then `fps` says how fast they are shown).
    `[start_frame, stop_frame)` cuts the performance out of a longer file; None means to the end.
    `labels` are raw judge scores by target name. `group` names what must not be torn apart by a
    grouped split (a broadcast, an athlete). `boxes` is a CSV of person boxes that came with the data.
    `duration_seconds` is the performance's length where the labels tell it, so that no file need be opened.
    `athlete`, `performed_on` and `element` say who performed what and when, where a table names them.
    """

    video_id: str
    path: Path
    labels: Mapping[str, float] = field(default_factory=dict)
    group: str | None = None
    start_frame: int = 0
    stop_frame: int | None = None
    fps: float | None = None
    boxes: Path | None = None
    duration_seconds: float | None = None
    athlete: str | None = None
    performed_on: date | None = None
    element: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", read_only(self.labels))
        if not self.video_id:
            raise DatasetError(f"a video without an id: {self.path}")
        if self.start_frame < 0 or (self.stop_frame is not None and self.stop_frame <= self.start_frame):
            raise DatasetError(
                f"video {self.video_id!r}: frames [{self.start_frame}, {self.stop_frame}) are not an interval"
            )


@dataclass(frozen=True)
class Split:
    """Which videos a head learns from and which it is judged on, by id."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        both = set(self.train) & set(self.test)
        if both:
            raise DatasetError(f"split {self.name!r} trains and tests on the same videos: {sorted(both)[:5]}")

    def without(self, video_ids: Collection[str]) -> "Split":
        """Return the split without these videos."""
        train, test = (
            tuple(video for video in side if video not in video_ids) for side in (self.train, self.test)
        )
        return Split(self.name, train, test)


@dataclass(frozen=True)
class Target:
    """A score that a head can learn. Raw `low` and `high` map to 0 and 1 (None: from the training labels)."""

    name: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Dataset:
    """One dataset as found on disk.

    `problems` are the labels that could not be used, with the reason. `notes` are facts that are no fault.
    `name` identifies the dataset in a store and in runs. `adapter` names the layout. The two are equal except
    for your own folders: all of them have the layout `folder`, and each has a name of its own.
    """

    name: str
    root: Path
    videos: tuple[Video, ...]
    splits: Mapping[str, Split]
    targets: tuple[Target, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    default_splits: tuple[str, ...] = ()
    adapter: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapter", self.adapter or self.name)

    def video(self, video_id: str) -> Video:
        """Return the video of that id; raises `UnknownName`."""
        for video in self.videos:
            if video.video_id == video_id:
                return video
        raise UnknownName(f"video of {self.name}", video_id, [v.video_id for v in self.videos])

    def split(self, name: str) -> Split:
        """Return the split of that name; raises `UnknownName`."""
        if name not in self.splits:
            raise UnknownName(f"split of {self.name}", name, self.splits)
        return self.splits[name]

    def splits_named(self, names: Sequence[str]) -> list[Split]:
        """Return the splits of these names; a kind such as `grouped` stands for `grouped-0`, `grouped-1`, ...

        Without a name these are the default splits, or all where the dataset has no default. Raises
        `UnknownName`.
        """
        if not names:
            return [self.splits[name] for name in self.default_splits or self.splits]
        return [split for name in names for split in self._of_kind(name) or [self.split(name)]]

    def _of_kind(self, kind: str) -> list[Split]:
        if kind in self.splits:
            return []
        return [split for name, split in self.splits.items() if name.startswith(f"{kind}-")]

    def num_sharing_group(self, split: Split) -> int:
        """Count the test videos of the split whose group (athlete, event) is also in its training set."""
        groups = {video.video_id: video.group for video in self.videos}
        trained = {groups.get(video_id) for video_id in split.train} - {None}
        return sum(groups.get(video_id) in trained for video_id in split.test)

    def target(self, name: str | None = None) -> Target:
        """Return the named target, or the dataset's first; raise `UnknownName` or `DatasetError`."""
        if not self.targets:
            raise DatasetError(
                f"{self.name} in {self.root} has no score to learn: add a column score to its table."
            )
        if name is None:
            return self.targets[0]
        for target in self.targets:
            if target.name == name:
                return target
        raise UnknownName(f"target of {self.name}", name, [t.name for t in self.targets])

    def __repr__(self) -> str:
        targets = ", ".join(target.name for target in self.targets) or "none"
        splits = ", ".join(list(self.splits)[:5]) + (", ..." if len(self.splits) > 5 else "")
        return (
            f"Dataset({self.name}: {counted(len(self.videos), 'video')}; "
            f"{counted(len(self.splits), 'split')} ({splits}); targets {targets})"
        )
