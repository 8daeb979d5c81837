"""Files of one name are told apart."""

from pathlib import Path

from heads.scoring.display_names import distinct_names


def test_a_name_has_the_folders_that_it_needs() -> None:
    paths = [Path("/a/monday/lift.mp4"), Path("/a/friday/lift.mp4"), Path("/a/jump.mp4")]
    assert distinct_names(paths) == ["monday/lift.mp4", "friday/lift.mp4", "jump.mp4"]


def test_folders_of_one_name_need_more_of_them() -> None:
    paths = [Path("/a/x/1/lift.mp4"), Path("/a/y/1/lift.mp4"), Path("/a/y/2/lift.mp4")]
    assert distinct_names(paths) == ["x/1/lift.mp4", "y/1/lift.mp4", "2/lift.mp4"]


def test_one_file_named_twice_stays_one_name() -> None:
    assert len(set(distinct_names([Path("lift.mp4"), Path("lift.mp4")]))) == 1
