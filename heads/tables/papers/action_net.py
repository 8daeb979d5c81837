"""Tables 1 to 4 of ACTION-NET, as printed: Spearman's rank correlations.

Zeng et al., "Hybrid Dynamic-static Context-aware Attention Network for Action Assessment in Long Videos", ACM
MM 2020, section 5. Every row that the authors ran is run here, too, also their reimplementations of other
papers (marked with * there). ACTION-NET and its ablations are run in both variants, the paper's text and the
released code, and compared with the same printed value.
"""

from collections.abc import Mapping

from heads.tables.papers.quoted_poses import POSES_NOTE, pose_dct
from heads.tables.table import Average, Column, Method, Row, Table

SOURCE = "Zeng et al., ACTION-NET, ACM MM 2020"

APPARATUS = ("ball", "clubs", "hoop", "ribbon")
COLUMNS = (
    Column("mit-skating", "MIT-Skating", "mit-skating", tuple(f"random-{k}" for k in range(5)), "total"),
    *(Column(name, name.capitalize(), "rhythmic-gymnastics", (name,), "total") for name in APPARATUS),
)
AVERAGE = Average("rhythmic-gymnastics", "RG average", APPARATUS)

# i3d-piergiaj is the same network from another port of the Kinetics weights.
I3D = {"segments": ("i3d", "i3d-piergiaj")}
C3D = {"segments": ("c3d",)}
CROPS = {"crops": ("resnet50",)}
FRAMES = {"frames": ("resnet50",)}
Streams = Mapping[str, tuple[str, ...]]

SPLITS_NOTE = (
    "MIT-Skating: mean over five random splits of 100 training and 50 test videos, as in the paper. The "
    "paper's own splits were never published, so these are different ones."
)
AVERAGE_NOTE = (
    "RG average: Fisher-z mean over the four apparatus. The paper prints none, so its value here is the "
    "Fisher-z mean of its printed values."
)
FROZEN_NOTE = "Features are frozen, in the paper and here; only the heads are trained."
CITED_NOTE = "cited: the paper quotes the number from another paper; nothing is computed for it."
UNNAMED_NOTE = (
    "The paper gives no training recipe for LSTM and Bi-LSTM (here: that of ACTION-NET) and no C for the SVR "
    "(here: cross-validated on the training set). Xu et al. are run with the recipe of their own code."
)


def _values(*printed: float | None) -> dict[str, float]:
    """Return the printed values of a row by column; None stands for a dash."""
    return {column.name: value for column, value in zip(COLUMNS, printed, strict=True) if value is not None}


def _cited(name: str, label: str, mit_skating: float) -> Row:
    return Row(name, "", label, _values(mit_skating, None, None, None, None))


def _both(
    name: str, label: str, streams: Streams, printed: Mapping[str, float], *, head: str = "action-net"
) -> tuple[Row, Row]:
    """Return a row of ACTION-NET in both variants, with the same printed values."""
    paper, released = (
        Row(f"{name}-{variant}", label, f"variant {variant}", printed, Method(head, streams, variant))
        for variant in ("paper", "released")
    )
    return paper, released


TWO_STREAMS = {**I3D, **CROPS}
FULL_MODEL = _values(0.615, 0.528, 0.657, 0.708, 0.578)

