"""How the heads of other papers of the field are trained: plain numbers with their sources."""

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
