"""The square that is cut out of a stored picture."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Square:
    """The square that is cut out of a picture: top, left and side in pixels, and whether it is mirrored."""

    top: int
    left: int
    side: int
    mirrored: bool

    @property
    def rows(self) -> slice:
        """The rows of the picture."""
        return slice(self.top, self.top + self.side)

    @property
    def columns(self) -> slice:
        """The columns of the picture."""
        return slice(self.left, self.left + self.side)

    def turned(self, pictures: Tensor) -> Tensor:
        """Return cut pictures `(frame, side, side, 3)`, mirrored if the square is."""
        return pictures.flip(2) if self.mirrored else pictures
