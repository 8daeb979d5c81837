"""Find the frames of a file from its packets, without decoding.

Reading packets takes a few microseconds per frame. For most files, packets say exactly which frames a decoder
will deliver and when. The two `..._doubt` functions say for which files they do not, and why.
"""

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.container import as_fraction, codec_name, packets_of, reason
from aqa_pipeline.video.plain import in_words
from aqa_pipeline.video.sampling import Ticks

MAX_NUM_PACKETS = 20_000_000  # 46 hours at 120 per second; their table takes 480 MB
NO_TICK = int(np.iinfo(np.int64).min)  # what ffmpeg uses for "no timestamp" too
MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
MATROSKA = "matroska,webm"
MPEG_TS = "mpegts"
AVI = "avi"
HEADER_TOLERANCE_SECONDS = 0.25  # headers are rounded, and may count a few frames that were never stored

# In these codecs one packet is one shown frame. VP8 has packets of hidden frames, MPEG-4 ASP two frames in
# one.
ONE_PACKET_ONE_FRAME = frozenset({"h264", "hevc", "vp9", "av1"})
DECORD_CODECS = frozenset({"h264", "hevc"})
H264_IDR = frozenset({5})  # ITU-T H.264, table 7-1
HEVC_IRAP = frozenset(range(16, 24))  # ITU-T H.265, table 7-1


@dataclass(frozen=True, eq=False)
class PacketTable:
    """The packets of one video stream in decoding order.

    `pts`, `dts` and `duration` are ticks, (packet,). `keys` holds the positions of key packets, `restarts`
    the positions from which a decoder delivers every later frame exactly. `error` says why packets at the end
    are missing; None if no packet is missing.
    """

    codec: str
    container: str
    pts: Ticks
    dts: Ticks
    duration: Ticks
    keys: Ticks
    restarts: Ticks
    num_discarded: int
    error: str | None

    @property
    def num_packets(self) -> int:
        """Return the number of packets."""
        return len(self.pts)


def read_packets(container: Any, stream: Any) -> PacketTable:
    """Read all packets of the stream. The table takes 24 bytes per frame."""
    import av

    codec, container_name = codec_name(stream), container.format.name
    pts, dts, duration, keys, restarts = (array("q") for _ in range(5))
    num_discarded, error = 0, None
    nal_size = nal_length_bytes(codec, stream.codec_context.extradata)
    try:
        for packet in packets_of(container, stream):
            if packet.size == 0 and packet.dts is None:
                continue  # the last packet of PyAV is empty and ends the decoding
            if len(pts) == MAX_NUM_PACKETS:
                raise VideoError(
                    f"{container.name.removeprefix('file:')}: more than {MAX_NUM_PACKETS:,} packets of video"
                    " are refused: only a damaged or hostile index claims as many."
                )
            if packet.is_corrupt and container_name != MPEG_TS:
                error = "its last packet is cut off"
                break
            if packet.is_keyframe:
                keys.append(len(pts))
                if is_restart(codec, packet, nal_size):
                    restarts.append(len(pts))
            pts.append(NO_TICK if packet.pts is None else packet.pts)
            dts.append(NO_TICK if packet.dts is None else packet.dts)
            duration.append(packet.duration or 0)
            num_discarded += packet.is_discard
    except av.error.FFmpegError as failure:
        error = reason(failure)
    arrays = [np.frombuffer(a, dtype=np.int64) if a else np.empty(0, np.int64) for a in (pts, dts, duration)]
    table = PacketTable(
        codec=codec,
        container=container_name,
        pts=arrays[0],
        dts=arrays[1],
        duration=arrays[2],
        keys=np.array(keys, dtype=np.int64),
        restarts=np.array(restarts, dtype=np.int64),
        num_discarded=num_discarded,
        error=error,
    )
    return table if error else replace(table, error=missing_end(table, stream))


def missing_end(table: PacketTable, stream: Any) -> str | None:
    """Return what the header promises beyond the last packet; None if nothing."""
    if table.container == MP4 and table.num_packets < stream.frames:
        return f"it has only {table.num_packets} of {stream.frames} stored frames"
    promised, tick = header_seconds(table.container, stream), as_fraction(stream.time_base)
    ticks = np.where(table.pts == NO_TICK, table.dts, table.pts)
    ends = (ticks + table.duration)[ticks != NO_TICK]
    if promised is None or tick is None or not len(ends):
        return None
    there = float(int(ends.max()) * tick)
    return f"the header promises {promised:.2f} s" if there < promised - HEADER_TOLERANCE_SECONDS else None


