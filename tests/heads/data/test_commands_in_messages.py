"""The command that a message proposes makes the very features that are missing, for each kind of store."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec, Target, Video
from aqa_pipeline.store import Store
from heads.data.feature_set import check_complete, find_missing, load_features
from heads.data.stored_specs import SpecChoice, choose_specs, readable_instead

EXTRACTED = {"backbone": "i3d"}
IMPORTED = {"imported": "a paper", "backbone": "i3d"}
SIMULATED = {"simulated": True, "backbone": "i3d"}


def dataset_of(root: Path, *, name: str = "club", adapter: str = "folder", num: int = 3) -> Dataset:
    videos = tuple(Video(f"v{at}", root / f"v{at}.mp4", {"score": float(at)}) for at in range(num))
    return Dataset(name, root, videos, {}, (Target("score"),), adapter=adapter)


def write(
    store: Store, dataset: str, spec: StreamSpec, *, videos: tuple[str, ...] = ("v0",), dim: int = 4
) -> None:
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    for name in videos:
        store.write(Record(dataset, name, spec, np.ones((2, dim), np.float32), times, Source("no file")))


@pytest.mark.parametrize(
    ("facts", "adapter", "command"),
    [
        (
            EXTRACTED,
            "mit-skating",
            "aqa extract --dataset mit-skating --root ROOT --name club --store STORE --streams crops",
        ),
        (
            IMPORTED,
            "folder",
            "aqa store import STORE --dataset folder --root ROOT --stream crops --features FOLDER",
        ),
        (
            SIMULATED,
            "mit-skating",
            "aqa simulate --like mit-skating --root ROOT --store STORE --streams crops",
        ),
    ],
    ids=["extracted", "imported", "simulated"],
)
def test_a_stream_that_is_missing_is_made_as_the_others_were(
    tmp_path: Path, facts: dict, adapter: str, command: str
) -> None:
    root = tmp_path / ("elsewhere" if adapter != "folder" else "club")
    dataset, store = dataset_of(root, adapter=adapter), Store(tmp_path / "store")
    write(store, "club", StreamSpec("segments", facts))
    expected = command.replace("ROOT", str(root)).replace("STORE", str(store.root))
    with pytest.raises(RunError) as caught:
        choose_specs(store, dataset, ["segments", "crops"])
    assert f"has no 'crops' of club. Make them with `{expected}`" in str(caught.value)
    assert "or read what is there with `--streams segments`." in str(caught.value)


def test_own_folders_are_named_where_their_name_is_not_that_of_the_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for root, expected in ((tmp_path / "club", "--store"), (tmp_path / "other", "--name club --store")):
        with pytest.raises(RunError, match=rf"--root {root} {expected}"):
            choose_specs(store, dataset_of(root), ["crops"])


def test_features_that_vary_name_the_facts_that_tell_them_apart(tmp_path: Path) -> None:
    store, dataset = Store(tmp_path / "store"), dataset_of(tmp_path / "club")
    for rate in (1.0, 2.0):
        write(store, "club", StreamSpec("crops", {"backbone": "i3d", "rate_fps": rate}))
    with pytest.raises(RunError) as caught:
        choose_specs(store, dataset, ["crops"])
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("has 'crops' of club made in 2 ways:")
    assert sorted(line.split(": ")[1] for line in lines[1:3]) == ["rate_fps=1.0", "rate_fps=2.0"]
    assert lines[3].startswith("Choose one by its hash, such as --spec crops="), (
        "the network does not tell them apart"
    )


@pytest.mark.parametrize("by", ["hash", "backbone"])
def test_the_advice_of_the_message_works(tmp_path: Path, by: str) -> None:
    """The option that the message proposes is taken by the next call."""
    store, dataset = Store(tmp_path / "store"), dataset_of(tmp_path / "club")
    different = "rate_fps" if by == "hash" else "backbone"
    values = (1.0, 2.0) if by == "hash" else ("i3d", "c3d")
    for value in values:
        write(store, "club", StreamSpec("crops", {"backbone": "i3d"} | {different: value}))
    with pytest.raises(RunError) as caught:
        choose_specs(store, dataset, ["crops"])
    option = "--spec crops=" if by == "hash" else "--backbone crops="
    chosen = str(caught.value).partition(option)[2].split(",")[0].rstrip(".").split()[0]
    choice = SpecChoice({"crops": chosen}) if by == "hash" else SpecChoice(backbones={"crops": chosen})
    spec = choose_specs(store, dataset, ["crops"], choice=choice)["crops"]
    assert spec.hash == chosen or spec.facts["backbone"] == chosen


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        (["segments"], ["segments", "crops"], ["segments"]),
        (["frames"], ["segments", "crops"], ["frames"]),
        (["tubes"], ["segments", "crops"], []),
        (["frames"], ["tubes"], []),
        ([], ["clips"], []),
        (["clips", "frames"], ["segments"], ["clips"]),
    ],
)
def test_what_could_be_read_instead_is_of_the_same_kind(tmp_path: Path, stored, wanted, expected) -> None:
    store = Store(tmp_path / "store")
    for stream in stored:
        write(store, "club", StreamSpec(stream, EXTRACTED))
    write(store, "another", StreamSpec("crops", EXTRACTED))
    assert readable_instead(store, dataset_of(tmp_path / "club"), wanted) == expected


def test_missing_videos_are_listed_with_the_streams_that_each_lacks(tmp_path: Path) -> None:
    store, dataset = Store(tmp_path / "store"), dataset_of(tmp_path / "club")
    specs = {stream: StreamSpec(stream, EXTRACTED) for stream in ("segments", "crops")}
    write(store, "club", specs["segments"], videos=("v0", "v1"))
    write(store, "club", specs["crops"], videos=("v0",))
    missing = find_missing(store, dataset, specs, video_ids=["v0", "v1", "v2"])
    assert missing == {"v1": ["crops"], "v2": ["segments", "crops"]}
    with pytest.raises(RunError) as caught:
        check_complete(missing, store=store, dataset=dataset, num_videos=3)
    assert "2 of 3 videos lack features" in str(caught.value)
    assert "  v1: no crops\n  v2: no segments, crops\n" in str(caught.value)
    assert "--streams crops,segments`" in str(caught.value)
    check_complete({}, store=store, dataset=dataset, num_videos=3)


def test_features_of_unequal_size_name_all_sizes(tmp_path: Path) -> None:
    store, dataset, spec = (
        Store(tmp_path / "store"),
        dataset_of(tmp_path / "club"),
        StreamSpec("crops", EXTRACTED),
    )
    write(store, "club", spec, videos=("v0",), dim=4)
    write(store, "club", spec, videos=("v1",), dim=7)
    with pytest.raises(
        RunError, match=r"the 'crops' features have several sizes, \['4', '7'\]: extract them again"
    ):
        load_features(store, dataset, {"crops": spec}, target=Target("score"), video_ids=["v0", "v1"])


def test_labels_that_are_no_number_are_told_with_the_videos(tmp_path: Path) -> None:
    videos = tuple(
        Video(f"v{at}", tmp_path, {"score": value}) for at, value in enumerate((1.0, np.nan, np.inf))
    )
    dataset = Dataset("club", tmp_path, (*videos, Video("v3", tmp_path)), {}, (Target("score"),))
    with pytest.raises(
        RunError, match=r"3 of 4 videos of club have no 'score' score, such as \['v1', 'v2', 'v3'\]"
    ):
        load_features(
            Store(tmp_path / "s"), dataset, {}, target=Target("score"), video_ids=["v0", "v1", "v2", "v3"]
        )
