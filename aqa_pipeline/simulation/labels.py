"""Draw random labels in the file format and size of a dataset, for use without that dataset."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from aqa_pipeline.datasets.adapters.aqa7 import SCORE_RANGES
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.simulation.shares import in_proportion

NOTE_FILE = "DRAWN.txt"
NOTE = """\
The labels in this folder were drawn at random by `aqa simulate --draw-labels --seed {seed}`, in the format
and size of {name}. They are not from judges, and belong to no video.
"""

NUM_CLEAN, NUM_FALLS = 276, 141  # of FR-FS; half of each is the training set
JUMPS_PER_SKATER = 3

AQA7_SIZES = {
    "diving": 370,
    "gym_vault": 176,
    "ski_big_air": 175,
    "snowboard_big_air": 206,
    "sync_diving_3m": 88,
    "sync_diving_10m": 91,
}
AQA7_NUM_TEST = 303  # of 1,106, distributed over the sports in proportion

JIGSAWS_SIZES = {"Suturing": 39, "Needle_Passing": 28, "Knot_Tying": 36}
SURGEONS, TRIALS_EACH = "BCDEFGHI", 5
ITEMS_OF_TRIAL = 6  # marks of 1 to 5


def draw_labels(name: str, root: Path, *, seed: int = 0) -> None:
    """Write random labels of that dataset into `root`. The same labels stay if they exist already.

    Raises `UnknownName` for a dataset whose labels cannot be drawn, and `DatasetError` for a folder with
    other content.
    """
    if name not in LABELS:
        raise UnknownName("dataset with labels to draw", name, LABELS)
    note, note_file = NOTE.format(name=name, seed=seed), root / NOTE_FILE
    if note_file.is_file() and note_file.read_text(encoding="utf-8") == note:
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DatasetError(
            f"{root} is not empty, and does not hold the labels of {name} with seed {seed}: give a new "
            "folder with --root."
        )
    root.mkdir(parents=True, exist_ok=True)
    LABELS[name](root, np.random.default_rng(seed))
    note_file.write_text(note, encoding="utf-8")


def _fr_fs(root: Path, rng: np.random.Generator) -> None:
    """Write Train.csv and Test.csv, with half of the clean landings and half of the falls in each."""
    num = NUM_CLEAN + NUM_FALLS
    keys = [f"{1 + n // JUMPS_PER_SKATER}-{1 + n % JUMPS_PER_SKATER}" for n in range(num)]
    clean = rng.permutation(np.arange(num) < NUM_CLEAN)
    is_test = np.zeros(num, bool)
    for with_label in (clean, ~clean):
        is_test[rng.permutation(np.flatnonzero(with_label))[: with_label.sum() // 2]] = True
    (root / "FRFS").mkdir()
    for file_name, side in (("Train.csv", ~is_test), ("Test.csv", is_test)):
        rows = [f"{keys[n]},{int(clean[n])}" for n in np.flatnonzero(side)]
        (root / "FRFS" / file_name).write_text("\n".join(["key,label", *rows]) + "\n", encoding="utf-8")


def _aqa7(root: Path, rng: np.random.Generator) -> None:
    """Write the lists of Split_4: sport, sample, and a score within the range of the sport."""
    from scipy.io import savemat

    tests = dict(zip(AQA7_SIZES, in_proportion(AQA7_NUM_TEST, list(AQA7_SIZES.values())), strict=True))
    sides: dict[str, list[list[float]]] = {"train": [], "test": []}
    for number, (sport, size) in enumerate(AQA7_SIZES.items(), start=1):
        low, high = SCORE_RANGES[sport]
        scores = (low + (high - low) * rng.beta(4, 2, size)).round(2)
        drawn = set(rng.permutation(size)[: tests[sport]].tolist())
        for sample, score in enumerate(scores.tolist()):
            sides["test" if sample in drawn else "train"].append([number, sample + 1, score])
    (root / "Split_4").mkdir()
    for side, rows in sides.items():
        savemat(root / "Split_4" / f"split_4_{side}_list.mat", {f"consolidated_{side}_list": np.array(rows)})


def _jigsaws(root: Path, rng: np.random.Generator) -> None:
    """Write a meta file per task: trial, claimed skill, sum and marks, which follow the surgeon's skill."""
    skills = dict(zip(SURGEONS, rng.permutation(np.linspace(-1.5, 1.5, len(SURGEONS))), strict=True))
    for task, size in JIGSAWS_SIZES.items():
        names = [f"{surgeon}{trial:03d}" for surgeon in SURGEONS for trial in range(1, TRIALS_EACH + 1)]
        lines = []
        for name in sorted(rng.permutation(names)[:size]):
            skill = skills[name[0]]
            marks = np.clip(np.rint(3 + skill + rng.normal(0, 0.7, ITEMS_OF_TRIAL)), 1, 5).astype(int)
            claimed = "NIE"[int(np.digitize(skill, [-0.5, 0.5]))]
            lines.append("\t".join(map(str, [f"{task}_{name}", claimed, marks.sum(), *marks])))
        (root / task).mkdir()
        (root / task / f"meta_file_{task}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


LABELS: Mapping[str, Callable[[Path, np.random.Generator], None]] = {
    "fr-fs": _fr_fs,
    "aqa7": _aqa7,
    "jigsaws": _jigsaws,
}
