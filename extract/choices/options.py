"""The options of an extraction as typed records, from the command or the program to the streams.

An option that is None is left open: `aqa extract` takes what is usual for the dataset, `aqa score` what the
run's features were made with.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aqa_pipeline.backbones import Framing
from aqa_pipeline.errors import AqaError
from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.video import ReaderName
from extract.choices.presets import PRESETS, PresetName
from extract.detectors import AthleteRule
from extract.detectors.athlete import Athlete
from extract.detectors.first_person import Start
from extract.runtimes import Precision, Runtime
from extract.streams import (
    ClipSampling,
    Dtype,
    PixelSampling,
    Rest,
    StoredPicture,
    TubeSampling,
    Variant,
)
from extract.streams.clip_sampling import Span
from extract.streams.pixel_sampling import NUM_LAST_FRAMES as NUM_PIXEL_FRAMES
from extract.streams.tube_sampling import NUM_LAST_FRAMES, STRIDE, ViewChoice
from extract.trackers import Rules


class OptionsRecord(BaseModel):
    """The base of all options: a misfit is an `AqaError` that says what came and what was expected."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    if not TYPE_CHECKING:  # the checker knows the fields by themselves

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise AqaError(
                    f"the options of an extraction do not fit: {explain_misfit(error)}."
                ) from error

    def changed(self, **changes: object) -> Self:
        """Return the record with these fields changed, checked again."""
        values: dict[str, Any] = dict(self) | changes
        return type(self)(**values)


class NetworkOptions(OptionsRecord):
    """Which networks make the features, and how they are run.

    `backbones` and `weights` are by stream name, with "" for all the others. `device` "auto" takes a GPU if
    there is one. Without a `batch_size` it is 2 clips or 8 pictures on a CPU (its cache holds no more, and
    for a single clip torch takes a slower kernel), and 16 clips or 64 pictures on a GPU.

    >>> import aqa
    >>> weights = {"": "random:0", "crops": "mine.pt"}
    >>> networks = aqa.NetworkOptions(backbones={"": "resnet18"}, weights=weights)
    >>> networks.weights_of("frames"), networks.weights_of("crops")
    ('random:0', 'mine.pt')
    """

    backbones: Mapping[str, str] = Field(default_factory=dict)
    weights: Mapping[str, str] = Field(default_factory=dict)
    device: str = "auto"
    precision: Precision = "fp32"
    runtime: Runtime = "auto"
    batch_size: int | None = Field(default=None, ge=1)

    def weights_of(self, stream: str, *, otherwise: str = "official") -> str:
        """Return the weights of the network of that stream."""
        return self.weights.get(stream, self.weights.get("", otherwise))


class InputOptions(OptionsRecord):
    """What of a video the networks get.

    `variant` says how frames are resized: as the paper says, or as the authors' code does. `framing` is the
    part of a whole frame. `rest` says whether the last, partial segment is padded or dropped. The stream
    clips reads `span` and `views`; tubes read `views`, `last_frames` and `clip_stride` (both in frames);
    poses reads `pose_rate`, in frames a second. The stream pixels reads `picture_size` (width, height), by
    default 171x128; `last_frames`, by default 109, or for the whole video `pixel_rate`, in frames a second;
    and `jpeg_quality` (1 to 100), by default none, which stores raw pixels.
    Raise `AqaError` for numbers out of range.

    >>> import aqa
    >>> aqa.InputOptions(last_frames=64).tube_sampling
    TubeSampling(num_frames=64, stride=10, views='flip')
    >>> aqa.InputOptions(picture_size=(455, 256), jpeg_quality=90).stored_picture
    StoredPicture(width=455, height=256, jpeg_quality=90)
    """

    variant: Variant = "paper"
    framing: Framing = "center"
    rest: Rest | None = None
    span: Span | None = None
    views: ViewChoice | None = None
    last_frames: int | None = None
    clip_stride: int | None = None
    pose_rate: float | None = Field(default=None, gt=0)
    picture_size: tuple[int, int] | None = None
    pixel_rate: float | None = Field(default=None, gt=0)
    jpeg_quality: int | None = None

    @model_validator(mode="after")
    def _check_samplings(self) -> Self:
        _ = self.tube_sampling, self.pixel_sampling, self.stored_picture  # all raise `AqaError`
        return self

    @property
    def clip_sampling(self) -> ClipSampling:
        """The sampling of the stream clips. `views` "flip" is of tubes alone, see `build_streams`."""
        return ClipSampling(self.span or "last-96", "reference" if self.views == "reference" else "all")

    @property
    def tube_sampling(self) -> TubeSampling:
        """The sampling of the stream tubes."""
        num_frames = NUM_LAST_FRAMES if self.last_frames is None else self.last_frames
        stride = STRIDE if self.clip_stride is None else self.clip_stride
        return TubeSampling(num_frames, stride, self.views or "flip")

    @property
    def pixel_sampling(self) -> PixelSampling:
        """The sampling of the stream pixels."""
        if self.pixel_rate is not None and self.last_frames is not None:
            raise AqaError(
                f"stream pixels takes the last {self.last_frames} frames, or {self.pixel_rate:g} frames a "
                "second of the whole video, not both."
            )
        num_frames = NUM_PIXEL_FRAMES if self.last_frames is None else self.last_frames
        return PixelSampling(num_frames, self.pixel_rate)

    @property
    def stored_picture(self) -> StoredPicture:
        """The picture that the stream pixels stores of a frame."""
        size = self.picture_size or (StoredPicture.width, StoredPicture.height)
        return StoredPicture(*size, self.jpeg_quality)


