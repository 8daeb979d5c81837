"""The child's side: open a video with the reader of the project, and tell, list or draw what it holds."""

import json
import sys
from pathlib import Path

from aqa_pipeline.errors import VideoError

PICTURE_HEIGHT = 96  # pixels
JPEG_QUALITY = 80
MOST_BYTES = 2 * 1024**3  # of memory


def main() -> None:
    """Do what the first argument says with the video of the second, and print the answer as JSON.

    A video that cannot be opened is the JSON {"reason": ...}.
    """
    _limit_memory()
    asked, path, rest = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    try:
        answer = draw(path, *rest) if asked == "draw" else {"facts": facts, "frames": frames}[asked](path)
    except VideoError as error:
        answer = {"reason": str(error).removeprefix(f"{path}: ")}
    sys.stdout.write(json.dumps(answer))


def facts(path: Path) -> dict[str, object]:
    """Return the fields of `Look`; raise `VideoError` if no frame can be decoded."""
    from aqa_pipeline.video import probe

    found = probe(path)
    return {
        "width": found.width,
        "height": found.height,
        "seconds": float(found.duration_seconds),
        "fps": float(found.fps),
        "codec": found.codec,
    }


def frames(path: Path) -> dict[str, object]:
    """Return the fields of `FrameList`; raise `VideoError` if the frames cannot be listed."""
    from aqa_pipeline.video.timeline import scan_video

    scan = scan_video(path)
    width, height = scan.frame_format.shown_size
    clock = scan.timeline.time_base
    ticks = {"pts": scan.timeline.pts.tolist(), "end": scan.timeline.end}
    return ticks | {"time_base": (clock.numerator, clock.denominator), "width": width, "height": height}


def draw(path: Path, picture: str, frame: str = "") -> dict[str, object]:
    """Write that frame, or the middle one, as a small JPEG; raise `VideoError` if it cannot be decoded."""
    from PIL import Image

    from aqa_pipeline.disk.files import whole_file
    from aqa_pipeline.records import Video
    from aqa_pipeline.video import open_video

    with open_video(Video(path.stem, path)) as opened:
        number = min(int(frame), opened.timeline.num_frames - 1) if frame else opened.timeline.num_frames // 2
        _, pixels = next(opened.frames([number]))
        width = max(1, round(opened.width * PICTURE_HEIGHT / opened.height))
        with whole_file(Path(picture)) as part:
            Image.fromarray(pixels).resize((width, PICTURE_HEIGHT)).save(part, "JPEG", quality=JPEG_QUALITY)
    return {}


def _limit_memory() -> None:
    """Let a hostile file take a bounded part of the memory, and leave no core file of a crash."""
    if sys.platform == "linux":  # elsewhere RLIMIT_DATA does not count what malloc maps
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
