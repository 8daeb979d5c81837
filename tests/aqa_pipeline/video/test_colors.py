"""HDR and wide gamut: what the formulas of ITU-R made of a picture of BT.709 is read as that picture."""

import shutil
import subprocess

import av
import numpy as np
import pytest

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe
from aqa_pipeline.video.colors import KNEE, Colors, rolled_off, to_bt709

SIDE, PATCH = 128, 16
LEVELS = (70, 115, 165, 225)  # 225 is just below the light that is rolled off
CODE = {"bt709": 1, "bt2020-10": 14, "pq": 16, "hlg": 18, "bt2020nc": 9, "bt2020": 9, "display-p3": 12}
# From linear BT.709, printed in ITU-R BT.2087 and in the definition of Display P3 (SMPTE EG 432-1)
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TO_P3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])
LUMA = np.array([0.2627, 0.6780, 0.0593])


def patches():
    """(128, 128, 3) 64 colors, as a display of BT.709 is to show them."""
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    colors = [(red, green, blue) for red in LEVELS for green in LEVELS for blue in LEVELS]
    for at, color in enumerate(colors):
        top, left = divmod(at, 8)
        picture[top * PATCH : (top + 1) * PATCH, left * PATCH : (left + 1) * PATCH] = color
    return picture


def pq(nits):
    """BT.2100, table 4: the inverse EOTF."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (nits / 10_000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def hlg(nits):
    """BT.2100, table 5: the inverse OOTF of a display of 1000 cd/m2, and the OETF."""
    luminance = (nits / 1000) @ LUMA
    scene = (nits / 1000) * luminance[..., None] ** ((1 - 1.2) / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def sdr(nits):
    return (nits / 203) ** (1 / 2.4)


def ycbcr(rgb, luma, bits=10):
    """(3, H, W) codes of video range, BT.2020 with its luma or BT.709 with its own."""
    y = rgb @ luma
    blue, red = (rgb[..., 2] - y) / (2 * (1 - luma[2])), (rgb[..., 0] - y) / (2 * (1 - luma[0]))
    scale = 2 ** (bits - 8)
    return np.stack([219 * y + 16, 224 * blue + 128, 224 * red + 128]) * scale


def encode(path, planes, *, transfer, primaries, matrix, codec="libx264", options=None):
    """Two frames, lossless, of 10 bits."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = transfer, primaries
        context.colorspace, context.color_range = matrix, 1
        for number in range(2):
            frame = av.VideoFrame(SIDE, SIDE, "yuv444p10le")
            frame.color_trc, frame.color_primaries = transfer, primaries
            frame.colorspace, frame.color_range, frame.pts = matrix, 1, number
            for plane, codes in zip(frame.planes, np.round(planes).astype("<u2"), strict=True):
                padded = np.zeros((plane.height, plane.line_size // 2), "<u2")
                padded[:, : plane.width] = codes
                plane.update(padded.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def light_of(picture):
    """Candelas of a display of BT.709 whose white is 203."""
    return (picture / 255) ** 2.4 * 203


def read(path):
    with open_video(Video("v", path)) as opened:
        pictures = [picture for _, picture in opened.frames(range(opened.timeline.num_frames))]
        return pictures, opened.picture


KINDS = {
    "hlg": (hlg, TO_BT2020, LUMA, ("hlg", "bt2020", "bt2020nc"), {"tone_mapped": "hlg"}),
    "pq": (pq, TO_BT2020, LUMA, ("pq", "bt2020", "bt2020nc"), {"tone_mapped": "pq"}),
    "bt2020": (sdr, TO_BT2020, LUMA, ("bt2020-10", "bt2020", "bt2020nc"), {"wide_gamut": "bt2020"}),
    "display-p3": (
        sdr,
        TO_P3,
        np.array([0.2126, 0.7152, 0.0722]),
        ("bt709", "display-p3", "bt709"),
        {"wide_gamut": "display-p3"},
    ),
}


def made(kind, path, **how):
    transfer, gamut, luma, names, _ = KINDS[kind]
    planes = ycbcr(transfer(light_of(patches()) @ gamut.T), luma)
    codes = dict(zip(("transfer", "primaries", "matrix"), (CODE[name] for name in names), strict=True))
    return encode(path, planes, **codes, **how)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".mp4", "libx264", {"qp": "0"}),
        (".mov", "libx265", {"x265-params": "lossless=1:bframes=0:log-level=none"}),
        (".mkv", "ffv1", {}),
    ],
)
def test_the_colors_are_those_that_were_meant(tmp_path, kind, suffix, codec, options):
    path = made(kind, tmp_path / f"a{suffix}", codec=codec, options=options)
    pictures, facts = read(path)
    assert facts == probe(path).picture == KINDS[kind][-1]
    assert len(pictures) == 2
    for picture in pictures:
        difference = np.abs(picture.astype(int) - patches())
        assert difference.mean() < 0.5
        assert difference.max() <= 4  # 10 bits tell that little of a dark channel beside bright ones


def test_without_conversion_the_colors_would_be_wrong(tmp_path):
    """What the file says is what makes the difference: the same codes called BT.709 are a pale picture."""
    planes = ycbcr(hlg(light_of(patches()) @ TO_BT2020.T), LUMA)
    path = encode(tmp_path / "a.mp4", planes, transfer=1, primaries=1, matrix=9)
    pictures, facts = read(path)
    assert facts == {}
    assert np.abs(pictures[0].astype(int) - patches()).mean() > 20


