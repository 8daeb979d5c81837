"""How the papers trained backbone and head together, per head, and our recipe for other data.

Numbers of `released` are those of the authors' code: Farabi et al. (WD), Wang et al. (TSA-Net, FR-FS only),
Tang et al. (USDL, MUSDL). Numbers of `paper` are those of the text; where it gives none, the code's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aqa_pipeline.backbones.backbone import Backbone, Variant
from aqa_pipeline.errors import RunError
from heads.recipes.adapted import ADAPTED
from heads.recipes.fine_tuning import PIXELS, FineTuning, tiled_starts
from heads.recipes.recipe import Optimization, Recipe

# The datasets whose windows the papers give.
PAPERS_DATASETS = ("mtl-aqa", "aqa7", "fr-fs")

ADAPTED_EPOCHS, ADAPTED_BATCH = 30, 8
ADAPTED_LAYER_DECAY = 0.75
ADAPTED_BACKBONE_LR = 1e-4
ADAPTED_OPTIMIZATION = Optimization(
    "adamw", lr=1e-3, head_lr=1e-3, weight_decay=0.05, cosine_epochs=ADAPTED_EPOCHS, max_gradient_norm=1.0
)
ADAPTED_SHIFTS = (0, -1, -2, -3, -4, -5, -6)


@dataclass(frozen=True)
class FrameWindows:
    """The window of one paper: its number of frames, where clips start, shifts and mirrored pictures.

    `stride` None sets clips side by side. `num_used` frames from the window's start are in clips.
    """

    num_frames: int
    shifts: tuple[int, ...]
    flip: bool
    stride: int | None = None
    num_used: int | None = None

    def clip_starts(self, frames_per_clip: int) -> tuple[int, ...]:
        """Return where clips of so many frames start."""
        return tiled_starts(self.num_used or self.num_frames, frames_per_clip, stride=self.stride)


# The text takes 96 frames up to one of the last six, the code 100 frames up to 3 before or after the last.
WD_PAPER = FrameWindows(96, shifts=(0, -1, -2, -3, -4, -5), flip=True)
WD_RELEASED = FrameWindows(100, shifts=(0, -3, -2, -1, 1, 2, 3), flip=True, num_used=96)
# The code draws one of the seven windows of 103 frames in 109, and tests on the first one. Here testing takes
# the last one, because the dives of most copies of MTL-AQA have 103 frames, up to their end.
USDL = FrameWindows(103, shifts=(0, -1, -2, -3, -4, -5, -6), flip=True, stride=10)
TSA_PAPER = USDL  # "flip and timing offset"; the code turns both off
TSA_RELEASED = FrameWindows(103, shifts=(0,), flip=False, stride=10)
TSA_STRIDES = {"fr-fs": 16}


@dataclass(frozen=True)
class PaperTraining:
    """How one paper trains the backbone: its windows by variant, and the backbone's learning rate."""

    windows: Mapping[str, FrameWindows]
    backbone_lr: float
    strides: Mapping[str, int]

    def windows_of(self, dataset: str, variant: str) -> FrameWindows:
        """Return the windows of a dataset and a variant; those of `paper` for a variant without its own."""
        windows = self.windows["released" if variant.startswith("released") else "paper"]
        return replace(windows, stride=self.strides.get(dataset, windows.stride))


_WD = PaperTraining({"paper": WD_PAPER, "released": WD_RELEASED}, 1e-5, {})
_USDL = PaperTraining({"paper": USDL, "released": USDL}, 1e-4, {})
_TSA = PaperTraining({"paper": TSA_PAPER, "released": TSA_RELEASED}, 1e-4, TSA_STRIDES)
TRAININGS: Mapping[str, PaperTraining] = {
    **dict.fromkeys(("wd", "wd-average"), _WD),
    **dict.fromkeys(("usdl", "musdl"), _USDL),
    **dict.fromkeys(("tsa", "tsa-x2", "tsa-x3", "tsa-usdl", "tsa-musdl", "nl-net", "plain-net"), _TSA),
}


