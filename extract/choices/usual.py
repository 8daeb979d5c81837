"""What `aqa extract` and `aqa.extract` choose for a dataset where nobody chooses."""

from aqa_pipeline.commands.options import pick_device
from extract.choices.streams import Choices
from extract.choices.tubes import TubeChoices
from extract.detectors import AthleteRule
from extract.streams.tube_sampling import TubeSampling, usual_stride

OWN = "folder"  # the adapter of one's own videos


def usual_choices(adapter: str, *, device: str = "auto") -> Choices:
    """Return the choices for a dataset of that adapter: the papers' for theirs, other ones for own videos.

    In own videos crops follow one athlete, and the last, partial segment is kept.
    """
    own = adapter == OWN
    return Choices(
        backbones={},
        weights={},
        device=pick_device(device),
        tubes=TubeChoices(TubeSampling(stride=usual_stride(adapter))),
        athlete=AthleteRule("followed" if own else "largest"),
        rest="padded" if own else "dropped",
    )
