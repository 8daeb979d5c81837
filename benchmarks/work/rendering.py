"""Render videos for the benchmarks: a textured, panning picture with a moving box for the athlete."""

from pathlib import Path

import av
import numpy as np

from aqa_pipeline.athlete.boxes import write_boxes
from aqa_pipeline.records import Video

WIDTH, HEIGHT, FPS = 640, 360, 25


def render(folder: Path, name: str, *, seconds: int) -> tuple[Video, dict[int, np.ndarray]]:
    """Write a video, 640x360 at 25 fps in H.264. Return it, and the athlete's box by frame."""
    path, boxes = folder / f"{name}.mp4", boxes_of(seconds * FPS)
    texture = np.random.default_rng(0).integers(0, 255, (HEIGHT // 8, WIDTH // 4, 3), np.uint8)
    texture = texture.repeat(8, axis=0).repeat(8, axis=1)  # twice as wide as the picture
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, box in boxes.items():
            pan = index % WIDTH
            picture = texture[:, pan : pan + WIDTH].copy()
            left, top, right, bottom = box[0].astype(int)
            picture[top:bottom, left:right] = (200, 40, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return _with_boxes(path, boxes), boxes


def boxes_of(num_frames: int) -> dict[int, np.ndarray]:
    """Return the athlete's box (1, 4) by frame."""
    lefts = 100 + np.round(150 * (1 + np.sin(np.arange(num_frames) / 20)))
    return {index: np.array([[left, 100, left + 90, 300]]) for index, left in enumerate(lefts)}


def repeat(video: Path, target: Path, *, times: int) -> Video:
    """Write the video `times` times in a row without encoding it again: an hour takes a second."""
    with av.open(str(video)) as source, av.open(str(target), "w") as container:
        stream = source.streams.video[0]
        output = container.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        assert stream.time_base is not None
        num_frames = stream.frames  # read now: PyAV 19 cannot after the file is closed
        length = round(num_frames / FPS / stream.time_base)
        for at in range(times):
            for packet in packets:
                container.mux(_shifted(packet, output, at * length))
    return _with_boxes(target, boxes_of(num_frames * times))


def _shifted(packet: av.Packet, output: av.VideoStream, ticks: int) -> av.Packet:
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.time_base = packet.pts + ticks, packet.dts + ticks, packet.time_base
    copy.is_keyframe, copy.stream = packet.is_keyframe, output
    return copy


def _with_boxes(path: Path, boxes: dict[int, np.ndarray]) -> Video:
    table = path.with_suffix(".csv")
    write_boxes(table, boxes)
    return Video(path.stem, path, boxes=table)
