"""Facts and digests of video files and folders."""

import hashlib

import pytest
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe, source_digest
from aqa_pipeline.video.timeline import scan_video


def test_probe_agrees_with_the_exact_list_of_frames(videos, video_name):
    video = videos[video_name]
    facts = probe(video.path)
    with open_video(Video("v", video.path)) as opened:
        assert (facts.width, facts.height) == (opened.width, opened.height)
        if video.numbers and video_name != "joined.ts":  # its second clock hides half of the seconds
            assert facts.num_frames == opened.timeline.num_frames
            assert facts.duration_seconds == pytest.approx(opened.timeline.duration_seconds, abs=0.05)
            assert facts.fps == pytest.approx(facts.num_frames / facts.duration_seconds)


def test_probe_knows_codec_container_and_sound(videos):
    facts = probe(videos["closed_gop_audio.mp4"].path)
    assert (facts.codec, facts.container, facts.has_audio) == ("h264", "mov,mp4,m4a,3gp,3g2,mj2", True)
    assert facts.fps == 25
    facts = probe(videos["vp9.webm"].path)
    assert (facts.codec, facts.container, facts.has_audio) == ("vp9", "matroska,webm", False)


CODECS = {
    "h264": {},
    "hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "vp8": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "vp9": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "av1": {"codec": "libsvtav1", "options": {"preset": "12"}},
    "mpeg2video": {"codec": "mpeg2video", "options": {}},
    "mpeg4": {"codec": "mpeg4", "options": {}},
    "mjpeg": {"codec": "mjpeg", "options": {}, "pixels": "yuvj420p"},
    "prores": {"codec": "prores_ks", "options": {}, "pixels": "yuv422p10le"},
    "ffv1": {"codec": "ffv1", "options": {}},
}


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_has_its_own_name_and_not_the_decoder_s(videos, codec):
    """libdav1d decodes av1: what is asked of a codec is asked by the codec's name."""
    path = videos.encode(f"named_{codec}.mkv", suffix=".mkv", num_frames=5, **CODECS[codec]).path
    assert probe(path).codec == codec
    assert scan_video(path).codec == codec
    assert scan_video(path).by_pts == (codec in ("h264", "hevc", "vp9", "av1"))


def test_probe_of_the_real_clips(shared):
    weightlifting = probe(shared / "clips" / "weightlifting.mp4")
    assert (weightlifting.num_frames, weightlifting.width, weightlifting.height) == (355, 320, 240)
    assert weightlifting.has_audio
    basketball = probe(shared / "clips" / "basketball.mp4")
    assert (basketball.num_frames, round(basketball.fps, 2)) == (300, 29.97)


def test_probe_of_a_folder(tmp_path):
    for number in range(10):
        Image.new("RGB", (32, 24)).save(tmp_path / f"{number}.png")
    facts = probe(tmp_path, fps=5)
    assert (facts.num_frames, facts.fps, facts.duration_seconds) == (10, 5.0, 2.0)
    assert (facts.width, facts.height, facts.codec, facts.container) == (32, 24, "png", "frames")
    with pytest.raises(VideoError, match="Give it with --fps"):
        probe(tmp_path)


def test_the_digest_of_a_file_is_its_sha256(videos):
    path = videos["closed_gop.mp4"].path
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert source_digest(path) == expected


def test_the_digest_of_a_folder_sees_names_order_and_bytes(tmp_path):
    def digest(files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return source_digest(folder)

    digests = [
        digest({"1.jpg": b"ab", "2.jpg": b"c"}),
        digest({"1.jpg": b"a", "2.jpg": b"bc"}),
        digest({"1.jpg": b"c", "2.jpg": b"ab"}),
        digest({"1.jpg": b"ab", "3.jpg": b"c"}),
    ]
    assert len(set(digests)) == 4
    assert digest({"2.jpg": b"c", "1.jpg": b"ab", "notes.txt": b"x"}) == digests[0]


def test_the_digest_of_nothing(tmp_path):
    with pytest.raises(VideoError, match="no such video file"):
        source_digest(tmp_path / "gone.mp4")
    with pytest.raises(VideoError, match="no pictures"):
        source_digest(tmp_path)
