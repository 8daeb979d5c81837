"""Features belong to what lies there: one dataset through extract, fit, report, verify, pack and score."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.store import Store

pytestmark = pytest.mark.xdist_group("sources")  # one worker extracts the dataset for all of them

NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0"]
HOW = [*NETWORK, "--device", "cpu", "--runtime", "eager", "--workers", "1"]


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def paint(folder: Path, seed: int) -> None:
    """Two seconds of noise; every picture has the same number of bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(20):
        picture = rng.integers(0, 255, (48, 64, 3), np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png", compress_level=0)


def write_folder(root: Path, *, first_seed: int = 0, num_videos: int = 6) -> Path:
    for number in range(num_videos):
        paint(root / f"v{number}", first_seed + number)
    rows = [f"v{number},{number}.5,10,{'train' if number % 3 else 'test'}" for number in range(num_videos)]
    (root / "scores.csv").write_text("\n".join(["video,score,fps,split", *rows]) + "\n")
    return root


@pytest.fixture(scope="module")
def _extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_folder(home / "jumps")
    result = run("extract", "--dataset", "folder", "--root", home / "jumps", "--store", home / "store", *HOW)
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def home(_extracted: Path, tmp_path: Path) -> Path:
    """Make a copy like `cp -a`, whose store says that it was extracted from the copy."""
    shutil.copytree(_extracted, tmp_path, dirs_exist_ok=True)
    assert "6 videos were in the store already" in extract(tmp_path).output
    return tmp_path


def extract(home: Path, root: str = "jumps", *options: object) -> Result:
    return run(
        "extract", "--dataset", "folder", "--root", home / root, "--store", home / "store", *HOW, *options
    )


def fit(home: Path, root: str = "jumps", *options: object) -> Result:
    data = ["--dataset", "folder", "--root", home / root, "--store", home / "store", "--streams", "frames"]
    how = ["--head", "wd", "--epochs", 1, "--seeds", 0, "--device", "cpu"]
    return run("fit", *data, *how, "--out", home / "run", *options)


def features(home: Path, dataset: str = "jumps") -> dict[str, np.ndarray]:
    store = Store(home / "store")
    (spec,) = store.specs(dataset, "frames")
    return {v: store.read(dataset, v, spec).features for v in store.video_ids(dataset, spec)}


def test_a_replaced_video_stops_a_fit_until_it_is_extracted_anew(home: Path) -> None:
    before = features(home)
    paint(home / "jumps" / "v2", seed=99)
    result = fit(home)
    assert result.exit_code == 1
    assert "1 video changed since" in result.output
    assert "v2 (other pictures)" in result.output
    assert f"aqa extract --dataset folder --root {home / 'jumps'}" in result.output
    result = extract(home)
    assert result.exit_code == 0
    assert "1 video changed since they were extracted: v2 (other pictures)." in result.output
    after = features(home)
    assert [v for v in after if not np.array_equal(after[v], before[v])] == ["v2"]
    assert fit(home).exit_code == 0


def test_features_are_used_without_their_videos(home: Path) -> None:
    for number in range(6):
        shutil.rmtree(home / "jumps" / f"v{number}")
    (home / "jumps" / "videos").mkdir()
    result = fit(home)
    assert result.exit_code == 0, result.output


def test_another_fps_in_the_csv_stops_a_fit(home: Path) -> None:
    scores = home / "jumps" / "scores.csv"
    scores.write_text(scores.read_text().replace("v1,1.5,10,", "v1,1.5,20,"))
    assert "v1 (20 fps instead of 10)" in fit(home).output
    assert "v1 (20 fps instead of 10)" in extract(home).output
    assert fit(home).exit_code == 0


def test_two_folders_of_equal_file_names_have_names_of_their_own(home: Path) -> None:
    jumps = features(home)
    write_folder(home / "dives", first_seed=50)
    result = extract(home, "dives")
    assert "changed" not in result.output
    assert not np.array_equal(features(home, "dives")["v0"], jumps["v0"])
    np.testing.assert_array_equal(features(home)["v0"], jumps["v0"])
    assert fit(home, "dives").exit_code == 0
    assert run("report", home / "run", "--html", home / "report.html").exit_code == 0
    assert "dives" in (home / "report.html").read_text()
    again = run("fit", "--repeat", home / "run", "--out", home / "again")
    assert again.exit_code == 0, again.output


def test_two_folders_of_one_name_are_told_apart(home: Path) -> None:
    write_folder(home / "elsewhere" / "jumps", first_seed=50)
    result = extract(home, "elsewhere/jumps")
    assert "6 videos changed since they were extracted: v0 (other pictures), v1" in result.output
    assert (
        f"from {home / 'jumps'} before, now from {home / 'elsewhere' / 'jumps'}: --name keeps"
        in result.output
    )
    assert fit(home).exit_code == 1
    result = extract(home, "jumps", "--name", "first jumps")
    assert "changed" not in result.output
    assert fit(home, "jumps", "--name", "first jumps").exit_code == 0
    assert sorted(Store(home / "store").datasets()) == ["first jumps", "jumps"]


def test_the_report_draws_no_page_from_another_video(home: Path) -> None:
    assert fit(home).exit_code == 0
    paint(home / "jumps" / "v0", seed=99)
    result = run("report", home / "run", "--html", home / "report.html")
    assert result.exit_code == 0, result.output
    assert "it changed since it was extracted (other pictures)" in (home / "report.html").read_text()


def test_verify_sources_finds_what_cheap_facts_do_not_show(home: Path) -> None:
    assert (
        "6 of 6 records match their present videos"
        in run("store", "verify", home / "store", "--sources").output
    )
    picture = home / "jumps" / "v3" / "4.png"
    facts = picture.stat()
    content = bytearray(picture.read_bytes())
    content[-40] ^= 1
    picture.write_bytes(content)
    os.utime(picture, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    shutil.rmtree(home / "jumps" / "v5")
    result = run("store", "verify", home / "store", "--sources")
    assert result.exit_code == 3
    assert "4 of 6 records match their present videos" in result.output
    lines = [line.strip() for line in result.output.splitlines() if ".h5" in line or "/v" in line]
    assert len(lines) == 2
    assert lines[0].endswith("v3.h5: other pictures")
    assert lines[1].endswith(f"v5.h5: no longer there: {home / 'jumps' / 'v5'}")
    moved = (home / "jumps").rename(home / "moved")
    assert run("store", "verify", home / "store", "--sources").exit_code == 3
    result = run("store", "verify", home / "store", "--sources", "--root", moved)
    assert "4 of 6 records match their present videos" in result.output
    assert run("store", "verify", home / "store", "--root", moved).exit_code == 2


def test_a_pack_is_compared_too_and_unpacking_tells_of_others(home: Path) -> None:
    pack = home / "packed.h5"
    assert run("store", "pack", home / "store", "--out", pack).exit_code == 0
    result = run("store", "verify", pack, "--sources")
    assert result.exit_code == 3
    assert "name their folder with --root" in result.output
    result = run("store", "verify", pack, "--sources", "--root", home / "jumps")
    assert (result.exit_code, "6 of 6 records match their present videos" in result.output) == (0, True)
    paint(home / "jumps" / "v2", seed=99)
    assert extract(home).exit_code == 0
    result = run("store", "unpack", pack, home / "store")
    assert "0 records copied into" in result.output
    assert "1 of the existing records was made from other videos than the packed records" in result.output


def test_scores_of_a_video_go_by_its_window_fps_and_boxes(home: Path, tmp_path: Path) -> None:
    from extract.choices.options import NetworkOptions, StreamOptions
    from extract.run.new_video import NewVideoExtractor

    (spec,) = (stream.spec for stream in _streams())
    options = StreamOptions(networks=NetworkOptions(device="cpu", runtime="eager"))
    extract_records = NewVideoExtractor([spec], options, {}, cache=tmp_path / "cache")
    cache = Store(tmp_path / "cache")
    video = load_dataset("folder", home / "jumps").videos[0]
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame_index,x1,y1,x2,y2\n0,1,1,9,9\n")
    others = [
        video,
        replace(video, start_frame=5),
        replace(video, stop_frame=15),
        replace(video, fps=20.0),
        replace(video, boxes=boxes),
    ]
    for count, each in enumerate(others, start=1):
        extract_records(each)
        assert len(cache.video_ids("scored", spec)) == count
    renamed = replace(video, video_id="other", path=video.path.rename(tmp_path / "other"))
    assert extract_records(renamed)["frames"].video_id == "other"
    assert len(cache.video_ids("scored", spec)) == len(others)


def _streams() -> list:
    from extract.choices.options import NetworkOptions, StreamOptions
    from extract.choices.streams import build_streams

    networks = NetworkOptions(
        backbones={"": "resnet18"}, weights={"": "random:0"}, device="cpu", runtime="eager"
    )
    return build_streams(["frames"], StreamOptions(networks=networks))
