"""Heads on small real sets: against ridge regression, on subsets, on shuffled scores, and interval coverage.

python -m campaigns.small_data heads    --data FOLDER --set ui_prmd_squat
python -m campaigns.small_data subsets  --data FOLDER --set unlv_dive --sizes 30,60,100 --draws 20
python -m campaigns.small_data shuffled --data FOLDER --set unlv_dive --draws 20
python -m campaigns.small_data coverage --data FOLDER --set unlv_dive --draws 200
python -m campaigns.small_data planted  --data FOLDER --set rhythmic-gymnastics --store simulated --sizes 50

`planted` reads segments of `aqa simulate --like rhythmic-gymnastics --store simulated`, and FOLDER/SET holds
the dataset's labels. Otherwise FOLDER holds one folder per set: `features.npz` (`ids`, `features` (video,
time, dim) or (video, dim)) and `scores.csv` (video, score, and split or split:NAME). Every draw prints one
line of JSON at once.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.metrics import spearman
from aqa_pipeline.records import Target
from aqa_pipeline.store import Store
from heads.data.folds import Fold
from heads.data.labels import FinalScores
from heads.data.score_scale import scale_of
from heads.evaluation.bootstrap import mean_interval
from heads.evaluation.compare import difference
from heads.evaluation.conformal_interval import half_width_of
from heads.registry import find_head
from heads.runs.predictions import Predicted
from heads.training.arrays import feature_set
from heads.training.methods.by_recipe import fit_training, is_chosen_first, is_stack
from heads.training.methods.choose import choose
from heads.training.methods.stack import predict_inner_folds
from heads.training.methods.training import Training

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
WINDOWS = 24  # of a long sequence of few numbers: mean and deviation of each window are its steps
BASELINES = ("ridge", "rbf-svr", "svr-average")
NETWORKS = (
    "action-net",
    "action-net-average",
    "action-net-sau",
    "action-net-lstm-sau",
    "action-net-bi-lstm-sau",
    "action-net-rta",
    "lstm",
    "bi-lstm",
    "ms-lstm",
    "gdlt",
    "cofinal",
    "wd",
    "wd-average",
)
OURS = "stack"


@dataclass(frozen=True, eq=False)
class SmallSet:
    """Features per video (time, dim), scores (video,), and the training rows (video,) of each split."""

    videos: list[NDArray[np.float32]]
    scores: Floats
    splits: dict[str, NDArray[np.bool_]]


def read_set(folder: Path) -> SmallSet:
    """Read one set; a split's value `train` marks training videos."""
    stored = np.load(folder / "features.npz", allow_pickle=False)
    with (folder / "scores.csv").open(newline="") as file:
        rows = {row["video"]: row for row in csv.DictReader(file)}
    ordered = [rows[str(name)] for name in stored["ids"]]
    names = [name for name in ordered[0] if name == "split" or name.startswith("split:")]
    return SmallSet(
        videos=[_steps(each) for each in stored["features"].astype(np.float32)],
        scores=np.array([float(row["score"]) for row in ordered]),
        splits={name: np.array([row[name] == "train" for row in ordered]) for name in names},
    )


