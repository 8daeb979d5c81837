"""A preview's sheet shows the very frames that the streams take, in order, and its lines count them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import cli

FPS, NUM_FRAMES = 5.0, 20
STEP = 12  # gray levels from frame to frame: more than JPEG blurs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a video as pictures: frame i is of the one gray level 10 + 12 i."""
    folder = tmp_path_factory.mktemp("preview") / "vault 1"
    folder.mkdir()
    for number in range(NUM_FRAMES):
        level = 10 + STEP * number
        Image.new("RGB", (80, 60), (level, level, level)).save(folder / f"{number:03d}.png")
    return folder


def boxes(folder: Path, *, frames: range) -> Path:
    path = folder.parent / f"boxes {frames.start}-{frames.stop}.csv"
    rows = [f"{n},20,10,50,50" for n in frames]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]))
    return path


def preview(folder: Path, streams: str, *words: object, code: int = 0) -> tuple[np.ndarray, list[str]]:
    """Return the sheet's gray levels and what was printed, line by line."""
    sheets = folder.parent / "sheets"
    given = ["--preview", folder, "--fps", FPS, "--streams", streams, "--detector", "annotations"]
    options = [*given, "--contact-sheet", sheets, "--device", "cpu", *words]
    result = CliRunner().invoke(cli.main, ["extract", *map(str, options)])
    assert result.exit_code == code, result.output
    if code:
        return np.empty(0), result.output.splitlines()
    with Image.open(sheets / "vault 1.preview.jpg") as sheet:
        return np.asarray(sheet.convert("L")).astype(int), result.output.splitlines()


def frames_shown(sheet: np.ndarray) -> list[int]:
    """Return the frames of which the sheet has a large square, in reading order."""
    found = []
    for number in range(NUM_FRAMES):
        alike = (abs(sheet - (10 + STEP * number)) <= 3).astype(np.uint8)
        _, _, places, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
        found += [
            (int(top) // 20, int(left), number)
            for left, top, width, height, area in places[1:]
            if min(width, height) > 70
            and width == pytest.approx(height, abs=6)
            and area > 0.9 * width * height
        ]
    return [number for _, _, number in sorted(found)]


def test_segments_are_rows_of_their_frames(folder):
    sheet, lines = preview(folder, "segments", "--rest", "dropped")
    assert lines[0] == "80x60, 20 frames, 4.00 s, read by frames"
    assert lines[1] == (
        "segments: 1 step of 16 frames, look at 0.0-3.2 s of 4.0 s (--rest padded looks at all), "
        "pictures cut to the middle"
    )
    assert frames_shown(sheet) == list(range(16))
    sheet, lines = preview(folder, "segments", "--rest", "padded")
    assert lines[1] == "segments: 2 steps of 16 frames, pictures cut to the middle"
    assert frames_shown(sheet) == [*range(20), *[19] * 12], "the last frame is repeated"


def test_frames_are_tiles_of_one_sample_a_second(folder):
    sheet, lines = preview(folder, "frames")
    assert lines[1].startswith("frames: 4 steps of 1 frame")
    assert frames_shown(sheet) == [2, 7, 12, 17]


def test_whole_clips_end_with_the_video(folder):
    sheet, lines = preview(folder, "clips", "--clips", "whole", "--backbone", "r3d_18")
    assert lines[1].startswith("clips: 2 steps of 16 frames")
    assert frames_shown(sheet) == [*[0] * 12, *range(20)], "the first frame is repeated"


@pytest.mark.parametrize(("frames", "num_found"), [(range(20), 4), (range(10), 2), (range(3, 5), 0)])
def test_crops_count_the_steps_with_a_person(folder, frames, num_found):
    given = ("--boxes", boxes(folder, frames=frames), "--athlete", "largest")
    _, lines = preview(folder, "crops", *given)
    assert lines[1].startswith(f"crops: 4 steps of 1 frame, {num_found} with a person (largest), crops as")


def test_somebody_else_who_is_followed_is_told_with_the_frame(folder):
    path = folder.parent / "two.csv"
    rows = [f"{n},{5 if n < 5 else 60},10,{20 if n < 5 else 75},25" for n in range(NUM_FRAMES)]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]))
    _, lines = preview(folder, "crops", "--boxes", path, "--athlete", "followed")
    assert "(followed)" in lines[1]
    assert lines[2].startswith(
        "  frame 17: jumped (nobody continued the last box for 3.0 s; the largest person"
    )


def test_tubes_count_the_frames_with_a_quad(folder):
    given = ("--boxes", boxes(folder, frames=range(4, 18)), "--tracker", "annotations")
    _, lines = preview(folder, "tubes", *given)
    assert lines[1].startswith(
        "tubes: 2 steps of 16 frames; annotations follows the athlete in 14 of 20 frames"
    )


def test_stored_frames_are_tiles_of_their_own_shape(folder):
    sheet, lines = preview(folder, "pixels", "--picture-size", "80x80", "--pixel-rate", "1")
    assert lines[1] == "pixels: 4 steps of 1 frame; pictures of 80x80, raw"
    assert frames_shown(sheet) == [2, 7, 12, 17]
    given = ("--boxes", boxes(folder, frames=range(4, 18)), "--tracker", "annotations", "--jpeg", "90")
    _, lines = preview(folder, "pixels", "--last-frames", "18", *given)
    assert lines[1] == (
        "pixels: 18 steps of 1 frame, look at 0.4-4.0 s of 4.0 s (--last-frames 20 looks at all); pictures "
        "of 171x128, JPEG of quality 90; annotations follows the athlete in 14 of 18 frames"
    )


def test_a_video_without_boxes_is_one_message(folder):
    (line,) = preview(folder, "crops", code=1)[1]
    assert line.startswith("Error: video 'vault 1' came without person boxes: use another detector")
