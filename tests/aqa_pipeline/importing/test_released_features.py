"""Features as authors released them: found by name, a stream of each kind, and all of them as one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_sources import FeatureFiles, joined
from aqa_pipeline.importing.import_features import import_features
from aqa_pipeline.importing.released_features import find_released
from aqa_pipeline.importing.step_lengths import StepLengths
from aqa_pipeline.store import Store

NAME = "rhythmic-gymnastics"
IDS = [f"Ball_{number:03d}" for number in range(1, 13)]
KINDS = {"rgb_VST": 8, "flow_I3D": 6, "audio_AST": 4}


@pytest.fixture
def released(tmp_path: Path, features: Callable[..., np.ndarray]) -> Path:
    """In PAMFN's layout: one dict of the ball's videos for each kind, 5 or 6 rows of each video."""
    folder = tmp_path / "data/RG/RG-feature"
    folder.mkdir(parents=True)
    for kind, dim in KINDS.items():
        arrays = {v: features(at, steps=(5, 7), dim=dim) for at, v in enumerate(IDS)}
        np.save(folder / f"Ball_{kind}.npy", np.array(arrays, dtype=object), allow_pickle=True)
    return tmp_path / "data"


def stored(name: str, kind: str, root: Path) -> np.ndarray:
    content = np.load(root / f"RG/RG-feature/Ball_{kind}.npy", allow_pickle=True).item()
    return content[name]


def test_each_kind_of_dict_is_a_stream(dataset, store, released):
    sources = find_released(NAME, released)
    assert [source.stream for source in sources] == ["rgb-vst", "flow-i3d", "audio-ast"]
    for source, kind in zip(sources, KINDS, strict=True):
        report = import_features(dataset, store, source)
        assert report.complete
        record = store.read(NAME, IDS[3], report.spec)
        np.testing.assert_array_equal(record.features, stored(IDS[3], kind, released))
        assert record.pts_seconds[0].tolist() == [0, 1.28]
        assert report.spec.facts["average_views"] is True


def test_apparatus_are_parts_of_one_stream_and_other_files_are_none_of_it(tmp_path):
    for name in ("Ball_rgb_UMT", "Hoop_rgb_UMT", "FISV_rgb_UMT", "Ball_text_CLIP", "Ball_rgb_UMT_old"):
        (tmp_path / f"{name}.npy").touch()
    (source,) = find_released(NAME, tmp_path)
    assert (source.stream, source.backbone) == ("rgb-umt", "umt")
    assert [path.stem for path in source.paths] == ["Ball_rgb_UMT", "Hoop_rgb_UMT"]
    (source,) = find_released("fis-v", tmp_path)
    assert [path.stem for path in source.paths] == ["FISV_rgb_UMT"]


@pytest.mark.parametrize(
    ("dataset", "folders", "streams"),
    [
        ("fis-v", ["swintx_avg_fps25_clip32"], ["swintx"]),
        (
            "fs1000",
            ["ast_feature_fs1000_new", "output_feature_fs1000_new", "i3d_avg_clip8_5s_fs1000"],
            ["rgb-timesformer", "flow-i3d", "audio-ast"],
        ),
    ],
)
def test_folders_are_found_by_name(tmp_path, dataset, folders, streams):
    for folder in folders:
        (tmp_path / "down/loads" / folder).mkdir(parents=True)
    sources = find_released(dataset, tmp_path)
    assert [source.stream for source in sources] == streams
    assert {source.paths[0].name for source in sources} == set(folders)


def test_a_file_in_two_places_and_nothing_at_all_are_reported(tmp_path):
    with pytest.raises(
        DatasetError, match=r"holds no released features of fis-v: expected FISV_rgb_VST\.npy"
    ):
        find_released("fis-v", tmp_path)
    with pytest.raises(DatasetError, match="no released features of mtl-aqa are known"):
        find_released("mtl-aqa", tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "FISV_rgb_VST.npy").touch()
    with pytest.raises(DatasetError, match=r"is in .*a and in .*b: keep one"):
        find_released("fis-v", tmp_path)


def test_views_are_averaged_in_the_type_of_the_file(dataset, store, tmp_path, features):
    views = features(0, steps=(5, 6), dim=6).reshape(5, 2, 3)
    (tmp_path / "vst").mkdir()
    np.save(tmp_path / "vst/Ball_001.npy", views)
    np.save(tmp_path / "vst/Ball_002.npy", views[:, 0])
    np.save(tmp_path / "vst/Ball_003.npy", views[:, :0])
    source = FeatureFiles("vst", "folder", (tmp_path / "vst",), average_views=True)
    report = import_features(dataset, store, source)
    read = store.read(NAME, "Ball_001", report.spec).features
    np.testing.assert_allclose(read, (views[:, 0] + views[:, 1]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(store.read(NAME, "Ball_002", report.spec).features, views[:, 0])
    assert [failure.reason for failure in report.failures] == [
        "it has the shape (5, 0, 3): expected (time, dim)."
    ]


def test_a_joined_stream_has_the_rows_side_by_side(dataset, store, released):
    parts = find_released(NAME, released)
    report = import_features(dataset, store, joined("all", parts))
    assert report.complete
    assert report.spec.facts["backbone"] == "video-swin-b+i3d+ast"
    read = store.read(NAME, IDS[5], report.spec).features
    expected = np.concatenate([stored(IDS[5], kind, released) for kind in KINDS], axis=1)
    np.testing.assert_array_equal(read, expected)
    again = import_features(dataset, store, joined("all", parts[::-1]))
    assert again.spec != report.spec


def test_one_row_more_is_left_out_and_two_are_a_failure(dataset, store, tmp_path, save_folder):
    rows = {"a": (6, 6, 5), "b": (5, 6, 7)}
    parts = [
        FeatureFiles(
            name,
            "folder",
            (save_folder(tmp_path / name, {IDS[at]: np.ones((n, 2)) for at, n in enumerate(own)}),),
        )
        for name, own in rows.items()
    ]
    report = import_features(dataset, store, joined("both", parts))
    assert [store.read(NAME, i, report.spec).features.shape for i in IDS[:2]] == [(5, 4), (6, 4)]
    assert [failure.reason for failure in report.failures] == [
        "the parts have [5, 7] rows: expected as many of each, or one more."
    ]


def test_what_cannot_be_joined_is_refused(dataset, store, tmp_path, small):
    part = small(tmp_path, {IDS[0]: np.ones((2, 3))})
    with pytest.raises(DatasetError, match="only 1 stream to join as 'x'"):
        joined("x", [part])
    slow = FeatureFiles("slow", "folder", part.paths, steps=StepLengths(2.0))
    with pytest.raises(DatasetError, match=r"rows of different lengths in seconds: vst 1\.0, slow 2\.0"):
        joined("x", [part, slow])
    (tmp_path / "other").mkdir()
    np.save(tmp_path / "other/Hoop_001.npy", np.ones((2, 3)))
    other = FeatureFiles("other", "folder", (tmp_path / "other",))
    with pytest.raises(DatasetError, match="no video is named alike in vst, other"):
        import_features(dataset, store, joined("x", [part, other]))


@pytest.mark.slow
def test_from_released_files_to_scores_of_a_head_of_one_stream_and_one_of_several(root, tmp_path, released):
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    store = tmp_path / "s"
    common = ["--dataset", NAME, "--root", root]
    output = run("store", "import", store, *common, "--released", released, "--join", "all")
    assert "all: 12 videos imported" in output
    assert sorted(row.spec.stream for row in Store(store).contents()) == [
        "all",
        "audio-ast",
        "flow-i3d",
        "rgb-vst",
    ]
    fit = ["fit", *common, "--store", store, "--split", "ball", "--seeds", "0", "--no-baselines"]
    fit += ["--device", "cpu", "--threads", "1"]
    run(*fit, "--head", "ridge", "--streams", "all", "--out", tmp_path / "one")
    streams = "rgb-vst,flow-i3d,audio-ast"
    run(*fit, "--head", "action-net", "--epochs", "2", "--streams", streams, "--out", tmp_path / "three")
