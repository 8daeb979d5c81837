"""Every video backbone makes the stream `segments`, with its own number of frames at 5 fps."""

import numpy as np
import pytest

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.store import Store
from extract.choices import networks as network_choices
from extract.choices import streams
from extract.choices.options import InputOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.runtimes.load_backbone import LoadedBackbone


def test_a_video_becomes_segments(tmp_path, monkeypatch, picture_video, quick_build):
    name = "r3d_34_hara"
    backbone = BACKBONES[name]

    def load(name, *, weights, preprocess, device, precision, runtime):
        network = quick_build(BACKBONES[name].build)
        return LoadedBackbone(
            backbone, get_preprocess(preprocess), weights, device, precision, lambda: network
        )

    monkeypatch.setattr(network_choices, "load_backbone", load)
    networks = NetworkOptions(backbones={"segments": name}, weights={"": "random:0"})
    (segments,) = build_streams(["segments"], StreamOptions(networks=networks))
    assert segments.spec.facts["frames_per_step"] == backbone.frames_per_clip
    assert segments.spec.facts["preprocess"] == backbone.preprocess["paper"]
    video = picture_video("a", 70)  # at 10 fps: 35 samples at 5 fps, two segments of 16
    extraction = Extraction("test", Store(tmp_path / "store"), [segments])
    report = extract(extraction, [video], progress=lambda **_: None)
    assert not report.failures
    record = extraction.store.read("test", "a", segments.spec)
    assert record.features.shape == (2, 512)
    np.testing.assert_allclose(record.pts_seconds, [[0, 3.2], [3.2, 6.4]], atol=1e-6)
    assert np.isfinite(record.features).all()


@pytest.mark.parametrize("name", [name for name, backbone in BACKBONES.items() if backbone.takes == "clip"])
def test_segments_have_the_backbones_number_of_frames(monkeypatch, name):
    backbone = BACKBONES[name]
    loaded = LoadedBackbone(
        backbone, get_preprocess(backbone.preprocess["released"]), "random:0", "cpu", "fp32", None
    )
    monkeypatch.setattr(network_choices, "load_backbone", lambda *_, **__: loaded)
    monkeypatch.setattr(streams, "check_weights", list)  # as if all official weights were there
    chosen = StreamOptions(
        networks=NetworkOptions(backbones={"": name}), inputs=InputOptions(variant="released")
    )
    (segments,) = build_streams(["segments"], chosen)
    assert segments.frames_per_step == backbone.frames_per_clip
    assert segments.intake.prepare(np.zeros((36, 64, 3), np.uint8)).shape == (loaded.preprocess.size,) * 2 + (
        3,
    )
