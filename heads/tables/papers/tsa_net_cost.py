"""Tables 3 and 5 of TSA-Net (see heads/tables/papers/tsa_net.py): what attention costs, and what it brings.

Where Table 3 has a line per sport, there is a column here, and a row for each of its columns. Multiply-adds
are of the attention module alone, counted twice: as the paper does, g and W_z alone, and every product, as
eq. 4-6 are written and in the order that we take. They need the athlete's tubes and no training.
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
    "As the paper counts: g and W_z alone, 1x1 convolutions between 528 and 264 channels. On all 7,840 "
    "positions of 10 clips they are 2.186 G, printed as 2.2; the products that relate positions to each "
    "other are 15 times as many. Its decreases are taken from 2.2, hence up to 0.3 points larger."
)
TUBES_NOTE = (
    "Tubes are those of every video of the splits, as stored (`aqa extract --for tsa`), mean over videos. "
    "Where none are stored they have the sizes that the paper's counts imply; counting these again the "
    "paper's way gives the printed numbers by construction."
)
OURS_NOTE = (
    "Ours: the normalised dot product is associative, so its products are taken in the cheapest order; the "
    "result is the same."
)
DIFFERENCE_NOTE = (
    "Corr. Imp.: TSA-Net's correlation minus NL-Net's, on the same videos; its average is the difference of "
    "the Fisher-z means, in the paper as here."
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
    """One of Table 5: another number of the same networks on MTL-AQA."""
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
    """The row with its count, and what the paper prints of it."""
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
