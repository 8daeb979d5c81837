"""Numbered videos of every kind: codecs, containers, clocks, cuts."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from numbered_videos import OPEN_GOP, Recipe, TestVideo, encode, stream_copy

FAST_VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "20"}
HEVC = "log-level=none:keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0"
IRREGULAR = tuple(np.cumsum([0] + [20, 20, 35, 110, 40, 20, 400, 33, 33, 34] * 6)[:60].tolist())

RECIPES = {
    "closed_gop.mp4": Recipe(),
    "closed_gop_audio.mp4": Recipe(audio=True),
    "long_gop.mov": Recipe(suffix=".mov", options={"x264-params": "keyint=250:bframes=3:b-adapt=0"}),
    "no_b_frames.mp4": Recipe(options={"x264-params": "keyint=20:scenecut=0:bframes=0"}),
    "one_second_late.mp4": Recipe(start_tick=25),
    "open_gop.mp4": Recipe(options=dict(OPEN_GOP)),
    "intra_refresh.mp4": Recipe(
        options={"x264-params": "keyint=20:intra-refresh=1:bframes=0"}, num_frames=70
    ),
    "variable_rate.mp4": Recipe(schedule=IRREGULAR, rate=Fraction(30)),
    "ntsc_film.mp4": Recipe(rate=Fraction(24000, 1001)),
    "turned_90.mp4": Recipe(rotation=90),
    "turned_180.mp4": Recipe(rotation=180),
    "turned_270.mp4": Recipe(rotation=270),
    "mirrored.mp4": Recipe(rotation=0, hflip=True),
    "mirrored_turned_90.mp4": Recipe(rotation=90, hflip=True),
    "fragments.mp4": Recipe(container={"movflags": "frag_keyframe+empty_moov"}),
    "matroska.mkv": Recipe(suffix=".mkv"),
    "xvid.avi": Recipe(
        suffix=".avi",
        codec="mpeg4",
        options={"g": "20", "qscale": "3"},
        settings={"max_b_frames": 2, "codec_tag": "XVID"},
    ),
    "mpeg4.mp4": Recipe(codec="mpeg4", options={"g": "20"}, settings={"max_b_frames": 2}),
    "transport.ts": Recipe(suffix=".ts"),
    "mpeg2.ts": Recipe(suffix=".ts", codec="mpeg2video", options={"g": "15", "bf": "2"}),
    "vp9.webm": Recipe(suffix=".webm", codec="libvpx-vp9", options=FAST_VP9),
    "vp9_alt_ref.webm": Recipe(
        suffix=".webm",
        codec="libvpx-vp9",
        options={
            "deadline": "good",
            "cpu-used": "5",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "b": "200k",
        },
    ),
    "vp8.webm": Recipe(
        suffix=".webm",
        codec="libvpx",
        options={
            "deadline": "good",
            "cpu-used": "4",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "b": "800k",
        },
    ),
    "vp9_odd.webm": Recipe(suffix=".webm", codec="libvpx-vp9", options=FAST_VP9, size=(321, 181)),
    "vp9_10_bit.webm": Recipe(
        suffix=".webm",
        codec="libvpx-vp9",
        options=FAST_VP9 | {"profile": "2"},
        pixels="yuv420p10le",
        num_frames=30,
    ),
    "av1.mp4": Recipe(codec="libsvtav1", options={"preset": "8", "g": "20", "crf": "15"}, num_frames=45),
    "av1_10_bit.mp4": Recipe(
        codec="libsvtav1",
        options={"preset": "8", "g": "20", "crf": "15"},
        pixels="yuv420p10le",
        num_frames=30,
    ),
    "hevc_open.mp4": Recipe(codec="libx265", options={"x265-params": HEVC + ":open-gop=1"}),
    "hevc_closed.mp4": Recipe(codec="libx265", options={"x265-params": HEVC + ":open-gop=0"}),
    "hevc_10_bit.mp4": Recipe(
        codec="libx265", options={"x265-params": HEVC + ":open-gop=0"}, pixels="yuv420p10le", num_frames=30
    ),
    "h264_10_bit.mp4": Recipe(pixels="yuv420p10le"),
    "h264_odd.mp4": Recipe(pixels="yuv444p", size=(321, 181)),
    "h264_full_range.mp4": Recipe(pixels="yuvj420p"),
    "one_frame.mp4": Recipe(num_frames=1),
    "two_frames.mp4": Recipe(num_frames=2),
}


def make_cut(videos: "Videos", path: Path) -> TestVideo:
    return stream_copy(videos["closed_gop.mp4"], path, first_frame=27)


def make_cut_without_edit_list(videos: "Videos", path: Path) -> TestVideo:
    options = {"use_editlist": "0", "avoid_negative_ts": "disabled"}
    return stream_copy(videos["closed_gop.mp4"], path, first_frame=20, options=options)


def make_open_cut(videos: "Videos", path: Path) -> TestVideo:
    """Write an open group of pictures at the start: its leading frames refer to what was cut away."""
    source = videos["open_gop.mp4"]
    with av.open(str(source.path)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        packets = [packet for packet in old.demux(stream) if packet.dts is not None]
        key = [i for i, packet in enumerate(packets) if packet.is_keyframe][1]
        assert min(packet.pts for packet in packets[key:]) < packets[key].pts, "no leading frames to test"
        shift = packets[key].dts
        copy = new.add_stream_from_template(stream)
        for packet in packets[key:]:
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
            new.mux(packet)
    return TestVideo(path, [], [])  # which of the leading frames come out is the decoder's affair


def make_joined(videos: "Videos", path: Path) -> TestVideo:
    """Two recordings glued together byte by byte: the clock starts anew in the middle."""
    part = videos["transport.ts"]
    path.write_bytes(part.path.read_bytes() * 2)
    seconds = part.seconds + [part.seconds[-1] + 0.04 + second for second in part.seconds]
    return TestVideo(path, part.numbers * 2, seconds)


def make_begun_late(videos: "Videos", path: Path) -> TestVideo:
    """Write a transport stream recorded from somewhere within a group of pictures."""
    whole = videos["transport.ts"].path.read_bytes()
    cell = 188  # bytes of a transport packet
    path.write_bytes(whole[: 3 * cell] + whole[len(whole) // cell // 5 * cell :])
    return TestVideo(path, [], [])  # compared with the sequential decode only


def make_cover_art(videos: "Videos", path: Path) -> TestVideo:
    """Write a video that begins with cover art, as download tools add it."""
    source = videos["closed_gop.mp4"]
    with av.open(str(source.path)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        art = new.add_stream("mjpeg", rate=1, options={})
        art.width, art.height, art.pix_fmt = 640, 480, "yuvj420p"
        art.disposition = av.stream.Disposition.attached_pic
        new.mux(art.encode(av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24")))
        for packet in old.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
        new.mux(art.encode(None))
    return TestVideo(path, source.numbers, source.seconds)


MADE = {
    "cut.mp4": make_cut,
    "cut_no_edit_list.mp4": make_cut_without_edit_list,
    "open_cut.mp4": make_open_cut,
    "open_cut.mkv": make_open_cut,
    "joined.ts": make_joined,
    "begun_late.ts": make_begun_late,
    "cover_art.mp4": make_cover_art,
}


class Videos:
    """The test videos by name, each made when first asked for."""

    names: Sequence[str] = (*RECIPES, *MADE)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, TestVideo] = {}

    def __getitem__(self, name: str) -> TestVideo:
        if name not in self._made:
            path = self.folder / name
            self._made[name] = MADE[name](self, path) if name in MADE else encode(RECIPES[name], path)
        return self._made[name]

    def encode(self, name: str, **changes: Any) -> TestVideo:
        """Write another file: the plain recipe with these changes."""
        return encode(Recipe(**changes), self.folder / name)
