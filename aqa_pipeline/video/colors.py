"""Convert pictures of high dynamic range or wide gamut to BT.709, the colors of the networks' training sets.

The formulas are those of ITU-R BT.2100 (PQ, HLG), BT.1886 (the display of BT.709) and BT.2408 (white is 203
cd/m2).
The FFmpeg in PyAV has no zscale, and the table by which its own scaler maps colors takes seconds to build and
misses saturated colors by up to 30 gray levels. Brighter than white is rolled off as FFmpeg's tonemap=mobius
does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
RGB16 = npt.NDArray[np.uint16]
RGB8 = npt.NDArray[np.uint8]

# ITU-T H.273, tables 2 and 3
TRANSFERS = {16: "pq", 18: "hlg"}
PRIMARIES = {1: "bt709", 9: "bt2020", 11: "dci-p3", 12: "display-p3"}
D65, DCI_WHITE = (0.3127, 0.3290), (0.314, 0.351)
CHROMATICITIES = {  # of red, green, blue and white
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    "dci-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), DCI_WHITE),
    "display-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
}
DISPLAY_GAMMA = 2.4  # BT.1886
WHITE_NITS = 203  # BT.2408: what SDR shows as white
PEAK_NITS = 1000  # BT.2100: the nominal peak of HLG; brighter PQ is as white as that
HLG_SYSTEM_GAMMA = 1.2  # BT.2100, at that peak
HLG_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
WHITE_CODE = 255 << 8  # what FFmpeg's scaler makes of white with 16 bits
KNEE = 0.8  # of white: what is darker stays as it is, and white itself becomes 244
BAND_PIXELS = 1 << 16  # worked on at once: what is kept of them stays in the processor's cache


@dataclass(frozen=True)
class Colors:
    """Colors other than those of BT.709. `transfer` is pq, hlg or sdr."""

    transfer: str
    primaries: str

    @property
    def facts(self) -> Mapping[str, str]:
        """Return the facts that a record stores about the colors."""
        if self.transfer == "sdr":
            return {"wide_gamut": self.primaries}
        return {"tone_mapped": self.transfer}


def colors_of(frame: Any) -> Colors | None:
    """Return the colors of a decoded frame if they must be converted, else None.

    Old primaries (NTSC, PAL) are so close to BT.709 that players do not convert them.
    """
    transfer = TRANSFERS.get(int(frame.color_trc), "sdr")
    primaries = PRIMARIES.get(int(frame.color_primaries))
    if transfer != "sdr":
        return Colors(transfer, primaries or "bt2020")  # BT.2100 knows no others
    return Colors("sdr", primaries) if primaries not in (None, "bt709") else None


def to_bt709(picture: RGB16, colors: Colors) -> RGB8:
    """Return a 16-bit picture, (height, width, 3), as 8-bit BT.709."""
    height, width = picture.shape[:2]
    result = np.empty((height, width, 3), np.uint8)
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        codes = picture[band].reshape(-1, 3).T  # planes are three times as fast as pixels
        light = _primaries_matrix(colors.primaries) @ _linear(codes, colors.transfer)
        if colors.transfer != "sdr":
            _roll_off(light)
        result[band] = _displayed(light).T.reshape(-1, width, 3)
    return result


def _linear(codes: RGB16, transfer: str) -> Floats:
    """Return the light of a display, (3, pixel); 1 is the white of SDR."""
    light = np.take(_light_table(transfer), codes)
    if transfer == "hlg":
        # BT.2100: the display's light depends on the luminance of the scene
        light *= (HLG_LUMA @ light) ** np.float32(HLG_SYSTEM_GAMMA - 1) * np.float32(PEAK_NITS / WHITE_NITS)
    return light


@lru_cache(maxsize=3)
def _light_table(transfer: str) -> Floats:
    """Return the light of each code, (65536,): of the display for pq and sdr, of the scene for hlg."""
    code = np.arange(65536) / WHITE_CODE
    if transfer == "pq":
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * 10_000 / WHITE_NITS
    elif transfer == "hlg":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        light = code**DISPLAY_GAMMA
    return light.astype(np.float32)


@lru_cache(maxsize=len(CHROMATICITIES))
def _primaries_matrix(primaries: str) -> Floats:
    """Return the matrix, (3, 3), from linear RGB to linear RGB of BT.709; it maps white to white."""
    return (np.linalg.inv(_to_xyz("bt709")) @ _white_kept(primaries)).astype(np.float32)


def _to_xyz(primaries: str) -> npt.NDArray[np.float64]:
    """Return the matrix, (3, 3), from linear RGB to CIE XYZ (SMPTE RP 177)."""
    *colors, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in CHROMATICITIES[primaries])
    unscaled = np.stack(colors, axis=1)
    return unscaled * np.linalg.solve(unscaled, white)


def _white_kept(primaries: str) -> npt.NDArray[np.float64]:
    """Return `_to_xyz` with its white adapted to the white of BT.709 (Bradford)."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    matrix, ones = _to_xyz(primaries), np.ones(3)
    scale = (bradford @ _to_xyz("bt709") @ ones) / (bradford @ matrix @ ones)
    return np.linalg.inv(bradford) @ np.diag(scale) @ bradford @ matrix


def _roll_off(light: Floats) -> None:
    """Compress light up to the peak to below white, in place; each pixel keeps its hue."""
    brightest = np.maximum(np.maximum(light[0], light[1]), light[2])
    if brightest.max() > KNEE:
        before = np.maximum(brightest, np.float32(KNEE))
        light *= rolled_off(before) / before


def rolled_off(light: Floats) -> Floats:
    """Return light above the knee compressed so that the peak becomes 1, as FFmpeg's tonemap=mobius."""
    peak = PEAK_NITS / WHITE_NITS
    a = -KNEE * KNEE * (peak - 1) / (KNEE * KNEE - 2 * KNEE + peak)
    b = (KNEE * KNEE - 2 * KNEE * peak + peak) / (peak - 1)
    scale = (b * b + 2 * b * KNEE + KNEE * KNEE) / (b - a)
    return np.asarray(scale * (light + a) / (light + b), np.float32)


def _displayed(light: Floats) -> RGB8:
    """Return the 8-bit codes of light. The steps of the table of roots are finer than a tenth of a code."""
    np.clip(light, 0, 1, out=light)
    np.sqrt(light, out=light)
    return np.take(_code_table(), (light * 65535 + np.float32(0.5)).astype(np.uint16))


@lru_cache(maxsize=1)
def _code_table() -> RGB8:
    """Return the code of each root of light, (65536,)."""
    root = np.arange(65536) / 65535
    return np.round(root ** (2 / DISPLAY_GAMMA) * 255).astype(np.uint8)
