"""Tables 3 and 5 of TSA-Net (see heads/tables/papers/tsa_net.py): the cost and the gain of attention.

Table 3 is transposed: a line per sport there is a column here. Multiply-adds are of the attention module
only, counted in two ways: as in the paper (only g and W_z), and completely, with eq. 4-6 as written and in
the cheapest order. Counting needs the athlete's tubes and no training.
"""

from dataclasses import replace

from heads.tables.papers.tsa_net import (
    AQA7,
    FROZEN_NOTE,
    MTL_AQA,
    NL_NET,
    PAPER_MAPS,
    REGRESSION_NOTE,
    RELEASED_NOTE,
    SOURCE,
    SPORTS,
    TSA_NET,
    TUBES,
    VIEWS_NOTE,
    both,
    by_sport,
    trained,
    tube_method,
)
from heads.tables.table import Average, Column, Count, Row, Table, Versus

NL_GIGA = 2.2
TSA_GIGA = by_sport(0.864, 0.849, 0.283, 0.265, 0.952, 0.919, 0.689)
MTL_TSA_GIGA = 1.012

COUNT_NOTE = (
    "The paper counts only g and W_z, 1x1 convolutions between 528 and 264 channels. On all 7,840 positions "
    "of 10 clips they are 2.186 G, printed as 2.2; the products that relate positions to each other are 15 "
    "times as many. The paper's decreases are relative to 2.2, hence up to 0.3 points larger."
)
TUBES_NOTE = (
    "Tubes are the stored ones of all videos of the splits (`aqa extract --for tsa`), mean over videos. If "
    "none are stored, their sizes are those that the paper's counts imply; counting these as the paper does "
    "gives the printed numbers by construction."
)
OURS_NOTE = (
    "Ours: the dot products are associative, so they are computed in the cheapest order; the result is the "
    "same."
)
DIFFERENCE_NOTE = (
    "Corr. Imp.: TSA-Net's correlation minus NL-Net's, on the same videos. Its average is the difference of "
    "the Fisher-z means, in the paper and here."
)

DENSE = Count(TUBES, PAPER_MAPS, everywhere=True)
TUBE = Count(TUBES, PAPER_MAPS, implied_by={sport: TSA_GIGA[sport] for sport in SPORTS})
PAPER_WAY, IN_FULL = "Paper's count", "Every product"

TABLE_3 = Table(
    name="tsa-table3",
    title="Table 3: what TSA-Net costs beside NL-Net, and what it brings, on AQA-7",
    source=SOURCE,
    columns=AQA7,
    rows=(
        Row("nl-net", PAPER_WAY, "NL-Net, G", by_sport(*[NL_GIGA] * 7), count=DENSE, metric="paper-count"),
        Row("tsa", PAPER_WAY, "TSA-Net, G", TSA_GIGA, count=TUBE, metric="paper-count"),
        Row(
            "decrease",
            PAPER_WAY,
            "Comp. Dec., %",
            by_sport(-60.72, -61.43, -87.13, -87.97, -56.74, -58.24, -68.70),
            versus=Versus("tsa", "nl-net"),
            metric="decrease",
        ),
        Row("nl-net-full", IN_FULL, "NL-Net, G", {}, count=DENSE, metric="full-count"),
        Row("tsa-full", IN_FULL, "TSA, written, G", {}, count=TUBE, metric="full-count"),
        Row("tsa-cheapest", IN_FULL, "TSA, ours, G", {}, count=TUBE, metric="cheapest-count"),
        Row(
            "decrease-full",
            IN_FULL,
            "written, %",
            {},
            versus=Versus("tsa-full", "nl-net-full"),
            metric="decrease",
        ),
        Row(
            "decrease-cheapest",
            IN_FULL,
            "ours, %",
            {},
            versus=Versus("tsa-cheapest", "nl-net-full"),
            metric="decrease",
        ),
        Row("nl-net-paper", "Correlation", "NL-Net, paper", NL_NET, tube_method("nl-net")),
        Row("tsa-paper", "Correlation", "TSA-Net, paper", TSA_NET, tube_method("tsa")),
        Row(
            "improvement",
            "Correlation",
            "Corr. Imp.",
            by_sport(0.0083, 0.0066, -0.0041, 0.0106, 0.0034, 0.0040, 0.0058),
            versus=Versus("tsa-paper", "nl-net-paper"),
            metric="improvement",
        ),
    ),
    averages=(Average("average", "Average", tuple(SPORTS)),),
    footnotes=(
        COUNT_NOTE,
        TUBES_NOTE,
        OURS_NOTE,
        DIFFERENCE_NOTE,
        FROZEN_NOTE,
        REGRESSION_NOTE,
        VIEWS_NOTE,
    ),
    decimals=4,
)


def _column(name: str, title: str) -> Column:
    """Return a column of Table 5: a metric of the same networks on MTL-AQA."""
    return Column(
        name, title, MTL_AQA.dataset, MTL_AQA.splits, MTL_AQA.target, metric=name, trained_as=MTL_AQA.name
    )


TABLE_5_COLUMNS = (
    _column("spearman", "Sp. Corr.↑"),
    _column("mse", "MSE↓"),
    _column("paper-count", "FLOPs↓, G"),
    _column("full-count", "every product, G"),
    _column("cheapest-count", "ours, G"),
)


def _printed(spearman: float, mse: float) -> dict[str, float]:
    return {"spearman": spearman, "mse": mse}


def _stack(num: int) -> Count:
    implied = {name: MTL_TSA_GIGA for name in ("paper-count", "full-count", "cheapest-count")}
    return Count(TUBES, PAPER_MAPS, stacked=num, implied_by=implied)


def _counted(row: Row, count: Count, giga: float) -> Row:
    """Return the row with its count and the paper's count in G."""
    return replace(row, printed={**row.printed, "paper-count": giga}, count=count)


_TSA_PAPER, _TSA_RELEASED = both("tsa", "TSA-Net", _printed(0.9393, 37.90))

TABLE_5 = Table(
    name="tsa-table5",
    title="Table 5: NL-Net and TSA-Net with one to three modules on MTL-AQA",
    source=SOURCE,
    columns=TABLE_5_COLUMNS,
    rows=(
        _counted(trained("nl-net", "NL-Net", _printed(0.9422, 47.83)), DENSE, NL_GIGA),
        _counted(_TSA_PAPER, _stack(1), MTL_TSA_GIGA),
        _TSA_RELEASED,
        _counted(trained("tsa-x2", "TSAx2-Net", _printed(0.9412, 46.51)), _stack(2), 2.025),
        _counted(trained("tsa-x3", "TSAx3-Net", _printed(0.9403, 47.77)), _stack(3), 3.037),
    ),
    footnotes=(COUNT_NOTE, TUBES_NOTE, OURS_NOTE, FROZEN_NOTE, RELEASED_NOTE, VIEWS_NOTE),
    decimals=4,
)
