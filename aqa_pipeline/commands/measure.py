"""`aqa measure`: quantities that are read off the frames and the stored poses of a video."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import example, stored_dataset_options
from aqa_pipeline.commands.outputs import OUTPUT_FILE
from aqa_pipeline.commands.times import SECONDS, parse_interval

if TYPE_CHECKING:
    from aqa_pipeline.measuring import MeasuredFact, PoseSeries
    from aqa_pipeline.records import Dataset, Record, Video
    from aqa_pipeline.video import OpenVideo

OF_ANGLES = (
    "Angles are those in the picture: a camera from another side, or one that moved, sees others. Their "
    "intervals hold the scatter of the network's joints, and not what it always sees wrong, such as sides "
    "that are exchanged. Lengths and speeds are not measured: one camera knows no scale, and one that pans "
    "or zooms has no fixed place."
)
OF_FLIGHT = (
    "The height takes for granted that the athlete lands in the posture of the take-off. The times are the "
    "file's: those of a slow-motion film are stretched. The camera may move."
)


@click.command(
    epilog=example("aqa measure my-routine.mp4 --take-off 6.40 --landing 6.93 --at 6.40 --csv facts.csv")
)
@click.argument("video")
@click.option("--take-off", type=SECONDS, help="When the first frame in the air is shown, in seconds.")
@click.option("--landing", type=SECONDS, help="When the first frame with contact again is shown.")
@click.option(
    "--at", "moments", multiple=True, type=SECONDS, help="A moment whose angles are measured; repeatable."
)
@click.option(
    "--span",
    metavar="START-STOP",
    help="Seconds over which left and right are compared.  [default: without another option, all]",
)
@stored_dataset_options
@click.option("--csv", "csv_path", type=OUTPUT_FILE, metavar="OUT", help="Write one row per measured fact.")
def measure(
    video: str,
    take_off: float | None,
    landing: float | None,
    moments: tuple[float, ...],
    span: str | None,
    csv_path: Path | None,
    **dataset: Any,
) -> None:
    """Measure VIDEO, each quantity with its uncertainty: time in the air, joint angles, symmetry.

    VIDEO is an id of the dataset, or a file. Times count from the first frame of the performance, as on the
    score page. The time in the air needs your two times and nothing else. Angles and symmetry are read off
    poses, which `aqa extract --streams poses` stores; joints that are not visible give none.
    """
    from aqa_pipeline.measuring import format_facts, write_facts_csv
    from aqa_pipeline.video import open_video

    if (take_off is None) != (landing is None):
        raise click.UsageError("--take-off and --landing go together.")
    interval = parse_interval(span, option="--span") if span else None
    reads_poses = bool(moments or span or take_off is None)
    found = _find(video, dataset, reads_poses=reads_poses)
    with open_video(found.video) as opened:
        facts: list[MeasuredFact] = []
        click.echo(_title(found.video, opened))
        if take_off is not None and landing is not None:
            facts += _flight(opened, take_off, landing)
        if reads_poses:
            series = _series(found, dataset["store"], opened)
            facts += _of_poses(series, moments, interval, all_over=not moments and take_off is None)
    click.echo(format_facts(facts))
    click.echo()
    for note in _notes(flight=take_off is not None, poses=reads_poses):
        click.echo(note, err=True)
    if csv_path:
        write_facts_csv(csv_path, found.video.video_id, facts)
        click.echo(f"Written: {csv_path}")


@dataclass(frozen=True)
class _Found:
    """A video, and the dataset or the record that its poses are in; neither if no pose is read."""

    video: "Video"
    dataset: "Dataset | None" = None
    poses: "Record | None" = None


def _find(word: str, options: dict[str, Any], *, reads_poses: bool) -> _Found:
    """Return the video of that id or file, and where its poses are. Raise `DatasetError` or `UnknownName`."""
    from aqa_pipeline.commands.defaults import find_dataset
    from aqa_pipeline.errors import DatasetError
    from aqa_pipeline.measuring import poses_of_file
    from aqa_pipeline.records import Video
    from aqa_pipeline.store import NEW_VIDEOS, Store

    path = Path(word)
    store, alone = Store(options["store"]), path.exists() and not reads_poses
    if options["dataset"] is None and path.exists():
        poses = None if alone else poses_of_file(store, path)
        if alone or poses is not None:
            return _Found(Video(path.stem, path, fps=poses.source.fps if poses else None), poses=poses)
        if store.datasets() == [NEW_VIDEOS]:
            raise DatasetError(f"{store.root} has no poses of {word!r}: score it first, by a run on poses.")
    dataset = find_dataset(store, name=options["dataset"], root=options["root"], called=options["called"])
    if any(each.video_id == word for each in dataset.videos):
        return _Found(dataset.video(word), dataset)
    same = [each for each in dataset.videos if path.exists() and each.path.resolve() == path.resolve()]
    if len(same) > 1:
        ids = ", ".join(repr(each.video_id) for each in same[:10])
        raise DatasetError(
            f"{len(same)} performances of {dataset.name} share {word!r}: name one, such as {ids}."
        )
    if same:
        return _Found(same[0], dataset)
    if alone:
        return _Found(Video(path.stem, path))
    if path.exists():
        raise DatasetError(
            f"{word!r} is not in the table of {dataset.name} ({dataset.root}), so that it has no stored "
            "poses: add a row for it, with or without a score, then run `aqa extract --streams poses`. Poses "
            "that `aqa score` made are found with --store RUN/scored-features."
        )
    return _Found(dataset.video(word), dataset)  # raises the error that names the known ones


def _title(video: "Video", opened: "OpenVideo") -> str:
    footage = opened.footage
    name = video.video_id if video.video_id.isprintable() else repr(video.video_id)
    seconds = opened.timeline.duration_seconds
    return f"{name}: {seconds:.2f} s, {opened.timeline.num_frames} frames, {footage.fps:.4g} a second"


def _flight(opened: "OpenVideo", take_off: float, landing: float) -> Sequence["MeasuredFact"]:
    from aqa_pipeline.measuring import time_in_the_air

    timeline = opened.timeline
    return time_in_the_air(
        timeline.pts_seconds, timeline.duration_seconds, take_off=take_off, landing=landing
    )


def _series(found: _Found, store: Path, opened: "OpenVideo") -> "PoseSeries":
    from aqa_pipeline.measuring import pose_series, stored_poses
    from aqa_pipeline.store import Store

    if found.poses is not None:
        series = pose_series(found.poses, opened.timeline)
    else:
        assert found.dataset is not None, "poses are read of a dataset's video or of a new one"
        series = stored_poses(Store(store), found.dataset, found.video, opened.timeline)
    click.echo(f"Poses: {series.made_by}")
    if series.tracking:
        click.secho(f"Look whether this is the athlete: {series.tracking}.", fg="yellow", err=True)
    return series


def _of_poses(
    series: "PoseSeries", moments: Sequence[float], interval: tuple[float, float] | None, *, all_over: bool
) -> list["MeasuredFact"]:
    from aqa_pipeline.measuring import angles_at, symmetry

    facts = [fact for moment in moments for fact in angles_at(series, moment)]
    if interval is not None:
        facts += symmetry(series, *interval)
    elif all_over:
        facts += symmetry(series, 0.0, float("inf"))
    return facts


def _notes(*, flight: bool, poses: bool) -> Iterator[str]:
    if flight:
        yield OF_FLIGHT
    if poses:
        yield OF_ANGLES
