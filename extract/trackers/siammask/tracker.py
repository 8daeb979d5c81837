"""SiamMask's tracker: a template from the first frame, then one search and one mask per frame.

Wang et al., CVPR 2019, section 3.3; original: foolwood/SiamMask (MIT), `tools/test.py`. The result is the
mask's rotated box. The next search starts from the upright box of the proposal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from extract.full_precision import full_float32
from extract.trackers.corners import box_quad
from extract.trackers.siammask.masks import place_mask, placement, rotated_box
from extract.trackers.siammask.network import SiamMask, TemplateKernels, stack_kernels
from extract.trackers.siammask.pictures import (
    SEARCH_SIZE,
    TEMPLATE_SIZE,
    context_size,
    cut_square,
    resized,
    search_size,
)
from extract.trackers.siammask.proposals import Proposal, choose_proposal
from extract.trackers.siammask.settings import Setting
from extract.trackers.tracker import Tracked, check_start

MIN_SIDE = 10.0


@dataclass(frozen=True, eq=False)
class SiamMaskState:
    """The state of a track: the template, and the target's place in the last frame.

    `position` (x, y) and `size` (width, height) are float64, in pixels. `mean_color` is the BGR mean of the
    first frame. `score` is the foreground probability and `mask_area` the mask's pixels in the last frame.
    """

    kernels: TemplateKernels = field(repr=False)
    mean_color: np.ndarray
    position: np.ndarray
    size: np.ndarray
    score: float = 1.0
    mask_area: int = 0


@dataclass(frozen=True, eq=False)
class _Search:
    """The search square of a frame: side in pixels, corner (x, y), search pixels per frame pixel, picture."""

    side: int
    corner: np.ndarray
    scale: float
    picture: np.ndarray


@dataclass(frozen=True, eq=False)
class SiamMaskTracker:
    """SiamMask with its weights on a device. `weights_id` is `sha256:<64 hex digits>` or `random:<seed>`."""

    setting: Setting
    weights_id: str
    device: str
    network: SiamMask = field(repr=False)
    doubt_below: float = 0.85

    @property
    def name(self) -> str:
        """The name that `load_tracker` takes."""
        return f"siammask:{self.setting.name}"

    @property
    def identity(self) -> str:
        """Name and weights, for a stream's spec."""
        return f"{self.name} {self.weights_id}"

    def start(self, frame: np.ndarray, box: np.ndarray) -> "SiamMaskTrack":
        """Start a track of the target in a box x1 y1 x2 y2. Raise `AqaError` for a bad box."""
        return SiamMaskTrack(self, self.start_state(frame, box))

    def start_state(self, frame: np.ndarray, box: np.ndarray) -> SiamMaskState:
        """Return the state after the first frame. The template never changes afterwards."""
        corners = check_start(frame, box)
        position, size = (corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]
        bgr = frame[:, :, ::-1]
        mean_color = bgr.mean(axis=(0, 1))
        side = round(context_size(size))
        picture = resized(cut_square(bgr, position, side, mean_color), TEMPLATE_SIZE)
        with torch.inference_mode(), full_float32():
            kernels = self.network.template(self._batch([picture]))
        return SiamMaskState(kernels, mean_color, position, size)

    def update_many(self, tracks: Sequence["SiamMaskTrack"], frames: Sequence[np.ndarray]) -> list[Tracked]:
        """Update each track with the next RGB frame of its own video; the network runs once for all."""
        if not tracks:
            return []
        found = self.next_states([track.state for track in tracks], frames)
        for track, (state, _) in zip(tracks, found, strict=True):
            track.state = state
        return [tracked for _, tracked in found]

    def next_states(
        self, states: Sequence[SiamMaskState], frames: Sequence[np.ndarray]
    ) -> list[tuple[SiamMaskState, Tracked]]:
        """Return each track's state after its next RGB frame, and the target's place in that frame."""
        searches = [_search(state, frame) for state, frame in zip(states, frames, strict=True)]
        with torch.inference_mode(), full_float32():
            result = self.network.search(
                stack_kernels([state.kernels for state in states]),
                self._batch([search.picture for search in searches]),
            )
            scores = _foreground(result.cls)
            boxes = result.loc.float().cpu().numpy()
            proposals = [
                choose_proposal(
                    boxes[at],
                    scores[at],
                    position=state.position,
                    size=state.size,
                    scale=search.scale,
                    setting=self.setting,
                )
                for at, (state, search) in enumerate(zip(states, searches, strict=True))
            ]
            logits = self.network.masks(result, [proposal.grid_position for proposal in proposals])
            masks = torch.sigmoid(logits).float().cpu().numpy()
        steps = zip(states, frames, searches, proposals, masks, strict=True)
        return [self._next_state(*step) for step in steps]

    def _batch(self, pictures: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(pictures)).to(self.device)

    def _next_state(
        self,
        state: SiamMaskState,
        frame: np.ndarray,
        search: _Search,
        proposal: Proposal,
        mask: np.ndarray,
    ) -> tuple[SiamMaskState, Tracked]:
        """Return one track's next state and the target's quad: that of the mask, else the proposal's."""
        height, width = frame.shape[:2]
        size = state.size * (1 - proposal.weight) + proposal.size * proposal.weight
        where = placement(
            proposal.grid_position, corner=search.corner, side=search.side, width=width, height=height
        )
        placed = place_mask(mask, where, width=width, height=height)
        quad, area = rotated_box(placed, threshold=self.setting.mask_threshold)
        if quad is None:  # no mask: the proposal, even if it leaves the frame
            quad = box_quad(np.concatenate([proposal.position - size / 2, proposal.position + size / 2]))
        bounds = np.array([width, height], np.float64)
        moved = replace(
            state,
            position=np.clip(proposal.position, 0.0, bounds),
            size=np.clip(size, MIN_SIDE, bounds),
            score=proposal.score,
            mask_area=area,
        )
        return moved, Tracked(quad, proposal.score)


class SiamMaskTrack:
    """One target that SiamMask follows; `state` is that of the last frame."""

    def __init__(self, tracker: SiamMaskTracker, state: SiamMaskState) -> None:
        self.tracker, self.state = tracker, state

    def update(self, frame: np.ndarray) -> Tracked:
        """Return where the target is in the next RGB frame."""
        (tracked,) = self.tracker.update_many([self], [frame])
        return tracked


def _search(state: SiamMaskState, frame: np.ndarray) -> _Search:
    context = context_size(state.size)
    side = round(search_size(context))
    square = cut_square(frame[:, :, ::-1], state.position, side, state.mean_color)
    return _Search(side, state.position - side / 2, TEMPLATE_SIZE / context, resized(square, SEARCH_SIZE))


def _foreground(cls: torch.Tensor) -> np.ndarray:
    """Return foreground probabilities (batch, 3125) float32 for logits (batch, 10, 25, 25)."""
    # The logits are five anchors of background, then five of foreground.
    pairs = cls.float().reshape(len(cls), 2, -1)
    probabilities: np.ndarray = torch.softmax(pairs, dim=1)[:, 1].cpu().numpy()
    return probabilities
