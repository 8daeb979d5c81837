"""Measure attention within tubes: ours, eq. 4-6 as written, and the dense block, in one run.

    python -m benchmarks.tube_attention               4 videos, 40 steps of 14x14 x 528, forward + backward
    python -m benchmarks.tube_attention --dense       with the dense non-local block, which takes minutes
    python -m benchmarks.tube_attention --frozen      maps need no gradient: a frozen first stage, one block

Every way has the same weights and the same maps. Compare ratios; milliseconds depend on the machine.
"""

import argparse
import statistics
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from aqa_pipeline.athlete.tube_masks import paper_frame_masks, union_of_frames
from aqa_pipeline.text_table import format_table
from benchmarks.rows import Row, add_json_option, in_turn, milliseconds, publish, times_as_fast
from heads.models.tube_attention import TubeAttention
from heads.models.tube_attention.cost import Block, full_count, paper_count, paper_positions
from heads.models.tube_attention.paper import CHANNELS, Computation
from heads.tables.papers.tsa_net import SPORTS
from heads.tables.papers.tsa_net_cost import MTL_TSA_GIGA, TSA_GIGA

VIDEOS, CLIPS, FRAMES = 4, 10, 16
GRID = 14 * 14
OCCUPANCIES = (0.05, 0.10, 0.25, 0.50)
AS_WRITTEN = "eq. 4-6 as written"
AT_LEAST = {0.05: "1.0x", 0.25: "2.9x", 0.50: "5.6x"}  # times as fast as written
# G multiply-adds of TSA-Net by sport, from Tables 3 and 5 of the paper.
PAPER_GIGA = {title: TSA_GIGA[sport] for sport, title in SPORTS.items()} | {"MTL-AQA": MTL_TSA_GIGA}


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.rounds} rounds in turn")
    print(f"{VIDEOS} videos x {CLIPS * FRAMES // 4} steps x 14x14 x {CHANNELS} channels, fp32\n")
    publish(rows_of(arguments), arguments.json)
    print_costs()


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--frozen", action="store_true")
    parser.add_argument(
        "--channels-first", action="store_true", help="in memory; by default channels are last"
    )
    parser.add_argument("--occupancy", type=float, action="append", help="share of all positions; repeatable")
    add_json_option(parser)
    return parser.parse_args()


def rows_of(arguments: argparse.Namespace) -> list[Row]:
    """Return a row per occupancy and plain way."""
    rows = []
    for occupancy in arguments.occupancy or OCCUPANCIES:
        masks = tubes(occupancy)
        times = measure(masks, arguments)
        share = float(masks.float().mean())
        rows += [
            Row(
                what=f"tube attention, forward + backward, {share:.0%} occupied, against {plain}",
                at_least=AT_LEAST.get(occupancy, "") if plain == AS_WRITTEN else "",
                reached=times_as_fast(times[plain], times["ours"]),
                plain=milliseconds(times[plain]),
                ours=milliseconds(times["ours"]),
            )
            for plain in times
            if plain != "ours"
        ]
    return rows


def tubes(occupancy: float) -> Tensor:
    """Return masks of moving upright boxes that fill that share of the grid positions.

    The union over four frames is larger than a box. The box's side is found by bisection.
    """
    low, high = 0.0, 224.0
    for _ in range(30):
        side = (low + high) / 2
        masks = boxes_of_side(side)
        low, high = (side, high) if masks.mean() < occupancy else (low, side)
    return torch.from_numpy(boxes_of_side(high))


def boxes_of_side(side: float) -> np.ndarray:
    """Return bool masks (video, clip, time, 14, 14) of boxes in a 224x224 picture."""
    rng = np.random.default_rng(0)
    frames = np.linspace(0, 2 * np.pi, CLIPS * FRAMES)
    phases, reach = rng.uniform(0, 2 * np.pi, (VIDEOS, 1, 2)), (224 - side) / 2
    corner = reach * (1 + np.sin(frames[None, :, None] * [1, 2] + phases))
    offsets = side * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    quads = (corner[:, :, None] + offsets).reshape(VIDEOS, CLIPS, FRAMES, 4, 2)
    return union_of_frames(paper_frame_masks(quads))


def measure(masks: Tensor, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return the seconds of a forward and a backward pass, each way in turn."""
    maps = features(channels_last=not arguments.channels_first)
    computations: dict[str, tuple[Computation, bool]] = {
        "ours": ("cheapest", False),
        AS_WRITTEN: ("as-written", False),
    }
    if arguments.dense:
        computations["the dense block"] = ("as-written", True)
    state = trained_state()
    ways = {
        name: step(
            trained_block(computation, everywhere=everywhere, state=state), maps, masks, arguments.frozen
        )
        for name, (computation, everywhere) in computations.items()
    }
    return in_turn(ways, rounds=arguments.rounds)


def features(*, channels_last: bool) -> Tensor:
    """Return maps of I3D's size, half of them zero as after a ReLU."""
    generator = torch.Generator().manual_seed(0)
    shape = (VIDEOS, CLIPS, 4, 14, 14, CHANNELS)
    maps = torch.randn(shape, generator=generator).relu_().movedim(-1, 2)
    return maps if channels_last else maps.contiguous()


def trained_state() -> dict[str, Tensor]:
    """Return weights without zeros; W_z starts as zero."""
    torch.manual_seed(0)
    block = TubeAttention()
    torch.nn.init.normal_(block.w_z.weight, std=0.02)
    return block.state_dict()


def trained_block(computation: Computation, *, everywhere: bool, state: dict[str, Tensor]) -> TubeAttention:
    """Return a block with those weights."""
    block = TubeAttention(computation=computation, everywhere=everywhere)
    block.load_state_dict(state)
    return block


def step(block: TubeAttention, maps: Tensor, masks: Tensor, frozen: bool) -> Callable[[], None]:
    """Return a function that runs a forward and a backward pass."""
    inputs = maps.detach().requires_grad_(not frozen)
    upstream = torch.ones_like(maps)

    def forward_and_backward() -> None:
        inputs.grad = None
        block.zero_grad()
        block(inputs, masks).backward(upstream)

    return forward_and_backward


def print_costs() -> None:
    """Print forward multiply-adds on tubes of the paper's sizes, counted its way and in full."""
    blocks: tuple[Block, ...] = ("nl-net", "tsa-as-written", "tsa")
    rows, saved = [], []
    for name, giga in PAPER_GIGA.items():
        positions = paper_positions(giga * 1e9)
        dense, plain, ours = (full_count(block, [positions]) / 1e9 for block in blocks)
        saved.append(1 - ours / dense)
        counts = f"{giga:.3f}", f"{paper_count(positions) / 1e9:.3f}"
        full = f"{dense:.2f}", f"{plain:.2f}", f"{ours:.2f}", f"-{saved[-1]:.1%}"
        rows.append((name, f"{positions}", *counts, *full))
    header = ("", "tube", "paper, G", "its way", "NL-Net in full", "TSA as written", "ours", "ours / NL-Net")
    print(f"\nMultiply-adds of one video, in G. NL-Net the paper's way: {paper_count(7840) / 1e9:.2f}.")
    print(format_table(header, rows))
    print(f"On average ours takes {statistics.mean(saved):.1%} less than NL-Net, products included.")


if __name__ == "__main__":
    main()
