"""The SHA-256 of a split, and paths that may not leave the folder of results.json."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from heads.bench.digests import path_within, split_sha256
from heads.runs.predictions import Predicted


def test_the_digest_of_a_split_is_that_of_the_text_in_the_guide() -> None:
    split = Predicted("a", (0,), ("v2", "v3"), np.ones(2), np.ones((1, 2)), frozenset({"v9", "vé"}))
    text = '["a",["v9","v\\u00e9"],["v2","v3"]]'
    assert split_sha256(split) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("path", ["/etc", "../x", "runs/../../x", "", "C:/x", "runs\\..\\x", "a\0b"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(RunError, match="leads out of the folder"):
        path_within(tmp_path, path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link, which is never followed"):
        path_within(tmp_path / "folder", "runs/x")
    assert path_within(tmp_path / "folder", "other/x") == tmp_path / "folder" / "other" / "x"
