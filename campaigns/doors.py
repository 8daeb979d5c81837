"""Every kind of file from outside that we open: a sound sample of each, and how a user has it opened.

Some samples are hostile from the beginning: they ask for code that writes to a canary file. Mutations of
these must not run it either.
"""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.athlete.quads import read_quad_csv, read_quads
from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.store import Store, pack
from aqa_pipeline.weights import load_state_dict
from campaigns.samples import SPECS, aqa, random_record
from heads.scoring.ensemble import load_ensemble

Answer = tuple[int, str]
CANARY = "AQA_CANARY"  # names the file, in the environment, that no code of a sample may write


class Bomb:
    """Pickled, it is a call of the shell that writes the canary."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {os.environ[CANARY]}",)


@dataclass(frozen=True)
class Door:
    """`prepare` writes a sound sample into an empty folder and names the files to spoil; `enter` opens it."""

    prepare: Callable[[Path], list[Path]]
    enter: Callable[[Path], Answer]


def _text(name: str, text: str) -> Callable[[Path], list[Path]]:
    return _bytes(name, text.encode())


def _bytes(name: str, content: bytes) -> Callable[[Path], list[Path]]:
    def prepare(folder: Path) -> list[Path]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return [path]

    return prepare


def _both(*parts: Callable[[Path], list[Path]]) -> Callable[[Path], list[Path]]:
    return lambda folder: [path for part in parts for path in part(folder)]


def _check(dataset: str) -> Callable[[Path], Answer]:
    return lambda folder: aqa("datasets", "check", dataset, "--root", folder)


def _reader(read: Callable[[Path], object], name: str) -> Callable[[Path], Answer]:
    """A reader that only a long command calls: its domain errors are what that command would print."""

    def enter(folder: Path) -> Answer:
        try:
            return 0, repr(read(folder / name))
        except AqaError as error:
            return 1, str(error)

    return enter


SCORES = "video,score,group,start_frame,stop_frame\n" + "".join(
    f"v{at}.mp4,{at * 7 % 10}.5,g{at % 3},0,{30 + at}\n" for at in range(12)
)


def _mtl_aqa(folder: Path) -> list[Path]:
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


def _hostile_mtl_aqa(folder: Path) -> list[Path]:
    paths = _mtl_aqa(folder)
    paths[0].write_bytes(pickle.dumps({(1, 1): {"start_frame": Bomb()}}))
    return paths[:1]


def _aqa7(folder: Path) -> list[Path]:
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


def _mat_bomb(folder: Path) -> list[Path]:
    """Millions of zeros in some kilobytes."""
    from scipy.io import savemat

    paths = _aqa7(folder)
    savemat(paths[0], {"consolidated_train_list": np.zeros((3_000_000, 3))}, do_compression=True)
    return paths[:1]


def _fr_fs(folder: Path) -> list[Path]:
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


def _npy_folder(folder: Path) -> list[Path]:
    _text("scores.csv", SCORES)(folder)
    (folder / "npy").mkdir()
    paths = [folder / "npy" / f"v{at}.npy" for at in range(3)]
    for path in paths:
        np.save(path, np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32))
    return paths


def _hostile_npy(folder: Path) -> list[Path]:
    paths = _npy_folder(folder)
    np.save(paths[0], np.array([Bomb(), Bomb()], dtype=object), allow_pickle=True)
    return paths[:1]


def _import_npy(folder: Path) -> Answer:
    return _import(folder, "--features", folder / "npy")


def _dict_npy(folder: Path) -> list[Path]:
    _text("scores.csv", SCORES)(folder)
    content = {f"v{at}": np.ones((5, 8), np.float32) for at in range(4)}
    np.save(folder / "all.npy", np.array(content, dtype=object), allow_pickle=True)
    return [folder / "all.npy"]


def _hostile_dict_npy(folder: Path) -> list[Path]:
    (path,) = _dict_npy(folder)
    np.save(path, np.array({"v0": np.ones((5, 8)), "v1": Bomb()}, dtype=object), allow_pickle=True)
    return [path]


def _import_dict(folder: Path) -> Answer:
    return _import(folder, "--features", folder / "all.npy")


def _import(folder: Path, *source: object) -> Answer:
    known = ("--dataset", "folder", "--name", "folder", "--root", folder, "--stream", "segments")
    return aqa("store", "import", folder / "store", *known, *source)


def _records(folder: Path) -> list[Path]:
    store = Store(folder / "store")
    return [store.write(random_record(at)) for at in range(4)]


def _marker(folder: Path) -> list[Path]:
    _records(folder)
    return [folder / "store" / "store.json"]


def _look_at_store(folder: Path) -> Answer:
    """`ls`, `verify` and a packing, which reads every record whole; the last that failed counts."""
    answers = [aqa("store", command, folder / "store") for command in ("ls", "verify")]
    answers.append(aqa("store", "pack", folder / "store", "--out", folder / "packed.h5"))
    return _worst(answers)


def _worst(answers: list[Answer]) -> Answer:
    return max(code for code, _ in answers), "\n".join(text for _, text in answers)


def _packed(folder: Path) -> list[Path]:
    _records(folder)
    pack(Store(folder / "store"), folder / "features.h5")
    return [folder / "features.h5"]


def _look_at_pack(folder: Path) -> Answer:
    packed = folder / "features.h5"
    answers = [aqa("store", command, packed) for command in ("ls", "verify")]
    return _worst([*answers, aqa("store", "unpack", packed, folder / "again")])


def _state() -> dict[str, torch.Tensor]:
    return OrderedDict(weight=torch.ones(4, 3), bias=torch.zeros(4), steps=torch.tensor(3))


def _torch_file(content: object, **options: bool) -> Callable[[Path], list[Path]]:
    def prepare(folder: Path) -> list[Path]:
        torch.save(content, folder / "net.pt", **options)
        return [folder / "net.pt"]

    return prepare


def _safetensors(folder: Path) -> list[Path]:
    save_file(_state(), folder / "net.safetensors", metadata={"made": "here"})
    return [folder / "net.safetensors"]


def _trained(folder: Path) -> list[Path]:
    """A run of ACTION-NET, one epoch long, and all the files in it."""
    _text("scores.csv", SCORES)(folder)
    store = Store(folder / "store")
    for at in range(12):
        for spec in SPECS:
            store.write(_features(f"v{at}", spec))
    data = ("--dataset", "folder", "--name", "folder", "--root", folder, "--store", folder / "store")
    code, text = aqa(
        "fit",
        *data,
        "--epochs",
        1,
        "--seeds",
        "0",
        "--split",
        "random-0",
        "--threads",
        1,
        "--out",
        folder / "run",
    )
    assert code == 0, text
    return sorted(path for path in (folder / "run").rglob("*") if path.is_file())


def _features(video_id: str, spec: StreamSpec) -> Record:
    from dataclasses import replace

    at = SPECS.index(spec)
    sample = next(r for r in (random_record(2 * n + at) for n in range(1, 9)) if len(r.features) > 5)
    return replace(sample, dataset="folder", video_id=video_id)


def _look_at_run(folder: Path) -> Answer:
    """`evaluate`, `report` and the loading that `score` begins with."""
    answers = [aqa("evaluate", folder / "run"), _reader(load_ensemble, "run")(folder)]
    return _worst([*answers, aqa("report", folder / "run", "--html", folder / "report.html")])


def _quads_json() -> str:
    return json.dumps({f"30{at}-1": [[1, 2, 9, 2, 1, 8, 9, 8]] * 5 for at in range(4)})


def _boxes_csv() -> str:
    return "frame_index,x1,y1,x2,y2\n" + "".join(f"{at},1,2,30.5,40\n" for at in range(20))


def _quads_csv() -> str:
    return "frame_index,x1,y1,x2,y2,x3,y3,x4,y4\n" + "".join(
        f"{at},1,2,30.5,2,30,40,1,40\n" for at in range(20)
    )


def _mit_text() -> str:
    return "".join(
        f"{k}_Some-Broadcast-abcdefghij{k % 3} {60 + k}.5 30.1 30.4 {100 * k} {100 * k + 90}\n"
        for k in range(1, 13)
    )


def _gymnastics_text(side: int) -> str:
    rows = "".join(f"Ball_{at:03d} 8.5 7.2 15.7 0 90.5\n" for at in range(side, side + 8))
    return f"name difficulty execution total penalty seconds\n{rows}"


def _fis_text(side: int) -> str:
    return "".join(f"{at} 30.5 25.1 -1\n" for at in range(side, side + 8))


def _bytes_of_archive() -> bytes:
    """A checkpoint of torch's zip format whose member claims far more than it holds, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(1 << 26))
        archive.writestr("net/version", "3\n")
    return file.getvalue()