TABLE_1 = Table(
    name="action-net-table1",
    title="Table 1: ACTION-NET and the methods that it is compared with",
    source=SOURCE,
    columns=COLUMNS,
    rows=(
        pose_dct("Pose + DCT", _values(0.350, None, None, None, None)),
        _cited("convisa", "ConvISA", 0.450),
        Row(
            "c3d-svr", "", "C3D + SVR", _values(0.530, 0.357, 0.551, 0.495, 0.516), Method("svr-average", C3D)
        ),
        _cited("li", "Li et al.", 0.575),
        _cited("pan", "Pan et al.", 0.384),
        Row("xu", "", "Xu et al.", _values(0.590, 0.515, 0.621, 0.540, 0.522), Method("ms-lstm", C3D)),
        *(
            Row(f"{features}-{head}", group, label, _values(*printed), Method(head, streams))
            for features, group, streams, block in (
                (
                    "resnet",
                    "ResNet",
                    FRAMES,
                    (
                        ("svr-average", "Avg + SVR", (0.545, 0.279, 0.589, 0.602, 0.395)),
                        ("svr-maximum", "Max + SVR", (0.512, 0.169, 0.452, 0.376, 0.404)),
                        ("lstm", "LSTM", (0.602, 0.471, 0.472, 0.555, 0.410)),
                        ("bi-lstm", "Bi-LSTM", (0.598, 0.466, 0.444, 0.544, 0.447)),
                    ),
                ),
                (
                    "i3d",
                    "I3D",
                    I3D,
                    (
                        ("svr-average", "Avg + SVR", (0.531, 0.403, 0.579, 0.610, 0.456)),
                        ("svr-maximum", "Max + SVR", (0.442, 0.445, 0.465, 0.386, 0.191)),
                        ("lstm", "LSTM", (0.472, 0.327, 0.583, 0.546, 0.381)),
                        ("bi-lstm", "Bi-LSTM", (0.587, 0.355, 0.653, 0.557, 0.368)),
                    ),
                ),
            )
            for head, label, printed in block
        ),
        *_both("action-net", "ACTION-NET", TWO_STREAMS, FULL_MODEL),
    ),
    averages=(AVERAGE,),
    footnotes=(SPLITS_NOTE, AVERAGE_NOTE, CITED_NOTE, POSES_NOTE, UNNAMED_NOTE, FROZEN_NOTE),
)

TABLE_2 = Table(
    name="action-net-table2",
    title="Table 2: what the dynamic and the static stream contribute",
    source=SOURCE,
    columns=COLUMNS,
    rows=(
        *_both("ds", "DS + CAA", I3D, _values(0.603, 0.346, 0.583, 0.643, 0.394)),
        *_both("ss", "SS + CAA", CROPS, _values(0.575, 0.443, 0.581, 0.686, 0.540)),
        *_both("ts", "TS + CAA", TWO_STREAMS, FULL_MODEL),
    ),
    averages=(AVERAGE,),
    footnotes=(
        "SS + CAA on MIT-Skating: .575 here, but .572 for the same model in the paper's Table 4.",
        SPLITS_NOTE,
        AVERAGE_NOTE,
        FROZEN_NOTE,
    ),
)

TABLE_3 = Table(
    name="action-net-table3",
    title="Table 3: what the context-aware attention contributes (two streams)",
    source=SOURCE,
    columns=COLUMNS,
    rows=tuple(
        row
        for name, label, head, printed in (
            ("average", "Avg Pooling", "action-net-average", _values(0.605, 0.518, 0.650, 0.650, 0.552)),
            ("sau", "SAU", "action-net-sau", _values(0.590, 0.501, 0.610, 0.703, 0.528)),
            ("lstm-sau", "LSTM + SAU", "action-net-lstm-sau", _values(0.596, 0.487, 0.651, 0.690, 0.570)),
            (
                "bi-lstm-sau",
                "Bi-LSTM + SAU",
                "action-net-bi-lstm-sau",
                _values(0.572, 0.522, 0.568, 0.674, 0.600),
            ),
            ("rta", "RTA", "action-net-rta", _values(0.611, 0.522, 0.634, 0.713, 0.565)),
            ("caa", "CAA", "action-net", FULL_MODEL),
        )
        for row in _both(name, label, TWO_STREAMS, printed, head=head)
    ),
    averages=(AVERAGE,),
    footnotes=(SPLITS_NOTE, AVERAGE_NOTE, FROZEN_NOTE),
)

TABLE_4 = Table(
    name="action-net-table4",
    title="Table 4: what human detection contributes to the static stream",
    source=SOURCE,
    columns=COLUMNS,
    rows=(
        *_both("ss-without", "SS, w/o detection", FRAMES, _values(0.565, 0.334, 0.582, 0.602, 0.391)),
        *_both("ss-with", "SS, w detection", CROPS, _values(0.572, 0.443, 0.581, 0.686, 0.540)),
        *_both(
            "ts-without", "TS, w/o detection", {**I3D, **FRAMES}, _values(0.592, 0.365, 0.632, 0.656, 0.540)
        ),
        *_both("ts-with", "TS, w detection", TWO_STREAMS, FULL_MODEL),
    ),
    averages=(AVERAGE,),
    footnotes=(
        "SS with detection on MIT-Skating: .572 here, but .575 for the same model in the paper's Table 2.",
        "Without detection, whole frames take the place of the person crops.",
        SPLITS_NOTE,
        AVERAGE_NOTE,
        FROZEN_NOTE,
    ),
)
