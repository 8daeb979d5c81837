"""The installed package with whatever versions of the libraries came with it: demo, pages and clips.

python tests/smoke_newest.py        run by the Python whose `aqa` is tried; `make newest` installs one
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

AQA = Path(sys.executable).with_name("aqa")
LIBRARIES = ("av", "h5py", "matplotlib", "numpy", "opencv-python", "scikit-learn", "scipy", "torch")
OUR_WARNING = re.compile(r"site-packages/(?:cli|aqa_pipeline|extract|heads)\b\S*\.py:\d+: \w*Warning.*")
CLIPS = ["--streams", "clips", "--backbone", "mc3_18", "--weights", "random:0", "--device", "cpu"]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        aqa(folder, "demo", "--num-videos", "9", "--seeds", "0", "--out", "demo")
        check_page(folder / "demo" / "score.html", "<video", "routine-001.mp4", "lite0-motion")
        check_page(folder / "demo" / "report.html", "3 runs compared", "Spearman", "data:image/svg+xml")
        data = ["--dataset", "synthetic", "--root", "demo/synthetic", "--limit", "1"]
        aqa(folder, "extract", *data, *CLIPS, "--store", "clips")
        said = aqa(folder, "store", "verify", "clips")
        assert "1 of 1 record is sound" in said, said
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    print(f"Python {platform.python_version()}: demo, score page, report and clips work with {versions}.")


def aqa(folder: Path, *arguments: str) -> str:
    """Return the command's output; end the program if it fails or if our code makes a library warn."""
    environment = os.environ | {"AQA_HOME": str(folder / "home"), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [AQA, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\naqa {' '.join(arguments)} ended with {done.returncode}")
    if warnings := OUR_WARNING.findall(done.stdout):
        raise SystemExit("\n".join([f"aqa {' '.join(arguments)} is warned:", *sorted(set(warnings))]))
    return done.stdout


def check_page(page: Path, *words: str) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [word for word in words if word not in text]
    assert not missing, f"{page.name} lacks {missing}"


if __name__ == "__main__":
    main()
