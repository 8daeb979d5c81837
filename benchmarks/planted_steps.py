"""Count how often an explanation ranks the planted steps first: by effect, and by attention weight.

    python -m benchmarks.planted_steps                     20 draws of 60 training and 40 test videos
    python -m benchmarks.planted_steps --signal marked     the other signal
    python -m benchmarks.planted_steps --heads wd lstm     fewer heads

Every video is a sequence of 12 to 20 steps of normal noise, in which two steps at random times are planted:

* `events`: each planted step raises or lowers the score by its own size, 0.5 to 1.5, and shifts the features
  along one direction by that size. The score is the sum of the two.
* `marked`: both planted steps shift the features by the video's score along one direction, and bear the same
  mark along another one. All other steps are shifted at random along the first direction: decoys.

Each head is fitted as `aqa.Head` fits it to arrays (variant `adapted`). A test video is a hit if both planted
steps rank before all other steps, by the size of the effect (heads/scoring/occlusion.py) or by the attention
weight. A planted step that ties with another step is no hit. A sign is right if the effect of a planted step
has the sign of its size; a weight has no sign.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from aqa_pipeline.metrics import spearman
from heads.data.batches import evaluation_batch
from heads.scoring.occlusion import step_effects
from heads.training.arrays import feature_set
from heads.training.estimator import Head

Signal = Literal["events", "marked"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)
HEADS = ("action-net", "wd", "lstm", "stack")
DIM, NUM_STEPS, NUM_PLANTED = 32, (12, 21), 2
NOISE, SHIFT, MARK = 0.5, 2.0, 3.0
SIZES = (0.5, 1.5)  # of an event, in points of the score
RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class PlantedVideo:
    """A video whose planted steps are known.

    `features` (time, dim); `planted` bool (time,); `sizes` (time,), of planted steps the size.
    """

    features: NDArray[np.float64]
    planted: NDArray[np.bool_]
    sizes: NDArray[np.float64]
    score: float


@dataclass(frozen=True)
class Hits:
    """The hits of one head in one draw, and its Spearman correlation on the test videos.

    `by_effect` and `by_weight` are bool (video,); `right_signs` bool (planted step,).
    """

    by_effect: NDArray[np.bool_]
    by_weight: NDArray[np.bool_]
    right_signs: NDArray[np.bool_]
    correlation: float


def planted_videos(number: int, signal: Signal, *, seed: int) -> list[PlantedVideo]:
    """Return videos with planted steps; the directions of shift and mark come from the seed."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(DIM, 2)))[0].T
    return [_planted_video(rng, signal, *directions) for _ in range(number)]


def _planted_video(
    rng: np.random.Generator, signal: Signal, shift: NDArray[np.float64], mark: NDArray[np.float64]
) -> PlantedVideo:
    num_steps = int(rng.integers(*NUM_STEPS))
    planted = np.zeros(num_steps, dtype=bool)
    planted[rng.permutation(num_steps)[:NUM_PLANTED]] = True
    features = rng.normal(0, NOISE, (num_steps, DIM))
    if signal == "events":
        sizes = np.zeros(num_steps)
        sizes[planted] = rng.choice([-1, 1], NUM_PLANTED) * rng.uniform(*SIZES, NUM_PLANTED)
        score = float(sizes.sum())
    else:
        score = float(rng.normal())
        sizes = np.where(planted, score, rng.normal(size=num_steps))
        features += MARK * planted[:, None] * mark
    return PlantedVideo(features + SHIFT * sizes[:, None] * shift, planted, sizes, score)


def hits_of(name: str, train: Sequence[PlantedVideo], test: Sequence[PlantedVideo], *, seed: int) -> Hits:
    """Fit the head of that name to the training videos; return its hits on the test videos."""
    head = Head(name, random_state=seed)
    head.fit([video.features for video in train], [video.score for video in train])
    samples = feature_set(head.stream_, [video.features for video in test], np.zeros(len(test)))
    by_effect, by_weight, right_signs = [], [], []
    for index, video in enumerate(test):
        batch = evaluation_batch(samples, np.array([index]), recipe=head.recipe_)
        effects = step_effects(head.module_, batch)[head.stream_]
        with torch.no_grad():
            weights = head.module_(batch.features, batch.masks).attention[head.stream_][0].numpy()
        by_effect.append(ranks_first(np.abs(effects), video.planted))
        by_weight.append(ranks_first(weights[: len(effects)], video.planted))
        right_signs += (effects * video.sizes > 0)[video.planted].tolist()
    predicted = head.predict([video.features for video in test])
    return Hits(
        np.array(by_effect),
        np.array(by_weight),
        np.array(right_signs),
        spearman(predicted, np.array([video.score for video in test])),
    )


def ranks_first(values: NDArray[np.floating], planted: NDArray[np.bool_]) -> bool:
    """Return whether each planted step (time,) has a higher value than every other step."""
    return bool(values[planted].min() > values[~planted].max())


def interval_of_mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean over draws."""
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def rows_of(hits: dict[str, list[Hits]]) -> Iterator[str]:
    """Yield a Markdown table: the shares of videos that are hits, and their difference over draws."""
    columns = (
        "Spearman",
        "by effect",
        "by weight",
        "both",
        "neither",
        "effect - weight [95 %]",
        "right signs",
    )
    yield f"| head | {' | '.join(columns)} |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, draws in hits.items():
        effect, weight = (
            np.array([getattr(each, by) for each in draws]) for by in ("by_effect", "by_weight")
        )
        per_draw = effect.mean(axis=1) - weight.mean(axis=1)
        low, high = interval_of_mean(per_draw)
        both, neither = (effect & weight).mean(), (~effect & ~weight).mean()
        correlation = np.mean([each.correlation for each in draws])
        yield (
            f"| {name} | {correlation:.2f} | {effect.mean():.1%} | {weight.mean():.1%} | {both:.1%} | "
            f"{neither:.1%} | {per_draw.mean():+.1%} [{low:+.1%}, {high:+.1%}] | "
            f"{np.mean([each.right_signs for each in draws]):.1%} |"
        )


def main() -> None:
    """Run the measurement and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signal", choices=SIGNALS, default="events")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--test", type=int, default=40)
    parser.add_argument("--heads", nargs="+", default=list(HEADS))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    hits: dict[str, list[Hits]] = {name: [] for name in arguments.heads}
    for draw in range(arguments.draws):
        videos = planted_videos(arguments.train + arguments.test, arguments.signal, seed=draw)
        train, test = videos[: arguments.train], videos[arguments.train :]
        for name, of_head in hits.items():
            start = time.monotonic()
            of_head.append(hits_of(name, train, test, seed=draw))
            last, seconds = of_head[-1], time.monotonic() - start
            shares = f"effect {last.by_effect.mean():.0%}, weight {last.by_weight.mean():.0%}"
            print(f"draw {draw} {name}: {shares}, {seconds:.0f} s", flush=True)
    shape = f"{arguments.train} training and {arguments.test} test videos each"
    print(f"\nSignal {arguments.signal}, {arguments.draws} draws, {shape}\n")
    print("\n".join(rows_of(hits)))


if __name__ == "__main__":
    main()
