"""The streams that can be simulated, by their names for `aqa simulate --streams`."""

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.simulation.clips import SimulatedClips
from aqa_pipeline.simulation.steps import SimulatedSteps
from aqa_pipeline.simulation.stream import SimulatedStream
from aqa_pipeline.simulation.tubes import SimulatedTubes

STEPS = (
    SimulatedSteps("segments", "segments", "i3d", dim=1024, rate_fps=5.0, frames_per_step=16),
    SimulatedSteps("crops", "crops", "resnet50", dim=2048, rate_fps=1.0, frames_per_step=1, of_persons=True),
    SimulatedSteps("frames", "frames", "resnet50", dim=2048, rate_fps=1.0, frames_per_step=1),
    SimulatedSteps("c3d", "segments", "c3d", dim=4096, rate_fps=5.0, frames_per_step=16),
)
POSES = (
    SimulatedSteps(
        "poses", "poses", "blazepose-full", dim=117, rate_fps=5.0, frames_per_step=1, of_persons=True
    ),
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
# TSA-Net 4.2: 10 clips of MTL-AQA and AQA-7, 7 of FR-FS.
TUBES = (
    SimulatedTubes(10),
    SimulatedTubes(10, "reference"),
    SimulatedTubes(16),
    SimulatedTubes(16, "reference"),
)
STREAMS: dict[str, SimulatedStream] = {stream.name: stream for stream in (*STEPS, *POSES, *CLIPS, *TUBES)}
SHORT_NAMES = {"clips": CLIPS[0].name, "tubes": TUBES[0].name, "tubes:reference": TUBES[1].name}
SHORT_NAMES_OF = {"fr-fs": {"tubes": TUBES[2].name, "tubes:reference": TUBES[3].name}}
USUAL_STREAMS = {"mtl-aqa": ("clips",), "fr-fs": ("tubes",), "aqa7": ("tubes",), "jigsaws": ("segments",)}


def usual_streams(dataset: str) -> tuple[str, ...]:
    """Return the default streams of a dataset: those that its papers use."""
    return USUAL_STREAMS.get(dataset, tuple(stream.name for stream in STEPS))


def find_stream(name: str, *, dataset: str = "") -> SimulatedStream:
    """Return the simulated stream of that name, in the shape of the dataset's papers. Raise `UnknownName`."""
    short_names = SHORT_NAMES | SHORT_NAMES_OF.get(dataset, {})
    found = STREAMS.get(short_names.get(name, name))
    if found is None:
        raise UnknownName("simulated stream", name, [*STREAMS, *SHORT_NAMES])
    return found


def name_of_stream(stream: str, backbone: str) -> str:
    """Return the name under which the stream of that backbone is simulated.

    The name is that of the stream if it is not simulated, or if the dataset decides between several (tubes).
    """
    names = [s.name for s in STREAMS.values() if (s.stream, s.backbone) == (stream, backbone)]
    return names[0] if len(names) == 1 else stream
