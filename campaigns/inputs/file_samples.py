"""Sound and hostile samples of the files that the commands open: `campaigns.inputs.file_kinds` opens them.

Each function writes a sample into an empty folder, and returns the files that a campaign may spoil.
"""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.store import Store, pack
from campaigns.inputs.samples import SPECS, aqa, random_record

CANARY = "AQA_CANARY"  # the environment variable with the path that no sample's code may write


class Bomb:
    """An object whose pickle calls the shell, which writes the canary."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {os.environ[CANARY]}",)


def text_file(name: str, text: str) -> Callable[[Path], list[Path]]:
    """Return a function that writes one text file."""
    return binary_file(name, text.encode())


def binary_file(name: str, content: bytes) -> Callable[[Path], list[Path]]:
    """Return a function that writes one binary file."""

    def prepare(folder: Path) -> list[Path]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return [path]

    return prepare


def all_of(*parts: Callable[[Path], list[Path]]) -> Callable[[Path], list[Path]]:
    """Return a function that writes all the parts."""
    return lambda folder: [path for part in parts for path in part(folder)]


SCORES = "video,score,group,start_frame,stop_frame\n" + "".join(
    f"v{at}.mp4,{at * 7 % 10}.5,g{at % 3},0,{30 + at}\n" for at in range(12)
)


def mtl_aqa(folder: Path) -> list[Path]:
    """Write MTL-AQA's three pickles, in three protocols."""
    keys = [(1, dive) for dive in range(1, 9)]
    marks = np.array([7.5, 8.0, 7.0, 7.5, 8.5, 8.0, 7.0])
    labels = {
        key: {
            "start_frame": 100 * key[1],
            "end_frame": 100 * key[1] + 90,
            "final_score": np.float64(70.5),
            "difficulty": 3.2,
            "judge_scores": marks,
        }
        for key in keys
    }
    files = {
        "augmented_final_annotations_dict.pkl": (labels, 2),
        "train_split_0.pkl": (keys[:6], 4),
        "test_split_0.pkl": ([*keys[6:]], 5),
    }
    for name, (content, protocol) in files.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol))
    return [folder / name for name in files]


def hostile_mtl_aqa(folder: Path) -> list[Path]:
    """Write MTL-AQA's pickles, one of which calls the shell."""
    paths = mtl_aqa(folder)
    paths[0].write_bytes(pickle.dumps({(1, 1): {"start_frame": Bomb()}}))
    return paths[:1]


def aqa7(folder: Path) -> list[Path]:
    """Write AQA-7's .mat files, one of them compressed."""
    from scipy.io import savemat

    paths = []
    (folder / "Split_4").mkdir()
    for side, first in (("train", 1), ("test", 20)):
        path = folder / "Split_4" / f"split_4_{side}_list.mat"
        table = np.array([[1.0, at, 60 + at] for at in range(first, first + 8)])
        content = {f"consolidated_{side}_list": table, "other": "text"}
        savemat(path, content, do_compression=side == "train")
        paths.append(path)
    return paths


def mat_bomb(folder: Path) -> list[Path]:
    """Write a .mat file of some kilobytes that unpacks to millions of zeros."""
    from scipy.io import savemat

    paths = aqa7(folder)
    savemat(paths[0], {"consolidated_train_list": np.zeros((3_000_000, 3))}, do_compression=True)
    return paths[:1]


def fr_fs(folder: Path) -> list[Path]:
    """Write FR-FS's two .xls files."""
    import xlwt

    paths = []
    for side, first in (("Train", 300), ("Test", 400)):
        book = xlwt.Workbook()
        sheet = book.add_sheet("Sheet1")
        for at, row in enumerate([("key", "label"), *((f"{first + k}-1", k % 2) for k in range(8))]):
            for column, value in enumerate(row):
                sheet.write(at, column, value)
        path = folder / "FRFS" / f"{side}.xls"
        path.parent.mkdir(exist_ok=True)
        book.save(str(path))
        paths.append(path)
    return paths


def npy_folder(folder: Path) -> list[Path]:
    """Write scores, and a folder with an .npy file of features per video."""
    text_file("scores.csv", SCORES)(folder)
    (folder / "npy").mkdir()
    paths = [folder / "npy" / f"v{at}.npy" for at in range(3)]
    for path in paths:
        np.save(path, np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32))
    return paths


def hostile_npy(folder: Path) -> list[Path]:
    """Write the folder of .npy files, one of which calls the shell."""
    paths = npy_folder(folder)
    np.save(paths[0], np.array([Bomb(), Bomb()], dtype=object), allow_pickle=True)
    return paths[:1]


