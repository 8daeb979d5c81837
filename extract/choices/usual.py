"""What `aqa extract` and `aqa.extract` choose for a dataset where nobody chooses."""

from collections.abc import Mapping

from extract.choices.options import StreamOptions
from extract.detectors.first_person import Start
from extract.streams import Variant
from extract.streams.tube_sampling import ViewChoice, usual_stride
from extract.trackers.following import Rules

OWN = "folder"  # the adapter of one's own videos


def with_usual(options: StreamOptions, adapter: str) -> StreamOptions:
    """Return the options with those left open as usual for a dataset of that adapter.

    The papers' datasets are extracted as the papers say. In own videos crops follow one athlete, from the
    person whom somebody pointed at, and the last, partial segment is kept.
    """
    own = adapter == OWN
    inputs, athlete = options.inputs, options.athlete
    is_open = athlete.start is None and athlete.init_box is None and athlete.rules == Rules()
    start: Start | None = "pointed" if own and is_open and athlete.person != "largest" else athlete.start
    return options.changed(
        inputs=inputs.changed(
            rest=inputs.rest or ("padded" if own else "dropped"),
            clip_stride=inputs.clip_stride or usual_stride(adapter),
        ),
        athlete=athlete.changed(person=athlete.person or ("followed" if own else None), start=start),
    )


def options_for_table(
    options: StreamOptions, backbones: Mapping[str, str], *, variant: Variant, views: ViewChoice | None
) -> StreamOptions:
    """Return `options` with the networks, variant and views of a paper's table."""
    return options.changed(
        networks=options.networks.changed(backbones=backbones),
        inputs=options.inputs.changed(variant=variant, views=views),
    )


def with_frames(
    options: StreamOptions, *, picture_size: tuple[int, int], last_frames: int, tracker: str | None
) -> StreamOptions:
    """Return `options` with the frames of the stream pixels of a paper's table."""
    return options.changed(
        inputs=options.inputs.changed(picture_size=picture_size, last_frames=last_frames),
        athlete=options.athlete.changed(tracker=tracker),
    )
