"""`import aqa`: every example of a docstring works, and the functions are those that the commands use."""

import doctest
import importlib.metadata
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import aqa
import cli
from aqa_pipeline.errors import ArrayError, DatasetError, RunError, StoreError, UnknownName
from aqa_pipeline.records import StreamSpec
from heads.scoring.run import Run

pytestmark = pytest.mark.xdist_group("researcher")  # one worker makes the folder for all of them

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DOCUMENTED = [
    aqa.load_dataset,
    aqa.open_store,
    aqa.extract,
    aqa.fit,
    aqa.load_run,
    aqa.Head,
    aqa.Run.score,
    aqa.StreamOptions,
    aqa.NetworkOptions,
    aqa.InputOptions,
    aqa.AthleteOptions,
]


@pytest.fixture
def folder(researcher_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an own copy of the researcher's folder, and work in it."""
    copy = tmp_path / "work"
    shutil.copytree(researcher_folder, copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.mark.parametrize("each", DOCUMENTED, ids=lambda each: each.__qualname__)
def test_the_examples_of_docstrings_work(each: object, folder: Path) -> None:
    examples = doctest.DocTestFinder(recurse=False).find(each, globs={})
    assert examples[0].examples
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    output: list[str] = []
    for example in examples:
        runner.run(example, out=output.append)
    assert not runner.failures, "".join(output)


def test_every_public_name_is_there_and_documented() -> None:
    assert aqa.__version__ == importlib.metadata.version("aqa-pipeline")
    for name in aqa.__all__:
        assert name in dir(aqa)
        assert name == "__version__" or getattr(aqa, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'skore'"):
        _ = aqa.skore


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "sklearn", "pydantic", "click", "av", "h5py")
    code = f"import sys, aqa; aqa.fit; print([each for each in {heavy} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_run_scores_a_file_as_the_command_does(folder: Path) -> None:
    command = ["score", "new.mp4", "--run", "runs/mine", "--device", "cpu", "--json", "s.json"]
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 0, result.output
    (printed,) = json.loads(Path("s.json").read_text())["videos"]

    scored = aqa.load_run("runs/mine", cache="other-cache").score("new.mp4")
    assert scored.score == printed["score"]
    assert scored.interval.low == printed["interval"]["low"]
    assert list(scored.warnings) == printed["warnings"]
    assert scored.attention["frames"].tolist() == printed["streams"]["frames"]["attention"]


def test_the_command_scores_with_the_function_of_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    result_of = Run.result

    def result(self: Run, item: object) -> object:
        seen.append(item)
        return result_of(self, item)

    monkeypatch.setattr(Run, "result", result)
    CliRunner().invoke(cli.main, ["score", "new.mp4", "--run", "runs/mine", "--device", "cpu"])
    aqa.load_run("runs/mine").score("new.mp4")
    assert len(seen) == 2


def test_features_in_memory_score_as_their_video(folder: Path) -> None:
    run, store = aqa.load_run("runs/mine"), aqa.open_store("features")
    features = store["my-videos", "v3", "frames"].features
    by_name, alone = run.score({"frames": features}), run.score(features)
    from_file = run.score(folder / "my-videos" / "videos" / "v3.mp4")
    assert by_name.score == alone.score
    assert by_name.prediction.score == from_file.prediction.score
    assert np.isnan(from_file.score), "this file is in the training set"
    assert "in the run's training set" in from_file.not_scored


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (np.zeros((4, 3)), {}, DatasetError, r"frames: it has the shape \(4, 3\)"),
        (np.full((4, 512), np.nan), {}, DatasetError, "not finite"),
        ({"crops": np.zeros((4, 512))}, {}, RunError, "the run reads frames, not crops"),
        (np.zeros((4, 512)), {"fps": 25}, ArrayError, "boxes and fps are for videos"),
        ("new.mp4", {"step_seconds": 1}, ArrayError, "step_seconds is for arrays"),
        ("my-videos/videos", {}, DatasetError, "holds 9 videos: score them one by one"),
        ("new.mp4", {"difficulty": 3}, RunError, "was given the difficulty 3"),
    ],
)
def test_what_cannot_be_scored_is_an_explained_error(
    folder: Path, source: object, options: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        aqa.load_run("runs/mine").score(source, **options)


def test_the_duration_of_a_row_can_be_given(folder: Path) -> None:
    scored = aqa.load_run("runs/mine").score(np.zeros((4, 512)), step_seconds=0.5)
    assert scored.prediction.pts_seconds["frames"].tolist() == [[0, 0.5], [0.5, 1], [1, 1.5], [1.5, 2]]


def test_a_store_is_a_collection_of_records(folder: Path) -> None:
    store = aqa.open_store("features")
    keys = list(store)
    assert len(store) == len(keys) == 9
    dataset, video_id, spec = keys[0]
    assert (dataset, video_id, spec.stream) == ("my-videos", "v0", "frames")
    assert np.array_equal(store[keys[0]].features, store["my-videos", "v0", "frames"].features)
    with pytest.raises(StoreError, match="has no crops of my-videos video 'v0'"):
        store["my-videos", "v0", "crops"]

    record = store[keys[0]]
    store.write(replace(record, spec=StreamSpec("frames", {**spec.facts, "backbone": "another"})))
    with pytest.raises(StoreError, match="made in 2 ways"):
        store["my-videos", "v0", "frames"]
    assert store["my-videos", "v0", spec].spec == spec
    assert len(store) == 10


def test_what_is_printed_shows_shapes_and_counts_alone(folder: Path) -> None:
    dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    run = aqa.load_run("runs/mine")
    scored = run.score(np.zeros((4, 512)))
    texts = [repr(each) for each in (dataset, store, store["my-videos", "v0", "frames"], run, scored)]
    assert all(len(text) < 200 and "array(" not in text for text in texts), texts


def test_a_default_extraction_is_that_of_the_command() -> None:
    from aqa_pipeline.datasets import DATASETS
    from extract.choices.options import StreamOptions
    from extract.choices.usual import with_usual
    from extract.commands.extract import extract
    from extract.commands.parse_options import parse_stream_options

    context = extract.make_context("extract", [], resilient_parsing=True)
    of_command = parse_stream_options(context.params)
    assert of_command == StreamOptions()
    assert {with_usual(of_command, adapter).inputs.rest for adapter in DATASETS} == {"padded", "dropped"}


def test_options_that_are_left_open_are_as_usual_for_the_dataset(folder: Path) -> None:
    dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    networks = aqa.NetworkOptions(backbones={"": "mc3_18"}, weights={"": "random:0"}, device="cpu")
    options = aqa.StreamOptions(networks=networks)
    report = aqa.extract(dataset, store, streams=["segments"], videos=["v0"], options=options)
    assert (report.num_done, report.failures) == (1, [])
    (spec,) = store.specs("my-videos", "segments")
    assert (spec.facts["rest"], spec.facts["backbone"]) == ("padded", "mc3_18")


def test_a_value_that_does_not_fit_is_explained_before_anything_is_read(folder: Path) -> None:
    dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    with pytest.raises(aqa.AqaError, match="workers is '0', expected greater than or equal to 1"):
        aqa.extract(dataset, store, streams=["frames"], workers=0)
    with pytest.raises(aqa.AqaError, match="runtime is 'tensorrt', expected 'auto', 'eager', 'compile' or"):
        aqa.NetworkOptions(runtime="tensorrt")
    with pytest.raises(aqa.AqaError, match="'wieghts' is no field of it"):
        aqa.NetworkOptions(wieghts={})


def test_unknown_names_are_explained(folder: Path) -> None:
    dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    with pytest.raises(UnknownName, match="unknown video of my-videos 'v99'"):
        aqa.extract(dataset, store, streams=["frames"], videos=["v99"])
    with pytest.raises(UnknownName, match=r"unknown head 'wdd'\. Did you mean 'wd'"):
        aqa.fit(dataset, store, head="wdd")
