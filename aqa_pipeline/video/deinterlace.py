"""Turn interlaced frames into whole pictures with FFmpeg's bwdif: one picture for each frame.

An interlaced frame holds every other line of two moments, so that moving edges look like a comb. The flags of
the decoder say which frames are interlaced. bwdif passes the other frames through unchanged.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

BWDIF = "mode=send_frame:parity=auto:deint=interlaced"


def deinterlaced(frames: Iterator[Any], *, num_threads: int = 1) -> Iterator[Any]:
    """Yield as many frames in the same order. Each is made from itself and its two neighbors.

    The first and the last frame use themselves instead of the missing neighbor.
    """
    for _, alike in groupby(frames, key=_kind):
        graph = None
        for frame in alike:
            if graph is None:
                graph = _graph(frame, num_threads)
            graph.push(frame)
            yield from _finished(graph)
        if graph is not None:
            graph.push(None)
            yield from _finished(graph)


def _kind(frame: Any) -> tuple[Any, ...]:
    """Return the properties that must not change within one filter graph."""
    return frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range)


def _graph(frame: Any, num_threads: int) -> Any:
    from av.filter import Graph

    width, height, pixels, matrix, color_range = _kind(frame)
    graph = Graph()
    source = graph.add(
        "buffer",
        f"video_size={width}x{height}:pix_fmt={pixels}:time_base=1/1000:colorspace={matrix}:range={color_range}",
    )
    graph.link_nodes(
        source, graph.add("bwdif", f"{BWDIF}:threads={num_threads}"), graph.add("buffersink")
    ).configure()
    return graph


def _finished(graph: Any) -> Iterator[Any]:
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
