"""Compare our reader with the `ffmpeg` program on twelve kinds of videos: frames and times must be equal.

    python -m campaigns.video_kinds --count 60 --out build/campaigns

The program makes the videos from moving test pictures, in random sizes, rates and lengths. It then decodes
them with its own filters (tone-mapping by zscale, bwdif, scaling to square pixels, rotation). Every frame and
its time must be equal. HDR frames must be nearly equal, because both sides round from 10 bits to 8. A random
window, read alone, must hold the same frames as that part of the whole video.
"""

import random
import re
import struct
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import SpecValue, Video
from aqa_pipeline.video import open_video, probe
from campaigns.results.campaign import CampaignResult, run_campaign

SIZES, RATES = ((192, 128), (160, 120), (224, 144)), ("25", "30000/1001", "50")
MOST_OFF_SECONDS = 1e-5  # the program prints six digits
MOST_OFF_HDR, MOST_OFF_HDR_MEAN = 8, 0.1  # gray levels of 255

X264 = ("-c:v", "libx264", "-crf", "14", "-pix_fmt", "yuv420p", "-g", "20")
SMOOTH = "gblur=sigma=4"  # without sharp edges, at which libraries interpolate color differently
INTERLACED = "tinterlace=interleave_top,setfield=tff"
# White is 203 cd/m2 (BT.2408); agamma=false is the luminance-dependent OOTF of BT.2100.
TO_BT709 = (
    "zscale=agamma=false:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
    f"tonemap=tonemap=mobius:param=0.8:peak={1000 / 203}:desat=0,zscale=t=bt709:m=gbr:r=pc,format=gbrp"
)


@dataclass(frozen=True)
class Kind:
    """How the program makes such videos and how it shows them. `picture` is the record's entry on them.

    `exact_from` is the first frame that must be equal: versions of FFmpeg deinterlace the first frame
    differently.
    """

    suffix: str
    encode: Sequence[str]
    shown: str = "null"
    picture: Mapping[str, SpecValue] = field(default_factory=dict)
    needs: Sequence[str] = ("libx264",)
    exact_from: int = 0
    is_hdr: bool = False


def _hdr(name: str, transfer: str, suffix: str) -> Kind:
    """Return a kind of HDR: BT.709 test pictures converted to BT.2020, up to 600 cd/m2."""
    convert = f"pin=709:tin=709:min=170m:rin=limited:p=2020:t={transfer}:m=2020_ncl:r=limited:npl=600"
    encode = (
        *("-vf", f"{SMOOTH},format=yuv444p,zscale={convert},format=yuv420p10le", "-c:v", "libx265"),
        *("-x265-params", "log-level=none:keyint=12:bframes=2", "-crf", "12", "-colorspace", "bt2020nc"),
        *("-color_primaries", "bt2020", "-color_trc", transfer),
    )
    return Kind(suffix, encode, TO_BT709, {"tone_mapped": name}, ("libx265", "zscale"), is_hdr=True)


def _stretched(size: tuple[int, int], aspect: str, width: int, suffix: str, codec: Sequence[str]) -> Kind:
    """Return a kind with pixels that are not square.

    Color samples are at the left, as in MPEG-2 and H.264. Older versions of FFmpeg assume the middle.
    """
    encode = ("-vf", f"{SMOOTH},scale={size[0]}:{size[1]},setsar={aspect.replace(':', '/')}", *codec)
    shown = f"scale={width}:{size[1]}:flags=bicubic:in_h_chr_pos=0,format=rgb24"
    return Kind(suffix, encode, shown, {"sample_aspect": aspect})


KINDS: dict[str, Kind] = {
    "HLG": _hdr("hlg", "arib-std-b67", ".mov"),
    "HDR10": _hdr("pq", "smpte2084", ".mp4"),
    "HDV": _stretched((144, 108), "4:3", 192, ".ts", ("-c:v", "mpeg2video", "-q:v", "3")),
    "PAL 16:9": _stretched((180, 144), "64:45", 256, ".mp4", X264),
    "interlaced": Kind(
        ".mp4",
        ("-vf", INTERLACED, *X264, "-flags", "+ildct+ilme"),
        "bwdif=send_frame:auto:interlaced",
        {"deinterlaced": "bwdif"},
        exact_from=1,
    ),
    "cut by stream copy": Kind(".mp4", X264),
    "late track": Kind(
        ".webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"), needs=("libvpx-vp9",)
    ),
    "AV1": Kind(".mp4", ("-c:v", "libsvtav1", "-preset", "10", "-g", "20"), needs=("libsvtav1",)),
    "VP9": Kind(
        ".webm",
        (
            *("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "5", "-b:v", "300k"),
            *("-auto-alt-ref", "1", "-lag-in-frames", "16"),
        ),
        needs=("libvpx-vp9",),
    ),
    "variable rate": Kind(
        ".mp4", ("-vf", r"select=not(mod(n\,3))+lt(random({seed})\,0.4)", "-fps_mode", "vfr", *X264)
    ),
    "turned": Kind(".mp4", X264),
    "open groups": Kind(
        ".mp4", (*X264, "-x264-params", "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0")
    ),
}


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "video_kinds",
        "{count} videos of HDR, of other pixels, clocks and codecs, against the ffmpeg program",
        measure,
        count=60,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the videos that differ from the program's, and name the kinds that it cannot make here."""
    can = _abilities()
    lacking = {name: need for name, kind in KINDS.items() for need in kind.needs if need not in can}
    names = [name for name in KINDS if name not in lacking]
    assert names, "this ffmpeg program can make none of the videos"
    done, problems, num_frames = Counter[str](), [], 0
    for number in range(count):
        name, rng = names[number % len(names)], random.Random(number)
        path = scratch / f"{number}{KINDS[name].suffix}"
        _make(name, path, rng)
        try:
            num, found = _compare(KINDS[name], path, rng)
        except AqaError as error:
            num, found = 0, [str(error)]
        problems += [f"{number}, {name}: {text}" for text in found]
        num_frames, done[name] = num_frames + num, done[name] + 1
        path.unlink()
    unlike = len({text.split(":")[0] for text in problems})
    without = "".join(f"; left out for lack of {need}: {name}" for name, need in lacking.items())
    return CampaignResult(
        summary=f"{count - unlike} videos of {len(done)} kinds have the program's frames, times and sizes, "
        f"{unlike} have not; {num_frames:,} frames compared{without}",
        kept=not problems,
        counts={"videos": count, **{f"  {name}": n for name, n in done.items()}, "read otherwise": unlike},
        details={"problems": problems[:20], "left out": list(lacking)},
    )


