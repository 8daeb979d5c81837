"""How the papers fine-tune their backbones, by the numbers of text and code, and our recipe."""

import json
from dataclasses import asdict, replace

import pytest
from pydantic import TypeAdapter

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.normalization import get_normalization
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.errors import RunError
from heads.recipes import FineTuning, Recipe
from heads.recipes.fine_tuned import TRAININGS, fine_tuned_recipe, from_scratch
from heads.recipes.fine_tuning import tiled_starts
from heads.registry import OURS, find_head

STARTS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 87)
STORED = [109] * 40


def recipe_of(
    head: str,
    variant: str,
    *,
    dataset: str = "mtl-aqa",
    backbone: str = "i3d-tsa-net",
    num_frames: list[int] = STORED,
) -> Recipe:
    kind = find_head(head)
    kind.check_variant(variant)
    steps = dict.fromkeys(kind.streams, [10] * len(num_frames))
    recipe = kind.choose_recipe(dataset, "official", variant, steps)
    return fine_tuned_recipe(
        recipe,
        head=head,
        dataset=dataset,
        variant=variant,
        backbone=get_backbone(backbone),
        num_frames=num_frames,
    )


def tuned(recipe: Recipe) -> FineTuning:
    assert recipe.fine_tuning is not None
    return recipe.fine_tuning


def rates(recipe: Recipe) -> tuple[float, float, float]:
    return tuned(recipe).backbone_lr, recipe.optimization.lr, recipe.optimization.head_lr


@pytest.mark.parametrize(
    ("backbone", "starts"),
    [("r2plus1d_34_ig65m_32", (0, 32, 64)), ("r2plus1d_34_hara", tuple(range(0, 96, 16))),
     ("r2plus1d_34_ig65m_8", tuple(range(0, 96, 8)))],
)  # fmt: skip
def test_weight_decider_as_released(backbone: str, starts: tuple[int, ...]) -> None:
    recipe = recipe_of("wd", "released", backbone=backbone)
    its = tuned(recipe)
    assert (its.clip_starts, its.num_frames) == (starts, 100)
    assert recipe.num_steps == {"pixels": len(starts)}
    assert its.shifts[0] == 0
    assert sorted(its.shifts) == [-3, -2, -1, 0, 1, 2, 3]
    assert (its.flip, its.random_crop, its.crop, its.normalization) == (True, False, 112, "imagenet")
    assert (its.batchnorm, its.clip_passing) == ("train", "in-turn")
    assert rates(recipe) == (1e-5, 1e-5, 1e-4)
    assert (recipe.epochs, recipe.batch_size, recipe.loss) == (50, 2, "l2+l1")


def test_weight_decider_by_the_text() -> None:
    """Parts that start at random learn at 1e-4; one of the last six frames is the end of 96."""
    recipe = recipe_of("wd", "paper", backbone="r2plus1d_34_ig65m_32")
    its = tuned(recipe)
    assert rates(recipe) == (1e-5, 1e-4, 1e-4)
    assert (its.num_frames, its.clip_starts, its.shifts) == (96, (0, 32, 64), (0, -1, -2, -3, -4, -5))
    assert (its.flip, its.normalization) == (True, "kinetics")
    average = recipe_of("wd-average", "paper", backbone="r2plus1d_34_ig65m_32")
    assert tuned(average) == its


@pytest.mark.parametrize(
    ("head", "decay", "loss"), [("usdl", 0.0, "distribution"), ("musdl", 1e-5, "judges")]
)
def test_usdl_as_released(head: str, decay: float, loss: str) -> None:
    recipe = recipe_of(head, "released")
    its = tuned(recipe)
    assert (its.frames_per_clip, its.num_frames, its.clip_starts) == (16, 103, STARTS)
    assert (its.flip, its.crop, its.normalization) == (True, 224, "imagenet")
    assert (its.batchnorm, its.clip_passing) == ("train", "in-turn")
    assert rates(recipe) == (1e-4, 1e-4, 1e-4)
    assert (recipe.epochs, recipe.batch_size, recipe.loss) == (100, 4, loss)
    assert recipe.optimization.weight_decay == decay
    # One of the seven windows of 103 frames in 109; testing takes the last.
    assert [its.starts_in(109, shift=shift)[0] for shift in its.shifts] == [6, 5, 4, 3, 2, 1, 0]
    assert its.starts_in(103, shift=its.shifts[0]) == STARTS


def test_tsa_net_by_code_and_text() -> None:
    released, paper = (recipe_of("tsa", each, dataset="fr-fs") for each in ("released", "paper"))
    assert tuned(released).clip_starts == (0, 16, 32, 48, 64, 80, 87)
    assert (tuned(released).shifts, tuned(released).flip) == ((0,), False)
    assert tuned(released).normalization == "imagenet"
    assert (len(tuned(paper).shifts), tuned(paper).flip) == (7, True)
    for recipe in (released, paper):
        assert rates(recipe) == (1e-4, 1e-4, 1e-4)
        assert recipe.optimization.weight_decay == 1e-5
        assert (recipe.batch_size, recipe.epochs) == (4, 20)
    dives = recipe_of("tsa", "paper")
    assert (dives.epochs, tuned(dives).clip_starts) == (100, STARTS)


