"""TSA-Net's training side: maps from disk with their tubes, the heads, their start, and a run to the end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.athlete.tube_masks import (
    PictureGeometry,
    paper_frame_masks,
    released_frame_masks,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.backbones.networks.i3d import SecondStage
from aqa_pipeline.errors import RunError, StoreError, WeightsError
from aqa_pipeline.metrics import spearman
from aqa_pipeline.records import Dataset, Record, Source, Split, StreamSpec, Target, Video
from aqa_pipeline.store import Store
from aqa_pipeline.weights import sha256_of
from heads.data.batches import evaluation_batch, training_batches
from heads.data.feature_set import FeatureSet, load_features
from heads.data.folds import Fold
from heads.data.tube_maps import OpenedRecord, TubeMaps, open_maps, tube_of
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.models.output import HeadOutput
from heads.models.score_mlp import ScoreMlp
from heads.models.second_stage_start import find_start
from heads.models.tsa_net import TsaNet, build_nl_net, build_plain_net, build_tsa
from heads.models.tube_attention import build_blocks
from heads.recipes import tsa_recipe, usdl_recipe
from heads.registry import HEADS, find_head
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.loop import LOSSES, LOSSES_OF_LOGITS, Training, train
from heads.training.options import FitOptions, FitRequest, TrainingOptions

VIEWS = "end-0,end-0-flip"
SPEC = StreamSpec("tubes", {"views": VIEWS, "weights": "random:3", "endpoint": "Mixed_4e"})
FRAME = (640, 360)
TSA_HEADS = [name for name, head in HEADS.items() if head.reads_maps]


def frame_quads(num_clips: int, *, seed: int = 0) -> np.ndarray:
    """Upright boxes that wander over the middle of the frame, `clip 2 16 4 2`, the same in both views."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(230, 300, (num_clips, 16)), rng.uniform(80, 160, (num_clips, 16))
    right, bottom = x + rng.uniform(60, 100, x.shape), y + rng.uniform(60, 120, x.shape)
    corners = [np.stack(point, axis=-1) for point in ((x, y), (right, y), (right, bottom), (x, bottom))]
    return np.repeat(np.stack(corners, axis=-2)[:, None], 2, axis=1)


def make_record(
    video_id: str, *, num_clips: int = 2, channels: int = 3, seed: int = 0, spec: StreamSpec = SPEC
) -> Record:
    """Random maps; the first clip's second step has no athlete. Views hold 100 x view in their first cell."""
    quads = frame_quads(num_clips, seed=seed)
    quads[:1, :, 4:8] = np.nan
    geometry = PictureGeometry(FRAME)
    in_crop = [geometry.in_picture(quads[:, view], flipped=bool(view)) for view in (0, 1)]
    maps = np.random.default_rng(seed).normal(size=(num_clips, 2, channels, 4, 14, 14))
    maps[:, :, 0, 0, 0, 0] = [0, 100]
    starts = np.arange(num_clips, dtype=np.float64)
    return Record(
        "jumps",
        video_id,
        spec,
        maps.astype(np.float16),
        np.stack([starts, starts + 0.64], axis=1),
        Source("no file"),
        extras={
            "quads": np.stack(in_crop, axis=1).astype(np.float32),
            "frame_quads": quads.astype(np.float32),
            "frame_size": np.repeat(np.array([FRAME], np.int32), num_clips, axis=0),
        },
    )


