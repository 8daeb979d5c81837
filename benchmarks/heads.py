"""Measure one epoch of ACTION-NET: features in memory and features in a file per video, in one run.

    python -m benchmarks.heads                      Rhythmic Gymnastics shapes: 200 videos, batches of 32
    python -m benchmarks.heads --precision bf16     and in bfloat16 (by default if the CPU has it), with
                                                    the correlation that it reaches

The plain way is the released one: a DataLoader whose eight workers read two `.npy` files per video and cut a
random window. Features are random, with a planted signal. Compare ratios; seconds depend on the machine.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from aqa_pipeline.errors import AqaError
from aqa_pipeline.metrics import spearman
from aqa_pipeline.precision import check_precision
from benchmarks.machine import has_bf16, highest_rate
from benchmarks.rows import Row, add_json_option, milliseconds, not_here, publish, timed, times_as_fast
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.evaluation.bootstrap import mean_interval
from heads.models.action_net import ActionNet
from heads.recipes import Recipe
from heads.recipes.papers import action_net_recipe
from heads.runs.epoch import Epoch
from heads.runs.predictions import Predicted
from heads.runs.run_config import Precision
from heads.training.methods.loop import train
from heads.training.methods.optimizer import make_optimizer
from heads.training.methods.training import Compute, Training

NUM_TRAIN, NUM_TEST = 200, 50
PRECISIONS: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
STEPS = {"segments": (27, 31), "crops": (75, 93)}
DIMS = {"segments": 1024, "crops": 2048}
AT_LEAST = {"fp32": "1.7x", "bf16": "4.5x"}
FORWARD_AND_BACKWARD = 3  # each of a product's two gradients costs as much as the product


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    samples = planted_samples()
    steps = {stream: lengths[:NUM_TRAIN].tolist() for stream, lengths in samples.lengths.items()}
    recipe = action_net_recipe("rhythmic-gymnastics", "ball", arguments.variant, steps)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, variant {arguments.variant}")
    print(f"{NUM_TRAIN} videos, batch {recipe.batch_size}, windows {dict(recipe.num_steps)}\n")
    with tempfile.TemporaryDirectory() as folder:
        write_npy(samples, Path(folder))
        times = measure(samples, recipe, Path(folder), arguments)
    publish(rows_of(times, epoch_gflop(recipe)), arguments.json)
    if arguments.precision == "bf16":
        print_correlations(samples, recipe, arguments.epochs)


def rows_of(times: dict[str, list[float]], gflop: float) -> list[Row]:
    """Return a row per measured precision, and an empty one for bf16 if this machine lacks it."""
    (plain, seconds), *ours = times.items()
    rows = []
    for name, taken in ours:
        precision = name.rpartition(" ")[2]
        ceiling = highest_rate(PRECISIONS[precision], "cpu")
        rate = gflop / statistics.median(taken)
        rows.append(
            Row(
                what=f"ACTION-NET training epoch, {name}, against {plain}",
                at_least=AT_LEAST[precision],
                reached=times_as_fast(seconds, taken),
                plain=milliseconds(seconds),
                ours=milliseconds(taken),
                ceiling=f"{rate / ceiling:.0%} of {ceiling:.0f} GFLOP/s",
            )
        )
    if len(ours) == 1:
        rows.append(not_here("ACTION-NET training epoch, bf16", AT_LEAST["bf16"], "a CPU with bf16"))
    return rows


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variant", choices=["paper", "released"], default="released")
    parser.add_argument("--precision", choices=list(PRECISIONS), default="bf16" if has_bf16() else "fp32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30, help="of the comparison of correlations")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    add_json_option(parser)
    arguments = parser.parse_args()
    try:
        check_precision(arguments.precision, device="cpu")
    except AqaError as error:
        parser.error(str(error))
    return arguments


def planted_samples(number: int = NUM_TRAIN + NUM_TEST) -> FeatureSet:
    """Return random features in Rhythmic Gymnastics' shapes, shifted along one direction by the label."""
    rng = np.random.default_rng(0)
    labels = rng.random(number)
    streams, lengths = {}, {}
    for stream, dim in DIMS.items():
        num_steps = torch.from_numpy(rng.integers(*STEPS[stream], size=number))
        noise = np.abs(rng.standard_normal((number, int(num_steps.max()), dim), dtype=np.float32))
        direction = rng.standard_normal(dim, dtype=np.float32) * 0.2
        features = torch.from_numpy(noise + (labels[:, None, None] * direction).astype(np.float32))
        streams[stream] = features * (torch.arange(features.shape[1]) < num_steps[:, None])[:, :, None]
        lengths[stream] = num_steps
    ids = tuple(f"video-{index:03d}" for index in range(number))
    return FeatureSet(ids, streams, lengths, dict.fromkeys(DIMS, ()), labels)


def write_npy(samples: FeatureSet, folder: Path) -> None:
    """Write an .npy file per stream and video."""
    for index, video_id in enumerate(samples.video_ids):
        for stream, padded in samples.streams.items():
            np.save(
                folder / f"{stream}-{video_id}.npy", padded[index, : samples.lengths[stream][index]].numpy()
            )


