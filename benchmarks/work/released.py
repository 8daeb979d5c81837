"""The plain ways for comparison: what the papers' released extractors do.

Networks run as in their ports: eager fp32, channels first, batch normalization as a layer, torch's own 3D
pool. A video is read in two passes. The first makes segments. The second writes frames as JPEG files, reads
them, writes the person's crops as JPEG files, and reads those.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aqa_pipeline.backbones.frame_to_square import ShortSideAndCrop
from aqa_pipeline.backbones.networks.i3d_layers import SamePool
from aqa_pipeline.backbones.networks.same_padding import same_padding
from aqa_pipeline.backbones.resizing import antialiased, center
from extract.runtimes.load_backbone import LoadedBackbone

BATCH = {"clip": 8, "image": 32}


class PortsPool(nn.Module):
    """`MaxPool3dSamePadding` of the ports: zero padding, then torch's own pool."""

    def __init__(self, ours: SamePool) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps."""
        kernel, stride, padding = self.ours.kernel, self.ours.stride, self.ours.padding
        sizes = zip(x.shape[2:], kernel, stride, strict=True)
        around = [zeros for sks in reversed(list(sizes)) for zeros in same_padding(*sks, padding)]
        return F.max_pool3d(F.pad(x, around), kernel, stride, ceil_mode=padding == "static")


def as_released(network: nn.Module) -> nn.Module:
    """Return a copy of the network in the form of its port."""
    plain = deepcopy(network).to(memory_format=torch.contiguous_format)
    for name, module in list(plain.named_modules()):
        if isinstance(module, SamePool):
            plain.set_submodule(name, PortsPool(module))
    return plain


def plain_features(loaded: LoadedBackbone) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from uint8 batches to features by the released form, on the backbone's device."""
    network = as_released(loaded.network)
    mean, std = (
        torch.tensor(each, device=loaded.device) for each in (loaded.preprocess.mean, loaded.preprocess.std)
    )

    def features(batch: np.ndarray) -> np.ndarray:
        pictures = (torch.from_numpy(batch).to(loaded.device).float() / 255 - mean) / std
        with torch.no_grad():
            output: Tensor = network(pictures.movedim(-1, 1).contiguous())
        return output.cpu().numpy()

    return features


def plain_geometry(frame: np.ndarray) -> np.ndarray:
    """Return the square that both streams' networks get: the whole frame resized, then cut."""

    def whole(frame: np.ndarray, width: int, height: int, side: int) -> np.ndarray:
        return center(antialiased(frame, width, height), side, side)

    return ShortSideAndCrop(256, 224, whole)(frame)


class PlainExtraction:
    """The released extraction of segments and crops, in two passes with files between, from given boxes."""

    def __init__(
        self, segments: LoadedBackbone, crops: LoadedBackbone, *, batch: dict[str, int] = BATCH
    ) -> None:
        self._segments, self._crops, self._batch = segments, crops, batch
        self._of_segments, self._of_crops = plain_features(segments), plain_features(crops)

    def run(self, video: Path, boxes: dict[int, np.ndarray], folder: Path) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of both streams. The JPEG files are written into `folder`."""
        return self.first_pass(video), self.second_pass(video, boxes, folder)

    def first_pass(self, video: Path) -> np.ndarray:
        """Return the features of segments: five frames a second, in clips of sixteen."""
        frames = [plain_geometry(frame) for _, frame in sampled(video, rate_fps=5)]
        clips = np.stack(frames[: len(frames) // 16 * 16]).reshape(-1, 16, *frames[0].shape)
        return in_batches(self._of_segments, clips, size=self._batch["clip"])

    def second_pass(self, video: Path, boxes: dict[int, np.ndarray], folder: Path) -> np.ndarray:
        """Return the features of crops: one frame a second, written, read, cropped, written and read."""
        written = {
            index: folder / f"frame-{index:06d}.jpg" for index, _ in sampled(video, rate_fps=1, save=folder)
        }
        crops = []
        for index, path in written.items():
            left, top, right, bottom = boxes[index][0, :4].astype(int)
            crop = folder / f"crop-{index:06d}.jpg"
            cv2.imwrite(str(crop), cv2.imread(str(path))[top:bottom, left:right])
            crops.append(plain_geometry(cv2.imread(str(crop))[:, :, ::-1]))
        return in_batches(self._of_crops, np.stack(crops), size=self._batch["image"])


def sampled(video: Path, *, rate_fps: float, save: Path | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Decode every frame, and yield (index, RGB frame) at that rate; also write JPEG files if asked."""
    capture = cv2.VideoCapture(str(video))
    every, index = round(capture.get(cv2.CAP_PROP_FPS) / rate_fps), 0
    while capture.grab():
        if index % every == 0:
            _, frame = capture.retrieve()
            if save:
                cv2.imwrite(str(save / f"frame-{index:06d}.jpg"), frame)
            yield index, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        index += 1
    capture.release()


def in_batches(features: Callable[[np.ndarray], np.ndarray], steps: np.ndarray, *, size: int) -> np.ndarray:
    """Return the features of all steps, computed in batches."""
    return np.concatenate([features(steps[start : start + size]) for start in range(0, len(steps), size)])
