"""The weights that an extraction needs and this machine lacks."""

from collections.abc import Sequence

from aqa_pipeline.weights import missing_weights
from extract.choices.streams import Choices, official_weights


def absent_weights(streams: Sequence[tuple[str, str]], *, detector: str) -> list[str]:
    """Return the names of the absent weights of (stream, backbone) pairs and of the detector."""
    names = [
        name
        for stream, backbone in streams
        for name in official_weights([stream], Choices(backbones={stream: backbone}, detector=detector))
    ]
    return [entry.name for entry in missing_weights(names)]
