"""Which videos can be compared with the athlete's last attempt, as `aqa score --against last` does it."""

from collections.abc import Sequence

from aqa_pipeline.records import Video


def with_earlier_attempt(videos: Sequence[Video]) -> frozenset[str]:
    """Return the ids of videos before which the same athlete has another attempt, of the same element if any.

    Days are compared, and on one day the order of the table counts. A video needs an athlete and a date.
    """
    dated = [
        (video.performed_on, place, video)
        for place, video in enumerate(videos)
        if video.athlete is not None and video.performed_on is not None
    ]
    found, elements_of = set(), dict[str | None, set[str | None]]()
    for _, _, video in sorted(dated, key=lambda each: each[:2]):
        before = elements_of.setdefault(video.athlete, set())
        if before and (video.element is None or video.element in before):
            found.add(video.video_id)
        before.add(video.element)
    return frozenset(found)
