"""The size of the frames that networks are trained on in their papers, by the stream that a head reads."""

from collections.abc import Mapping, Sequence

from aqa_pipeline.errors import AqaError

Size = tuple[int, int]  # width, height

BY_STREAM: Mapping[str, Size] = {
    "clips": (171, 128),  # Weight-Decider 4.1
    "tubes": (455, 256),  # (M)USDL 4.2 and TSA-Net 4.2
}


def picture_size_of_head(head: str, streams: Sequence[str]) -> Size:
    """Return the size for a head that reads these streams; raise `AqaError` if no paper fine-tunes it."""
    found = [BY_STREAM[stream] for stream in streams if stream in BY_STREAM]
    if len(found) != 1:
        raise AqaError(
            f"no paper trains the head {head} together with a network, so --pixels has no usual size: name "
            "the stream and the size, such as --streams pixels --picture-size 171x128."
        )
    return found[0]
