"""Features that authors released, found by the names of their files, each kind as a stream of its own.

    Ball_rgb_VST.npy ... Ribbon_audio_AST.npy, FISV_flow_I3D.npy   PAMFN, MCMoE: a dict {video: array} each
    swintx_avg_fps25_clip32/<id>.npy                               GDLT, CoFInAl, MLAVL
    output_feature_fs1000_new/, i3d_avg_clip8_5s_fs1000/,
    ast_feature_fs1000_new/<id>.npy                                Skating-Mixer, MCMoE

The names and the use of the arrays are those of the code of qinghuannn/PAMFN, XuHuangbiao/MCMoE and
xuangch/CVPR22_GDLT; the files themselves lie on drives. The loaders average arrays (time, view, dim) over the
views, so the import does too. A row of PAMFN and GDLT is of 32 frames at 25 frames a second. For FS1000 no
duration is published: a row counts as one second.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_sources import FeatureFiles
from aqa_pipeline.importing.step_lengths import StepLengths

CLIP_OF_32 = StepLengths(32 / 25)
PARTS = {"rhythmic-gymnastics": ("Ball", "Clubs", "Hoop", "Ribbon"), "fis-v": ("FISV",)}
DICT_FILE = re.compile(r"(?P<part>[A-Za-z]+)_(?P<modality>rgb|flow|audio)_(?P<network>[A-Za-z0-9]+)\.npy")
BACKBONES = {"vst": "video-swin-b", "i3d": "i3d", "ast": "ast"}
FOLDERS: Mapping[str, Mapping[str, FeatureFiles]] = {
    dataset: {"swintx_avg_fps25_clip32": FeatureFiles("swintx", "folder", (), "video-swin-b", CLIP_OF_32)}
    for dataset in PARTS
} | {
    "fs1000": {
        "output_feature_fs1000_new": FeatureFiles(
            "rgb-timesformer", "folder", (), "timesformer", average_views=True
        ),
        "i3d_avg_clip8_5s_fs1000": FeatureFiles("flow-i3d", "folder", (), "i3d"),
        "ast_feature_fs1000_new": FeatureFiles("audio-ast", "folder", (), "ast"),
    }
}
DEPTHS = ("*", "*/*", "*/*/*")  # as deep as the repositories show it: data/RG/RG-feature/...


def find_released(dataset: str, folder: Path) -> list[FeatureFiles]:
    """Return the streams of a dataset whose released features lie in `folder`, or up to two folders below.

    `dataset` is the name of its adapter. Raises `DatasetError` if nothing is found, or a name twice.
    """
    if dataset not in FOLDERS:
        raise DatasetError(
            f"no released features of {dataset} are known: expected one of {', '.join(sorted(FOLDERS))}. "
            "Other features are imported with --features."
        )
    paths = sorted(path for depth in DEPTHS for path in folder.glob(depth))
    sources = [*_in_dicts(dataset, paths), *_in_folders(dataset, paths)]
    if not sources:
        kinds = [f"{part}_rgb_VST.npy" for part in PARTS.get(dataset, ())] + sorted(FOLDERS[dataset])
        raise DatasetError(f"{folder} holds no released features of {dataset}: expected {', '.join(kinds)}.")
    return sources


def _in_dicts(dataset: str, paths: Iterable[Path]) -> list[FeatureFiles]:
    by_stream: dict[str, dict[str, Path]] = {}
    for path in paths:
        name = DICT_FILE.fullmatch(path.name)
        if name is None or name["part"] not in PARTS.get(dataset, ()) or not path.is_file():
            continue
        own = by_stream.setdefault(f"{name['modality']}-{name['network'].lower()}", {})
        _keep(own, name["part"], path)
    return [
        FeatureFiles(
            stream,
            "files",
            tuple(own.values()),
            backbone=BACKBONES.get(stream.split("-")[1], stream.split("-")[1]),
            steps=CLIP_OF_32,
            average_views=True,
        )
        for stream, own in sorted(by_stream.items(), reverse=True)  # rgb, flow, audio
    ]


def _in_folders(dataset: str, paths: Iterable[Path]) -> list[FeatureFiles]:
    found: dict[str, Path] = {}
    for path in paths:
        if path.name in FOLDERS[dataset] and path.is_dir():
            _keep(found, path.name, path)
    kinds = FOLDERS[dataset]
    return [replace(kind, paths=(found[name],)) for name, kind in kinds.items() if name in found]


def _keep(found: dict[str, Path], name: str, path: Path) -> None:
    if name in found:
        raise DatasetError(f"{path.name} is in {found[name].parent} and in {path.parent}: keep one of them.")
    found[name] = path
