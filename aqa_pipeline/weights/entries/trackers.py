"""Pretrained files of trackers: SiamMask, NanoTrack and VitTrack."""

from typing import Literal

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import WeightsFile


def _siammask(
    name: str, file_name: str, setting: str, *mirrors: str, sha256: str | None = None, size: int | None = None
) -> WeightsFile:
    # The authors' README links to plain HTTP, which trust on first use must not rely on; the host offers TLS.
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(*mirrors, f"https://www.robots.ox.ac.uk/~qwang/{file_name}"),
        identity=Identity("sha256", sha256) if sha256 else None,
        license="MIT (code); none stated for the weights, which were trained on research data",
        note=f"SiamMask (siammask_sharp), for the setting {setting}",
        size=size,
    )


def _nanotrack(part: Literal["backbone", "head"], sha256: str, size: int) -> WeightsFile:
    file_name = f"nanotrack_{part}_sim.onnx"
    folder = "NanoTrack/models/nanotrackv2"
    return WeightsFile(
        name=f"nanotrack-v2-{part}",
        file_name=file_name,
        urls=tuple(
            f"https://raw.githubusercontent.com/HonglinChu/SiamTrackers/{version}/{folder}/{file_name}"
            for version in ("HEAD", "18b7791360acb3f6d276d47376a6f1ed516f1628")
        ),
        identity=Identity("sha256", sha256),
        license="Apache-2.0",
        note=f"NanoTrack v2, {part}, for OpenCV's TrackerNano",
        size=size,
    )


TRACKERS = (
    _siammask(
        "siammask-davis",
        "SiamMask_DAVIS.pth",
        "davis",
        "https://huggingface.co/spaces/oguzakif/video-object-remover/resolve/main/"
        "SiamMask/experiments/siammask_sharp/SiamMask_DAVIS.pth",
        # from the git-LFS pointer of that mirror
        sha256="d5a0e7cb13e2799bcf93545691261e7a48413ffb54bce9cb3b7fa3c560da4204",
        size=105_878_246,
    ),
    _siammask("siammask-vot", "SiamMask_VOT.pth", "vot"),
    _siammask("siammask-vot-ld", "SiamMask_VOT_LD.pth", "vot-ld"),
    _nanotrack("backbone", "530bdd0cd00f19afab79a863e71ba71e3312395a5dc9151af675082bdaaa2fc4", 1_056_849),
    _nanotrack("head", "0d8c0637be849f092cc7236cae02e55c8b9455ebe37ba50601d6115db4247cd9", 726_198),
    WeightsFile(
        name="vittrack-2023sep",
        file_name="object_tracking_vittrack_2023sep.onnx",
        urls=(
            "https://huggingface.co/opencv/opencv_zoo/resolve/main/models/object_tracking_vittrack/"
            "object_tracking_vittrack_2023sep.onnx",
        ),
        identity=Identity("sha256", "6b4e32f6eec82e1aecf90077b2ea2589c4dfd30e8533e9f7c5da4125f52588af"),
        license="Apache-2.0",
        note="VitTrack of OpenCV's model zoo, for its TrackerVit",
        size=714_726,
    ),
)