class NpyFiles(Dataset[tuple[Tensor, Tensor, float]]):
    """The plain way's dataset: it reads a video's two files and cuts a random window."""

    def __init__(self, folder: Path, samples: FeatureSet, recipe: Recipe) -> None:
        self.folder, self.recipe = folder, recipe
        self.ids, self.labels = samples.video_ids[:NUM_TRAIN], samples.labels

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, float]:
        segments, crops = (self._window(stream, index) for stream in DIMS)
        return segments, crops, float(self.labels[index])

    def _window(self, stream: str, index: int) -> Tensor:
        features, wanted = (
            np.load(self.folder / f"{stream}-{self.ids[index]}.npy"),
            self.recipe.num_steps[stream],
        )
        start = np.random.randint(0, max(1, len(features) - wanted))
        window = np.zeros((wanted, features.shape[1]), np.float32)
        cut = features[start : start + wanted]
        window[: len(cut)] = cut
        return torch.from_numpy(window)


def plain_epoch(loader: DataLoader[tuple[Tensor, Tensor, float]], net: ActionNet, recipe: Recipe) -> None:
    """Train one epoch the plain way."""
    optimizer = make_optimizer(net, recipe.optimization)
    net.train()
    for segments, crops, labels in loader:
        features = {"segments": segments, "crops": crops}
        masks = {stream: torch.ones(rows.shape[:2], dtype=torch.bool) for stream, rows in features.items()}
        loss = torch.nn.functional.mse_loss(net(features, masks).scores, labels.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()


def measure(
    samples: FeatureSet, recipe: Recipe, folder: Path, arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Return the seconds of one training epoch, without testing, each way in turn."""
    loader = DataLoader(
        NpyFiles(folder, samples, recipe), recipe.batch_size, shuffle=True, num_workers=arguments.workers
    )
    plain = ActionNet(DIMS, variant=arguments.variant)
    ways: dict[str, Callable[[], float]] = {
        f"npy files, {arguments.workers} workers": lambda: timed(lambda: plain_epoch(loader, plain, recipe)),
        "in memory, fp32": lambda: one_epoch(samples, recipe, arguments.variant, "fp32"),
    }
    if arguments.precision == "bf16":
        ways["in memory, bf16"] = lambda: one_epoch(samples, recipe, arguments.variant, "bf16")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for at in range(arguments.rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if at:  # the first round is a warm-up
                times[name].append(seconds)
    return times


def one_epoch(samples: FeatureSet, recipe: Recipe, variant: str, precision: Precision) -> float:
    """Return the seconds of our second epoch, without a test set, as in the plain way."""
    none, marks = np.empty(0, dtype=np.int64), []
    fold = Fold(np.arange(NUM_TRAIN), none, none)
    short = replace(recipe.with_optimization(milestones=()), epochs=2)
    fit(samples, short, fold, variant, precision, on_epoch=lambda _: marks.append(time.perf_counter()))
    return marks[1] - marks[0]


def fit(
    samples: FeatureSet,
    recipe: Recipe,
    fold: Fold,
    variant: str,
    precision: Precision,
    *,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> np.ndarray:
    """Train, and return the normalized scores of all videos."""
    training = Training(
        lambda dims: ActionNet(dims, variant=variant),
        samples,
        fold,
        labels=samples.labels,
        recipe=recipe,
        seed=0,
        compute=Compute(precision=precision),
    )
    return train(training, on_epoch).scores


def epoch_gflop(recipe: Recipe) -> float:
    """Return the GFLOP of the products of embeddings and graph in one epoch; the rest is small."""
    total = 0.0
    for stream, dim in DIMS.items():
        steps = recipe.num_steps[stream]
        first, second, graph = dim * dim // 2, dim // 2 * 256, 2 * (256 * 256 + steps * 256)
        total += steps * (2 * first + FORWARD_AND_BACKWARD * (second + graph))  # inputs need no gradient
    return 2 * NUM_TRAIN * total / 1e9


def print_correlations(samples: FeatureSet, recipe: Recipe, epochs: int) -> None:
    """Fit in both precisions, and print Spearman's correlation on the test videos."""
    test = np.arange(NUM_TRAIN, NUM_TRAIN + NUM_TEST)
    fold = Fold(np.arange(NUM_TRAIN), np.empty(0, dtype=np.int64), test)
    print(f"\nSpearman on {NUM_TEST} videos after {epochs} epochs:")
    for precision in PRECISIONS:
        predicted = fit(samples, recipe.with_epochs(epochs), fold, "released", precision)[test]
        ids = tuple(samples.video_ids[video] for video in test)
        interval = mean_interval([Predicted(precision, (0,), ids, samples.labels[test], predicted[None])])
        correlation = spearman(predicted, samples.labels[test])
        print(f"  {precision}: {correlation:.3f} [{interval.low:.3f}, {interval.high:.3f}]")


if __name__ == "__main__":
    main()
