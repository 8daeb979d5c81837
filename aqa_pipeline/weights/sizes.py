"""Describe the sizes of weights files for people who plan a download; some sizes were never published."""

from collections.abc import Iterable

from aqa_pipeline.weights.weights_file import WeightsFile

# From torchvision, in MiB (`_file_size` in the metadata of its weights).
PUBLISHED_MIB = {
    "r3d_18-kinetics400": 127.359,
    "mc3_18-kinetics400": 44.672,
    "r2plus1d_18-kinetics400": 120.318,
    "s3d-kinetics400": 31.972,
    "mvit_v1_b-kinetics400": 139.764,
    "mvit_v2_s-kinetics400": 131.884,
    "swin3d_t-kinetics400": 121.543,
    "swin3d_s-kinetics400": 218.288,
    "swin3d_b-kinetics400": 364.134,
    "resnet18-imagenet-v1": 44.661,
    "resnet34-imagenet-v1": 83.275,
    "resnet50-imagenet-v1": 97.781,
    "resnet50-imagenet-v2": 97.79,
    "resnet101-imagenet-v1": 170.511,
    "resnet101-imagenet-v2": 170.53,
    "resnet152-imagenet-v1": 230.434,
    "resnet152-imagenet-v2": 230.474,
    "convnext_tiny-imagenet-v1": 109.119,
    "efficientnet_b0-imagenet-v1": 20.451,
    "vit_b_16-imagenet-v1": 330.285,
    "swin_t-imagenet-v1": 108.19,
    "fasterrcnn_mobilenet_v3_large_320_fpn": 74.239,
    "fasterrcnn_resnet50_fpn_v2": 167.104,
    "retinanet_resnet50_fpn_v2": 146.037,
    "fcos_resnet50_fpn": 123.608,
    "ssdlite320_mobilenet_v3_large": 13.418,
    "keypointrcnn_resnet50_fpn": 226.054,
}
# From the download pages, or computed from the tensors where the file holds nothing else.
ABOUT_MB = {
    "i3d-kinetics-hassony2": 51.0,
    "i3d-kinetics-piergiaj": 50.9,
    "c3d-sports1m-mmaction2": 312.0,
    "c3d-sports1m-davidea": 320.0,
    "r2plus1d_34-clip8-ig65m-kinetics400": 255.0,
    "r2plus1d_34-clip32-ig65m-kinetics400": 255.0,
    "r2plus1d_34-clip8-ig65m": 255.0,
    "r2plus1d_34-clip32-ig65m": 255.0,
    "i3d_r50-kinetics400": 225.0,
    "videoprism-base-f16r288": 457.5,
    "dinov3-vits16-lvd1689m": 86.4,
    "dinov3-vitb16-lvd1689m": 342.7,
    "dinov3-vitl16-lvd1689m": 1212.6,
    "yolo11n": 5.61,
}


def megabytes(entry: WeightsFile) -> float | None:
    """Return the size in MB; None if it was never published."""
    if entry.size is not None:
        return entry.size / 1e6
    if entry.name in PUBLISHED_MIB:
        return PUBLISHED_MIB[entry.name] * 1.048576
    return ABOUT_MB.get(entry.name)


def size_text(entry: WeightsFile) -> str:
    """Return the size for a table, such as `103 MB` or `~51 MB`; "" if it is unknown."""
    size = megabytes(entry)
    about = "~" if entry.size is None and entry.name in ABOUT_MB else ""
    return "" if size is None else f"{about}{size:.{0 if size >= 10 else 1}f} MB"


def total_text(entries: Iterable[WeightsFile]) -> str:
    """Return the sum of the sizes, such as `about 154 MB and 1 of unknown size`."""
    sizes = [megabytes(entry) for entry in entries]
    known = [size for size in sizes if size is not None]
    unknown = f"{len(sizes) - len(known)} of unknown size" if len(known) < len(sizes) else ""
    return " and ".join(filter(None, [f"about {sum(known):.0f} MB" if known else "", unknown]))
