"""The inner predictions of a stack's network come back as they were written, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from heads.runs.inner_network import FILE, InnerNetwork, read_inner_network, write_inner_network

IDS = ("a", "=b", "c,d", "e")


@pytest.fixture
def inner(tmp_path: Path) -> InnerNetwork:
    inner = InnerNetwork((np.array([1, 3]), np.array([0, 2])), np.array([0.1, -1 / 3, 1e-17, 2.0]))
    write_inner_network(tmp_path, inner, video_ids=IDS)
    return inner


def test_folds_and_predictions_come_back_to_the_bit(inner: InnerNetwork, tmp_path: Path) -> None:
    read = read_inner_network(tmp_path, video_ids=IDS)
    assert read is not None
    np.testing.assert_array_equal(read.predicted, inner.predicted)
    assert [fold.tolist() for fold in read.folds] == [[1, 3], [0, 2]]


def test_a_split_without_predictions_has_none(tmp_path: Path) -> None:
    assert read_inner_network(tmp_path, video_ids=IDS) is None


@pytest.mark.parametrize("change", [lambda text: text.replace("e,0", "f,0"), lambda text: text[:-8]])
def test_predictions_of_other_videos_are_refused(inner: InnerNetwork, tmp_path: Path, change) -> None:
    path = tmp_path / FILE
    path.write_text(change(path.read_text()))
    with pytest.raises(RunError, match=r"inner_network.csv is damaged .*Delete it"):
        read_inner_network(tmp_path, video_ids=IDS)
