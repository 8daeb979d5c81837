"""Draw the arena of the synthetic routines: stands with a moving crowd, boards, a floor, wider than the view.

Everything here depends on the meet alone, never on the routine, so that it says nothing about the score.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aqa_pipeline.datasets.synthetic.figure import Color, Look, Picture

WIDTH, HEIGHT = 320, 240
PANORAMA_WIDTH = 4 * WIDTH
BOARD_TOP, FLOOR_TOP, FLOOR_LINE = 104, 126, 214
ROW_PIXELS, SEAT_PIXELS = 20, 15
LIVELY_SHARE = 0.15

# Floor, boards, stands, three suits. No meet is drawn brighter or more colorful on purpose.
PALETTES: tuple[tuple[Color, ...], ...] = (
    ((112, 130, 150), (30, 60, 104), (46, 54, 78), (206, 44, 72), (222, 150, 56), (132, 66, 176)),
    ((152, 128, 108), (104, 50, 46), (66, 50, 52), (36, 120, 176), (30, 140, 110), (150, 60, 150)),
    ((116, 138, 120), (34, 80, 66), (44, 62, 60), (232, 110, 44), (170, 46, 110), (70, 84, 190)),
    ((136, 126, 150), (68, 50, 108), (56, 48, 78), (24, 150, 150), (240, 160, 90), (190, 40, 60)),
)
TIGHTS: tuple[Color, ...] = ((54, 56, 74), (70, 58, 66), (52, 62, 92), (60, 66, 62))
SKINS: tuple[Color, ...] = ((244, 206, 176), (222, 172, 132), (176, 122, 86), (124, 82, 58))
HAIRS: tuple[Color, ...] = ((40, 28, 24), (92, 58, 34), (190, 148, 84), (24, 24, 30))


@dataclass(frozen=True)
class Spectator:
    """A spectator who moves: position in the panorama, colors, rhythm."""

    x: float
    y: float
    jacket: Color
    skin: Color
    hertz: float
    shift: float


@dataclass(frozen=True)
class Arena:
    """The panorama of a meet, (HEIGHT, PANORAMA_WIDTH, RGB), its moving spectators and its shading."""

    panorama: Picture
    spectators: tuple[Spectator, ...]
    vignette: npt.NDArray[np.float32]

    def view(self, left: float, *, seconds: float) -> Picture:
        """Return the part that begins `left` pixels into the panorama, with the crowd at that time."""
        # A pan is smooth only in fractions of a pixel: blend the two nearest whole positions.
        whole = min(int(left), PANORAMA_WIDTH - WIDTH - 1)
        here, next_one = (self.panorama[:, x : x + WIDTH] for x in (whole, whole + 1))
        picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        cv2.addWeighted(here, 1 - (left - whole), next_one, left - whole, 0, dst=picture)
        for spectator in self.spectators:
            if -12 < spectator.x - left < WIDTH + 12:
                _draw_lively(picture, spectator, left=left, seconds=seconds)
        return picture

    def dim_corners(self, picture: Picture) -> None:
        """Darken the picture toward its corners, in place."""
        cv2.multiply(picture, self.vignette, dst=picture, dtype=cv2.CV_8U)


def build_arena(meet: int, *, rng: np.random.Generator) -> Arena:
    """Draw the arena of meet number `meet`."""
    floor, boards, stands, *_ = PALETTES[meet % len(PALETTES)]
    panorama = np.empty((HEIGHT, PANORAMA_WIDTH, 3), np.uint8)
    panorama[:BOARD_TOP] = stands
    spectators = _draw_stands(panorama, rng=rng)
    _draw_floor(panorama, floor, rng=rng)
    _draw_boards(panorama, boards, meet=meet)
    grain = rng.normal(0, 3.0, size=(HEIGHT, PANORAMA_WIDTH, 1))
    panorama = np.clip(panorama + grain, 0, 255).astype(np.uint8)
    across = np.linspace(-1, 1, WIDTH)[None, :, None]
    down = np.linspace(-1, 1, HEIGHT)[:, None, None]
    fall_off = 1.0 - 0.28 * np.clip(across**2 + down**2 - 0.35, 0, None)
    return Arena(panorama, spectators, np.repeat(fall_off, 3, axis=2).astype(np.float32))


def draw_look(meet: int, *, rng: np.random.Generator) -> Look:
    """Draw the random outfit of an athlete of that meet. It does not depend on the score."""
    suits = PALETTES[meet % len(PALETTES)][3:]
    tights, skin, hair = (colors[rng.integers(len(colors))] for colors in (TIGHTS, SKINS, HAIRS))
    return Look(suits[rng.integers(len(suits))], tights, skin, hair, shoes=(236, 232, 226))


def draw_shadow(picture: Picture, *, x: float, half_width: float, height_meters: float) -> None:
    """Draw the athlete's shadow on the floor. The higher the athlete, the fainter the shadow."""
    y, half_height = FLOOR_LINE + 2, 6
    reach = int(half_width) + 4
    left, right = max(0, int(x) - reach), min(WIDTH, int(x) + reach)
    if right <= left:
        return
    patch = picture[y - half_height : y + half_height, left:right]
    dark = patch.copy()
    center = (round((x - left) * 16), half_height * 16)
    axes = (round(half_width * 16), round(4.5 * 16))
    cv2.ellipse(dark, center, axes, 0, 0, 360, (26, 28, 38), -1, cv2.LINE_AA, 4)
    strength = 0.55 / (1 + 2 * max(0.0, height_meters))
    patch[:] = cv2.addWeighted(dark, strength, patch, 1 - strength, 0)


