"""Extract damaged and hostile videos: each must have a record or a named failure, and the run must end.

    AQA_TEST_DATA=../shared python -m campaigns.mutated_videos --count 500

The videos are of five codecs, and the first seconds of real clips if there are any. They are truncated, get
bits flipped, pieces of each other spliced in, or a header of garbage. One `aqa extract` takes all of them.
"""

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from aqa_pipeline.store import Store
from campaigns.inputs.samples import aqa, half_records
from campaigns.results.campaign import CampaignResult, run_campaign

TIMEOUT_SECONDS = 60
CLIP_SECONDS = 2.0
# suffix, codec, its options
RECIPES = (
    (".mp4", "libx264", {"preset": "ultrafast", "g": "8", "bf": "2"}),
    (".mp4", "libx265", {"preset": "ultrafast", "x265-params": "keyint=8:log-level=none"}),
    (".webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "8"}),
    (".avi", "mpeg4", {"g": "8", "bf": "2"}),
    (".mov", "mjpeg", {}),
    (".ts", "libx264", {"preset": "ultrafast", "g": "8", "bf": "2"}),
)
# A pattern of a failure's message -> how it is counted; the first that matches.
KINDS = {
    "the decoder crashed": "crashed the decoder",
    "the decoder was killed": "crashed the decoder",
    "the decoder was stopped": "hung past the timeout",
    "more than the .* MiB": "wanted too much memory",
    ".": "named as damaged",
}

Mutation = Callable[[bytes, list[bytes], np.random.Generator], bytes]


@dataclass(frozen=True)
class Source:
    """A sound video from which mutants are made."""

    name: str
    suffix: str
    content: bytes


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "mutated_videos",
        "{count} mutated videos through one extraction",
        measure,
        count=500,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Count the mutants with a record, with a named failure, and with neither."""
    sources = write_sources(scratch)
    names = write_mutants(scratch / "mutants", sources, count)
    command = ("extract", "--dataset", "folder", "--root", scratch / "mutants", "--store", scratch / "store")
    networks = ("--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu")
    code, text = aqa(*command, *networks, "--timeout", TIMEOUT_SECONDS)
    store = Store(scratch / "store")
    stored = {video_id for row in store.contents() for video_id in store.video_ids("mutants", row.spec)}
    failed = dict(re.findall(r"^  (\S+): (.*)$", text, re.MULTILINE))
    lost = sorted(set(names) - stored - set(failed))
    broken = half_records(scratch / "store")
    kept = code in (0, 3) and not lost and not stored & set(failed) and not broken
    counts = Counter(kind_of(reason) for reason in failed.values())
    return CampaignResult(
        summary=f"{len(stored)} have a record, {len(failed)} a named failure, {len(lost)} neither; "
        f"{counts['crashed the decoder']} crashed their decoder, {counts['hung past the timeout']} hung past "
        f"{TIMEOUT_SECONDS} s; the run ended",
        kept=kept,
        counts={"mutants": count, "whole enough": len(stored), **counts, "lost": len(lost)},
        details={
            "sources": [source.name for source in sources],
            "exit code": code,
            "lost": lost,
            "not sound": broken,
            "by mutation": by_mutation(names, failed),
            "reasons": dict(Counter(shortened(reason) for reason in failed.values()).most_common(25)),
        },
    )


def kind_of(reason: str) -> str:
    """Return how a failure's message is counted."""
    return next(kind for pattern, kind in KINDS.items() if re.search(pattern, reason))


def shortened(reason: str) -> str:
    """Return the reason without path and numbers, which differ from file to file."""
    return re.sub(r"[\d.]+", "N", re.sub(r"^\S*/\S+: ", "", reason))[:100]


def by_mutation(names: list[str], failed: dict[str, str]) -> dict[str, str]:
    """Return how many mutants of each mutation failed."""
    total = Counter(name.split("-")[1] for name in names)
    bad = Counter(name.split("-")[1] for name in failed)
    return {mutation: f"{bad[mutation]} of {total[mutation]} failed" for mutation in sorted(total)}


def write_sources(scratch: Path) -> list[Source]:
    """Write a short video per codec, and the beginnings of the real clips in AQA_TEST_DATA."""
    sources = []
    for at, (suffix, codec, options) in enumerate(RECIPES):
        path = scratch / f"source-{at}{suffix}"
        encode(path, codec, options, seed=at)
        sources.append(
            Source(f"{codec.removeprefix('lib')}{suffix}".replace(".", "_"), suffix, path.read_bytes())
        )
    clips = Path(os.environ.get("AQA_TEST_DATA", "../shared")) / "clips"
    for clip in sorted(clips.glob("*.mp4")):
        path = scratch / f"source-{clip.name}"
        copy_beginning(clip, path)
        sources.append(Source(clip.stem, ".mp4", path.read_bytes()))
    return sources


def encode(path: Path, codec: str, options: dict[str, str], *, seed: int) -> None:
    """Write a video of moving stripes: 24 frames of 96x64 pixels, 12 a second."""
    rows, columns = np.mgrid[0:64, 0:96]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=12, options=dict(options))
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(24):
            stripes = 127 + 120 * np.sin((columns + seed * rows + 3 * index) / 7)
            picture = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def copy_beginning(clip: Path, path: Path) -> None:
    """Copy the clip's packets of the first two seconds, unchanged."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is None or packet.dts * stream.time_base > CLIP_SECONDS:
                break
            packet.stream = copy
            target.mux(packet)


def write_mutants(root: Path, sources: list[Source], count: int) -> list[str]:
    """Write a folder of mutants as `--dataset folder` takes it. Return the video ids."""
    rng = np.random.default_rng(0)
    (root / "videos").mkdir(parents=True)
    others, names, rows = [source.content for source in sources], [], ["video,score\n"]
    for at in range(count):
        source, mutation = sources[at % len(sources)], list(MUTATIONS)[at // len(sources) % len(MUTATIONS)]
        name = f"{at:04d}-{mutation}-{source.name}"
        mutant = MUTATIONS[mutation](source.content, others, rng)
        (root / "videos" / f"{name}{source.suffix}").write_bytes(mutant)
        names.append(name)
        rows.append(f"{name}{source.suffix},1\n")
    (root / "scores.csv").write_text("".join(rows))
    return names


def truncated(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Cut the end off, of any length."""
    return content[: drawn(rng, len(content))]


