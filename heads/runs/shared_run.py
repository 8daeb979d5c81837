"""A run in one file, to be handed on: a zip of its files that scoring and evaluation read, and a card.

The file may come from a stranger. Only members with the names of a run's files are written, each of a bounded
size, into a new folder. Nothing in it is run: weights are safetensors, all else is text.
"""

import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from aqa_pipeline.disk.files import whole_file, whole_folder
from aqa_pipeline.errors import RunError
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, MIB
from heads.runs.config import FILE, read_config
from heads.runs.run_config import MOST_CELLS, RunConfig
from heads.runs.trained_cell import FILES, cell_folder, is_complete, read_cell, split_folder

CARD = "CARD.md"
OF_RUN = ("environment.json", "summary.json", "summary.csv")
OF_SPLIT = ("training_statistics.json", "baselines.csv", "out_of_fold.csv", "choice.json")
MODEL_BYTES = 4096 * MIB


def _any(names: Sequence[str]) -> str:
    return "|".join(map(re.escape, names))


MEMBER = re.compile(
    rf"{_any((FILE, CARD, *OF_RUN))}"
    rf"|split-[A-Za-z0-9_.~% -]+/({_any(OF_SPLIT)}|seed-\d+/({_any(FILES)}))"
)
BEGINNING = (1980, 1, 1, 0, 0, 0)  # of the zip format: the same run gives the same bytes


def is_shared_run(path: Path) -> bool:
    """Return True for a file of `write_shared_run`: a zip with a config and a card."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {FILE, CARD} <= set(archive.namelist())


def write_shared_run(run_dir: Path, out: Path, *, card: str) -> None:
    """Write a finished run and its card into one file; raise `RunError` if a trained cell is missing.

    The config of the file names no folder of this machine.
    """
    config = read_config(run_dir)
    missing = [
        f"{split} seed {seed}"
        for split, seed in config.cells
        if not is_complete(cell_folder(run_dir, split=split, seed=seed))
    ]
    if missing:
        raise RunError(f"{run_dir} is not finished: it lacks {', '.join(missing[:3])}. Run `aqa fit` again.")
    with whole_file(out) as part, zipfile.ZipFile(part, "w") as archive:
        _add(archive, CARD, card.encode())
        _add(archive, FILE, _without_folders(config).model_dump_json(indent=2).encode())
        for path in _files(run_dir, config):
            _add(archive, path.relative_to(run_dir).as_posix(), path.read_bytes())


def _without_folders(config: RunConfig) -> RunConfig:
    streams = {
        name: stream.model_copy(
            update={"files": {use: os.path.basename(path) for use, path in stream.files.items()}}
        )
        for name, stream in config.streams.items()
    }
    dataset = config.dataset.model_copy(update={"root": Path(config.dataset.name)})
    return config.model_copy(update={"streams": streams, "dataset": dataset, "store": Path("features")})


def _files(run_dir: Path, config: RunConfig) -> Iterator[Path]:
    """Yield the files of the run that are there, except its config."""
    paths = [run_dir / name for name in OF_RUN]
    for split in config.splits:
        paths += [split_folder(run_dir, split) / name for name in OF_SPLIT]
    for split, seed in config.cells:
        paths += [cell_folder(run_dir, split=split, seed=seed) / name for name in FILES]
    yield from (path for path in paths if path.is_file())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    method = zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED
    archive.writestr(zipfile.ZipInfo(name, BEGINNING), content, compress_type=method)


def read_shared_run(path: Path, out: Path) -> RunConfig:
    """Write the run of a shared file into the new folder `out`, and return its config.

    Raises `RunError` if `out` exists, or if the file is damaged, incomplete, or holds anything but a run.
    """
    if out.exists():
        raise RunError(f"{out} is there already: name a new folder with --out.")
    try:
        with zipfile.ZipFile(path) as archive, whole_folder(out) as part:
            for member in _checked(archive):
                _extract(archive, member, part)
            config = read_config(part)
            for split, seed in config.cells:
                read_cell(part, split=split, seed=seed)
            os.replace(part, out)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zipfile.LargeZipFile) as error:
        raise RunError(f"{path} is damaged ({error}): get it again.") from error
    return config


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members; raise `RunError` for a name, a number or a size that no run has."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) < len(names) or len(names) > len(FILES) * MOST_CELLS:
        raise RunError(f"{archive.filename} holds {len(names)} files, some of one name: that is no run.")
    for member in members:
        most = MODEL_BYTES if member.filename.endswith(".safetensors") else LABEL_BYTES
        if not MEMBER.fullmatch(member.filename) or member.file_size > most or member.flag_bits & 1:
            raise RunError(
                f"{archive.filename} holds {member.filename[:80]!r} ({member.file_size:,} bytes), "
                "which is no file of a run: nothing was written."
            )
    return members


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