@pytest.mark.parametrize("head", TRAININGS)
def test_adapted_recipes_of_every_head(head: str) -> None:
    recipe = recipe_of(head, "adapted", dataset="folder")
    its = tuned(recipe)
    assert (its.batchnorm, its.clip_passing, its.layer_decay) == ("frozen-statistics", "packed", 0.75)
    assert (its.flip, its.random_crop) == (True, True)
    assert (recipe.optimization.optimizer, recipe.optimization.max_gradient_norm) == ("adamw", 1.0)
    assert recipe.optimization.cosine_epochs == recipe.epochs
    assert (recipe.adaptation, recipe.frozen, recipe.windows) == (None, (), "paper")
    assert its.clip_starts == tuple(range(0, 96, 16))


@pytest.mark.parametrize(("in_turn", "order"), [(False, "packed"), (True, "in-turn")])
def test_random_weights_learn_as_fast_as_the_head_with_their_own_statistics(
    in_turn: bool, order: str
) -> None:
    recipe = from_scratch(recipe_of("wd", "adapted", dataset="folder"), in_turn=in_turn)
    its = tuned(recipe)
    assert (its.batchnorm, its.clip_passing, its.layer_decay) == ("train", order, 1.0)
    assert rates(recipe) == (1e-3, 1e-3, 1e-3)
    assert replace(its, checkpoint_activations=in_turn).checkpoint_activations == in_turn


def test_clips_of_other_datasets_stand_side_by_side() -> None:
    """As many clips of the backbone's length as fit, with six frames to shift by; a short video has one."""
    for stored, frames, backbone in ((109, 96, "i3d"), (40, 32, "i3d"), (109, 96, "r2plus1d_34_ig65m_32")):
        its = tuned(recipe_of("wd", "adapted", dataset="folder", backbone=backbone, num_frames=[stored] * 9))
        assert its.num_frames == frames
        assert its.clip_starts == tuple(range(0, frames, its.frames_per_clip))
    assert tuned(recipe_of("wd", "paper", dataset="folder", num_frames=[5] * 9)).clip_starts == (0,)


def test_videos_of_different_lengths_are_seen_whole() -> None:
    recipe = recipe_of("wd", "adapted", dataset="folder", num_frames=[40, 20, 64, 9])
    its = tuned(recipe)
    assert (its.num_frames, its.clip_starts, its.shifts) == (None, (), (0,))
    assert its.starts_in(40, shift=0) == (0, 16, 24)
    assert its.starts_in(9, shift=0) == (-7,)
    assert recipe.num_steps == {"pixels": 4}


def test_images_are_clips_of_one_frame() -> None:
    its = tuned(recipe_of("wd", "adapted", dataset="folder", backbone="resnet18", num_frames=[14] * 9))
    assert (its.frames_per_clip, its.clip_starts) == (1, tuple(range(8)))


def test_every_statistic_of_a_backbone_has_a_name() -> None:
    for backbone in ("c3d", "r3d_34_hara", "mvit_v2_s", "swin3d_t", "lite0", "r3d_18"):
        name = tuned(recipe_of("wd", "adapted", backbone=backbone)).normalization
        found, expected = get_normalization(name), get_preprocess(get_backbone(backbone).preprocess["paper"])
        assert (found.mean, found.std) == (expected.mean, expected.std), backbone


def test_what_no_paper_trains_is_refused() -> None:
    assert set(TRAININGS) <= set(OURS)
    with pytest.raises(RunError, match=r"ridge cannot be trained together with a backbone: choose one of wd"):
        recipe_of("ridge", "adapted")
    with pytest.raises(RunError, match="variant frozen leaves the second stage"):
        recipe_of("tsa", "frozen")


def test_recipes_go_through_json() -> None:
    recipe = recipe_of("wd", "released", backbone="r2plus1d_34_ig65m_32")
    written = json.dumps(asdict(recipe))
    assert TypeAdapter(Recipe).validate_json(written, strict=True) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clip_starts": (0, 8)}, r"do not lie within a window of 16 frames"),
        ({"clip_starts": (-1,)}, r"do not lie within a window"),
        ({"clip_starts": ()}, r"expected at least one, from 0 on"),
        ({"num_frames": None}, r"expected no clip_starts"),
        ({"shifts": ()}, r"at least one shift"),
        ({"crop": 0}, r"pixel of a crop"),
        ({"layer_decay": 0.0}, r"expected a layer_decay above 0"),
        ({"backbone_lr": -1.0}, r"no negative learning rate"),
        ({"ema": 1.0}, r"an ema from 0 to below 1"),
        ({"checkpoint_activations": True, "clip_passing": "packed"}, r'choose clip_passing "in-turn"'),
    ],
)
def test_impossible_fine_tuning_is_refused(change: dict, message: str) -> None:
    whole = FineTuning(
        frames_per_clip=16,
        clip_starts=(0,),
        num_frames=16,
        crop=112,
        normalization="imagenet",
        backbone_lr=1e-4,
    )
    with pytest.raises(ValueError, match=message):
        replace(whole, **change)


@pytest.mark.parametrize(
    ("num_frames", "stride", "starts"),
    [
        (96, None, (0, 16, 32, 48, 64, 80)),
        (103, 10, STARTS),
        (16, None, (0,)),
        (17, None, (0, 1)),
        (13, 10, (-3,)),
    ],
)
def test_where_clips_start(num_frames: int, stride: int | None, starts: tuple[int, ...]) -> None:
    assert tiled_starts(num_frames, 16, stride=stride) == starts
