"""`aqa extract` on four short videos: what each option does, and what is refused before any work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli
from aqa_pipeline.records import Record
from aqa_pipeline.store import Store

NETWORK = ("--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--runtime", "eager")
FPS = 4


def aqa(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.main, ["extract", *map(str, words)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a folder `mine` of three videos as pictures, and a fourth that is no video."""
    home = tmp_path_factory.mktemp("extract")
    noise = np.random.default_rng(0)
    for name in "abc":
        folder = home / "mine" / name
        folder.mkdir(parents=True)
        for number in range(2 * FPS):
            picture = noise.integers(0, 255, (48, 64, 3), np.uint8)
            Image.fromarray(picture).save(folder / f"{number:03d}.png")
    (home / "mine" / "d.mp4").write_bytes(b"\0" * 64)
    rows = [*(f"{name},{at}.5,{FPS}" for at, name in enumerate("abc")), "d.mp4,9.5,"]
    (home / "mine" / "scores.csv").write_text("\n".join(["video,score,fps", *rows]))
    return home


@pytest.fixture
def extract(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(home)
    monkeypatch.setenv("AQA_HOME", str(home / "aqa"))
    dataset = ("--dataset", "folder", "--root", "mine", "--device", "cpu", "--workers", "1")

    def run(*words: object, code: int = 0) -> Result:
        return aqa(*dataset, *words, code=code)

    return run


def records(store: str) -> dict[str, Record]:
    opened = Store(Path(store))
    return {video_id: opened.read(dataset, video_id, spec) for dataset, video_id, spec in opened}


@pytest.fixture
def extracted(extract, home: Path) -> str:
    """Extract all videos into the store `all`, once; return what was printed."""
    if not (home / "all").exists():
        result = extract(*NETWORK, "--store", "all", code=3)
        (home / "printed.txt").write_text(result.stdout)
        assert "RANDOM WEIGHTS" in result.stderr
    return (home / "printed.txt").read_text()


def test_a_bad_video_is_told_the_others_are_stored_and_a_second_run_goes_on(extract, extracted):
    assert "1 video failed, the others are stored:\n  d: " in extracted
    last = extracted.splitlines()[-1]
    assert last.startswith("next: aqa fit --head ")
    assert last.endswith("--dataset folder --root mine --store all --allow-missing")
    made = records("all")
    assert set(made) == {"a", "b", "c"}
    for record in made.values():
        assert record.features.shape == (2, 512)
        np.testing.assert_array_equal(record.pts_seconds, [[0, 1], [1, 2]])
        assert record.extras["frame_index"].ravel().tolist() == [2, 6]
    assert not [problem for _, problem in Store(Path("all")).verify() if problem]
    before = {path: path.stat().st_mtime_ns for path in Path("all").rglob("*.h5")}
    output = extract(*NETWORK, "--store", "all", code=3).output
    assert "3 videos were in the store already (--overwrite makes them again)." in output
    assert {path: path.stat().st_mtime_ns for path in Path("all").rglob("*.h5")} == before


def test_named_videos_alone_are_extracted_and_the_next_command_does_the_rest(extract):
    words = ("--store", "part", "--name", "our club")
    last = extract(*NETWORK, *words, "--videos", "b, a", "--batch-size", "1").stdout.splitlines()[-1]
    assert last.startswith("next: aqa extract --dataset folder --root mine --name 'our club' --store part")
    assert "--videos" not in last
    assert set(records("part")) == {"a", "b"}
    assert Store(Path("part")).datasets() == ["our club"]
    assert Store(Path("part")).origin("our club").root == Path("mine").absolute()
    output = extract(*NETWORK, *words, "--limit", "1").output
    assert "1 video was in the store already" in output


def test_more_at_once_changes_no_feature(extract, extracted):
    if not Path("part").exists():
        extract(*NETWORK, "--store", "part", "--videos", "a", "--batch-size", "1")
    alone, together = records("part")["a"], records("all")["a"]
    assert alone.spec == together.spec
    np.testing.assert_allclose(alone.features, together.features, rtol=1e-4, atol=1e-5)


def test_records_are_made_again_on_request_to_the_same_bytes(extract, extracted):
    (path,) = Path("all").rglob("a.h5")
    content, before = path.read_bytes(), path.stat().st_ino
    output = extract(*NETWORK, "--store", "all", "--videos", "a", "--overwrite").output
    assert "in the store already" not in output
    assert path.read_bytes() == content
    assert path.stat().st_ino != before


CHOICES = {
    "half precision on disk": (["--dtype", "float16"], {"dtype": "float16"}),
    "another network": (["--backbone", "resnet34"], {"backbone": "resnet34"}),
    "another seed": (["--weights", "frames=random:5"], {"weights": "random:5"}),
}


@pytest.mark.parametrize(("options", "facts"), CHOICES.values(), ids=CHOICES)
def test_a_choice_is_a_fact_of_the_spec_and_another_stream(extract, extracted, options, facts):
    usual = records("all")["a"]
    kept = list(NETWORK)
    if options[0] in kept:
        del kept[kept.index(options[0]) : kept.index(options[0]) + 2]
    store = f"chosen {options[0]}"
    extract(*kept, *options, "--store", store, "--videos", "a")
    chosen = records(store)["a"]
    assert {line.partition(":")[0] for line in chosen.spec.differences(usual.spec)} == set(facts)
    assert {name: chosen.spec.facts[name] for name in facts} == facts
    assert chosen.spec.hash != usual.spec.hash
    assert not np.array_equal(chosen.features, usual.features)


REFUSED = {
    "nothing": ([], "Name a --dataset, or a video to --preview."),
    "actors without ray": (["--dataset", "folder", "--actors", "2"], "are for --engine ray"),
    "no rate": (["--preview", "mine/a", "--fps", "0"], "0 is not in the range x>0"),
    "no video": (["--preview", "mine/e"], "'mine/e' does not exist"),
    "an athlete of segments": (
        ["--dataset", "folder", "--root", "mine", "--streams", "segments", "--athlete", "followed"],
        "--athlete: for the stream crops or poses, not for segments.",
    ),
    "a start of frames": (
        ["--dataset", "folder", "--root", "mine", "--streams", "frames", "--start", "central"],
        "--start: for the stream tubes or crops or poses or pixels, not for frames.",
    ),
    "a start of frames that are not tracked": (
        ["--dataset", "folder", "--streams", "pixels", "--start", "central"],
        "--start: the stream pixels is tracked where --tracker names a tracker, such as --tracker siammask.",
    ),
    "pixels of no head": (["--dataset", "folder", "--pixels"], "--pixels is for --for, such as --for wd"),
    "pixels and other streams": (
        ["--dataset", "folder", "--for", "wd", "--pixels", "--streams", "clips"],
        "--pixels is for --for, such as --for wd --pixels; or name --streams pixels.",
    ),
    "a size that is none": (
        ["--dataset", "folder", "--streams", "pixels", "--picture-size", "171"],
        "Invalid value for --picture-size: '171': expected width x height, such as 171x128",
    ),
    "a short tube": (["--dataset", "folder", "--last-frames", "15"], "15 is not in the range x>=16"),
    "a wide stride": (["--dataset", "folder", "--clip-stride", "17"], "17 is not in the range 1<=x<=16"),
    "no patience": (["--dataset", "folder", "--timeout", "0"], "0.0 is not in the range x>=1"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_command_line_is_told(extract, words, message):
    assert message in aqa(*words, code=2).output


ERRORS = {
    "no such folder": (["--root", "yours"], "yours is not a folder. Expected for folder:"),
    "a file as folder": (["--root", "mine/scores.csv"], "is a file"),
    "weights of nobody": (["--weights", "frame=random:1"], "unknown stream 'frame'. Did you mean 'frames'?"),
    "absent weights": (["--weights", "frames=absent.pt"], "absent.pt"),
    "a seed that is none": (["--weights", "frames=random:x"], "random:x"),
    "a network of clips": (
        ["--backbone", "frames=i3d"],
        "needs a backbone that takes an image; i3d does not",
    ),
    "a store that is none": (["--store", "mine"], "mine is not a feature store (no store.json in it)"),
    "a name that is taken": (
        ["--name", "aqa7"],
        "'aqa7', for the folder mine, is the name of a known dataset",
    ),
}


@pytest.mark.parametrize(("words", "message"), ERRORS.values(), ids=ERRORS)
def test_a_choice_that_cannot_be_is_told_and_nothing_is_written(extract, home, words, message):
    before = sorted(path.name for path in home.iterdir())
    store = () if "--store" in words else ("--store", "never")
    code = 2 if words[-1] == "mine/scores.csv" else 1
    assert message in extract(*NETWORK, *store, *words, code=code).output
    assert sorted(path.name for path in home.iterdir()) == before
    assert not (home / "mine" / "store.json").exists()


def test_pixels_for_a_head_have_its_papers_size_which_is_told_before_they_are_made(extract):
    result = extract("--for", "wd", "--pixels", "--store", "pixels", "--videos", "a,b")
    assert result.stderr.splitlines()[0] == "pixels: 7.2 MB a video, 14.3 MB for 2 videos"
    rest = "next: aqa extract --dataset folder --root mine --store pixels --for wd --pixels"
    assert result.stdout.splitlines()[-1].startswith(rest)
    made = records("pixels")
    assert {name: record.features.shape for name, record in made.items()} == {
        name: (109, 128, 171, 3) for name in "ab"
    }
    assert "Pixels: 2 of 2 videos (a, b) are padded, with 202 repeated frames." in result.stdout
    whole = extract("--for", "wd", "--pixels", "--store", "pixels", code=3)  # d is no video
    assert whole.stderr.splitlines()[0] == "pixels: 7.2 MB a video, 14.3 MB for 2 videos"
    assert "2 videos were in the store already" in whole.stdout
    assert whole.stdout.splitlines()[-1] == (
        "next: aqa fit --head wd --fine-tune --dataset folder --root mine --store pixels --allow-missing"
    )


def test_pixels_of_a_head_on_tubes_are_tracked_and_given_options_stay(extract, home):
    (home / "quads").mkdir()
    rows = [f"{number},10,5,30,40" for number in range(2 * FPS)]
    (home / "quads" / "c.csv").write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]))
    words = (
        "--for",
        "tsa",
        "--pixels",
        "--tracker",
        "annotations:quads",
        "--last-frames",
        "16",
        "--jpeg",
        "80",
    )
    extract(*words, "--store", "tracked", "--videos", "c")
    record = records("tracked")["c"]
    facts = record.spec.facts
    assert (facts["width"], facts["height"], facts["num_frames"], facts["quality"]) == (455, 256, 16, 80)
    expected = np.array([[10, 5], [30, 5], [30, 40], [10, 40]]) * [455 / 64, 256 / 48]
    np.testing.assert_allclose(record.extras["quads"], np.broadcast_to(expected, (16, 4, 2)), rtol=1e-6)
    absent = extract("--for", "tsa", "--pixels", "--store", "never", "--videos", "c", code=1).output
    assert "siammask-davis" in absent
    no_size = extract("--for", "action-net", "--pixels", "--store", "never", code=1).output
    assert "no paper trains the head action-net together with a network" in no_size


