"""The file `aqa.toml`: what the commands of a project would otherwise be told by options.

A project may come from a stranger. So its file names no plug-in, which would be run, and no place to write to
outside its folder.
"""

import json
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.misfit import explain_misfit

LARGEST = 100_000  # bytes; a project file has a few hundred


def _check_inside(path: str) -> str:
    """Return the path; raise `ValueError` if it can lead out of the project's folder."""
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in path:
        raise ValueError("expected a path inside the project's folder")
    return path


Inside = Annotated[str, AfterValidator(_check_inside)]


class ProjectFile(BaseModel):
    """The fields of `aqa.toml`. None stands for the default of the command that reads the field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    videos: str = Field(default=".", description="folder of scores.csv and the videos")
    name: str | None = Field(default=None, description="name of the dataset in the store and in runs")
    store: Inside = Field(default="features", description="folder of the features")
    run: Inside = Field(default="runs/mine", description="folder of the trained run")
    preset: Literal["paper", "light"] = Field(default="light", description="networks that make the features")
    detector: str | None = Field(default=None, description="detector of the athlete, as in `aqa extract`")
    tracker: str | None = Field(default=None, description="tracker of the athlete, as in `aqa extract`")
    head: str = Field(default="stack", description="the head that learns the score")
    target: str | None = Field(
        default=None, pattern="^[^,]+$", description="column score:TARGET of scores.csv, if several"
    )
    split: str | None = Field(default=None, description="splits, as in `aqa fit --split`")
    folds: int | None = Field(default=None, ge=2, description="folds of the cross-validation")


def read_project_file(path: Path) -> ProjectFile:
    """Read `aqa.toml`; raise `DatasetError` if it is too large, no TOML, or has a wrong field."""
    if path.stat().st_size > LARGEST:
        raise DatasetError(f"{path} has more than {LARGEST} bytes: that is no project file.")
    try:
        return ProjectFile(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} is no TOML: {error}.") from error
    except ValidationError as error:
        known = ", ".join(ProjectFile.model_fields)
        raise DatasetError(f"{path}: {explain_misfit(error)}. Its fields are {known}.") from error


def write_project_file(path: Path, project: ProjectFile) -> None:
    """Write a new `aqa.toml` with a comment on each field; raise `DatasetError` if it is there already."""
    if path.exists():
        raise DatasetError(f"{path} is there already: the folder is a project. Edit the file.")
    lines = ["# The commands of `aqa` in this folder take these values where an option is left out.", ""]
    for name, field in ProjectFile.model_fields.items():
        value = getattr(project, name)
        given = f"# {name} =" if value is None else f"{name} = {json.dumps(value, ensure_ascii=False)}"
        lines.append(f"{given:<26}# {field.description}")
    write_whole(path, ("\n".join(lines) + "\n").encode())
