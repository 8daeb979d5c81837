"""Measure a whole fit of the variant `adapted` on 100 videos: inner folds, three seeds, and the baselines.

    python -m benchmarks.adapted                    wd, action-net and stack, on one thread
    python -m benchmarks.adapted --heads lstm

Features are random, in Rhythmic Gymnastics' shapes, with a planted signal and noisy scores. Heads that read
one stream read the larger one. CPU seconds count, because other programs may run on the machine.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import torch

from aqa_pipeline.text_table import format_table
from benchmarks.heads import planted_samples
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.evaluation.baselines import predict_baselines
from heads.recipes.adapted import ADAPTED
from heads.registry import find_head
from heads.training.methods.by_recipe import fit_training, is_chosen_first, is_stack
from heads.training.methods.choose import choose
from heads.training.methods.stack import predict_inner_folds
from heads.training.methods.training import Training

NUM_TRAIN, NUM_TEST = 100, 25
SEEDS = (0, 1, 2)
NOISE = 0.7  # deviations of the scores
AT_MOST_SECONDS = 120
LARGEST = "crops"
HEADER = ("head", "at most", "CPU seconds", "inner folds", "seeds", "baselines", "found")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--heads", type=lambda text: text.split(","), default=["wd", "action-net", "stack"])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warm_up()
    for head in arguments.heads:
        print(format_table(HEADER, [row_of(head)]), flush=True)


def warm_up() -> None:
    """Train one epoch, so that what is imported at the first use counts for no head."""
    training = training_of("wd-average")
    recipe = replace(training.recipe.with_ridge_share(None), epochs=1)
    fit_training(replace(training, recipe=recipe))


def row_of(head: str) -> tuple[str, ...]:
    """Return the seconds of one head's fit, and what inner folds found."""
    training = training_of(head)
    started = time.process_time()
    shared, found = with_inner_folds(training)
    chosen = time.process_time()
    for seed in SEEDS:
        fit_training(replace(shared, seed=seed))
    trained = time.process_time()
    predict_baselines(training.samples, train=training.fold.train, test=training.fold.test)
    ended = time.process_time()
    parts = (ended - started, chosen - started, trained - chosen, ended - trained)
    return head, f"{AT_MOST_SECONDS} s", *(f"{seconds:.1f}" for seconds in parts), found


def with_inner_folds(training: Training) -> tuple[Training, str]:
    """Return the training with what all seeds share, and a few words on it."""
    if is_stack(training):
        return replace(training, inner=predict_inner_folds(training)), ""
    if not is_chosen_first(training):
        return training, ""
    choice = choose(training)
    trials = ", ".join(f"{t.best:.3f} after {t.best_epoch} ({t.num_folds} folds)" for t in choice.trials)
    return replace(training, recipe=choice.recipe), trials


def training_of(head: str) -> Training:
    """Return the training of a head on the planted features."""
    kind = find_head(head)
    samples = read_by(kind.streams, noisy(planted_samples(NUM_TRAIN + NUM_TEST)))
    steps = {stream: lengths[:NUM_TRAIN].tolist() for stream, lengths in samples.lengths.items()}
    train = np.arange(NUM_TRAIN)
    labels = samples.labels[train]
    return Training(
        build=lambda dims: kind.build(dims, ADAPTED),
        samples=samples,
        fold=Fold(train, np.empty(0, dtype=np.int64), np.arange(NUM_TRAIN, NUM_TRAIN + NUM_TEST)),
        labels=(samples.labels - labels.mean()) / labels.std(),
        recipe=kind.choose_recipe("folder", "all", ADAPTED, steps),
        seed=0,
    )


def noisy(samples: FeatureSet) -> FeatureSet:
    """Return the samples with scores that features tell in part."""
    noise = np.random.default_rng(1).normal(scale=NOISE * samples.labels.std(), size=len(samples.labels))
    return replace(samples, labels=samples.labels + noise)


def read_by(streams: tuple[str, ...], samples: FeatureSet) -> FeatureSet:
    """Return the samples with the streams of a head; its only one is the larger one, under its name."""
    if len(streams) > 1:
        return samples
    return replace(
        samples,
        streams={streams[0]: samples.streams[LARGEST]},
        lengths={streams[0]: samples.lengths[LARGEST]},
        pts_seconds={streams[0]: ()},
    )


if __name__ == "__main__":
    main()
