"""Names of feature files against ids of videos: `01_rgb.npy` and the key `01.mp4` are of video 01.

`m01_s01_e01_angles_inc.txt`, as UI-PRMD names its movements, is of video m01_s01_e01_inc.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.spelling import folded

MODALITY = "_rgb"  # what networks on pictures put behind the id; features of flow are others
MOVEMENT = re.compile(r"_(angles|positions)(?=_inc$|$)")


@dataclass
class Matched:
    """By video id: the name of its features, and all names where several fit.

    `respelled` are those of the first whose name is not the id, `unclear` names are used for no video.
    """

    names: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def respelled(self) -> Mapping[str, str]:
        """Return the names that were found under another spelling, by video."""
        return {video_id: name for video_id, name in self.names.items() if video_id != name}

    @property
    def considered(self) -> frozenset[str]:
        """Every name that belongs to a video, or may belong to several."""
        return frozenset(self.names.values()).union(*self.unclear.values())


def match_names(video_ids: Collection[str], names: Collection[str]) -> Matched:
    """Match equal names first, and then those that differ in ending, `_rgb`, case or Unicode form.

    What is then alike for several names, or for several videos, is unclear and not used.
    """
    matched = Matched({video_id: video_id for video_id in video_ids if video_id in names})
    free_ids = _by_form([video_id for video_id in video_ids if video_id not in names])
    free_names = _by_form([name for name in names if name not in matched.names])
    for form, alike in free_ids.items():
        fitting = tuple(sorted(free_names.get(form, ())))
        if len(alike) == len(fitting) == 1:
            matched.names[alike[0]] = fitting[0]
        elif fitting:
            matched.unclear |= dict.fromkeys(alike, fitting)
    return matched


def _by_form(names: Collection[str]) -> dict[str, list[str]]:
    by_form: dict[str, list[str]] = {}
    for name in names:
        by_form.setdefault(_form(name), []).append(name)
    return by_form


def _form(name: str) -> str:
    """Return what all accepted spellings share: `B/01_RGB.mp4` -> `b/01`."""
    plain = MOVEMENT.sub("", folded(without_video_suffix(name)).removesuffix(MODALITY))
    return without_video_suffix(plain) or folded(name)
