"""Residuals of training videos, each predicted without its own inner fold."""

from pathlib import Path

import pytest

from heads.runs.inner_choice import OutOfFold, out_of_fold_residuals, write_out_of_fold
from heads.runs.trained_cell import split_folder


def test_a_video_of_several_splits_is_one_residual(tmp_path: Path) -> None:
    write_out_of_fold(split_folder(tmp_path, "a"), [OutOfFold("v", 5.0, 4.0), OutOfFold("w", 3.0, 3.5)])
    write_out_of_fold(split_folder(tmp_path, "b"), [OutOfFold("v", 5.0, 2.0), OutOfFold("x", 1.0, 1.0)])
    found = out_of_fold_residuals(tmp_path, ["a", "b"])
    assert found is not None
    assert sorted(found.tolist()) == pytest.approx([-0.5, 0.0, 2.0])


def test_a_split_without_predictions_leaves_none(tmp_path: Path) -> None:
    write_out_of_fold(split_folder(tmp_path, "a"), [OutOfFold("v", 5.0, 4.0)])
    assert out_of_fold_residuals(tmp_path, ["a", "b"]) is None
