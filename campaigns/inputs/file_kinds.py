"""Every kind of file that the commands open: a sound sample of each, and how a user has it opened.

Some samples are hostile from the beginning: they ask for code that writes to a canary file. Mutations of
these must not run the code either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.athlete.quads import read_quad_csv, read_quads
from aqa_pipeline.errors import AqaError
from aqa_pipeline.weights import load_state_dict
from campaigns.inputs import file_samples as samples
from campaigns.inputs.samples import aqa
from heads.scoring.ensemble import load_ensemble

Answer = tuple[int, str]


@dataclass(frozen=True)
class FileKind:
    """A kind of file. `prepare` writes a sample into an empty folder, and returns the files to spoil.

    `open` opens the sample in that folder, and returns the exit code and all that a user would read.
    """

    prepare: Callable[[Path], list[Path]]
    open: Callable[[Path], Answer]


def _check(dataset: str) -> Callable[[Path], Answer]:
    return lambda folder: aqa("datasets", "check", dataset, "--root", folder)


def _reader(read: Callable[[Path], object], name: str) -> Callable[[Path], Answer]:
    """Return an `open` that calls a reader; its domain errors are what a long command would print."""

    def open_sample(folder: Path) -> Answer:
        try:
            return 0, repr(read(folder / name))
        except AqaError as error:
            return 1, str(error)

    return open_sample


def _import_npy(folder: Path) -> Answer:
    return _import(folder, "--features", folder / "npy")


def _import_dict(folder: Path) -> Answer:
    return _import(folder, "--features", folder / "all.npy")


def _import(folder: Path, *source: object) -> Answer:
    known = ("--dataset", "folder", "--name", "folder", "--root", folder, "--stream", "segments")
    return aqa("store", "import", folder / "store", *known, *source)


def _look_at_store(folder: Path) -> Answer:
    """Run `ls`, `verify` and `pack`, which reads every record whole. The highest exit code counts."""
    answers = [aqa("store", command, folder / "store") for command in ("ls", "verify")]
    answers.append(aqa("store", "pack", folder / "store", "--out", folder / "packed.h5"))
    return _worst(answers)


def _worst(answers: list[Answer]) -> Answer:
    return max(code for code, _ in answers), "\n".join(text for _, text in answers)


def _look_at_pack(folder: Path) -> Answer:
    packed = folder / "features.h5"
    answers = [aqa("store", command, packed) for command in ("ls", "verify")]
    return _worst([*answers, aqa("store", "unpack", packed, folder / "again")])


def _look_at_run(folder: Path) -> Answer:
    """Run `evaluate`, `report` and the loading with which `score` begins."""
    answers = [aqa("evaluate", folder / "run"), _reader(load_ensemble, "run")(folder)]
    return _worst([*answers, aqa("report", folder / "run", "--html", folder / "report.html")])


FILE_KINDS: dict[str, FileKind] = {
    "scores.csv": FileKind(samples.text_file("scores.csv", samples.SCORES), _check("folder")),
    "annotations.txt": FileKind(
        samples.text_file("annotations.txt", samples.mit_text()), _check("mit-skating")
    ),
    "train.txt": FileKind(
        samples.all_of(
            samples.text_file("train.txt", samples.gymnastics_text(0)),
            samples.text_file("test.txt", samples.gymnastics_text(50)),
        ),
        _check("rhythmic-gymnastics"),
    ),
    "train_dataset.txt": FileKind(
        samples.all_of(
            samples.text_file("train_dataset.txt", samples.fis_text(1)),
            samples.text_file("test_dataset.txt", samples.fis_text(50)),
        ),
        _check("fis-v"),
    ),
    "pickles": FileKind(samples.mtl_aqa, _check("mtl-aqa")),
    "hostile pickle": FileKind(samples.hostile_mtl_aqa, _check("mtl-aqa")),
    ".mat": FileKind(samples.aqa7, _check("aqa7")),
    ".mat bomb": FileKind(samples.mat_bomb, _check("aqa7")),
    ".xls": FileKind(samples.fr_fs, _check("fr-fs")),
    "boxes": FileKind(samples.text_file("boxes.csv", samples.boxes_csv()), _reader(read_boxes, "boxes.csv")),
    "quads.csv": FileKind(
        samples.text_file("quads.csv", samples.quads_csv()), _reader(read_quad_csv, "quads.csv")
    ),
    "quads.json": FileKind(
        samples.text_file("quads.json", samples.quads_json()), _reader(read_quads, "quads.json")
    ),
    "synthetic.json": FileKind(
        samples.all_of(
            samples.text_file("synthetic.json", '{"num_videos": 12, "seed": 0}\n'),
            samples.text_file("scores.csv", samples.SCORES),
        ),
        _check("synthetic"),
    ),
    ".npy": FileKind(samples.npy_folder, _import_npy),
    "hostile .npy": FileKind(samples.hostile_npy, _import_npy),
    "dict .npy": FileKind(samples.dict_npy, _import_dict),
    "hostile dict .npy": FileKind(samples.hostile_dict_npy, _import_dict),
    "record": FileKind(samples.records, _look_at_store),
    "store.json": FileKind(samples.marker, _look_at_store),
    "packed store": FileKind(samples.packed, _look_at_pack),
    "checkpoint": FileKind(samples.torch_file(samples.tensors()), _reader(load_state_dict, "net.pt")),
    "old checkpoint": FileKind(
        samples.torch_file({"state_dict": samples.tensors()}, _use_new_zipfile_serialization=False),
        _reader(load_state_dict, "net.pt"),
    ),
    "hostile checkpoint": FileKind(
        samples.torch_file({"a": samples.Bomb()}), _reader(load_state_dict, "net.pt")
    ),
    "checkpoint bomb": FileKind(
        samples.binary_file("net.pt", samples.archive_bomb()), _reader(load_state_dict, "net.pt")
    ),
    "safetensors": FileKind(samples.safetensors, _reader(load_state_dict, "net.safetensors")),
    "run": FileKind(samples.trained, _look_at_run),
}