def _draw_stands(panorama: Picture, *, rng: np.random.Generator) -> tuple[Spectator, ...]:
    """Draw rows of seats with people; return the spectators that are drawn again in every frame."""
    lively = []
    for row, top in enumerate(range(-4, BOARD_TOP - ROW_PIXELS - 6, ROW_PIXELS)):
        step = panorama[max(0, top + 12) : top + ROW_PIXELS]
        step[:] = (step * 0.82).astype(np.uint8)
        for x in range(4 + 7 * (row % 2), PANORAMA_WIDTH, SEAT_PIXELS):
            if rng.uniform() < 0.22:
                continue
            jacket = _color(rng.integers(40, 120) + rng.integers(0, 70, size=3))
            skin = SKINS[rng.integers(len(SKINS))]
            place = (x + rng.uniform(-2, 2), top + 8 + rng.uniform(-1, 1))
            spectator = Spectator(*place, jacket, skin, rng.uniform(0.4, 1.4), rng.uniform(0, 2 * np.pi))
            if rng.uniform() < LIVELY_SHARE:
                lively.append(spectator)
            else:
                _draw_seated(panorama, spectator, x=spectator.x, y=spectator.y)
    # The stands lie in the dark behind the floor.
    panorama[:BOARD_TOP] = (cv2.GaussianBlur(panorama[:BOARD_TOP], (0, 0), 0.7) * 0.72).astype(np.uint8)
    return tuple(lively)


def _draw_seated(picture: Picture, spectator: Spectator, *, x: float, y: float, dim: float = 1.0) -> None:
    jacket, skin = (_color(np.array(color) * dim) for color in (spectator.jacket, spectator.skin))
    cv2.ellipse(picture, _fixed(x, y + 9), _fixed(5.2, 6.5), 0, 0, 360, jacket, -1, cv2.LINE_AA, 4)
    cv2.circle(picture, _fixed(x, y), round(3.2 * 16), skin, -1, cv2.LINE_AA, 4)


def _draw_lively(picture: Picture, spectator: Spectator, *, left: float, seconds: float) -> None:
    beat = float(np.sin(2 * np.pi * spectator.hertz * seconds + spectator.shift))
    x, y = spectator.x - left, spectator.y - 1.5 * beat
    sleeve = _color(np.array(spectator.jacket) * 0.72)
    for side in (-1, 1):
        hand = (x + side * (6 + beat), y - 1 - 4 * beat)
        cv2.line(picture, _fixed(x + side * 4, y + 7), _fixed(*hand), sleeve, 2, cv2.LINE_AA, 4)
    _draw_seated(picture, spectator, x=x, y=y, dim=0.72)


def _draw_boards(panorama: Picture, color: Color, *, meet: int) -> None:
    """Draw advertising boards between stands and floor."""
    board_pixels = 80
    for number, left in enumerate(range(0, PANORAMA_WIDTH, board_pixels)):
        factor = 1.0 if number % 2 else 1.3
        panorama[BOARD_TOP:FLOOR_TOP, left : left + board_pixels] = np.clip(np.array(color) * factor, 0, 255)
        text = ("AQA OPEN", f"MEET {meet + 1}")[number % 2]
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.4, 1)
        at = (left + (board_pixels - width) // 2, FLOOR_TOP - 7)
        cv2.putText(panorama, text, at, cv2.FONT_HERSHEY_DUPLEX, 0.4, (228, 230, 236), 1, cv2.LINE_AA)
    panorama[BOARD_TOP : BOARD_TOP + 2] = (210, 212, 220)
    panorama[FLOOR_TOP - 1 : FLOOR_TOP + 1] = (32, 34, 44)


def _draw_floor(panorama: Picture, color: Color, *, rng: np.random.Generator) -> None:
    """Draw a mat that is lighter toward the viewer, with seams, a border line and marks of use."""
    rows = np.arange(FLOOR_TOP, HEIGHT)
    nearness = ((rows - FLOOR_TOP) / (HEIGHT - FLOOR_TOP))[:, None, None]
    marks = cv2.GaussianBlur(rng.normal(0, 1, size=(len(rows), PANORAMA_WIDTH)), (0, 0), 5, sigmaY=2)[
        ..., None
    ]
    panorama[rows] = np.clip(np.array(color) * (0.72 + 0.38 * nearness) + 70 * marks, 0, 255).astype(np.uint8)
    seam = _color(np.array(color) * 0.8)
    middle = PANORAMA_WIDTH / 2
    for far in range(-240, PANORAMA_WIDTH + 241, 48):
        near = middle + (far - middle) * 1.5
        cv2.line(panorama, _fixed(far, FLOOR_TOP), _fixed(near, HEIGHT), seam, 1, cv2.LINE_AA, 4)
    for share in (0.10, 0.28, 0.55):
        y = FLOOR_TOP + share * (HEIGHT - FLOOR_TOP)
        cv2.line(panorama, _fixed(0, y), _fixed(PANORAMA_WIDTH, y), seam, 1, cv2.LINE_AA, 4)
    cv2.line(panorama, (0, HEIGHT - 9), (PANORAMA_WIDTH, HEIGHT - 9), (232, 232, 228), 3, cv2.LINE_AA)


def _color(channels: npt.NDArray[np.generic]) -> Color:
    red, green, blue = (int(channel) for channel in channels)
    return red, green, blue


def _fixed(x: float, y: float) -> tuple[int, int]:
    """Return a point in sixteenths of a pixel, for cv2 with shift=4."""
    return round(x * 16), round(y * 16)
