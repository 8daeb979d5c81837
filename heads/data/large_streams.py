"""How streams that memory does not hold are opened: maps with tubes, and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.athlete.tube_masks import MaskVariant
from aqa_pipeline.errors import RunError
from heads.data.pixels.clips import PixelClips
from heads.data.pixels.pictures import pictures_of
from heads.data.pixels.tubes import PixelTubes
from heads.data.streams import PIXELS
from heads.data.tube_maps import Extras, OpenedRecord, TubeMaps, open_maps
from heads.recipes import FineTuning

LargeStream = TubeMaps | PixelClips


@dataclass(frozen=True)
class Reading:
    """How the streams are read: the variant of tubes, and how clips are cut from pictures.

    `needs_tube` says that the head reads the tubes of pictures.
    """

    tubes: MaskVariant = "paper"
    fine_tuning: FineTuning | None = None
    needs_tube: bool = False

    def open(self, stream: str, records: Sequence[OpenedRecord]) -> LargeStream:
        """Return the stream of these records, one per video; raise `RunError` for records that do not fit."""
        if stream == PIXELS:
            return self._pixels(records)
        return open_maps(stream, records, variant=self.tubes)

    def _pixels(self, records: Sequence[OpenedRecord]) -> PixelClips:
        assert self.fine_tuning is not None, "only a head that is fine-tuned reads pictures"
        untracked = [record for record in records if "quads" not in record.extras]
        if self.needs_tube and untracked:
            raise RunError(
                f"{len(untracked)} of {len(records)} records of pixels have no quads of an athlete, which "
                "the tube of this head needs. Extract with a tracker, or choose a head without a tube: "
                "plain-net, nl-net, usdl or musdl."
            )
        return PixelClips(
            videos=tuple(pictures_of(each.spec, each.features, each.extras) for each in records),
            fine_tuning=self.fine_tuning,
            checksums=tuple(each.checksum for each in records),
            tubes=PixelTubes(
                tuple(_own(each.extras) for each in records) if self.needs_tube else (), self.tubes
            ),
        )


def _own(extras: Extras) -> Extras:
    return {name: np.asarray(extras[name]) for name in ("quads", "frame_quads", "frame_size")}
