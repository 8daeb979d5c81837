"""What a command prints, as a page shows it: the last lines, and how far the progress bar is."""

import re
from collections import deque

MOST_LINES = 400
LONGEST_LINE = 2_000  # characters
# ` 61%|###  | 15.8/26 videos [00:16, 0:07 left, ...]`, or `split given: 20%|##   | 100/500 [00:11<...]`
BAR = re.compile(r"(?:(?P<title>[^|]*): )?\s*(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<count>[^\[]*)(?P<rest>.*)")
TIME_LEFT = re.compile(r"\[[^,\]]*, (?P<left>[\d:]+ left)")
LINE_END = re.compile(r"\r\n|\r(?!\Z)|\n")  # a line feed may follow a return at the end
STEP = "$ aqa "  # begins the line of a command that runs another one as its part
NEXT = "next: "  # begins the line that names the next command
STEP_WORDS = {"extract": "making features", "fit": "training"}


class Transcript:
    """Lines of text that arrives in pieces. A carriage return begins a line anew, as on a terminal.

    `percent` is where a progress bar over the whole step stands; None without one. `progress` says in words
    what is at work.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._line = ""
        self._step = ""
        self._bar = ""
        self.percent: int | None = None

    def feed(self, text: str) -> None:
        """Take the next piece of what the command prints."""
        *whole, self._line = LINE_END.split(self._line + text)
        self._line = self._line[-LONGEST_LINE:]
        for line in whole:
            self._take(line[:LONGEST_LINE])
        self._look(self._line)

    @property
    def lines(self) -> list[str]:
        """Return the last lines without progress bars and without empty lines at the end."""
        lines = [*self._lines, *([] if BAR.match(self._line) else [self._line.rstrip("\r")])]
        while lines and not lines[-1].strip():
            lines.pop()
        return lines

    def closing_words(self, about: str = "") -> str:
        """Return the last line that begins with `about`; else the last one that tells of no next command."""
        lines = [line.strip() for line in reversed(self.lines) if line.strip()]
        told = [line for line in lines if about and line.startswith(about)]
        return next(iter((*told, *(line for line in lines if not line.startswith(NEXT)))), "")

    @property
    def progress(self) -> str:
        """Return the step and the state of its bar, such as `making features: 3.2/12 videos, 0:20 left`."""
        return ": ".join(filter(None, (self._step, self._bar)))

    def _take(self, line: str) -> None:
        if self._look(line):
            return
        if line.startswith(STEP):
            command = line.removeprefix(STEP).split()[0]
            self._step, self._bar, self.percent = STEP_WORDS.get(command, f"aqa {command}"), "", None
        self._lines.append(line)

    def _look(self, line: str) -> bool:
        """Return whether this is a progress bar, and keep where it stands.

        A bar with a title is one of several in the step, so that its percentage says little.
        """
        if (bar := BAR.match(line)) is None:
            return False
        left = TIME_LEFT.match(bar["rest"])
        words = (bar["title"] or bar["count"]).strip()
        self._bar = f"{words}, {left['left']}" if left else words
        self.percent = None if bar["title"] else min(100, int(bar["percent"]))
        return True