def test_pixels_of_a_head_without_tubes_are_large_and_not_tracked(extract):
    result = extract("--for", "usdl", "--pixels", "--last-frames", "16", "--store", "usdl", "--videos", "b")
    facts = records("usdl")["b"].spec.facts
    assert (facts["width"], facts["height"], facts["num_frames"]) == (455, 256, 16)
    assert "tracker" not in facts
    named = extract("--streams", "pixels", "--store", "named", code=3)
    assert named.stdout.splitlines()[-1] == "next: aqa store ls named"
    assert result.stderr.startswith("pixels: 5.6 MB a video")


def test_a_disk_without_room_for_pixels_is_refused_before_anything_is_written(extract, monkeypatch):
    monkeypatch.setattr("extract.run.expected_sizes.free_bytes", lambda place: 10_000_000)
    output = extract("--streams", "pixels", "--store", "never", "--videos", "a,b", code=1).output
    assert "never has room for 10.0 MB, less than the frames take (pixels: 7.2 MB a video, 14.3 MB" in output
    assert not Path("never").exists()


def test_a_pack_is_not_extracted_into(extract, extracted):
    result = CliRunner().invoke(cli.main, ["store", "pack", "all", "--out", "p.h5"])
    assert result.exit_code == 0
    output = extract(*NETWORK, "--store", "p.h5", "--videos", "b", "--overwrite", code=1).output
    assert "p.h5 is a packed store, which is only read: `aqa store unpack p.h5 FOLDER`" in output