DOORS: dict[str, Door] = {
    "scores.csv": Door(_text("scores.csv", SCORES), _check("folder")),
    "annotations.txt": Door(_text("annotations.txt", _mit_text()), _check("mit-skating")),
    "train.txt": Door(
        _both(_text("train.txt", _gymnastics_text(0)), _text("test.txt", _gymnastics_text(50))),
        _check("rhythmic-gymnastics"),
    ),
    "train_dataset.txt": Door(
        _both(_text("train_dataset.txt", _fis_text(1)), _text("test_dataset.txt", _fis_text(50))),
        _check("fis-v"),
    ),
    "pickles": Door(_mtl_aqa, _check("mtl-aqa")),
    "hostile pickle": Door(_hostile_mtl_aqa, _check("mtl-aqa")),
    ".mat": Door(_aqa7, _check("aqa7")),
    ".mat bomb": Door(_mat_bomb, _check("aqa7")),
    ".xls": Door(_fr_fs, _check("fr-fs")),
    "boxes": Door(_text("boxes.csv", _boxes_csv()), _reader(read_boxes, "boxes.csv")),
    "quads.csv": Door(_text("quads.csv", _quads_csv()), _reader(read_quad_csv, "quads.csv")),
    "quads.json": Door(_text("quads.json", _quads_json()), _reader(read_quads, "quads.json")),
    "synthetic.json": Door(
        _both(_text("synthetic.json", '{"num_videos": 12, "seed": 0}\n'), _text("scores.csv", SCORES)),
        _check("synthetic"),
    ),
    ".npy": Door(_npy_folder, _import_npy),
    "hostile .npy": Door(_hostile_npy, _import_npy),
    "dict .npy": Door(_dict_npy, _import_dict),
    "hostile dict .npy": Door(_hostile_dict_npy, _import_dict),
    "record": Door(_records, _look_at_store),
    "store.json": Door(_marker, _look_at_store),
    "packed store": Door(_packed, _look_at_pack),
    "checkpoint": Door(_torch_file(_state()), _reader(load_state_dict, "net.pt")),
    "old checkpoint": Door(
        _torch_file({"state_dict": _state()}, _use_new_zipfile_serialization=False),
        _reader(load_state_dict, "net.pt"),
    ),
    "hostile checkpoint": Door(_torch_file({"a": Bomb()}), _reader(load_state_dict, "net.pt")),
    "checkpoint bomb": Door(_bytes("net.pt", _bytes_of_archive()), _reader(load_state_dict, "net.pt")),
    "safetensors": Door(_safetensors, _reader(load_state_dict, "net.safetensors")),
    "run": Door(_trained, _look_at_run),
}
