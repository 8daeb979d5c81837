"""The progress bar of an extraction. Importing this imports nothing heavy."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from aqa_pipeline.commands.options import clock_time, progress_bar

if TYPE_CHECKING:
    from tqdm import tqdm

    from extract.clock import Clock
    from extract.run.time_left import Amount


@contextmanager
def extraction_progress(num_videos: int) -> Iterator[Callable[..., None]]:
    """Show the videos done (parts by their share), the time left, and what limits the speed."""
    from extract.clock import PHASES
    from extract.run.time_left import TimeLeft

    layout = "{percentage:3.0f}%|{bar}| {n:.1f}/{total:g} videos [{elapsed}{postfix}]"
    time_left = TimeLeft()
    with progress_bar(num_videos, unit=" videos", bar_format=layout) as bar, lines_above(bar):

        def show(*, videos: float, video_id: str, clock: "Clock", amount: "Amount") -> None:
            phase, share = clock.limit()
            seconds = time_left.after(amount)
            left = "" if seconds is None else f"{clock_time(seconds)} left, "
            limit = f"limited by {PHASES.get(phase, phase)} {share:.0%}"
            bar.set_postfix_str(f"{left}{limit}, {video_id}", refresh=False)
            bar.update(videos - bar.n)

        yield show


@contextmanager
def lines_above(bar: "tqdm[NoReturn]") -> Iterator[None]:
    """Print messages of the runtimes above the bar: which runtime was chosen, and what did not fit."""
    log = logging.getLogger("extract.runtimes")
    handler, before = LinesAbove(bar), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class LinesAbove(logging.Handler):
    """Writes messages above a progress bar, on stderr."""

    def __init__(self, bar: "tqdm[NoReturn]") -> None:
        super().__init__()
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message above the bar."""
        self._bar.write(self.format(record), file=sys.stderr)
