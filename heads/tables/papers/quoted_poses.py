"""The row Pose + DCT, which all three papers quote from others: it is run where poses are stored.

Pirsiavash et al., "Assessing the Quality of Actions", ECCV 2014.
"""

from collections.abc import Mapping

from heads.tables.table import Method, Row

POSES = {"poses": ("blazepose-full", "keypointrcnn_resnet50_fpn")}
POSES_NOTE = (
    "Pose + DCT (Pirsiavash et al., ECCV 2014) is run where poses are stored (`aqa extract --for pose-dct`), "
    "and cited elsewhere. The poses here are of another network than the quoted number's."
)


def pose_dct(label: str, printed: Mapping[str, float]) -> Row:
    """Return the row with that label."""
    return Row("pose-dct", "", label, printed, Method("pose-dct", POSES), where_stored=True)