def flipped(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Flip 1 to 256 bits anywhere."""
    changed = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(0, len(changed), 2 ** drawn(rng, 9))
    changed[at] ^= (1 << rng.integers(0, 8, len(at))).astype(np.uint8)
    return changed.tobytes()


def spliced(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Replace a piece by a piece of another file, each of any length."""
    other = others[drawn(rng, len(others))]
    start, stop = sorted((drawn(rng, len(content)), drawn(rng, len(content))))
    begin, end = sorted((drawn(rng, len(other)), drawn(rng, len(other))))
    return content[:start] + other[begin:end] + content[stop:]


def garbage_header(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Write random bytes into the first and the last 64 to 1024 bytes; some formats end with their index."""
    length = min(len(content) // 2, 64 * 2 ** drawn(rng, 5))
    changed = np.frombuffer(content, np.uint8).copy()
    for part in (changed[:length], changed[-length:]):
        at = rng.integers(0, length, 1 + drawn(rng, length))
        part[at] = rng.integers(0, 256, len(at))
    return changed.tobytes()


def drawn(rng: np.random.Generator, number: int) -> int:
    """Return a random one of 0 .. number - 1."""
    return int(rng.integers(0, number))


MUTATIONS: dict[str, Mutation] = {
    "truncated": truncated,
    "flipped": flipped,
    "spliced": spliced,
    "garbage_header": garbage_header,
}

if __name__ == "__main__":
    main()
