"""The streams that can be simulated, by the names that `aqa simulate --streams` takes."""

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.simulation.clips import SimulatedClips
from aqa_pipeline.simulation.steps import SimulatedSteps
from aqa_pipeline.simulation.stream import SimulatedStream

STEPS = (
    SimulatedSteps("segments", "segments", "i3d", 1024, 5.0, 16),
    SimulatedSteps("crops", "crops", "resnet50", 2048, 1.0, 1, of_persons=True),
    SimulatedSteps("frames", "frames", "resnet50", 2048, 1.0, 1),
    SimulatedSteps("c3d", "segments", "c3d", 4096, 5.0, 16),
)
# The networks that Weight-Decider compares; the usual one first.
CLIPS = (
    SimulatedClips("r2plus1d_34_ig65m_32", 32, 512),
    SimulatedClips("r2plus1d_34_ig65m_8", 8, 512),
    SimulatedClips("r2plus1d_34_hara", 16, 512),
    SimulatedClips("r2plus1d_50_hara", 16, 2048),
    SimulatedClips("r3d_34_hara", 16, 512),
    SimulatedClips("r3d_50_hara", 16, 2048),
    SimulatedClips("r3d_101_hara", 16, 2048),
    SimulatedClips("c3d", 16, 4096),
)
STREAMS: dict[str, SimulatedStream] = {stream.name: stream for stream in (*STEPS, *CLIPS)}
SHORT_NAMES = {"clips": CLIPS[0].name}
USUAL_STREAMS = {"mtl-aqa": ("clips",)}


def usual_streams(dataset: str) -> tuple[str, ...]:
    """What is simulated of that dataset if nobody says otherwise: what its papers read."""
    return USUAL_STREAMS.get(dataset, tuple(stream.name for stream in STEPS))


def find_stream(name: str) -> SimulatedStream:
    """The simulated stream of that name; raises `UnknownName`."""
    found = STREAMS.get(SHORT_NAMES.get(name, name))
    if found is None:
        raise UnknownName("simulated stream", name, [*STREAMS, *SHORT_NAMES])
    return found


def name_of_stream(stream: str, backbone: str) -> str:
    """The name under which that stream of that backbone is simulated; the stream's own where it is not."""
    names = (s.name for s in STREAMS.values() if (s.stream, s.backbone) == (stream, backbone))
    return next(names, stream)
