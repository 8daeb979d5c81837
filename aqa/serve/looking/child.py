"""The child's side: open a video with the reader of the project, and draw its middle frame if asked to."""

import json
import sys
from pathlib import Path

from aqa_pipeline.errors import VideoError

PICTURE_HEIGHT = 96  # pixels
JPEG_QUALITY = 80
MOST_BYTES = 2 * 1024**3  # of memory


def main() -> None:
    """Print what the video of the first argument holds as JSON, or draw it into the second argument.

    A video that cannot be opened is the JSON {"reason": ...}.
    """
    _limit_memory()
    path, *picture = map(Path, sys.argv[1:])
    try:
        answer = draw(path, picture[0]) if picture else facts(path)
    except VideoError as error:
        answer = {"reason": str(error).removeprefix(f"{path}: ")}
    sys.stdout.write(json.dumps(answer))


def facts(path: Path) -> dict[str, object]:
    """Return the size in pixels and the length in seconds; raise `VideoError` if no frame can be decoded."""
    from aqa_pipeline.video import probe

    found = probe(path)
    return {"width": found.width, "height": found.height, "seconds": float(found.duration_seconds)}


def draw(path: Path, picture: Path) -> dict[str, object]:
    """Write the middle frame as a small JPEG; raise `VideoError` if it cannot be decoded."""
    from PIL import Image

    from aqa_pipeline.disk.files import whole_file
    from aqa_pipeline.records import Video
    from aqa_pipeline.video import open_video

    with open_video(Video(path.stem, path)) as opened:
        _, frame = next(opened.frames([opened.timeline.num_frames // 2]))
        width = max(1, round(opened.width * PICTURE_HEIGHT / opened.height))
        with whole_file(picture) as part:
            Image.fromarray(frame).resize((width, PICTURE_HEIGHT)).save(part, "JPEG", quality=JPEG_QUALITY)
    return {}


def _limit_memory() -> None:
    """Let a hostile file take a bounded part of the memory, and leave no core file of a crash."""
    if sys.platform == "linux":  # elsewhere RLIMIT_DATA does not count what malloc maps
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
