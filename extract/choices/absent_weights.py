"""The weights that an extraction needs and this machine lacks."""

from collections.abc import Sequence

from aqa_pipeline.weights import missing_weights
from extract.choices.options import AthleteOptions, NetworkOptions, StreamOptions
from extract.choices.streams import official_weights
from extract.streams import get_stream_kind


def absent_weights(streams: Sequence[tuple[str, str]], *, detector: str) -> list[str]:
    """Return the names of the absent weights of (stream, network) pairs and of the detector.

    The network of a stream is its backbone; that of pixels is the tracker, or "".
    """
    athlete = AthleteOptions(detector=detector)
    names = [
        name
        for stream, network in streams
        for name in official_weights([stream], _with_network(stream, network, athlete))
    ]
    return [entry.name for entry in missing_weights(names)]


def _with_network(stream: str, network: str, athlete: AthleteOptions) -> StreamOptions:
    if get_stream_kind(stream).takes == "nothing":
        return StreamOptions(athlete=athlete.changed(tracker=network or None))
    return StreamOptions(networks=NetworkOptions(backbones={stream: network}), athlete=athlete)