class AthleteOptions(OptionsRecord):
    """Who finds the athlete, and who is followed.

    `detector` is as in `load_detector`, by default that of the preset. `person` is who is cropped. `tracker`,
    by default siammask, and `tracker_weights`, by default official, are as in `load_tube_source`; the stream
    pixels is tracked only where `tracker` names one. `start` and `init_box` (4 numbers x1 y1 x2 y2, or 8 of
    four corners, in pixels) name the athlete, for tracked streams and followed crops; they replace those of
    `rules`. `start` is `largest`, `central`, or `pointed`: the one box in the file of boxes of a video. Raise
    `AqaError` for options that contradict each other.

    >>> import aqa
    >>> aqa.AthleteOptions(init_box=(10.0, 20.0, 60.0, 180.0)).crop_rule.athlete
    'followed'
    """

    detector: str | None = None
    person: Athlete | None = None
    tracker: str | None = None
    tracker_weights: str | None = None
    start: Start | None = None
    init_box: tuple[float, ...] | None = None
    rules: Rules = Field(default_factory=Rules)

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        _ = self.crop_rule, self.tracking_rules  # both raise `AqaError`
        return self

    @property
    def crop_rule(self) -> AthleteRule:
        """The rule of the stream crops. Naming an athlete means that this athlete is followed."""
        is_named = self.start is not None or self.init_box is not None
        person = self.person or ("followed" if is_named else "largest")
        return AthleteRule(person, self.start or "largest", self.init_box)

    @property
    def tracking_rules(self) -> Rules:
        """The rules of the stream tubes, with the athlete who was named."""
        start, box = self.start or self.rules.start, self.init_box or self.rules.init_box
        return replace(self.rules, start=start, init_box=box)


class StreamOptions(OptionsRecord):
    """How streams are made from videos: their `networks`, their `inputs`, and the `athlete` in them.

    `preset` names the networks and the detector where no option does: `paper` or `light`, see `PRESETS`.
    `dtype` is the type of the stored numbers, by default the stream's own. Options that are None are left
    open: `aqa.extract` takes what is usual for the dataset, `aqa.load_run` what the run was made with. Raise
    `AqaError` for a value that does not fit.

    >>> import aqa
    >>> aqa.StreamOptions(dtype="float64")
    Traceback (most recent call last):
    ...
    aqa_pipeline.errors.AqaError: the options of an extraction do not fit: dtype is 'float64', expected ...
    """

    networks: NetworkOptions = Field(default_factory=NetworkOptions)
    inputs: InputOptions = Field(default_factory=InputOptions)
    athlete: AthleteOptions = Field(default_factory=AthleteOptions)
    dtype: Dtype | None = None
    preset: PresetName = "paper"

    @property
    def detector(self) -> str:
        """The chosen detector, else the preset's."""
        return self.athlete.detector or PRESETS[self.preset].detector


class VideoSelection(OptionsRecord):
    """Which videos of a dataset: those `ids`, by default all, and of these at most the first `limit`."""

    ids: tuple[str, ...] = ()
    limit: int | None = Field(default=None, ge=1)

    def of(self, dataset: Dataset) -> list[Video]:
        """Return the chosen videos. Raise `UnknownName` for an id that the dataset lacks."""
        videos = [dataset.video(video_id) for video_id in self.ids] or list(dataset.videos)
        return videos[: self.limit]


class DecodingOptions(OptionsRecord):
    """How videos are read: by which library, and by how many processes at once.

    A decoder may be silent for `silence_seconds`, and take `total_seconds` for one video; None is no limit.
    """

    reader: ReaderName = "auto"
    workers: int = Field(default=2, ge=1)
    silence_seconds: float | None = Field(default=120.0, gt=0)
    total_seconds: float | None = Field(default=None, gt=0)


class EngineOptions(OptionsRecord):
    """Where the work is done: in this process, or by `actors` workers on the Ray cluster at `address`."""

    name: Literal["local", "ray"] = "local"
    address: str | None = None
    actors: int | None = Field(default=None, ge=1)


class ExtractOptions(OptionsRecord):
    """Everything that may be chosen about one extraction, but for the dataset and the store.

    `streams` are names, at least one. With `overwrite`, records that are there already are made again.
    `contact_sheet` is the folder that the crops of every video are drawn into.
    """

    streams: tuple[str, ...] = Field(min_length=1)
    stream_options: StreamOptions = Field(default_factory=StreamOptions)
    videos: VideoSelection = Field(default_factory=VideoSelection)
    decoding: DecodingOptions = Field(default_factory=DecodingOptions)
    engine: EngineOptions = Field(default_factory=EngineOptions)
    overwrite: bool = False
    contact_sheet: Path | None = None


class NewVideoOptions(OptionsRecord):
    """How a new video is extracted to be scored; what `stream_options` leave open is the run's."""

    stream_options: StreamOptions = Field(default_factory=StreamOptions)
    reader: ReaderName = "auto"
