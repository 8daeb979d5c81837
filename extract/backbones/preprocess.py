"""From a decoded frame to what a backbone expects: geometry on the CPU, mean and deviation on the device.

A geometry is a pure function of one uint8 RGB frame (height, width, channel) and safe to call from threads.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from aqa_pipeline.errors import UnknownName

SIZE = 224
SHORT_SIDE = 256
RELEASED_CROP_HEIGHT, RELEASED_CROP_WIDTH = 224, 300

Geometry = Callable[[np.ndarray], np.ndarray]
PerChannel = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocess:
    """How frames reach a backbone: `geometry` gives (224, 224, 3) uint8, then (x / 255 - mean) / std."""

    name: str
    geometry: Geometry
    mean: PerChannel
    std: PerChannel
    source: str


def get_preprocess(name: str) -> Preprocess:
    """The preprocessing of that name; raises `UnknownName`."""
    if name not in PREPROCESS:
        raise UnknownName("preprocessing", name, PREPROCESS)
    return PREPROCESS[name]


def short_side_256_crop_224(frame: np.ndarray) -> np.ndarray:
    """Resized to a shorter side of 256, aspect kept, and the central 224x224 cut out."""
    height, width = frame.shape[:2]
    # The longer side is cut, not rounded, as torchvision does: 640x360 -> 455x256 (455.1).
    short = min(height, width)
    new_width, new_height = int(SHORT_SIDE * width / short), int(SHORT_SIDE * height / short)
    return _center_crop(_resize(frame, new_width, new_height), SIZE, SIZE)


def released_segments(frame: np.ndarray) -> np.ndarray:
    """ACTION-NET's code: OpenCV to a height of 224, the central 300x224 cut out, squashed to 224x224."""
    height, width = frame.shape[:2]
    new_width = max(1, int(width / height * SIZE + 0.5))
    resized = cv2.resize(frame, (new_width, SIZE))  # bilinear without antialiasing
    return squash_224(_center_crop(resized, RELEASED_CROP_HEIGHT, RELEASED_CROP_WIDTH))


def squash_224(frame: np.ndarray) -> np.ndarray:
    """Resized to 224x224, whatever the aspect was."""
    return _resize(frame, SIZE, SIZE)


def _resize(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    # Pillow, as the papers' code: its bilinear filter antialiases. torchvision's own filter on uint8 tensors
    # differs from it by one grey level in some pixels in a thousand.
    if frame.shape[:2] == (height, width):
        return np.ascontiguousarray(frame)
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))


def _center_crop(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """torchvision's CenterCrop: black is added where the frame is smaller, an odd pixel of it at the end."""
    missing_rows, missing_columns = max(0, height - frame.shape[0]), max(0, width - frame.shape[1])
    if missing_rows or missing_columns:
        rows = (missing_rows // 2, (missing_rows + 1) // 2)
        columns = (missing_columns // 2, (missing_columns + 1) // 2)
        frame = np.pad(frame, (rows, columns, (0, 0)))
    # Python's rounding (half to even) is torchvision's: 115.5 -> 116, 114.5 -> 114.
    top, left = round((frame.shape[0] - height) / 2), round((frame.shape[1] - width) / 2)
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


_HALF: PerChannel = (0.5, 0.5, 0.5)  # [0, 255] -> [-1, 1]

PREPROCESS = {
    each.name: each
    for each in (
        Preprocess(
            "short-side-256-crop-224",
            short_side_256_crop_224,
            _HALF,
            _HALF,
            "ACTION-NET 5.2: shortest side 256, centre crop 224x224; I3D's own range [-1, 1]",
        ),
        Preprocess(
            "released-segments", released_segments, _HALF, _HALF, "ACTION-NET's code, extract_dynamic_feat.py"
        ),
        Preprocess("squash-224", squash_224, _HALF, _HALF, "ACTION-NET's code, extract_static_feat.py"),
        Preprocess(
            "imagenet",
            short_side_256_crop_224,
            (0.485, 0.456, 0.406),
            (0.229, 0.224, 0.225),
            "what torchvision's IMAGENET1K_V1 models were evaluated with",
        ),
    )
}