@pytest.mark.parametrize(
    ("nits", "code"),
    [(0, 0), (203 * 0.5, 191), (203 * KNEE, 232), (203, 244), (1000, 255), (4000, 255)],
)
def test_brighter_than_white_is_rolled_off(tmp_path, nits, code):
    """255 (x)^(1/2.4) up to the knee; white is 244; what is brighter than the peak is as white as that."""
    planes = ycbcr(pq(np.full((SIDE, SIDE, 3), float(nits))), LUMA)
    path = encode(tmp_path / "a.mp4", planes, transfer=CODE["pq"], primaries=9, matrix=9)
    assert np.abs(read(path)[0][0].astype(int) - code).max() <= 1


def test_the_roll_off_never_turns_back():
    light = np.linspace(KNEE, 1000 / 203, 1000, dtype=np.float32)
    shown = rolled_off(light)
    assert shown[0] == pytest.approx(KNEE, abs=1e-5)
    assert shown[-1] == pytest.approx(1, abs=1e-5)
    assert np.all(np.diff(shown) > 0)
    assert shown[1] - shown[0] == pytest.approx(light[1] - light[0], rel=0.02)  # no kink at the knee


def test_a_bright_color_keeps_its_hue():
    red, green = (pq(np.array(nits)) for nits in (800.0, 80.0))
    picture = np.full((1, 1, 3), (red * 65280, green * 65280, green * 65280), np.uint16)
    shown = (to_bt709(picture, Colors("pq", "bt709"))[0, 0] / 255) ** 2.4
    assert shown[0] / shown[1] == pytest.approx(10, rel=0.05)


def test_pictures_larger_than_a_band_have_no_seams():
    column = np.linspace(0, 65280, 700).astype(np.uint16)
    picture = np.repeat(np.repeat(column[:, None, None], 300, axis=1), 3, axis=2)
    whole = to_bt709(picture, Colors("hlg", "bt2020"))
    rows = [to_bt709(picture[row : row + 1], Colors("hlg", "bt2020")) for row in range(700)]
    np.testing.assert_array_equal(whole, np.concatenate(rows))


@pytest.mark.parametrize(
    ("matrix", "pixels", "color_range"),
    [(1, "yuv420p", 1), (1, "yuv420p", 2), (6, "yuv420p", 1), (9, "yuv420p10le", 1), (1, "yuv444p10le", 2)],
)
def test_matrix_range_and_depth_need_no_mending(tmp_path, matrix, pixels, color_range):
    """BT.601 and BT.2020 matrices, full range and 10 bits: PyAV reads them as they say."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, pixels
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, color_range
        frame = av.VideoFrame.from_ndarray(patches(), format="rgb24").reformat(
            format=pixels, dst_colorspace=matrix, dst_color_range=color_range
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (int(frame.colorspace), int(frame.color_range)) == (matrix, color_range)
    pictures, facts = read(path)
    assert facts == {}
    middle = slice(PATCH // 2, None, PATCH)  # patches bleed into each other where color is stored in halves
    assert np.abs(pictures[0].astype(int) - patches())[middle, middle].max() <= 3


@pytest.mark.parametrize("kind", ["hlg", "pq", "bt2020", "display-p3"])
def test_decord_is_refused(tmp_path, kind):
    pytest.importorskip("decord")
    path = made(kind, tmp_path / "a.mp4")
    with pytest.raises(
        VideoError, match=r"pixel format|the pictures must be (tone-mapped|converted) to BT\.709"
    ):
        open_video(Video("v", path), reader="decord")


def test_the_ffmpeg_program_sees_the_same(tmp_path):
    """FFmpeg's zscale and tonemap, which PyAV's own FFmpeg has not (zscale) or has (tonemap)."""
    program = shutil.which("ffmpeg")
    if (
        program is None
        or b" zscale " not in subprocess.run([program, "-filters"], capture_output=True).stdout
    ):
        pytest.skip("no ffmpeg program with zscale")
    path = made("pq", tmp_path / "a.mp4")
    chain = (
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
        f"tonemap=tonemap=mobius:param={KNEE}:peak={1000 / 203}:desat=0,zscale=t=bt709:m=gbr:r=pc,format=gbrp"
    )
    command = [program, "-v", "error", "-i", str(path), "-frames:v", "1", "-vf", chain]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    )
    expected = np.frombuffer(done.stdout, np.uint8).reshape(SIDE, SIDE, 3).astype(int)
    assert np.abs(read(path)[0][0] - expected).max() <= 1


def test_the_phone_s_video_looks_as_the_ordinary_one(shared):
    """The same content in HLG and in BT.709; read as it is stored, the spread of its values is 40."""
    folder = shared / "cases"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    ordinary, _ = read(folder / "sdr.mp4")
    phone, facts = read(folder / "hlg.mov")
    assert facts == {"tone_mapped": "hlg"}
    assert len(phone) == len(ordinary) == 72
    difference = np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(phone, ordinary, strict=True)])
    assert difference < 6
    assert np.std(phone[::6]) > 0.9 * np.std(ordinary[::6])