def make_world(
    root: Path,
    *,
    name: str = "jumps",
    num_videos: int = 4,
    channels: int = 3,
    num_clips: tuple[int, ...] = (2,),
    spec: StreamSpec = SPEC,
) -> tuple[Dataset, Store]:
    """Videos whose `clean` label is 1 for every other one, and their tubes in a store."""
    ids = [f"{number}-1" for number in range(num_videos)]
    videos = tuple(
        Video(video_id, root / f"{video_id}.mp4", {"clean": float(n % 2)}) for n, video_id in enumerate(ids)
    )
    splits = {"official": Split("official", tuple(ids[: num_videos // 2]), tuple(ids[num_videos // 2 :]))}
    store = Store(root / "store")
    for number, video_id in enumerate(ids):
        clips = num_clips[number % len(num_clips)]
        record = make_record(video_id, num_clips=clips, channels=channels, seed=number, spec=spec)
        store.write(replace(record, dataset=name))
    return Dataset(name, root, videos, splits, (Target("clean", 0.0, 1.0),)), store


def load(dataset: Dataset, store: Store, **options: str) -> FeatureSet:
    ids = [video.video_id for video in dataset.videos]
    return load_features(store, dataset, {"tubes": SPEC}, target=dataset.targets[0], video_ids=ids, **options)


# Maps on disk, and tubes beside them.


def test_maps_stay_in_the_files_of_the_store(tmp_path: Path) -> None:
    dataset, store = make_world(tmp_path, num_clips=(2, 3))
    samples = load(dataset, store)
    maps = samples.maps["tubes"]
    assert not samples.streams
    assert samples.dims == {"tubes": 3}
    assert samples.lengths["tubes"].tolist() == [2, 3, 2, 3]
    for video, stored in zip(dataset.videos, maps.maps, strict=True):
        record = store.read("jumps", video.video_id, SPEC)
        np.testing.assert_array_equal(stored, record.features)
        assert isinstance(stored, np.memmap)
        assert stored.dtype == np.float16
        assert not stored.flags.writeable


def test_the_digest_tells_of_every_change(tmp_path: Path) -> None:
    dataset, store = make_world(tmp_path)
    before = load(dataset, store).digest
    assert load(dataset, store).digest == before
    record = make_record("0-1")
    moved = dict(record.extras) | {"quads": record.extras["quads"] + np.float32(1)}
    store.write(replace(record, extras=moved))
    assert load(dataset, store).digest != before


@pytest.mark.parametrize("view", [0, 1])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_tubes_are_those_of_the_frames_quads(view: int, variant: str) -> None:
    """From the frame and its geometry anew, clip by clip, in either view."""
    record = make_record("a", num_clips=3)
    opened = OpenedRecord(record.spec, record.features, record.extras)
    maps = open_maps("tubes", [opened], variant=variant)
    quads = record.extras["frame_quads"]
    of_view, geometry = quads[:, view].astype(np.float64), PictureGeometry(FRAME)
    if variant == "paper":
        masks = paper_frame_masks(geometry.in_picture(of_view, flipped=bool(view)))
    else:
        masks = released_frame_masks(of_view, geometry, bool(view))
    expected = with_whole_grid_where_empty(union_of_frames(masks))
    np.testing.assert_array_equal(maps.tubes[0][:, view], expected.masks)
    assert maps.num_empty == expected.num_empty == 1
    assert maps.tubes[0][0, view, 1].all(), "a step without athlete is its whole grid"
    assert not maps.tubes[0][0, view, 0].all()


def test_a_flipped_view_has_the_mirrored_tube() -> None:
    record = make_record("a")
    tubes = open_maps("tubes", [OpenedRecord(SPEC, record.features, record.extras)]).tubes[0]
    np.testing.assert_array_equal(tubes[:, 0], tubes[:, 1, :, :, ::-1])
    assert (tubes[:, 0] != tubes[:, 1]).any()


def test_maps_and_tubes_are_cut_from_the_same_view_and_clips(tmp_path: Path) -> None:
    """The view is told by the maps' first cell; over many batches both are drawn, and all starts."""
    dataset, store = make_world(tmp_path, num_clips=(3,))
    samples = load(dataset, store)
    recipe = replace(tsa_recipe("jumps", "official", "paper", {"tubes": [3]}), num_steps={"tubes": 2})
    generator, seen = torch.Generator().manual_seed(0), set()
    for _ in range(10):
        for batch in training_batches(samples, np.arange(4), recipe=recipe, generator=generator):
            maps, tubes = batch.features["tubes"], batch.features[tube_of("tubes")]
            assert maps.dtype == torch.float32
            assert maps.shape == (4, 2, 3, 4, 14, 14)
            for row, video in enumerate(batch.videos.tolist()):
                view = int(maps[row, 0, 0, 0, 0, 0] > 50)
                stored = store.read("jumps", dataset.videos[video].video_id, SPEC).features[:, view]
                (start,) = [at for at in (0, 1) if (stored[at] == maps[row, 0].numpy()).all()]
                np.testing.assert_array_equal(maps[row], stored[start : start + 2])
                np.testing.assert_array_equal(
                    tubes[row], samples.maps["tubes"].tubes[video][start : start + 2, view]
                )
                seen.add((view, start))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_testing_sees_the_reference_view_of_all_clips(tmp_path: Path) -> None:
    dataset, store = make_world(tmp_path, num_clips=(2, 3))
    recipe = tsa_recipe("jumps", "official", "paper", {"tubes": [2, 3]})
    batch = evaluation_batch(load(dataset, store), np.array([1, 0]), recipe=recipe)
    assert batch.masks["tubes"].tolist() == [[True] * 3, [True, True, False]]
    assert not batch.features["tubes"][:, :, 0, 0, 0, 0].any()
    assert not batch.features["tubes"][1, 2].any()
    assert not batch.features[tube_of("tubes")][1, 2].any()


def test_records_that_are_no_tubes_are_told_of() -> None:
    record = make_record("a")
    flat = OpenedRecord(SPEC, record.features[:, :, 0, 0, 0], record.extras)
    with pytest.raises(RunError, match=r"'tubes' features have the shapes .*expected one for all videos"):
        open_maps("tubes", [flat])
    with pytest.raises(RunError, match=r"have no 'quads' beside their maps, only \['scores'\]"):
        open_maps("tubes", [OpenedRecord(SPEC, record.features, {"scores": np.zeros((2, 16))})])
    short = {"quads": record.extras["quads"][:, :, :8]}
    with pytest.raises(RunError, match=r"make tubes of \(2, 2, 2, 14, 14\)"):
        open_maps("tubes", [OpenedRecord(SPEC, record.features, short)])


def test_a_cut_off_file_is_told_of(tmp_path: Path) -> None:
    _, store = make_world(tmp_path)
    path = store.path("jumps", "0-1", SPEC)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError, match="is not a sound record"):
        store.map("jumps", "0-1", SPEC)


def test_heads_read_what_they_can() -> None:
    with pytest.raises(RunError, match=r"tsa reads maps, such as tubes; got \['clips'\]"):
        find_head("tsa").check_streams(("clips",))
    with pytest.raises(RunError, match=r"wd reads features, not maps, such as clips; got \['tubes'\]"):
        find_head("wd").check_streams(("tubes",))
    with pytest.raises(RunError, match=r"maps have 64 channels, but TSA-Net needs I3D maps of 528 \(after"):
        build_plain_net({"tubes": 64})


# The networks.


class Pooled(nn.Module):
    """A second stage for small maps: the mean over all places, ReLU of a linear layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, 16)

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.layer(maps.mean(dim=(2, 3, 4))))


def small_net(block: str, *, channels: int = 8, everywhere: bool = False) -> TsaNet:
    return TsaNet(
        "tubes",
        attention=build_blocks(block, channels=channels),
        second_stage=Pooled(channels),
        regressor=ScoreMlp(dim=16),
        everywhere=everywhere,
    )


def small_batch(*, channels: int = 8) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, channels, 2, 4, 4, generator=generator)
    tubes = torch.rand(2, 3, 2, 4, 4, generator=generator) > 0.7
    mask = torch.tensor([[True, True, True], [True, True, False]])
    return {"tubes": maps, tube_of("tubes"): tubes}, {"tubes": mask}


@pytest.mark.parametrize("everywhere", [False, True])
def test_padding_changes_nothing(everywhere: bool) -> None:
    """Whatever stands in a clip that is padding: neither the attention nor the average sees it."""
    torch.manual_seed(0)
    net = small_net("tsa", everywhere=everywhere).eval()
    nn.init.normal_(net.attention.blocks[0].w_z.weight)
    features, masks = small_batch()
    padded = net(features, masks)
    alone = {name: rows[1:, :2] for name, rows in features.items()}
    unpadded = net(alone, {"tubes": masks["tubes"][1:, :2]})
    torch.testing.assert_close(padded.scores[1:], unpadded.scores)
    torch.testing.assert_close(padded.attention["tubes"][1], torch.tensor([0.5, 0.5, 0.0]))
    features["tubes"][1, 2] += 100.0
    torch.testing.assert_close(net(features, masks).scores, padded.scores)


def test_padding_does_not_count_in_the_statistics_of_batches() -> None:
    """BatchNorm behind the maps sees the five real clips alone."""
    net, norm = small_net("plain-net").train(), nn.BatchNorm3d(8, momentum=1.0)
    net.second_stage = nn.Sequential(norm, Pooled(8))
    features, masks = small_batch()
    net(features, masks)
    real = features["tubes"][masks["tubes"]]
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, real.mean(dim=(0, 2, 3, 4)))


def test_the_dense_block_does_not_ask_for_the_tube() -> None:
    torch.manual_seed(0)
    tsa, dense = small_net("tsa").eval(), small_net("tsa", everywhere=True).eval()
    nn.init.normal_(tsa.attention.blocks[0].w_z.weight)
    dense.load_state_dict(tsa.state_dict())
    features, masks = small_batch()
    other = features | {tube_of("tubes"): ~features[tube_of("tubes")]}
    assert not torch.allclose(tsa(features, masks).scores, tsa(other, masks).scores, atol=1e-6)
    torch.testing.assert_close(dense(features, masks).scores, dense(other, masks).scores)
    everywhere = features | {tube_of("tubes"): torch.ones_like(features[tube_of("tubes")])}
    torch.testing.assert_close(dense(features, masks).scores, tsa(everywhere, masks).scores)


def test_a_clip_alone_has_the_score_of_a_video_of_that_clip() -> None:
    """Figure 7: with the pooling left out, every clip has a score; nothing attends in plain-net."""
    net = small_net("plain-net").eval()
    features, masks = small_batch()
    scores = net(features, masks).step_scores
    assert scores is not None
    for clip in range(3):
        one = {name: rows[:1, clip : clip + 1] for name, rows in features.items()}
        torch.testing.assert_close(
            scores[0, clip], net(one, {"tubes": torch.ones(1, 1, dtype=torch.bool)}).scores[0]
        )


@pytest.mark.parametrize("name", TSA_HEADS)
def test_every_head_on_maps_keeps_the_contract(name: str) -> None:
    head = find_head(name)
    features, masks = small_batch(channels=1)
    maps = torch.rand(2, 1, 528, 4, 4, 4)
    features = {"tubes": maps, tube_of("tubes"): torch.rand(2, 1, 4, 4, 4) > 0.5}
    masks = {"tubes": torch.ones(2, 1, dtype=torch.bool)}
    torch.manual_seed(0)
    module = head.build({"tubes": 528}, "paper")
    recipe = head.choose_recipe("mtl-aqa", "official", "paper", {"tubes": [1]})
    output: HeadOutput = module(features, masks)
    assert output.scores.shape == (2,)
    assert ((output.scores >= 0) & (output.scores <= 1)).all()
    assert output.attention["tubes"].tolist() == [[1.0], [1.0]]
    assert output.logits is not None
    targets = torch.tensor([0.2, 0.9])
    if head.of_judges:
        targets = targets[:, None].expand(2, 7)
    losses = (
        LOSSES[recipe.loss](output.scores, targets)
        if recipe.loss in LOSSES
        else LOSSES_OF_LOGITS[recipe.loss](output.logits, targets)
    )
    assert losses.shape == (2,)
    losses.mean().backward()
    assert all(p.grad is not None for p in module.parameters())
    assert any(part.startswith("regressor.") for part, _ in module.named_parameters())


def test_stacks_and_variants_are_what_they_say() -> None:
    num_blocks = [
        len(find_head(name).build({"tubes": 528}, "paper").attention.blocks) for name in TSA_HEADS[:3]
    ]
    assert num_blocks == [1, 2, 3]
    released = build_tsa({"tubes": 480}, variant="released")
    assert released.attention.clip_order_bug
    assert released.second_stage.names[0] == "Mixed_4b"
    assert not build_tsa({"tubes": 480}, variant="released-in-order").attention.clip_order_bug
    assert build_nl_net({"tubes": 528}).everywhere


def test_recipes_are_the_papers() -> None:
    """Section 4.2 of the paper; squared error of scores, cross-entropy of clean and fall."""
    steps = {"tubes": [7, 7]}
    jumps, dives = (tsa_recipe(name, "official", "paper", steps) for name in ("fr-fs", "mtl-aqa"))
    assert (jumps.epochs, dives.epochs) == (20, 100)
    assert (jumps.loss, dives.loss) == ("cross-entropy", "mse")
    assert usdl_recipe("mtl-aqa", "official", "paper", steps).loss == "distribution"
    assert (dives.optimiser, dives.lr, dives.weight_decay, dives.batch_size) == ("adam", 1e-4, 1e-5, 4)
    assert dives.num_steps == {"tubes": 7}
    assert tsa_recipe("mtl-aqa", "official", "frozen", steps).frozen == ("second_stage",)


# Where the second stage starts.


def test_random_maps_go_on_with_a_random_second_stage_of_their_seed() -> None:
    nets = [build_plain_net({"tubes": 528}) for _ in range(3)]
    state = torch.random.get_rng_state()
    for net, seed in zip(nets, (3, 3, 4), strict=True):
        find_start({"tubes": StreamSpec("tubes", {"weights": f"random:{seed}"})})(net)
    assert torch.equal(state, torch.random.get_rng_state())
    first, again, other = (net.second_stage.Mixed_4f.b0.conv3d.weight for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    state = SecondStage(after="Mixed_4e").state_dict() | {"Conv3d_1a_7x7.conv3d.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "i3d.pt")
    return tmp_path / "i3d.pt"


def test_the_second_stage_is_that_of_the_very_checkpoint(checkpoint: Path) -> None:
    specs = {"tubes": StreamSpec("tubes", {"weights": f"sha256:{sha256_of(checkpoint)}"})}
    net = build_plain_net({"tubes": 528})
    find_start(specs, checkpoint)(net)
    for name, tensor in torch.load(checkpoint, weights_only=True).items():
        if not name.startswith("Conv3d_1a"):
            assert torch.equal(net.second_stage.state_dict()[name], tensor), name


def test_another_checkpoint_or_none_is_told_of(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    specs = {"tubes": StreamSpec("tubes", {"weights": "sha256:" + 64 * "0"})}
    with pytest.raises(WeightsError, match=r"i3d\.pt has the SHA-256 .*features were made with 000"):
        find_start(specs, checkpoint)
    with pytest.raises(
        WeightsError, match=r"No I3D file on this machine has it.*aqa weights fetch i3d-kinetics-piergiaj"
    ):
        find_start(specs)
    with pytest.raises(WeightsError, match="there is no checkpoint at"):
        find_start(specs, tmp_path / "absent.pt")
    torch.save({"Mixed_4f.b0.conv3d.weight": torch.zeros(1)}, tmp_path / "small.pt")
    small = {"tubes": StreamSpec("tubes", {"weights": f"sha256:{sha256_of(tmp_path / 'small.pt')}"})}
    with pytest.raises(WeightsError, match="not the state of an Inception-I3D from Mixed_4f on"):
        find_start(small, tmp_path / "small.pt")


# A run.


def test_a_run_is_fitted_judged_resumed_and_asked(tmp_path: Path) -> None:
    """FR-FS in small, a random second stage: accuracy beside the correlation, scores of clips, same again."""
    dataset, store = make_world(tmp_path, name="fr-fs", channels=528)
    training = TrainingOptions(seeds=(0,), epochs=1, device="cpu")
    options = FitOptions(head="tsa", variant="frozen", training=training)
    request = FitRequest(options, dataset, store, tmp_path / "run")
    summary = fit(request)
    assert (summary.num_trained, summary.num_resumed) == (1, 0)
    assert any("RANDOM WEIGHTS" in note for note in summary.notes)
    assert any("4 steps of tubes have no grid position in the tube" in note for note in summary.notes)
    again = fit(request)
    assert (again.num_trained, again.num_resumed) == (0, 1)

    (cell,) = evaluate(tmp_path / "run").cells
    assert cell.scores.accuracy in (0.0, 0.5, 1.0)
    assert cell.scores.accuracy_interval is not None
    assert "accuracy" in format_evaluation(summary.evaluation)
    assert summary.evaluation.rows()[0]["accuracy"] == cell.scores.accuracy

    ensemble = load_ensemble(tmp_path / "run")
    start = build_plain_net({"tubes": 528})
    find_start({"tubes": SPEC})(start)
    kept = ensemble.cells[0].module.second_stage.state_dict()
    for name, tensor in start.second_stage.state_dict().items():
        assert torch.equal(kept[name], tensor), f"frozen {name} has moved"

    answer = predict(ensemble, {"tubes": store.read("fr-fs", "3-1", SPEC)})
    rows = (tmp_path / "run/split-official/seed-0/predictions.csv").read_text().splitlines()
    (written,) = [float(row.split(",")[3]) for row in rows if row.startswith("3-1,")]
    assert answer.score == pytest.approx(written, abs=1e-5)
    assert answer.attention["tubes"].tolist() == [0.5, 0.5]
    assert answer.step_scores["tubes"].shape == (2,)
    assert not answer.seen_in_training


def test_only_a_trainable_second_stage_moves(tmp_path: Path) -> None:
    samples, labels, _ = planted(num_videos=8)
    recipe = replace(tsa_recipe("jumps", "official", "paper", {"tubes": [2]}), epochs=1)
    fold = Fold(np.arange(6), np.arange(0), np.arange(6, 8))
    before: dict[str, Tensor] = {}

    def build(dims: object) -> nn.Module:
        net = small_net("tsa")
        before.update({name: tensor.clone() for name, tensor in net.state_dict().items()})
        return net

    for frozen in ((), ("second_stage",)):
        ensemble = train(Training(build, samples, fold, labels, replace(recipe, frozen=frozen), seed=0))
        moved = {
            name.split(".")[0] for name, tensor in ensemble.state.items() if (tensor != before[name]).any()
        }
        assert moved == {"attention", "second_stage", "regressor"} - set(frozen)


# A signal inside the tube, a distractor outside.


def planted(num_videos: int = 60) -> tuple[FeatureSet, np.ndarray, np.ndarray]:
    """Small maps whose quality shows as how alike two channels are within the tube, and another outside."""
    rng = np.random.default_rng(0)
    quality, distractor = rng.uniform(size=num_videos), rng.uniform(size=num_videos)
    maps, tubes = [], []
    for inside, outside in zip(quality, distractor, strict=True):
        tube = np.zeros((2, 1, 4, 6, 6), bool)
        row, column = rng.integers(0, 4, size=2)
        tube[..., row : row + 3, column : column + 3] = True
        share = np.where(tube, 4 * inside - 2, (4 * outside - 2))[:, :, None]
        first = rng.normal(size=share.shape)
        features = rng.normal(size=(2, 1, 8, 4, 6, 6)) * 0.3
        features[:, :, :1] += first
        features[:, :, 1:2] += share * first
        maps.append(features.astype(np.float16))
        tubes.append(tube)
    samples = FeatureSet(
        video_ids=tuple(map(str, range(num_videos))),
        streams={},
        lengths={"tubes": torch.full((num_videos,), 2)},
        pts_seconds={"tubes": ()},
        labels=quality,
        maps={"tubes": TubeMaps(tuple(maps), tuple(tubes), (), 0)},
    )
    return samples, quality, distractor


def test_attention_in_the_tube_finds_what_averages_and_dense_attention_do_not() -> None:
    """Products of features within the tube carry the quality, those outside a distractor as strong.

    The mean of the maps has neither; attention over all places has both.
    """
    samples, quality, distractor = planted()
    fold = Fold(np.arange(40), np.arange(0), np.arange(40, 60))
    recipe = replace(
        tsa_recipe("jumps", "official", "paper", {"tubes": [2]}), epochs=60, lr=3e-3, head_lr=3e-3
    )
    scores = {
        name: train(Training(lambda dims, net=net: net(), samples, fold, quality, recipe, seed=0)).scores[
            fold.test
        ]
        for name, net in {
            "tsa": lambda: small_net("tsa"),
            "nl-net": lambda: small_net("tsa", everywhere=True),
            "plain-net": lambda: small_net("plain-net"),
        }.items()
    }
    found = {name: float(spearman(each, quality[fold.test])) for name, each in scores.items()}
    misled = {name: float(spearman(each, distractor[fold.test])) for name, each in scores.items()}
    assert found["tsa"] > 0.85  # 0.94 was measured
    assert found["tsa"] > found["nl-net"] + 0.1  # 0.69
    assert found["plain-net"] < 0.4  # 0.01
    assert misled["tsa"] < 0.4 < misled["nl-net"]  # 0.22, 0.75
