"""The three lines that the project is for, typed as they stand, on a small folder in MIT-Skating's form.

The official weights belong to others and are not here: the environment, which can set every option, asks for
random ones, for boxes instead of a detector, and for short trainings. The lines themselves stay as they are.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
EXTRACT = "aqa extract --dataset mit-skating"
FIT = "aqa fit --head action-net"
TABLE = "make reproduce-table1"

NUM_BROADCASTS, SKATERS, NUM_FRAMES, PAUSE = 2, 4, 40, 8  # frames of a performance, and between two
WIDTH, HEIGHT = 96, 72

SMALL = {
    "AQA_EXTRACT_WEIGHTS": "random:0",
    "AQA_EXTRACT_DETECTOR": "annotations",
    "AQA_EXTRACT_RUNTIME": "eager",
    "AQA_FIT_EPOCHS": "2",
    "AQA_FIT_SEEDS": "0",
    "ARGS": "--columns mit-skating --rows i3d-svr-average,action-net-paper --epochs 2 --seeds 0 --jobs 1",
}


def write_skating(root: Path) -> None:
    """Write eight performances in two broadcasts, cut out of them by the labels, with boxes and labels."""
    (root / "videos").mkdir(parents=True)
    (root / "boxes").mkdir()
    lines = []
    for broadcast in range(NUM_BROADCASTS):
        title = f"2014_Worlds_Ladies-abcdefghij{broadcast}"
        write_broadcast(root / "videos" / f"{title}.mp4", seed=broadcast)
        for skater in range(SKATERS):
            name, start = f"{skater + 1}_{title}", PAUSE + skater * (NUM_FRAMES + PAUSE)
            tes, pcs = 25 + 3 * skater + broadcast, 24.5 + 2 * skater
            lines.append(f"{name} {tes + pcs} {tes} {pcs} {start} {start + NUM_FRAMES}")
            rows = [f"{start + at},{20 + at % 30},10,{60 + at % 30},60" for at in range(NUM_FRAMES)]
            (root / "boxes" / f"{name}.csv").write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]) + "\n")
    (root / "annotations.txt").write_text("\n".join(lines) + "\n")


def write_broadcast(path: Path, *, seed: int) -> None:
    noise = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24000, 1001), options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(PAUSE + SKATERS * (NUM_FRAMES + PAUSE)):
            small = noise.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
            picture = small.repeat(8, axis=0).repeat(8, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def environment_of_make(folder: Path) -> dict[str, str]:
    """Make VENV of the Makefile stand for the environment of this test, as if it had just been set up."""
    folder.mkdir()
    (folder / "bin").symlink_to(BIN, target_is_directory=True)
    for stamp in (".core", ".dev"):
        (folder / stamp).touch()
    return {"VENV": str(folder)}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder like a clone of the project into which the user put the dataset."""
    folder = tmp_path / "checkout"
    write_skating(folder / "data" / "mit-skating")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


def typed(line: str, *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, shell=True, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def run_lines(lines: Sequence[str], checkout: Path, **more: str) -> list[subprocess.CompletedProcess[str]]:
    """Type the lines one after the other, until one fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AQA_", "MAKE"))}
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    env = inherited | {"PATH": path, "PYTHONPATH": str(REPOSITORY)} | more
    results = []
    for line in lines:
        results.append(typed(line, cwd=checkout, env=env))
        assert results[-1].returncode == 0, (line, results[-1].stdout, results[-1].stderr)
    return results


@pytest.mark.slow
@pytest.mark.skipif(
    not (BIN / "aqa").exists(), reason="the command `aqa` is not installed beside this Python"
)
def test_the_three_lines_work_as_they_stand(checkout: Path, tmp_path: Path) -> None:
    env = SMALL | environment_of_make(tmp_path / "venv") | {"AQA_HOME": str(tmp_path / "home")}
    extracted, fitted, table = run_lines([EXTRACT, FIT, TABLE], checkout, **env)

    assert "8 videos" in extracted.stdout
    said = [line for line in fitted.stderr.splitlines() if line.startswith("Fitting")]
    assert said == [
        "Fitting action-net on mit-skating (data/mit-skating) with the features in features, "
        "into runs/mit-skating-action-net."
    ]
    assert (checkout / "runs" / "mit-skating-action-net" / "summary.json").is_file()
    assert "RANDOM WEIGHTS" in table.stdout
    written = (checkout / "results" / "action-net-table1" / "RANDOM-WEIGHTS-table.md").read_text()
    assert "not run" not in written


@pytest.mark.skipif(
    not (BIN / "aqa").exists(), reason="the command `aqa` is not installed beside this Python"
)
def test_without_official_weights_the_first_line_says_how_to_get_them(checkout: Path, tmp_path: Path) -> None:
    (result,) = [
        typed(
            EXTRACT,
            cwd=checkout,
            env=os.environ
            | {"AQA_HOME": str(tmp_path / "home"), "PYTHONPATH": str(REPOSITORY)}
            | {"PATH": os.pathsep.join([str(BIN), os.environ["PATH"]])},
        )
    ]
    assert result.returncode == 1
    assert "aqa weights fetch" in result.stderr
