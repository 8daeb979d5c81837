"""One job as a record on disk. A project may come from a stranger: the record is checked when it is read."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import StoreError
from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.untrusted.bounded_files import read_bounded_bytes

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Kind = Literal["score", "compare", "learn"]
Ending = Literal["done", "failed", "cancelled"]
LIVE: tuple[State, ...] = ("waiting", "running")
LARGEST = 100_000  # bytes
MOST_WORDS = 2_000  # characters

Seconds = Annotated[float, Field(ge=0)]


class Job(BaseModel):
    """A job and what became of it. Times are Unix times in seconds.

    `compare` scores a video beside the athlete's last attempt. `video` is the path of the video in the
    project's folder, empty for `learn`. `starts` counts how often the
    job was begun: a server that was killed begins its job again. `words` are the last line that the command
    printed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    number: int = Field(ge=1, lt=10**9)
    kind: Kind
    video: str = ""
    state: State = "waiting"
    created: Seconds
    started: Seconds | None = None
    ended: Seconds | None = None
    starts: int = Field(default=0, ge=0)
    words: str = Field(default="", max_length=MOST_WORDS)

    @property
    def is_live(self) -> bool:
        """True while the job waits or runs."""
        return self.state in LIVE


def record_path(folder: Path, number: int) -> Path:
    """Return the file of a job's record."""
    return folder / f"{number:09d}.json"


def write_job(folder: Path, job: Job) -> None:
    """Write the record; no reader sees it half-written."""
    write_whole(record_path(folder, job.number), job.model_dump_json(indent=1).encode())


def read_job(path: Path) -> Job:
    """Read a record; raise `StoreError` if it is no job, or not the one that its file's name says."""
    try:
        job = Job.model_validate_json(read_bounded_bytes(path, most_bytes=LARGEST))
    except ValidationError as error:
        raise StoreError(f"{path} is no job: {explain_misfit(error)}.") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
    if path.name != record_path(path.parent, job.number).name:
        raise StoreError(f"{path} holds the job {job.number}.")
    if job.video:
        inner_path(job.video, name="video")
    return job
