"""How GDLT and CoFInAl are trained: the numbers of their released code, which both texts follow.

GDLT: github.com/xuangch/CVPR22_GDLT, CoFInAl: github.com/ZhouKanglei/CoFInAl_AQA. Both keep the epoch that is
best on the test set; here the last one counts. For Fis-V they name no crop but that of Rhythmic Gymnastics,
and GDLT no epochs. Both divide every score by 25, also the scores of Fis-V, which reach 45.
"""

from statistics import median
from typing import Any

from heads.recipes.papers import WINDOW_SHARE
from heads.recipes.recipe import Optimization, Recipe, StreamSteps, Unit, Windows

CROP_STEPS = 68
CROPPED_DATASETS = ("rhythmic-gymnastics", "fis-v")
GDLT_EPOCHS = {"ball": 250, "clubs": 400, "hoop": 500, "ribbon": 150}
COFINAL_EPOCHS = {"ball": 250, "clubs": 400, "hoop": 300, "ribbon": 150}
FIS_V_EPOCHS = 200  # of CoFInAl
OTHER_EPOCHS = 250

# The released script asks for this width for Fis-V, but the released network cannot be run with it: two of
# its layers do not fit. Here they do.
FIS_V_NETWORK: dict[str, Any] = {
    "grades": "signed",
    "triplet_weight": 0.5,
    "width": 448,
    "num_heads": 7,
}
RHYTHMIC_GYMNASTICS_NETWORKS: dict[str, dict[str, Any]] = {
    "ball": {"grades": "skewed"},
    "clubs": {"grades": "signed"},
    "hoop": {"grades": "skewed", "with_positives": False},
    "ribbon": {"grades": "signed"},
}


def gdlt_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return GDLT's recipe; a dataset that is not the authors' gets Ball's with windows of its own length."""
    epochs = GDLT_EPOCHS.get(split.lower(), OTHER_EPOCHS) if _is_gymnastics(dataset) else OTHER_EPOCHS
    return _recipe(dataset, variant, steps, epochs=epochs)


def cofinal_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return CoFInAl's recipe, with the values of grades and the triplet loss of the dataset and split."""
    epochs, network = OTHER_EPOCHS, {}
    if dataset == "fis-v":
        epochs, network = FIS_V_EPOCHS, FIS_V_NETWORK
    elif _is_gymnastics(dataset):
        epochs = COFINAL_EPOCHS.get(split.lower(), OTHER_EPOCHS)
        network = RHYTHMIC_GYMNASTICS_NETWORKS.get(split.lower(), {})
    return _recipe(dataset, variant, steps, epochs=epochs, loss="coarse-to-fine", network=network)


def _is_gymnastics(dataset: str) -> bool:
    return dataset == "rhythmic-gymnastics"


def _recipe(dataset: str, variant: str, steps: StreamSteps, *, epochs: int, **changes: Any) -> Recipe:
    windows: Windows = "cropped" if variant == "released" else "paper"
    unit: Unit = "25-points" if variant == "released" and dataset in CROPPED_DATASETS else "range"
    return Recipe(
        epochs=epochs,
        batch_size=32,
        num_steps=_windows_of(dataset, steps),
        optimization=Optimization(
            "sgd",
            lr=0.01,
            head_lr=0.01,
            momentum=0.9,
            weight_decay=1e-4,
            cosine_epochs=epochs,
            cosine_floor=0.01,
            warm_up=False,
        ),
        windows=windows,
        unit=unit,
        **changes,
    )


def _windows_of(dataset: str, steps: StreamSteps) -> dict[str, int]:
    """Return 68 steps on the authors' datasets, if half the training videos have as many.

    Else it is nine tenths of the median training video.
    """
    windows = {}
    for stream, lengths in steps.items():
        middle = median(lengths)
        is_authors = dataset in CROPPED_DATASETS and middle >= CROP_STEPS
        windows[stream] = CROP_STEPS if is_authors else max(1, round(WINDOW_SHARE * middle))
    return windows
