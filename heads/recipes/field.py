"""How the heads of other papers of the field are trained: plain numbers with their sources."""

from math import ceil
from statistics import median

from heads.recipes.papers import WINDOW_SHARE
from heads.recipes.recipe import Optimization, Recipe, StreamSteps, whole_videos


def core_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """CoRe: Adam at 1e-3 for its tree without decay, 200 epochs; two batches of one pair make a step.

    The code adds the gradients of two pairs. Here their mean is taken, which is the same to Adam.
    """
    return Recipe(
        epochs=200,
        batch_size=2,
        num_steps=whole_videos(steps),
        optimization=Optimization("adam", lr=1e-3, head_lr=1e-3),
        loss="released-leaves" if variant == "released" else "leaves",
    )


def dae_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """DAE: Adam at 1e-4, decay 1e-5, batches of 8, 100 epochs, the likelihood of a normal distribution.

    The released loss grows with the precision and falls with the error, so that it rewards errors
    (`heads/training/methods/losses.py`). It is kept in the variant `released`, which learns nothing by it.
    """
    return Recipe(
        epochs=100,
        batch_size=8,
        num_steps=whole_videos(steps),
        optimization=Optimization("adam", lr=1e-4, head_lr=1e-4, weight_decay=1e-5),
        loss="released-likelihood" if variant == "released" else "likelihood",
        unit="deviation",
    )


# Steps of the windows, and as many queries: 32 frames a step.
UIL_AQA_STEPS = {"rhythmic-gymnastics": 68, "fis-v": 136}
UIL_AQA_BATCHES = {"rhythmic-gymnastics": 48}


def uil_aqa_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """UIL-AQA: Adam at 1e-4, decay 1e-5, 1000 epochs in batches of 48 (Fis-V: 32).

    The code divides the learning rate by 10 after every 400 batches, not epochs. Here the epoch in which they
    end is trained at the old rate.
    """
    num_videos = max(map(len, steps.values()), default=1)
    batch_size = UIL_AQA_BATCHES.get(dataset, 32)
    batches = max(1, ceil(num_videos / batch_size))
    num_steps = {
        stream: UIL_AQA_STEPS.get(dataset) or max(1, round(WINDOW_SHARE * median(lengths)))
        for stream, lengths in steps.items()
    }
    return Recipe(
        epochs=1000,
        batch_size=batch_size,
        num_steps=num_steps,
        optimization=Optimization(
            "adam", lr=1e-4, head_lr=1e-4, weight_decay=1e-5, milestones=_each(400 / batches, 1000), gamma=0.1
        ),
        windows="released" if variant == "released" else "paper",
        network={"num_queries": max(num_steps.values(), default=1)},
    )


def _each(period: float, epochs: int) -> tuple[int, ...]:
    """Return the multiples of a period below the number of epochs, rounded up."""
    return tuple(ceil(period * number) for number in range(1, ceil(epochs / period)))