def header_seconds(container_name: str, stream: Any) -> float | None:
    """Return the end of the stream in seconds, by the header; None if the header does not state it."""
    rate = as_fraction(stream.average_rate)
    if container_name == AVI and stream.frames and rate:
        return float(stream.frames / rate)
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", stream.metadata.get("DURATION", ""))
    if container_name == MATROSKA and clock:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    return None


def nal_length_bytes(codec: str, extradata: bytes | None) -> int:
    """Return how many bytes before each NAL unit hold its length; 0 if units are stored in another way.

    The value comes from the avcC / hvcC record (ISO 14496-15), whose first byte is the version 1.
    """
    length_field = {"h264": 4, "hevc": 21}.get(codec)
    if length_field is None or not extradata or len(extradata) <= length_field or extradata[0] != 1:
        return 0
    return (extradata[length_field] & 3) + 1


def is_restart(codec: str, packet: Any, nal_size: int) -> bool:
    """Return whether a decoder that starts at this key packet delivers every later frame exactly.

    The key flag alone is not enough: h264 files also mark recovery points (open GOP, intra refresh) as key.
    """
    if codec in ("vp9", "av1"):
        return True  # a key frame resets all references
    if not nal_size or codec not in DECORD_CODECS:
        return False
    types = nal_types(codec, bytes(packet), nal_size)
    return bool(types & (H264_IDR if codec == "h264" else HEVC_IRAP))


def nal_types(codec: str, data: bytes, nal_size: int) -> set[int]:
    """Return the types of the length-prefixed NAL units in a packet."""
    types, position = set(), 0
    while position + nal_size < len(data):
        length = int.from_bytes(data[position : position + nal_size], "big")
        header = data[position + nal_size]
        types.add(header & 0x1F if codec == "h264" else (header >> 1) & 0x3F)
        position += nal_size + length
    return types


def packets_doubt(table: PacketTable) -> str | None:
    """Return why the packets may differ from what a decoder delivers; None if they do not."""
    if table.container not in (MP4, MATROSKA):
        return f"packets of a {table.container} container do not show all frames and times"
    if table.codec not in ONE_PACKET_ONE_FRAME:
        return f"{table.codec} packets are not frames one by one"
    if table.error:
        return f"the file is cut off: {table.error}"
    if not table.num_packets or np.any(table.pts == NO_TICK):
        return "packets without a timestamp"
    if table.num_discarded:
        return f"an edit list hides {table.num_discarded} of {table.num_packets} stored frames"
    if len(np.unique(table.pts)) < table.num_packets:
        return "two packets with one timestamp"
    if not len(table.keys) or table.keys[0] != 0:
        return "the file does not begin with a key frame"
    if table.pts.min() < table.pts[0]:
        return "frames before the first key frame cannot be decoded"
    return None


def decord_doubt(
    table: PacketTable,
    *,
    num_streams: int,
    pixel_format: str,
    upright: bool,
    picture: Mapping[str, SpecValue],
) -> str | None:
    """Return why decord may deliver wrong frames of this file; None if it is exact.

    decord numbers packets, not decoded frames, and jumps between key packets. If packets and frames differ,
    it delivers wrong frames without an error. Its conversion of more than 8 bits differs from that of ffmpeg,
    and it does not turn pictures.
    """
    doubt = packets_doubt(table)
    if doubt is not None:
        return doubt
    if table.container != MP4 or table.codec not in DECORD_CODECS:
        return f"decord is exact for h264 and hevc in mp4, not for {table.codec} in {table.container}"
    if num_streams != 1:
        return f"{num_streams} video streams"
    if pixel_format not in ("yuv420p", "yuvj420p"):
        return f"pixel format {pixel_format}"
    if picture:
        return f"the pictures must be {' and '.join(in_words(picture))}"
    if not upright:
        return "the pictures are turned by metadata"
    if table.pts[0] < 0:
        return "timestamps before zero"
    if np.any(_earliest_of_group(table) < table.pts[table.keys]):
        return "open groups of pictures: frames are stored after the key frame that follows them"
    if len(table.restarts) < len(table.keys):
        return "some key frames are recovery points: decoding cannot begin there"
    return None


def _earliest_of_group(table: PacketTable) -> Ticks:
    """Return the smallest pts of the packets from each key packet up to the next, (key,)."""
    return np.minimum.reduceat(table.pts, table.keys)
