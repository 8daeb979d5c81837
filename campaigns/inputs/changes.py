"""A folder of videos as `--dataset folder` takes it, and changes of it between two extractions."""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import av
import numpy as np
from PIL import Image

from aqa_pipeline.athlete.boxes import write_boxes
from campaigns.inputs.samples import HEIGHT, WIDTH

NUM_FRAMES, RATE = 20, 10
NUM_OF_EACH = 4  # videos of H.264, videos of raw pictures, folders of pictures
STREAMS = ("crops", "tubes")
TRACKED = ("raw-0", "pictures-0")  # the videos with tubes: only two, because their network is large
RATES = (5, 10, 20)

Window = tuple[int, int]


class Inputs:
    """The folder with its CSV: the windows of all videos, and the frame rates of folders of pictures."""

    def __init__(self, root: Path, windows: dict[str, Window], rates: dict[str, int]) -> None:
        self.root, self.windows, self.rates = root, windows, rates

    @classmethod
    def made(cls, root: Path, rng: random.Random) -> Self:
        """Return a new folder. Raw videos have the same size in bytes whatever they show."""
        kinds = [
            f"{kind}{number}" for kind in ("h264-", "raw-", "pictures-") for number in range(NUM_OF_EACH)
        ]
        folders = [name for name in kinds if name.startswith("pictures")]
        inputs = cls(root, dict.fromkeys(kinds, (0, NUM_FRAMES)), dict.fromkeys(folders, RATES[0]))
        for name in kinds:
            inputs.film(name, rng)
            inputs.box(name, rng)
        for name in TRACKED:
            inputs.quad(name, rng)
        inputs.write_table()
        return inputs

    def moved(self, root: Path) -> "Inputs":
        """Return a copy of the folder under another root, with the same file times."""
        shutil.copytree(self.root, root)
        return Inputs(root, self.windows, self.rates)

    def path(self, name: str) -> Path:
        """Return the path of the video, which is a file or a folder of pictures."""
        ending = {"h264": ".mp4", "raw": ".avi", "pictures": ""}[name.split("-")[0]]
        return self.root / "videos" / f"{name}{ending}"

    def picture(self, name: str, rng: random.Random) -> Path:
        """Return the path of a random picture of a folder."""
        return rng.choice(sorted(self.path(name).iterdir()))

    def film(self, name: str, rng: random.Random) -> None:
        """Write a video of new random pictures over the one that is there."""
        noise = np.random.default_rng(rng.getrandbits(64))
        pictures = noise.integers(0, 255, (NUM_FRAMES, HEIGHT, WIDTH, 3), np.uint8)
        if name in self.rates:
            for number, picture in enumerate(pictures):
                paint(self.path(name) / f"{number:02d}.png", picture)
        else:
            encode(self.path(name), pictures)

    def box(self, name: str, rng: random.Random) -> None:
        """Write new random boxes."""
        write_boxes(self.root / "boxes" / f"{name}.csv", _boxes(rng))

    def quad(self, name: str, rng: random.Random) -> None:
        """Write new random quads, in a folder that the dataset does not read."""
        write_boxes(self.root / "quads" / f"{name}.csv", _boxes(rng))

    def write_table(self) -> None:
        """Write the CSV with the current windows and rates."""
        rows = [
            f"{self.path(name).name},{number}.5,{start},{stop},{self.rates.get(name, '')}"
            for number, (name, (start, stop)) in enumerate(self.windows.items())
        ]
        text = "\n".join(["video,score,start_frame,stop_frame,fps", *rows]) + "\n"
        (self.root / "scores.csv").write_text(text)


def paint(path: Path, picture: np.ndarray) -> None:
    """Write a picture file whose size in bytes does not depend on what it shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, compress_level=0)


def encode(path: Path, pictures: np.ndarray) -> None:
    """Write a video: H.264 in .mp4, raw pictures in .avi."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264" if path.suffix == ".mp4" else "rawvideo", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _boxes(rng: random.Random) -> dict[int, list[tuple[int, int, int, int]]]:
    left, top = rng.randrange(20), rng.randrange(10)
    return {frame: [(left, top, left + rng.randrange(20, 40), top + 30)] for frame in range(NUM_FRAMES)}


