"""Measure how fast frames reach a network that is fine-tuned, and a whole step of each paper's recipe.

    python -m benchmarks.fine_tune                  loading alone, and the step of a small network
    python -m benchmarks.fine_tune --steps          also a step of WD and of TSA-Net at full size, with its
                                                    memory: 15 GB and some minutes on a CPU

The plain way is the loader of Weight-Decider's code: of every frame a JPEG file is opened, resized to 171x128
and cropped to 112x112, and normalized in the training process, one frame after the other. Ours cuts the same
clips from the stream `pixels`. Both train the same small network, so that loading is what differs.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from aqa_pipeline.backbones.normalization import get_normalization
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from benchmarks.machine import highest_rate
from benchmarks.rows import Row, add_json_option, in_turn, milliseconds, not_here, publish, times_as_fast
from benchmarks.work.fine_tune_steps import STEPS, row_of
from heads.data.large_streams import Reading
from heads.data.pixels.clips import PixelClips
from heads.data.tube_maps import OpenedRecord
from heads.models.clip_passing import ClipPassing
from heads.models.fine_tuned import FineTuned
from heads.models.weight_decider import build_weight_decider

NUM_VIDEOS, NUM_FRAMES, BATCH = 12, 109, 2
STORED, SOURCE = (128, 171), (256, 455)  # height, width: of the stream pixels, of MTL-AQA's JPEG files
NUM_CLIPS, FRAMES_PER_CLIP, SIDE = 3, 32, 112
AT_LEAST = "3x"


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    with tempfile.TemporaryDirectory() as folder:
        rows = list(loading_rows(Path(folder), rounds=arguments.rounds))
    steps = [replace(step, threads=arguments.threads) for step in STEPS]
    rows += [
        row_of(step) if arguments.steps else not_here(step.what, "", "the option --steps") for step in steps
    ]
    publish(rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", action="store_true", help="also one step of each recipe at full size")
    add_json_option(parser)
    return parser.parse_args()


@dataclass(frozen=True)
class Data:
    """The same videos as JPEG files of the source's size, `folder/video/frame.jpg`, and as pixels."""

    folder: Path
    clips: PixelClips


def loading_rows(folder: Path, *, rounds: int) -> Iterator[Row]:
    """Yield the rows of loading alone, and of the step of a small network."""
    data = write_data(folder)
    plain, ours = Network(), Network()
    ways: dict[str, Callable[[], object]] = {
        "load plainly": lambda: plain_batch(data, [0, 1]),
        "load": lambda: our_batch(data, [0, 1]),
        "step plainly": lambda: plain.step(plain_batch(data, [0, 1])),
        "step": lambda: ours.step(our_batch(data, [0, 1])),
    }
    seconds = in_turn(ways, rounds=rounds)
    num_frames = BATCH * NUM_CLIPS * FRAMES_PER_CLIP
    rate = num_frames / float(np.median(seconds["load"]))
    need = highest_rate(torch.float32, "cpu") / (2 * STEPS[0].gmac) * num_frames
    yield Row(
        what="frames out of the store, raw 171x128, against JPEG files of 455x256",
        at_least=AT_LEAST,
        reached=times_as_fast(seconds["load plainly"], seconds["load"]),
        plain=milliseconds(seconds["load plainly"], per=BATCH),
        ours=f"{milliseconds(seconds['load'], per=BATCH)}: {rate:,.0f} frames/s; Weight-Decider's network at "
        f"this CPU's highest rate takes {need:.0f}",
    )
    yield Row(
        what="training step of a small network, where data is the limit",
        at_least=AT_LEAST,
        reached=times_as_fast(seconds["step plainly"], seconds["step"]),
        plain=milliseconds(seconds["step plainly"]),
        ours=milliseconds(seconds["step"]),
    )


def write_data(folder: Path) -> Data:
    """Write videos of smooth noise both ways."""
    spec = StreamSpec("pixels", {"height": STORED[0], "width": STORED[1], "dtype": "uint8"})
    store, ids = Store(folder / "store"), [f"v{number}" for number in range(NUM_VIDEOS)]
    times = np.arange(NUM_FRAMES) / 25
    for number, video_id in enumerate(ids):
        coarse = np.random.default_rng(number).integers(0, 255, (NUM_FRAMES, 16, 28, 3), dtype=np.uint8)
        small = np.empty((NUM_FRAMES, *STORED, 3), np.uint8)
        (folder / video_id).mkdir()
        for at, picture in enumerate(map(Image.fromarray, coarse)):
            whole = picture.resize((SOURCE[1], SOURCE[0]), Image.Resampling.BICUBIC)
            whole.save(folder / video_id / f"{at:08d}.jpg", quality=95)
            small[at] = np.asarray(whole.resize((STORED[1], STORED[0]), Image.Resampling.BILINEAR))
        steps = np.stack([times, times + 0.04], axis=1)
        store.write(Record("dives", video_id, spec, small, steps, Source("rendered")))
    opened = [store.map("dives", video_id, spec) for video_id in ids]
    records = [OpenedRecord(each.spec, each.features, each.extras) for each in opened]
    clips = Reading(fine_tuning=STEPS[0].recipe.fine_tuning).open("pixels", records)
    assert isinstance(clips, PixelClips)
    return Data(folder, clips)


def plain_batch(data: Data, videos: list[int]) -> Tensor:
    """Return normalized clips `(batch, clip, 3, frame, 112, 112)` as Weight-Decider's loader makes them."""
    normalization = get_normalization("imagenet")
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (normalization.mean, normalization.std))
    top, left = (round((side - SIDE) / 2) for side in STORED)
    frames = range(NUM_FRAMES - 100, NUM_FRAMES - 100 + NUM_CLIPS * FRAMES_PER_CLIP)
    made = []
    for video in videos:
        for frame in frames:
            picture = Image.open(data.folder / f"v{video}" / f"{frame:08d}.jpg").convert("RGB")
            small = picture.resize((STORED[1], STORED[0]), Image.Resampling.BILINEAR)
            inside = small.crop((left, top, left + SIDE, top + SIDE))
            tensor = torch.from_numpy(np.asarray(inside).copy()).permute(2, 0, 1).float() / 255
            made.append((tensor - mean) / std)
    clips = torch.stack(made).unflatten(0, (len(videos), NUM_CLIPS, FRAMES_PER_CLIP))
    return clips.permute(0, 1, 3, 2, 4, 5)


def our_batch(data: Data, videos: list[int]) -> Tensor:
    """Return the same clips as bytes; the network normalizes them."""
    first = torch.zeros(len(videos), dtype=torch.int64)
    return data.clips.cut(torch.tensor(videos), starts=first, views=first, num_steps=NUM_CLIPS).maps


class Network:
    """A small network under Weight-Decider, and its optimizer."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        small = nn.Sequential(nn.Conv3d(3, 16, 8, stride=8), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten())
        self.module = FineTuned(
            small,
            build_weight_decider({"pixels": 16}),
            normalization=get_normalization("imagenet"),
            passing=ClipPassing("in-turn"),
        )
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=1e-4)

    def step(self, clips: Tensor) -> None:
        """Train on one batch; clips of floats are normalized already."""
        mask = torch.ones(clips.shape[:2], dtype=torch.bool)
        if clips.is_floating_point():
            encoded = self.module.passing(self.module.backbone, clips, mask)
            output = self.module.head({"pixels": encoded}, {"pixels": mask})
        else:
            output = self.module({"pixels": clips}, {"pixels": mask})
        self.optimizer.zero_grad()
        (output.scores**2).mean().backward()
        self.optimizer.step()


if __name__ == "__main__":
    main()
