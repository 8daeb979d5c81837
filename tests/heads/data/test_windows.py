"""Where windows lie, for the text and for the released code."""

from collections import Counter

import pytest
import torch

from heads.data.windows import (
    cut_windows,
    evaluation_num_steps,
    evaluation_starts,
    random_starts,
    random_views,
    reference_view,
)


def drawn_starts(length: int, num_steps: int, *, windows: str) -> Counter[int]:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.full((4000,), length)
    return Counter(random_starts(lengths, num_steps, windows=windows, generator=generator).tolist())


def test_paper_takes_every_start_alike_the_last_included() -> None:
    starts = drawn_starts(29, 26, windows="paper")
    assert sorted(starts) == [0, 1, 2, 3]
    assert all(count == pytest.approx(1000, abs=120) for count in starts.values())


@pytest.mark.parametrize("windows", ["released", "cropped"])
def test_released_codes_never_take_the_last_start(windows: str) -> None:
    assert sorted(drawn_starts(29, 26, windows=windows)) == [0, 1, 2]
    assert sorted(drawn_starts(27, 26, windows=windows)) == [0]


@pytest.mark.parametrize("windows", ["paper", "released", "cropped"])
@pytest.mark.parametrize("length", [0, 3, 26])
def test_videos_no_longer_than_the_window_start_at_0(windows: str, length: int) -> None:
    assert sorted(drawn_starts(length, 26, windows=windows)) == [0]


def test_released_tests_on_the_middle() -> None:
    lengths = torch.tensor([26, 27, 28, 29, 30, 5])
    assert evaluation_starts(lengths, 26, windows="released").tolist() == [0, 0, 1, 1, 2, 0]
    assert evaluation_num_steps(lengths, 26, windows="released") == 26


@pytest.mark.parametrize("windows", ["paper", "cropped"])
def test_testing_sees_the_whole_sequence(windows: str) -> None:
    lengths = torch.tensor([26, 30, 5])
    assert evaluation_starts(lengths, 26, windows=windows).tolist() == [0, 0, 0]
    assert evaluation_num_steps(lengths, 26, windows=windows) == 30
    assert evaluation_num_steps(torch.tensor([0]), 26, windows=windows) == 1


def test_windows_hold_the_right_steps_and_mask_the_rest() -> None:
    padded = torch.tensor([[1.0, 2, 3, 4, 5], [6, 7, 0, 0, 0]])[:, :, None]
    windows, masks = cut_windows(
        padded,
        torch.tensor([5, 2]),
        videos=torch.tensor([1, 0]),
        starts=torch.tensor([0, 1]),
        num_steps=4,
    )
    assert windows[..., 0].tolist() == [[6, 7, 0, 0], [2, 3, 4, 5]]
    assert masks.tolist() == [[True, True, False, False], [True] * 4]


def test_windows_may_be_longer_than_every_video() -> None:
    windows, masks = cut_windows(
        torch.ones(1, 2, 3),
        torch.tensor([2]),
        videos=torch.tensor([0]),
        starts=torch.tensor([0]),
        num_steps=5,
    )
    assert windows.sum() == 2 * 3
    assert masks.sum() == 2


def test_views_are_drawn_at_random_in_training_and_the_first_is_the_reference() -> None:
    windows = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    generator = torch.Generator().manual_seed(0)
    drawn = [random_views(windows, generator=generator) for _ in range(40)]
    for video in range(2):
        seen = {view for rows in drawn for view in range(4) if rows[video].equal(windows[video, :, view])}
        assert seen == {0, 1, 2, 3}
    assert reference_view(windows).equal(windows[:, :, 0])
    plain = windows[:, :, 0]
    assert random_views(plain, generator=generator) is plain
    assert reference_view(plain) is plain
