"""How segments are cut: the papers drop a last one that is not full, one's own videos keep it, padded."""

from dataclasses import replace
from fractions import Fraction

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.store import Store
from aqa_pipeline.video import Timeline, sample_by_time
from extract.choices.from_run import rebuild_streams
from extract.choices.options import InputOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.choices.usual import with_usual
from extract.commands.parse_options import check_streams_read
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import plan_steps
from extract.streams.whole_frames import WholeFrames

RANDOM = StreamOptions(networks=NetworkOptions(weights={"": "random:0"}))
OPEN = StreamOptions()


@pytest.fixture
def no_network(monkeypatch) -> None:
    """Streams without networks: what is tested is what they take of a video."""

    def load_backbone(name, *, weights, preprocess, device, precision, runtime):
        chosen = get_preprocess(preprocess)
        return LoadedBackbone(get_backbone(name), chosen, weights, device, precision, nn.Identity)

    monkeypatch.setattr("extract.choices.networks.load_backbone", load_backbone)


def timeline(num_frames: int, fps: int = 25) -> Timeline:
    return Timeline(np.arange(num_frames), Fraction(1, fps), num_frames)


def test_a_landing_at_the_end_is_in_the_last_segment() -> None:
    """6 seconds at 5 a second are 30 samples: one full segment of 16, and one of 14 with two repeats."""
    dropped = plan_steps(timeline(150), rate_fps=5.0, frames_per_step=16)
    padded = plan_steps(timeline(150), rate_fps=5.0, frames_per_step=16, rest="padded")
    assert (len(dropped), len(padded)) == (1, 2)
    assert padded.frame_index[1].tolist() == [*range(82, 150, 5), 147, 147]
    np.testing.assert_allclose(padded.pts_seconds, [[0, 3.2], [3.2, 6.0]])
    assert padded.counts == {"num_repeated_frames": 2}
    assert dropped.counts == {}


@given(st.integers(1, 900), st.sampled_from([1, 2, 8, 16]), st.sampled_from([1.0, 5.0, 7.3]))
def test_padded_steps_show_every_sample_once_and_then_the_last(num_frames, frames_per_step, rate) -> None:
    samples = sample_by_time(timeline(num_frames), rate)
    plan = plan_steps(timeline(num_frames), rate_fps=rate, frames_per_step=frames_per_step, rest="padded")
    shown, repeated = plan.frame_index.reshape(-1), plan.counts["num_repeated_frames"]
    assert 0 <= repeated < frames_per_step
    assert shown[: len(samples)].tolist() == samples.frame_index.tolist()
    assert shown[len(samples) :].tolist() == [samples.frame_index[-1]] * repeated
    assert plan.pts_seconds[-1, 1] == samples.stop_pts_seconds[-1]
    assert (plan.pts_seconds[1:, 0] == plan.pts_seconds[:-1, 1]).all()


@given(st.integers(1, 900), st.sampled_from([8, 16]))
def test_what_the_papers_see_comes_first_in_what_is_padded(num_frames, frames_per_step) -> None:
    plans = [
        plan_steps(timeline(num_frames), rate_fps=5.0, frames_per_step=frames_per_step, rest=rest)
        for rest in ("dropped", "padded")
    ]
    number = len(plans[0])
    assert number == max(1, len(sample_by_time(timeline(num_frames), 5.0)) // frames_per_step)
    assert len(plans[1]) - number in (0, 1)
    np.testing.assert_array_equal(plans[0].frame_index, plans[1].frame_index[:number])
    np.testing.assert_array_equal(plans[0].pts_seconds, plans[1].pts_seconds[:number])


@pytest.mark.parametrize(
    ("dataset", "given", "rest"),
    [
        ("folder", None, "padded"),
        ("mit-skating", None, "dropped"),
        ("rhythmic-gymnastics", None, "dropped"),
        ("synthetic", None, "dropped"),
        ("folder", "dropped", "dropped"),
        ("mit-skating", "padded", "padded"),
    ],
)
def test_own_videos_keep_their_end_and_the_papers_datasets_are_cut_as_they_say(dataset, given, rest) -> None:
    assert with_usual(StreamOptions(inputs=InputOptions(rest=given)), dataset).inputs.rest == rest


def test_a_padded_stream_is_another_one_and_a_run_scores_by_the_rule_of_its_training(no_network) -> None:
    (of_paper,) = build_streams(["segments"], RANDOM)
    (own,) = build_streams(["segments"], RANDOM.changed(inputs=InputOptions(rest="padded")))
    assert "rest" not in of_paper.spec.facts  # the name of what was always stored
    assert own.spec.differences(of_paper.spec) == ["rest: padded != (absent)"]
    assert not own.spec.serves_for(of_paper.spec)
    for stream, rest in ((of_paper, "padded"), (own, None)):
        (again,) = rebuild_streams([stream.spec], StreamOptions(inputs=InputOptions(rest=rest)))
        assert again.spec == stream.spec
        assert again.rest == stream.rest


@pytest.mark.parametrize(("variant", "hash"), [("paper", "ec8831136364"), ("released", "e1f481e52aeb")])
def test_features_of_the_papers_datasets_keep_the_name_that_they_always_had(
    no_network, variant, hash
) -> None:
    (segments,) = build_streams(["segments"], RANDOM.changed(inputs=InputOptions(variant=variant)))
    assert segments.spec.hash == hash


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_the_framing_of_a_run_is_rebuilt(no_network, variant) -> None:
    chosen = InputOptions(variant=variant, framing="whole")
    (whole,) = build_streams(["segments"], RANDOM.changed(inputs=chosen))
    assert str(whole.spec.facts["preprocess"]).endswith("-whole")
    (again,) = rebuild_streams([whole.spec], OPEN)
    assert again.spec == whole.spec
    frame = np.zeros((36, 64, 3), np.uint8)
    frame[:, :8] = 255  # at the border, which the center leaves out
    (center,) = build_streams(["segments"], RANDOM)
    assert whole.intake.prepare(frame)[:, 0].min() == 255
    assert center.intake.prepare(frame).max() == 0


def test_a_record_keeps_the_length_of_its_video_and_what_the_network_saw(
    tmp_path, numbered_video, clips_stream
) -> None:
    parts = clips_stream(8, network=lambda clips: clips.flatten(1)[:, :8], feature_size=8)
    stream = WholeFrames("segments", 5.0, 8, parts.backbone, 2, "float32", "padded")
    video, store = numbered_video("a", 60, start_frame=10), Store(tmp_path / "s")
    report = extract(Extraction("toy", store, [stream]), [video], progress=lambda **_: None)
    assert not report.failures
    record = store.read("toy", "a", stream.spec)
    assert record.duration_seconds == 2.0  # 50 frames at 25 a second; its steps end there too
    assert record.pts_seconds[-1, 1] == 2.0
    assert record.counts["num_repeated_frames"] == 6
    assert record.pictures.footage == replace(
        record.pictures.footage, width=8, height=6, start_frame=10, stop_frame=60
    )
    assert record.pictures.field_of_view == (2, 1, 6, 5)
    (row,) = report.written
    assert (row.num_repeated, row.looked, row.outside) == (6, None, None)


@pytest.mark.parametrize("streams", [["crops"], ["clips", "tubes"]])
def test_a_rest_is_not_ignored_where_there_are_no_segments(streams) -> None:
    options = StreamOptions(inputs=InputOptions(rest="dropped"))
    check_streams_read(options, ["segments", "crops"])
    with pytest.raises(click.UsageError, match=f"--rest: for the stream segments, not for {streams[0]}"):
        check_streams_read(options, streams)