def dict_npy(folder: Path) -> list[Path]:
    """Write scores, and one .npy file with a pickled dictionary of features."""
    text_file("scores.csv", SCORES)(folder)
    content = {f"v{at}": np.ones((5, 8), np.float32) for at in range(4)}
    np.save(folder / "all.npy", np.array(content, dtype=object), allow_pickle=True)
    return [folder / "all.npy"]


def hostile_dict_npy(folder: Path) -> list[Path]:
    """Write an .npy file with a pickled dictionary that calls the shell."""
    (path,) = dict_npy(folder)
    np.save(path, np.array({"v0": np.ones((5, 8)), "v1": Bomb()}, dtype=object), allow_pickle=True)
    return [path]


def records(folder: Path) -> list[Path]:
    """Write a store; its records may be spoiled."""
    store = Store(folder / "store")
    return [store.write(random_record(at)) for at in range(4)]


def marker(folder: Path) -> list[Path]:
    """Write a store; its `store.json` may be spoiled."""
    records(folder)
    return [folder / "store" / "store.json"]


def packed(folder: Path) -> list[Path]:
    """Write a packed store."""
    records(folder)
    pack(Store(folder / "store"), folder / "features.h5")
    return [folder / "features.h5"]


def tensors() -> dict[str, torch.Tensor]:
    """Return a small state dict."""
    return OrderedDict(weight=torch.ones(4, 3), bias=torch.zeros(4), steps=torch.tensor(3))


def torch_file(content: object, **options: bool) -> Callable[[Path], list[Path]]:
    """Return a function that writes `content` with `torch.save`."""

    def prepare(folder: Path) -> list[Path]:
        torch.save(content, folder / "net.pt", **options)
        return [folder / "net.pt"]

    return prepare


def safetensors(folder: Path) -> list[Path]:
    """Write a .safetensors file."""
    save_file(tensors(), folder / "net.safetensors", metadata={"made": "here"})
    return [folder / "net.safetensors"]


def trained(folder: Path) -> list[Path]:
    """Write a run of ACTION-NET, trained for one epoch; all of its files may be spoiled."""
    text_file("scores.csv", SCORES)(folder)
    store = Store(folder / "store")
    for at in range(12):
        for spec in SPECS:
            store.write(features(f"v{at}", spec))
    data = ("--dataset", "folder", "--name", "folder", "--root", folder, "--store", folder / "store")
    options = ("--epochs", 1, "--seeds", "0", "--split", "random-0", "--threads", 1, "--out", folder / "run")
    code, text = aqa("fit", *data, *options)
    assert code == 0, text
    return sorted(path for path in (folder / "run").rglob("*") if path.is_file())


def features(video_id: str, spec: StreamSpec) -> Record:
    """Return a random record of that video and spec, with more than five steps."""
    at = SPECS.index(spec)
    sample = next(r for r in (random_record(2 * n + at) for n in range(1, 9)) if len(r.features) > 5)
    return replace(sample, dataset="folder", video_id=video_id)


def quads_json() -> str:
    """Return quads of four clips as in FRFS_Boxes.json."""
    return json.dumps({f"30{at}-1": [[1, 2, 9, 2, 1, 8, 9, 8]] * 5 for at in range(4)})


def boxes_csv() -> str:
    """Return boxes of 20 frames as CSV."""
    return "frame_index,x1,y1,x2,y2\n" + "".join(f"{at},1,2,30.5,40\n" for at in range(20))


def quads_csv() -> str:
    """Return quads of 20 frames as CSV."""
    return "frame_index,x1,y1,x2,y2,x3,y3,x4,y4\n" + "".join(
        f"{at},1,2,30.5,2,30,40,1,40\n" for at in range(20)
    )


def mit_text() -> str:
    """Return an `annotations.txt` of MIT-Skating."""
    return "".join(
        f"{k}_Some-Broadcast-abcdefghij{k % 3} {60 + k}.5 30.1 30.4 {100 * k} {100 * k + 90}\n"
        for k in range(1, 13)
    )


def gymnastics_text(side: int) -> str:
    """Return a label file of Rhythmic Gymnastics; its first video has the number `side`."""
    rows = "".join(f"Ball_{at:03d} 8.5 7.2 15.7 0 90.5\n" for at in range(side, side + 8))
    return f"name difficulty execution total penalty seconds\n{rows}"


def fis_text(side: int) -> str:
    """Return a label file of Fis-V; its first video has the number `side`."""
    return "".join(f"{at} 30.5 25.1 -1\n" for at in range(side, side + 8))


def archive_bomb() -> bytes:
    """Return a checkpoint in torch's zip format of some kilobytes that unpacks to 64 MiB of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(1 << 26))
        archive.writestr("net/version", "3\n")
    return file.getvalue()
