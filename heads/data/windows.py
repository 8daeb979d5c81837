"""Which time steps of each video a head sees: a random window in training, all or the middle in testing.

paper     training starts anywhere that fits, the last place included; testing sees the whole sequence:
          the text fixes the number of steps "to train the network", and masks make any length possible
sampled   training reads a random choice of steps in their order; testing sees the whole sequence
released  training never takes the last start (numpy's randint(0, N - n)); testing sees the middle n
          steps; shorter videos are filled up with zero rows, which the network takes for real ones
cropped   training is as with `released`; testing sees the whole sequence
"""

import torch
from torch import Tensor

from heads.data.device import to_device
from heads.recipes import Windows


def random_starts(lengths: Tensor, num_steps: int, *, windows: Windows, generator: torch.Generator) -> Tensor:
    """Return a random start per video, uniform over those that fit; 0 for a video that fits the window."""
    spare = (lengths - num_steps).clamp_min(0)
    num_starts = spare.clamp_min(1) if windows in ("released", "cropped") else spare + 1
    draws = torch.rand(lengths.shape, generator=generator, dtype=torch.float64)
    return (draws * num_starts).long()


def evaluation_starts(lengths: Tensor, num_steps: int, *, windows: Windows) -> Tensor:
    """Return the start of what testing sees: 0; released: the middle window (length 29, window 26 -> 1)."""
    if windows == "released":
        return (lengths - num_steps).clamp_min(0) // 2
    return torch.zeros_like(lengths)


def evaluation_num_steps(lengths: Tensor, num_steps: int, *, windows: Windows) -> int:
    """How many steps testing sees of videos of these lengths: all of the longest, or the window."""
    if windows == "released":
        return num_steps
    return max(1, int(lengths.max()))


def cut_windows(
    padded: Tensor, lengths: Tensor, *, videos: Tensor, starts: Tensor, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Windows `batch num_steps dim` of the chosen videos, and masks `batch num_steps` of their real steps.

    `padded` is `video time dim`, zero beyond each video's length; those steps are masked out. `starts` are
    such as the functions above give: only a window longer than the video goes beyond its end, from step 0.
    Windows and masks are where `padded` is; all else is on the CPU.
    """
    num_stored = min(num_steps, padded.shape[1])
    steps = starts[:, None] + torch.arange(num_steps)
    rows, columns = (to_device(each, padded.device) for each in (videos[:, None], steps[:, :num_stored]))
    windows = padded[rows, columns]
    if num_stored < num_steps:
        missing = windows.new_zeros(len(videos), num_steps - num_stored, *windows.shape[2:])
        windows = torch.cat([windows, missing], dim=1)
    return windows, to_device(steps < lengths[videos][:, None], padded.device)


def random_views(windows: Tensor, *, generator: torch.Generator) -> Tensor:
    """One view per video, drawn at random: `batch time view dim` -> `batch time dim`; others as they are."""
    if windows.ndim < 4:
        return windows
    drawn = to_device(torch.randint(windows.shape[2], (len(windows),), generator=generator), windows.device)
    return windows[torch.arange(len(windows), device=windows.device), :, drawn]


def reference_view(windows: Tensor) -> Tensor:
    """Return the first view, which is not augmented and which testing sees."""
    return windows if windows.ndim < 4 else windows[:, :, 0]


def sampled_steps(
    lengths: Tensor, *, most: int, dropout: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw steps of each video, in their order: indices and mask `(batch, step)`.

    A video of n steps keeps n (1 - dropout), rounded, but at least 1 of them and at most `most`.
    """
    kept = (lengths * (1 - dropout)).round().clamp(1, most).long().minimum(lengths)
    keys = torch.rand(len(lengths), max(1, int(lengths.max())), generator=generator)
    keys = keys.masked_fill(torch.arange(keys.shape[1]) >= lengths[:, None], torch.inf)
    order = keys.argsort(dim=1)[:, : max(1, int(kept.max()))]
    mask = torch.arange(order.shape[1]) < kept[:, None]
    last = torch.full_like(order, keys.shape[1])
    indices = order.where(mask, last).sort(dim=1).values  # the drawn ones in their order, then the others
    return indices.where(mask, torch.zeros_like(indices)), mask
