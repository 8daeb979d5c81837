"""What of a video a score is of: the part that streams look at, and frames with the athlete out of sight."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from aqa_pipeline.looked_at import parts_looked_at
from aqa_pipeline.outside_picture import outside_of
from aqa_pipeline.records import Record

Records = Mapping[str, Record]


def told_parts(records: Records) -> Iterator[str]:
    """Yield a sentence for each stream that looks at a part of the video only."""
    for stream, part in parts_looked_at(records):
        yield (
            f"The {stream} look at {part}: the score is of this part. "
            f"Features of `aqa extract {part.option}` are of all of it; fit a run on them."
        )


def told_outside(records: Records) -> Iterator[str]:
    """Yield a warning for each stream whose network does not see the athlete in some frames."""
    for stream, outside in outside_of(records):
        sees = f"`aqa extract {outside.option}` shows the network whole frames; fit a run on those features."
        yield " ".join(
            [
                f"The athlete is outside the network's picture {outside} of {stream}.",
                *([sees] if outside.option else []),
            ]
        )


def seen_as_json(records: Records) -> dict[str, Any]:
    """The same as numbers, by stream; a stream that looks at all of the video is not named."""
    return {
        "looks_at": {stream: asdict(part) for stream, part in parts_looked_at(records)},
        "athlete_outside_picture": {stream: asdict(outside) for stream, outside in outside_of(records)},
    }
