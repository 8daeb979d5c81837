"""What browsers play is asked by the codec's name, whatever the decoder is called."""

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from aqa_pipeline.video import probe
from heads.pages.media import playable_as


def write(path, codec, options):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for shade in (40, 90, 140):
            picture = np.full((64, 64, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "encoder", "options", "media_type"),
    [
        ("a.mp4", "libx264", {}, "video/mp4"),
        ("a.webm", "libvpx", {"deadline": "realtime"}, "video/webm"),
        ("b.webm", "libvpx-vp9", {"deadline": "realtime"}, "video/webm"),
        ("c.webm", "libsvtav1", {"preset": "12"}, "video/webm"),
        ("b.mp4", "libsvtav1", {"preset": "12"}, "video/mp4"),
    ],
)
def test_what_browsers_play(tmp_path, name, encoder, options, media_type):
    path = tmp_path / name
    with ThreadPoolExecutor(1) as thread:  # SVT-AV1 may make its calling thread a real-time one
        thread.submit(write, path, encoder, options).result()
    assert playable_as(path, probe(path).codec) == (media_type, "")


def test_what_browsers_do_not_play(tmp_path):
    path = tmp_path / "a.mp4"
    write(path, "mpeg4", {})
    assert playable_as(path, probe(path).codec) == ("", "Browsers may not play mpeg4 in a .mp4 file.")