def _steps(features: NDArray[np.float32]) -> NDArray[np.float32]:
    if features.ndim == 1:
        return features[None]
    windows = np.stack(np.array_split(features[: len(features) // WINDOWS * WINDOWS], WINDOWS))
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Raw predictions (test video,), and the raw out-of-fold residuals of the training set, if any."""

    predicted: Floats
    residuals: Floats | None


def fit(
    data: SmallSet, head: str, train: Rows, test: Rows, *, seeds: Sequence[int], labels: Floats
) -> list[Fitted]:
    """Fit a head's adapted variant to the `train` rows with these labels (video,), once per seed.

    All seeds share what inner cross-validation found with the first.
    """
    kind = find_head(head)
    stream = kind.streams[0]
    rows = np.concatenate([train, test])
    samples = feature_set(stream, [data.videos[row] for row in rows], labels[rows])
    lengths = {stream: samples.lengths[stream].tolist()}
    variant = kind.default_variant("folder")
    recipe = kind.choose_recipe("folder", "all", variant, lengths)
    scale = scale_of(Target("score"), labels[train], unit=recipe.unit)
    everyone = np.arange(len(rows))
    fold = Fold(everyone[: len(train)], everyone[:0], everyone[len(train) :])
    choice, shared, found = None, None, []
    for seed in seeds:
        training = Training(
            build=lambda dims, **options: kind.build(dims, variant, **options),
            samples=samples,
            fold=fold,
            labels=scale.normalise(labels[rows]),
            recipe=recipe if choice is None else choice.recipe,
            seed=seed,
            final=FinalScores(labels[rows], scale, np.ones(len(rows))),
        )
        if choice is None and is_chosen_first(training):
            choice = choose(training)
            training = replace(training, recipe=choice.recipe)
        if is_stack(training):
            shared = shared or predict_inner_folds(training)
            training = replace(training, inner=shared)
        trained = fit_training(training)
        inner = choice.out_of_fold if choice else trained.out_of_fold
        found.append(
            Fitted(
                scale.restore(trained.scores[fold.test]),
                None if inner is None else labels[train] - scale.restore(inner),
            )
        )
    return found


def heads(data: SmallSet, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield for each head its mean Spearman over splits, and the paired difference from ridge."""
    parts = [(name, np.flatnonzero(train), np.flatnonzero(~train)) for name, train in data.splits.items()]

    def predicted(head: str) -> list[Predicted]:
        found = []
        for name, train, test in parts:
            fits = fit(data, head, train, test, seeds=arguments.seeds, labels=data.scores)
            videos = tuple(str(row) for row in test)
            scores = np.stack([each.predicted for each in fits])
            found.append(Predicted(name, tuple(arguments.seeds), videos, data.scores[test], scores))
        return found

    ridge = predicted("ridge")
    for head in arguments.heads:
        ours = predicted(head)
        compared = difference(ours, ridge, name=head, fisher_z=False)
        ensemble = [float(spearman(each.predicted.mean(axis=0), each.true)) for each in ours]
        yield {
            "head": head,
            "spearman": compared.first,
            "ensemble": float(np.mean(ensemble)),
            "ridge": compared.second,
            "difference": compared.difference,
            "interval": [compared.interval.low, compared.interval.high],
        }


def subsets(data: SmallSet, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield for each draw of a few training videos the test Spearman of the stack and of each baseline."""
    for size, number, train, test in _draws(data, arguments):
        values = {
            head: _correlation(fit(data, head, train, test, seeds=[number], labels=data.scores), data, test)
            for head in (OURS, *BASELINES)
        }
        yield {"size": size, "draw": number} | values


def shuffled(data: SmallSet, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield for each draw the stack's test Spearman after training on shuffled scores, with its interval."""
    for _, number, train, test in _draws(data, arguments):
        labels = data.scores.copy()
        labels[train] = np.random.default_rng(number).permutation(labels[train])
        (found,) = fit(data, OURS, train, test, seeds=[number], labels=labels)
        videos = tuple(map(str, test))
        predicted = Predicted("draw", (0,), videos, data.scores[test], found.predicted[None])
        interval = mean_interval([predicted])
        value = _correlation([found], data, test)
        yield {"draw": number, "spearman": value, "interval": [interval.low, interval.high]}


def planted(data: SmallSet, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield for each draw of training videos the test Spearman of stack, ridge and kernel regression."""
    everyone = np.arange(len(data.scores))
    for size in arguments.sizes:
        for number in range(arguments.draws):
            order = np.random.default_rng(number).permutation(everyone)
            train, test = np.sort(order[:size]), np.sort(order[size:])
            values = {
                head: _correlation(
                    fit(data, head, train, test, seeds=[number], labels=data.scores), data, test
                )
                for head in (OURS, *BASELINES[:2])
            }
            yield {"size": size, "draw": number} | values


def read_simulated(root: Path, store: Path) -> SmallSet:
    """Read the simulated segments of the Ball routines, and the scores that they were drawn for."""
    dataset, features = load_dataset("rhythmic-gymnastics", root), Store(store)
    (spec,) = features.specs(dataset.name, "segments")
    split, target = dataset.split("ball"), dataset.target().name
    videos = [dataset.video(name) for name in (*split.train, *split.test)]
    records = [features.read(dataset.name, video.video_id, spec) for video in videos]
    scores = np.array([video.labels[target] for video in videos])
    return SmallSet([record.features.astype(np.float32) for record in records], scores, {})


def coverage(data: SmallSet, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield for each draw the share of test videos inside the 90 % interval from out-of-fold residuals."""
    everyone = np.arange(len(data.scores))
    for number in range(arguments.draws):
        order = np.random.default_rng(number).permutation(everyone)
        train, test = np.sort(order[: len(order) * 2 // 3]), np.sort(order[len(order) * 2 // 3 :])
        for head in arguments.heads:
            (found,) = fit(data, head, train, test, seeds=[number], labels=data.scores)
            assert found.residuals is not None, f"{head} has no out-of-fold residuals"
            half, asked = half_width_of(found.residuals)
            inside = np.abs(found.predicted - data.scores[test]) <= half
            yield {"draw": number, "head": head, "asked": asked, "inside": float(inside.mean())}


def _draws(data: SmallSet, arguments: argparse.Namespace) -> Iterator[tuple[int, int, Rows, Rows]]:
    splits = list(data.splits.values())
    for size in arguments.sizes or [0]:
        for number in range(arguments.draws):
            train = np.flatnonzero(splits[number % len(splits)])
            test = np.flatnonzero(~splits[number % len(splits)])
            if size:
                train = np.sort(np.random.default_rng(number).choice(train, size, replace=False))
            yield size, number, train, test


def _correlation(fits: Sequence[Fitted], data: SmallSet, test: Rows) -> float:
    return float(spearman(np.mean([each.predicted for each in fits], axis=0), data.scores[test]))


KINDS = {each.__name__: each for each in (heads, subsets, shuffled, planted, coverage)}


def main() -> None:
    """Run one kind of trial and print its lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--store", type=Path)
    parser.add_argument(
        "--heads", type=lambda text: text.split(","), default=[OURS, *BASELINES[1:], *NETWORKS]
    )
    parser.add_argument("--sizes", type=lambda text: [int(each) for each in text.split(",")], default=[])
    parser.add_argument(
        "--seeds", type=lambda text: [int(each) for each in text.split(",")], default=[0, 1, 2]
    )
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = arguments.data / arguments.set
    data = read_simulated(folder, arguments.store) if arguments.store else read_set(folder)
    for line in KINDS[arguments.kind](data, arguments):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