def fine_tuned_recipe(
    recipe: Recipe, *, head: str, dataset: str, variant: str, backbone: Backbone, num_frames: Sequence[int]
) -> Recipe:
    """Return a head's recipe for stored features as one that trains the backbone, too.

    `num_frames` are the numbers of stored frames of the training videos. Raises `RunError` for a head that no
    paper trains so, for the variant `frozen`, and for stored videos shorter than a paper's window.
    """
    if head not in TRAININGS:
        raise RunError(
            f"{head} cannot be trained together with a backbone: choose one of {', '.join(TRAININGS)}."
        )
    if variant == "frozen":
        raise RunError(
            "the variant frozen leaves the second stage of I3D as it is, but fine-tuning trains all of I3D: "
            "choose the variant paper, with freeze_until for layers that shall not learn."
        )
    fine_tuning = _fine_tuning(TRAININGS[head], dataset, variant, backbone=backbone, num_frames=num_frames)
    num_clips = max(len(fine_tuning.starts_in(each, shift=0)) for each in num_frames)
    tuned = replace(recipe, num_steps={PIXELS: num_clips}, fine_tuning=fine_tuning)
    return _adapted(tuned) if variant == ADAPTED else tuned


def _fine_tuning(
    training: PaperTraining, dataset: str, variant: str, *, backbone: Backbone, num_frames: Sequence[int]
) -> FineTuning:
    from aqa_pipeline.backbones.normalization import Normalization, name_of
    from aqa_pipeline.backbones.preprocess import get_preprocess

    of: Variant = "released" if variant.startswith("released") else "paper"
    preprocess = get_preprocess(backbone.preprocess_name(of))
    frames_per_clip = backbone.frames_per_clip or 1
    windows: FrameWindows | None = training.windows_of(dataset, variant)
    if dataset not in PAPERS_DATASETS:
        windows = _windows_of_others(num_frames, frames_per_clip)
    return FineTuning(
        frames_per_clip=frames_per_clip,
        clip_starts=windows.clip_starts(frames_per_clip) if windows else (),
        num_frames=windows.num_frames if windows else None,
        crop=preprocess.size,
        normalization=name_of(Normalization(preprocess.mean, preprocess.std)),
        backbone_lr=training.backbone_lr,
        shifts=windows.shifts if windows else (0,),
        flip=windows.flip if windows else True,
    )


def _windows_of_others(num_frames: Sequence[int], frames_per_clip: int) -> FrameWindows | None:
    """Return the windows of other datasets: clips side by side, as many as leave six frames to shift by.

    None stands for whole videos: those whose numbers of stored frames differ.
    """
    shortest, longest = min(num_frames), max(num_frames)
    if shortest < longest:
        return None
    spare = len(ADAPTED_SHIFTS) - 1
    window = max(1, (longest - spare) // frames_per_clip) * frames_per_clip
    return FrameWindows(window, shifts=ADAPTED_SHIFTS, flip=True)


def _adapted(recipe: Recipe) -> Recipe:
    """Return the recipe for data that no paper trained on.

    Batches are small, so BatchNorm keeps its statistics, and clips go through the backbone together. Early
    layers, which see what all videos share, learn slower. Learning rates end at 0, which settles the weights
    as a moving average of them would.
    """
    assert recipe.fine_tuning is not None
    fine_tuning = replace(
        recipe.fine_tuning,
        backbone_lr=ADAPTED_BACKBONE_LR,
        batchnorm="frozen-statistics",
        clip_passing="packed",
        layer_decay=ADAPTED_LAYER_DECAY,
        flip=True,
        random_crop=True,
    )
    return replace(
        recipe,
        epochs=ADAPTED_EPOCHS,
        batch_size=ADAPTED_BATCH,
        optimization=ADAPTED_OPTIMIZATION,
        windows="paper",
        frozen=(),
        adaptation=None,
        fine_tuning=fine_tuning,
    )


def from_scratch(recipe: Recipe, *, in_turn: bool) -> Recipe:
    """Return the adapted recipe for a backbone with random weights.

    Statistics of random weights say nothing, so BatchNorm takes those of each batch. No layer knows anything
    yet, so all learn as fast as the head. `in_turn` sends one clip of each video at a time.
    """
    assert recipe.fine_tuning is not None
    fine_tuning = replace(
        recipe.fine_tuning,
        backbone_lr=recipe.optimization.lr,
        batchnorm="train",
        clip_passing="in-turn" if in_turn else "packed",
        layer_decay=1.0,
    )
    return replace(recipe, fine_tuning=fine_tuning)
