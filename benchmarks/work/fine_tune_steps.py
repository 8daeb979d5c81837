"""One training step of each paper's recipe, its time and its memory, in a process of its own."""

import multiprocessing
import resource
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aqa_pipeline.backbones.registry import get_backbone
from benchmarks.machine import highest_rate
from benchmarks.rows import Row
from heads.recipes import FineTuning, Recipe
from heads.recipes.fine_tuned import fine_tuned_recipe
from heads.registry import find_head
from heads.runs.run_config import Precision
from heads.training.methods.losses import losses_of
from heads.training.methods.optimizer import make_optimizer
from heads.training.planning.fine_tuning import join

DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
WARM_UP = {"cpu": 0, "cuda": 2}  # steps before the one that is measured
GRID_CELL = 16  # pixels of the picture under one grid position of I3D's maps


@dataclass(frozen=True)
class Step:
    """The released recipe of a head for MTL-AQA on a backbone, at full size or `small`.

    `clip_gmac` is the counted cost of one clip, forward and backward.
    """

    head: str
    backbone: str
    clip_gmac: float
    device: str = "cpu"
    precision: Precision = "fp32"
    threads: int = 1
    small: bool = False

    @property
    def what(self) -> str:
        """The name of its row."""
        size = "small" if self.small else "full size"
        return f"training step of {self.head} on {self.backbone}, {size}, {self.precision}, {self.device}"

    @property
    def recipe(self) -> Recipe:
        """The recipe; a small one has one video of one clip of 64 x 64 pixels."""
        kind = find_head(self.head)
        recipe = fine_tuned_recipe(
            kind.choose_recipe("mtl-aqa", "official", "released", {"pixels": (1,)}),
            head=self.head,
            dataset="mtl-aqa",
            variant="released",
            backbone=get_backbone(self.backbone),
            num_frames=[109],
        )
        if not self.small:
            return recipe
        assert recipe.fine_tuning is not None
        return replace(
            recipe, batch_size=1, fine_tuning=replace(recipe.fine_tuning, clip_starts=(0,), crop=64)
        )

    @property
    def gmac(self) -> float:
        """The counted cost of the step."""
        recipe = self.recipe
        assert recipe.fine_tuning is not None
        return self.clip_gmac * recipe.batch_size * len(recipe.fine_tuning.clip_starts)


STEPS = (
    Step("wd", "r2plus1d_34_ig65m_32", 456.4),
    Step("tsa", "i3d-tsa-net", 76.8),
    Step("usdl", "i3d-tsa-net", 76.8),
)


@dataclass(frozen=True)
class Measured:
    """The seconds of a step, and the memory in GB that it takes beyond network and pictures."""

    seconds: float
    memory: float


def row_of(step: Step) -> Row:
    """Return the row of a step."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        measured = pool.apply(measure, (step,))
    ceiling = highest_rate(DTYPES[step.precision], step.device)
    share = 2 * step.gmac / measured.seconds / ceiling
    return Row(
        what=step.what,
        at_least="",
        reached=f"{measured.seconds:.2f} s",
        plain="",
        ours=f"{measured.memory:.1f} GB of memory",
        ceiling="" if step.small else f"{share:.0%} of {ceiling:.0f} GFLOP/s",
    )


def measure(step: Step) -> Measured:
    """Return what a step takes; on a GPU two steps go before it."""
    torch.set_num_threads(step.threads)
    recipe, backbone = step.recipe, get_backbone(step.backbone)
    fine_tuning = recipe.fine_tuning
    assert fine_tuning is not None
    network, kind = backbone.build(), find_head(step.head)
    module = join(network, kind, "released", backbone=backbone, fine_tuning=fine_tuning).to(step.device)
    optimizer = make_optimizer(module, recipe.optimization, fine_tuning)
    features, masks = random_batch(fine_tuning, recipe.batch_size, device=step.device)
    targets = torch.rand(recipe.batch_size, device=step.device)
    module.train()

    def once() -> None:
        optimizer.zero_grad()
        with torch.autocast(step.device, torch.bfloat16, enabled=step.precision == "bf16"):
            losses = losses_of(module(features, masks), targets, recipe=recipe)
        losses.mean().backward()
        optimizer.step()
        if step.device != "cpu":
            torch.cuda.synchronize()

    before = _peak_gb(step.device)
    for _ in range(WARM_UP[step.device]):
        once()
    start = time.perf_counter()
    once()
    return Measured(time.perf_counter() - start, _peak_gb(step.device) - before)


def random_batch(
    fine_tuning: FineTuning, batch: int, *, device: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return pictures of noise on the device, and tubes and masks of one batch."""
    num_clips, length, side = len(fine_tuning.clip_starts), fine_tuning.frames_per_clip, fine_tuning.crop
    clips = torch.randint(0, 256, (batch, num_clips, 3, length, side, side), dtype=torch.uint8)
    grid = side // GRID_CELL
    tubes = torch.zeros((batch, num_clips, length // 4, grid, grid), dtype=torch.bool)
    tubes[..., grid // 4 : grid // 2 + 1, grid // 3 : grid // 2 + 1] = True
    mask = torch.ones((batch, num_clips), dtype=torch.bool)
    return {"pixels": clips.to(device), "pixels.tube": tubes}, {"pixels": mask}


def _peak_gb(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