def _abilities() -> str:
    """Return the program's list of encoders and filters."""
    return "".join(_run(["-hide_banner", what]).stdout.decode() for what in ("-encoders", "-filters"))


def _run(words: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["ffmpeg", "-y", "-nostdin", *words], capture_output=True, check=True)


def _make(name: str, path: Path, rng: random.Random) -> None:
    """Write a video of that kind; a plain one is changed afterwards where no encoder writes the kind."""
    (width, height), rate = rng.choice(SIZES), rng.choice(RATES)
    seconds = rng.uniform(1.2, 2.4)
    pictures = f"testsrc2=size={width}x{height}:rate={rate}:duration={seconds:.3f}"
    encode = [word.replace("{seed}", str(rng.randrange(1000))) for word in KINDS[name].encode]
    if name == "late track":
        sound = [
            "-f",
            "lavfi",
            "-i",
            f"sine=duration={seconds:.3f}",
            "-itsoffset",
            f"{rng.uniform(0.1, 1.3):.3f}",
        ]
        _run([*sound, "-f", "lavfi", "-i", pictures, "-map", "0:a", "-map", "1:v", *encode, str(path)])
        return
    _run(["-f", "lavfi", "-i", pictures, *encode, str(path)])
    if name == "cut by stream copy":
        whole = path.replace(path.with_name(f"whole-{path.name}"))
        _run(["-ss", f"{rng.uniform(0.1, 1.0):.3f}", "-i", str(whole), "-c", "copy", str(path)])
        whole.unlink()
    elif name == "turned":
        _turn(path, width, height, quarters=rng.randrange(1, 4))


def _turn(path: Path, width: int, height: int, *, quarters: int) -> None:
    """Write a rotation into the track's header (ISO 14496-12, 8.3.2), as phones do."""
    one = 1 << 16
    a, b, c, d, x, y = (
        (0, one, -one, 0, height, 0),
        (-one, 0, 0, -one, width, height),
        (0, -one, one, 0, 0, width),
    )[quarters - 1]
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    content[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, x * one, y * one, 1 << 30)
    path.write_bytes(content)


def _compare(kind: Kind, path: Path, rng: random.Random) -> tuple[int, list[str]]:
    """Return the number of frames, and the differences from the program's."""
    seconds, expected = _by_program(path, kind.shown)
    with open_video(Video("v", path)) as video:
        times = np.asarray(video.timeline.pts_seconds)
        pictures = np.stack([picture for _, picture in video.frames(range(len(times)))])
        said, facts = dict(video.picture), probe(path)
    if pictures.shape != expected.shape:
        return len(expected), [
            f"frames, height, width {pictures.shape[:3]}, the program {expected.shape[:3]}"
        ]
    found = []
    if np.abs(times - (seconds - seconds[0])).max() > MOST_OFF_SECONDS:
        found.append(f"times {times[:4]}..., the program {(seconds - seconds[0])[:4]}...")
    if (facts.height, facts.width) != expected.shape[1:3]:
        found.append(f"the check says {facts.width}x{facts.height}")
    if not said == dict(facts.picture) == dict(kind.picture):
        found.append(f"the record says {said}, the check {dict(facts.picture)}")
    off = np.abs(pictures[kind.exact_from :].astype(int) - expected[kind.exact_from :])
    if off.max() > (MOST_OFF_HDR if kind.is_hdr else 0) or off.mean() > MOST_OFF_HDR_MEAN:
        at = int(off.max(axis=(1, 2, 3)).argmax()) + kind.exact_from
        found.append(f"pictures up to {off.max()} levels off (frame {at}), {off.mean():.3f} on average")
    return len(expected), found + _compare_window(path, pictures, rng)


def _compare_window(path: Path, pictures: npt.NDArray[np.uint8], rng: random.Random) -> list[str]:
    """Return a problem if a random window, read alone, has other frames than the whole video."""
    start = rng.randrange(len(pictures) - 2)
    stop = rng.randrange(start + 1, len(pictures) + 1)
    with open_video(Video("v", path, start_frame=start, stop_frame=stop)) as video:
        part = np.stack([picture for _, picture in video.frames(range(video.timeline.num_frames))])
    equal = np.array_equal(part, pictures[start:stop])
    return [] if equal else [f"frames {start} to {stop}, read alone, differ"]


def _by_program(path: Path, shown: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Return the seconds and RGB pictures of every frame, as the program decodes and shows them."""
    filters = ("-map", "0:v:0", "-vf", f"{shown},showinfo", "-fps_mode", "passthrough")
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    done = _run(["-nostats", "-i", str(path), *filters, *raw])
    rows = re.findall(r"pts_time:(\S+) .* s:(\d+)x(\d+)", done.stderr.decode(errors="replace"))
    width, height = map(int, rows[0][1:])
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(len(rows), height, width, 3)
    return np.array([float(row[0]) for row in rows]), pictures


if __name__ == "__main__":
    main()
