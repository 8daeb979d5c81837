"""Two training steps of backbone and head together give the numbers of the authors' code, in float64.

Recipes, networks, groups of the optimizer and losses are ours. Weights, by official name, and inputs are
those of the golden folder, whose notes say what differs from a real training: few clips, no dropout.
"""

import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.athlete.tube_masks import PictureGeometry, released_frame_masks, union_of_frames
from aqa_pipeline.backbones import get_backbone
from heads.models.fine_tuned import FineTuned, build_fine_tuned
from heads.models.output import HeadOutput
from heads.recipes import Recipe
from heads.recipes.fine_tuned import fine_tuned_recipe
from heads.registry import find_head
from heads.training.methods.losses import losses_of
from heads.training.methods.optimizer import make_optimizer

RELATIVE = 1e-6
# The authors' names of our entries: the module, whose name salts its weights, and their own name.
NAMES = {
    "wd": (
        (r"^backbone\.stem\.", "cnn.features.0."),
        (r"^backbone\.layer(\d)\.", r"cnn.features.\1."),
        (r"^head\.regressor\.embedding\.0\.", "fc.fc1."),
        (r"^head\.regressor\.embedding\.2\.", "fc.fc2."),
        (r"^head\.regressor\.score\.", "reg.fc_final_score."),
        (r"^head\.decide\.network\.0\.", "att.fc1."),
        (r"^head\.decide\.network\.3\.", "att.fc2."),
        (r"^head\.decide\.network\.6\.", "att.fc3."),
        (r"^head\.decide\.network\.9\.", "att.fc4."),
    ),
    "i3d": (
        (r"^(backbone|head\.second_stage)\.", "i3d."),
        (r"^head\.attention\.", "tsa."),
        (r"^head\.regressor\.layers\.1\.", "evaluator.evaluator.layer1."),
        (r"^head\.regressor\.layers\.4\.", "evaluator.evaluator.layer2."),
        (r"^head\.regressor\.layers\.7\.", "evaluator.evaluator.layer3."),
    ),
}
SCALES = {"fc_final_score.weight": 0.1, "evaluator.layer3.weight": 0.05, "NL_1D.W.1.weight": 0.2}