def _another_video(inputs: Inputs, name: str, rng: random.Random) -> None:
    inputs.film(name, rng)


def _same_size_and_time(inputs: Inputs, name: str, rng: random.Random) -> None:
    """Change the content, and keep the size and time, as a careless tool or a bad disk does."""
    path = inputs.picture(name, rng) if name in inputs.rates else inputs.path(name)
    before = path.stat()
    if name in inputs.rates:
        _repaint(path, rng)
    else:
        inputs.film(name, rng)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _touched(inputs: Inputs, name: str, rng: random.Random) -> None:
    path = inputs.picture(name, rng) if name in inputs.rates else inputs.path(name)
    later = path.stat().st_mtime_ns + rng.randrange(1, 10**15)
    os.utime(path, ns=(later, later))


def _window(inputs: Inputs, name: str, rng: random.Random) -> None:
    before = inputs.windows[name]
    while inputs.windows[name] == before:
        inputs.windows[name] = rng.randrange(4), rng.randrange(NUM_FRAMES - 3, NUM_FRAMES + 1)


def _other_boxes(inputs: Inputs, name: str, rng: random.Random) -> None:
    inputs.box(name, rng)


def _other_quads(inputs: Inputs, name: str, rng: random.Random) -> None:
    inputs.quad(name, rng)


def _rate(inputs: Inputs, name: str, rng: random.Random) -> None:
    inputs.rates[name] = rng.choice([rate for rate in RATES if rate != inputs.rates[name]])


def _one_picture(inputs: Inputs, name: str, rng: random.Random) -> None:
    _repaint(inputs.picture(name, rng), rng)


def _repaint(path: Path, rng: random.Random) -> None:
    noise = np.random.default_rng(rng.getrandbits(64))
    paint(path, noise.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8))


def _swapped(inputs: Inputs, name: str, rng: random.Random) -> None:
    """Swap two pictures: the folder has the same bytes in another order."""
    one, other = rng.sample(sorted(inputs.path(name).iterdir()), 2)
    aside = inputs.root / "aside"
    for source, target in ((one, aside), (other, one), (aside, other)):
        source.rename(target)


@dataclass(frozen=True)
class Change:
    """A change of a video.

    `reason` is a pattern for the beginning of the report on it; None means that nothing may be reported.
    `of` are the videos, or kinds of videos, that can be changed so. `streams` are the streams whose features
    change. `quietly` means that size and time do not show the change.
    """

    apply: Callable[[Inputs, str, random.Random], None]
    reason: str | None
    of: tuple[str, ...] = ("h264", "raw", "pictures")
    streams: tuple[str, ...] = STREAMS
    quietly: bool = False

    def suits(self, name: str) -> bool:
        """Return True if that video can be changed so."""
        return name in self.of or name.split("-")[0] in self.of


FILES, FOLDERS = ("h264", "raw"), ("pictures",)
OTHER_VIDEO = {  # the changes that are also made after a move to another root
    "another file": Change(_another_video, "another file", FILES),
    "other pictures": Change(_another_video, "other pictures", FOLDERS),
}
CHANGES: dict[str, Change] = {
    **OTHER_VIDEO,
    "another file of the same size": Change(_another_video, "another file", ("raw",)),
    "same size and time": Change(_same_size_and_time, "another file", ("raw",), quietly=True),
    "picture of the same size and time": Change(_same_size_and_time, "other pictures", FOLDERS, quietly=True),
    "only touched": Change(_touched, None),
    "window": Change(_window, "frames "),
    "boxes": Change(_other_boxes, "other boxes", streams=("crops",)),
    "quads": Change(_other_quads, "other boxes", TRACKED, streams=("tubes",)),
    "fps": Change(_rate, "[0-9]+ fps instead of", FOLDERS),
    "one picture": Change(_one_picture, "other pictures", FOLDERS),
    "two pictures swapped": Change(_swapped, "other pictures", FOLDERS),
}
