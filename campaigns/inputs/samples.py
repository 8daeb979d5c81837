"""Small inputs for campaigns: videos with boxes and scores, an extraction of them, records of numbers."""

import contextlib
import io
from pathlib import Path

import av
import click
import numpy as np

import cli
from aqa_pipeline.athlete.boxes import write_boxes
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store

WIDTH, HEIGHT, FPS = 64, 48, 10
SPECS = (
    StreamSpec("segments", {"rate_fps": 5.0, "weights": "random:0"}),
    StreamSpec("crops", {"rate_fps": 1.0, "weights": "random:1", "dtype": "float16"}),
)


def write_videos(root: Path, *, num_videos: int = 3) -> None:
    """Write a folder as `--dataset folder` takes it: videos of two seconds and more, boxes, scores."""
    rng = np.random.default_rng(0)
    rows = ["video,score"]
    (root / "videos").mkdir(parents=True)
    for index in range(num_videos):
        num_frames = 20 + 5 * index
        with av.open(str(root / "videos" / f"v{index}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for _ in range(num_frames):
                picture = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        write_boxes(root / "boxes" / f"v{index}.csv", {at: [(5, 5, 40, 40)] for at in range(num_frames)})
        rows.append(f"v{index}.mp4,{10 * index}")
    (root / "scores.csv").write_text("\n".join(rows) + "\n")


def aqa(*arguments: object) -> tuple[int, str]:
    """Run an `aqa` command in this process. Return the exit code, and all that a user would read.

    Raise any error that is no domain error: a user would have seen its traceback.
    """
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            code = cli.main.main([str(word) for word in arguments], "aqa", standalone_mode=False)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
    return int(code or 0), text.getvalue()


def extract_crops(root: Path, store: Path, *options: object) -> tuple[int, str]:
    """Run the smallest real extraction: one crop a second, a ResNet-18 with random weights.

    The runtime is named, because a measured choice could differ from run to run in the last bits.
    """
    networks = ("--backbone", "crops=resnet18", "--weights", "random:0", "--detector", "annotations")
    streams = ("--streams", "crops", "--device", "cpu", "--runtime", "eager", "--workers", 1, *networks)
    return aqa("extract", "--dataset", "folder", "--root", root, "--store", store, *streams, *options)


def random_record(index: int, *, dim: int = 16) -> Record:
    """Return a random record of one of two specs, in float32 or float16, sometimes without a step."""
    rng, spec = np.random.default_rng(index), SPECS[index % len(SPECS)]
    steps = int(rng.integers(0, 30))
    start = np.arange(steps, dtype=float)
    return Record(
        dataset="campaign",
        video_id=f"video {index}",
        spec=spec,
        features=rng.standard_normal((steps, dim)).astype(typed_facts(spec).dtype or "float32"),
        pts_seconds=np.stack([start, start + 1], axis=1),
        source=Source(f"{index:064x}"),
        extras={"boxes": rng.random((steps, 4), dtype=np.float32)} if index % 3 else {},
        counts={"num_steps": steps},
    )


def read_all(store: Store) -> dict[tuple[str, ...], Record]:
    """Return every record of a store, by name."""
    return {name: read().record for name, read in store.stored()}


def differences(one: Store, other: Store) -> list[str]:
    """Return the differences of two stores, array by array; [] if they are equal."""
    mine, theirs = read_all(one), read_all(other)
    found = [f"{name} is in one of them only" for name in sorted(mine.keys() ^ theirs.keys())]
    for name in sorted(mine.keys() & theirs.keys()):
        found += [f"{name}: {what}" for what in _differing_parts(mine[name], theirs[name])]
    return found


def _differing_parts(one: Record, other: Record) -> list[str]:
    """Return the names of the arrays and facts in which two records differ."""
    pairs = {
        "features": (one.features, other.features),
        "pts_seconds": (one.pts_seconds, other.pts_seconds),
        **{name: (one.extras[name], other.extras.get(name, np.empty(0))) for name in one.extras},
    }
    arrays = [
        what
        for what, (a, b) in pairs.items()
        if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=True)
    ]
    facts = ("dataset", "video_id", "spec", "source", "counts", "events", "pictures")
    return arrays + [fact for fact in facts if getattr(one, fact) != getattr(other, fact)]


def half_records(store: Path) -> list[str]:
    """Return the temporary files of a store, and its damaged records with the reason."""
    parts = [str(path) for path in store.glob("**/.*.part")]
    return parts + [f"{p.path}: {p.reason}" for _, p in Store(store).verify() if p]