@dataclass(frozen=True)
class Case:
    """One entry of the golden file: head, backbone, two videos of noise with their clips and targets."""

    head: str
    dataset: str
    backbone: str
    seeds: tuple[int, int]
    num_frames: int
    clip_starts: tuple[int, ...]
    targets: tuple[float, float]
    outputs: Callable[[HeadOutput], Tensor] = lambda output: output.scores
    eval_outputs: Callable[[HeadOutput], Tensor] = lambda output: output.scores
    weight_decay: float | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of the released code, with the weight decay of the golden numbers."""
        kind = find_head(self.head)
        steps = {kind.streams[0]: [len(self.clip_starts)]}
        recipe = kind.choose_recipe(self.dataset, "official", "released", steps)
        if self.weight_decay is not None:
            recipe = recipe.with_optimization(weight_decay=self.weight_decay)
        return fine_tuned_recipe(
            recipe,
            head=self.head,
            dataset=self.dataset,
            variant="released",
            backbone=get_backbone(self.backbone),
            num_frames=[109],
        )

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return NAMES["wd" if self.head == "wd" else "i3d"]


CASES = {
    "wd_end_to_end": Case("wd", "mtl-aqa", "r2plus1d_34_ig65m_8", (35, 36), 16, (0, 8), (3.0, 5.0)),
    "usdl_i3d_end_to_end": Case(
        "usdl",
        "mtl-aqa",
        "i3d-tsa-net",
        (31, 32),
        36,
        (0, 10, 20),
        (50 / 104.5, 80 / 104.5),
        outputs=lambda output: 100 * output.scores,
        eval_outputs=lambda output: logits_of(output).softmax(dim=1)[0, :8],
        weight_decay=1e-5,
    ),
    "tsa_net_end_to_end": Case("tsa", "fr-fs", "i3d-tsa-net", (33, 34), 48, (0, 16, 32), (1.0, 0.0)),
}


def logits_of(output: HeadOutput) -> Tensor:
    assert output.logits is not None
    return output.logits


def official_name(ours: str, case: Case) -> str:
    for pattern, official in case.names:
        ours = re.sub(pattern, official, ours)
    return ours


def build(case: Case, recipe: Recipe, inputs: ModuleType) -> FineTuned:
    """Return the network in float64 with the golden weights; pixels pass its normalization as they are."""
    kind, backbone = find_head(case.head), get_backbone(case.backbone)
    assert recipe.fine_tuning is not None
    module = build_fine_tuned(
        backbone.build(),
        lambda dims: kind.build(dims, "released"),
        backbone=backbone,
        variant="released",
        reads_maps=kind.reads_maps,
        fine_tuning=recipe.fine_tuning,
    ).double()
    normalization = {"mean": torch.zeros(3), "std": torch.full((3,), 1 / 255, dtype=torch.double)}
    state = {
        name: normalization[name]
        if name in normalization
        else weight(official_name(name, case), value, inputs)
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state)
    for each in module.modules():
        if isinstance(each, nn.Dropout):
            each.p = 0.0
    return module


def weight(name: str, like: Tensor, inputs: ModuleType) -> Tensor:
    module, _, key = name.partition(".")
    if module == "cnn":  # the backbone's weights go by torchvision's names
        key = re.sub(r"^features\.(\d)\.", lambda at: f"layer{at[1]}." if at[1] != "0" else "stem.", key)
    salt = "" if module in ("cnn", "i3d") else f"{module}:"
    value = torch.from_numpy(np.asarray(inputs.weight(salt + key, tuple(like.shape))))
    return value.to(like.dtype) * SCALES[key] if key in SCALES else value.to(like.dtype)


def pictures(case: Case, frames_per_clip: int, size: int, inputs: ModuleType) -> Tensor:
    """Return the clips `(video, clip, 3, frame, height, width)` of both videos."""
    videos = np.concatenate([inputs.clip(case.num_frames, size, seed) for seed in case.seeds])
    clips = [videos[:, :, start : start + frames_per_clip] for start in case.clip_starts]
    return torch.from_numpy(np.stack(clips, axis=1)).double()


def tubes(case: Case) -> Tensor:
    """Return the tubes of the two boxes that the golden note gives, frame by frame, in 640x360 pixels."""
    t = np.arange(case.num_frames)
    first = (200 + 2 * t, 100, 300 + 2 * t, 100, 300 + 2 * t, 260, 200 + 2 * t, 260)
    second = (400 - 3 * t, 60 + t, 520 - 3 * t, 60 + t, 520 - 3 * t, 300, 400 - 3 * t, 300)
    corners = np.array([[np.broadcast_to(each, t.shape) for each in box] for box in (first, second)], float)
    quads = corners.swapaxes(1, 2).reshape(2, -1, 4, 2)
    frames = np.add.outer(case.clip_starts, np.arange(16))
    masks = released_frame_masks(quads[:, frames], PictureGeometry((640, 360)), False)
    return torch.from_numpy(union_of_frames(masks))


@pytest.fixture(scope="module")
def golden_folder(shared: Path) -> Path:
    return shared / "golden"


@pytest.fixture(scope="module")
def inputs(golden_folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_inputs", golden_folder / "golden_inputs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(got: Tensor | float, expected: Any) -> None:
    values = torch.as_tensor(got, dtype=torch.double).detach()
    np.testing.assert_allclose(values.numpy(), np.asarray(expected, float), rtol=RELATIVE, atol=0)


@pytest.mark.slow
@pytest.mark.xdist_group("authors-steps")  # they need gigabytes, so that one worker runs them in turn
@pytest.mark.usefixtures("weightless")
@pytest.mark.parametrize("name", CASES)
def test_two_steps_are_those_of_the_authors(name: str, golden_folder: Path, inputs: ModuleType) -> None:
    case = CASES[name]
    expected = json.loads((golden_folder / "end_to_end_golden.json").read_text())[name]
    recipe = case.recipe
    assert recipe.fine_tuning is not None
    module = build(case, recipe, inputs)
    tuning = recipe.fine_tuning
    features = {"pixels": pictures(case, tuning.frames_per_clip, tuning.crop, inputs)}
    if case.head == "tsa":
        features["pixels.tube"] = tubes(case)
    masks = {"pixels": torch.ones(2, len(case.clip_starts), dtype=torch.bool)}
    optimizer = make_optimizer(module, recipe.optimization, tuning)
    theirs = named_by_authors(module, case)
    module.train()
    for step in range(2):
        output: HeadOutput = module(features, masks)
        loss = losses_of(output, torch.tensor(case.targets, dtype=torch.double), recipe=recipe).mean()
        check(case.outputs(output), expected["train_outputs"][step])
        check(loss, expected["losses"][step])
        optimizer.zero_grad()
        loss.backward()
        after = expected["after_step"][step]
        for each, value in after.items():
            check(theirs[each].grad.norm(), value["grad_norm"])
        optimizer.step()
        for each, value in after.items():
            check(theirs[each].flatten()[:4], value["first"])
    for each, value in expected["running"].items():
        check(theirs[each].mean(), value["mean"])
        check(theirs[each].flatten()[:4], value["first"])
    module.eval()
    with torch.no_grad():
        check(case.eval_outputs(module(features, masks)), expected["eval_outputs"])


def named_by_authors(module: nn.Module, case: Case) -> Mapping[str, Tensor]:
    entries = [*module.named_parameters(), *module.named_buffers()]
    return {official_name(name, case): value for name, value in entries}
