"""Tables 1a, 1b and 3 of Weight-Decider, as printed: Spearman's rank correlations on MTL-AQA.

Farabi et al., "Improving Action Quality Assessment Using Weighted Aggregation", IbPRIA 2022 (arXiv
2102.10555), section 4.4. A column per aggregation there is a row here: depth, convolution and clip length
give the backbone, followed by the average and WD in both variants, the paper's text and the released code.
Both variants are compared with the same printed value.
"""

from heads.tables.papers.quoted_poses import POSES_NOTE, pose_dct
from heads.tables.table import Column, Method, Row, Table

SOURCE = "Farabi et al., Weight-Decider, IbPRIA 2022"
COLUMN = Column("mtl-aqa", "MTL-AQA", "mtl-aqa", ("official",), "score")

# Section 4.3: any of the last six frames ends the 96 that are cut into clips, which may be mirrored.
SAMPLING = {
    "span": "last-96",
    "views": ",".join(f"end-{offset}{flip}" for flip in ("", "-flip") for offset in range(6)),
}
VARIANTS = ("paper", "released")

FROZEN_NOTE = (
    "These are heads on FROZEN features; the paper fine-tuned the backbone together with them. Expect "
    "lower numbers here."
)
RESNET_101_NOTE = (
    "3D ResNet-101 with average aggregation: .6663 in the paper's Table 1a, .6633 in its Table 3."
)
BACKBONES_NOTE = (
    "Networks of 16 frames are Hara's (Kinetics-700), (2+1)D-34 of 8 and 32 frames those of IG-65M: clip "
    "length and pretraining change together, in the paper and here."
)
DEEP_RELEASED_NOTE = (
    "The released code has no layers for 2048 features, so variant released has those of the paper's text."
)
C3D_NOTE = (
    "C3D: the paper does not say which layers follow it. Here fc6 (4096 values) has those of 2048 features."
)
CITED_NOTE = "cited: the paper quotes the number from another paper; nothing is computed for it."


def _row(name: str, group: str, label: str, *, printed: float, method: Method | None = None) -> Row:
    return Row(name, group, label, {COLUMN.name: printed}, method)


def _average(name: str, group: str, backbone: str, *, printed: float) -> Row:
    method = Method("wd-average", {"clips": (backbone,)}, facts=SAMPLING)
    return _row(f"{name}-average", group, "average", printed=printed, method=method)


def _weight_decider(name: str, group: str, backbone: str, *, printed: float) -> tuple[Row, ...]:
    return tuple(
        _row(
            f"{name}-wd-{variant}",
            group,
            f"WD, variant {variant}",
            printed=printed,
            method=Method("wd", {"clips": (backbone,)}, variant, facts=SAMPLING),
        )
        for variant in VARIANTS
    )


def _both(name: str, group: str, backbone: str, *, average: float, wd: float) -> tuple[Row, ...]:
    """Return the rows of one line of Tables 1a and 1b: Average, and WD in both variants."""
    return (
        _average(name, group, backbone, printed=average),
        *_weight_decider(name, group, backbone, printed=wd),
    )


TABLE_1A = Table(
    name="wd-table1a",
    title="Table 1a: Weight-Decider on ResNets of several depths and convolutions, 16 frames",
    source=SOURCE,
    columns=(COLUMN,),
    rows=(
        *_both("resnet34-3d", "ResNet-34, 3D", "r3d_34_hara", average=0.8982, wd=0.8951),
        *_both("resnet34-2plus1d", "ResNet-34, (2+1)D", "r2plus1d_34_hara", average=0.8932, wd=0.8990),
        *_both("resnet50-3d", "ResNet-50, 3D", "r3d_50_hara", average=0.8880, wd=0.8935),
        *_both("resnet50-2plus1d", "ResNet-50, (2+1)D", "r2plus1d_50_hara", average=0.8818, wd=0.8814),
        *_both("resnet101-3d", "ResNet-101, 3D", "r3d_101_hara", average=0.6663, wd=0.6033),
    ),
    footnotes=(FROZEN_NOTE, RESNET_101_NOTE, DEEP_RELEASED_NOTE),
    decimals=4,
)

TABLE_1B = Table(
    name="wd-table1b",
    title="Table 1b: Weight-Decider on ResNet(2+1)D-34 with clips of several lengths",
    source=SOURCE,
    columns=(COLUMN,),
    rows=(
        *_both("8-frames", "8 frames", "r2plus1d_34_ig65m_8", average=0.8570, wd=0.8853),
        *_both("16-frames", "16 frames", "r2plus1d_34_hara", average=0.8932, wd=0.8990),
        *_both("32-frames", "32 frames", "r2plus1d_34_ig65m_32", average=0.9289, wd=0.9315),
    ),
    footnotes=(FROZEN_NOTE, BACKBONES_NOTE),
    decimals=4,
)

TABLE_3 = Table(
    name="wd-table3",
    title="Table 3: Weight-Decider and the state of the art on MTL-AQA",
    source=SOURCE,
    columns=(COLUMN,),
    rows=(
        pose_dct("Pose+DCT", {COLUMN.name: 0.2682}),
        *(
            _row(name, "", label, printed=printed)
            for name, label, printed in (
                ("c3d-svr", "C3D-SVR", 0.7716),
                ("c3d-lstm", "C3D-LSTM", 0.8489),
                ("mscadc-stl", "MSCADC-STL", 0.8472),
                ("mscadc-mtl", "MSCADC-MTL", 0.8612),
                ("usdl-regression", "USDL-Regression", 0.8905),
                ("c3d-avg-stl", "C3D-AVG-STL", 0.8960),
                ("c3d-avg-mtl", "C3D-AVG-MTL", 0.9044),
                ("musdl", "MUSDL", 0.9273),
            )
        ),
        *_weight_decider("c3d", "C3D (16 frames)", "c3d", printed=0.9223),
        *_weight_decider(
            "resnet34-2plus1d", "ResNet34-(2+1)D (32 frames)", "r2plus1d_34_ig65m_32", printed=0.9315
        ),
        *_weight_decider("resnet50-3d", "ResNet50-3D (16 frames)", "r3d_50_hara", printed=0.8935),
        _average("resnet101-3d", "ResNet101-3D (16 frames)", "r3d_101_hara", printed=0.6633),
    ),
    footnotes=(FROZEN_NOTE, RESNET_101_NOTE, C3D_NOTE, DEEP_RELEASED_NOTE, CITED_NOTE, POSES_NOTE),
    decimals=4,
)
