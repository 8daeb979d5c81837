"""A backbone binds a network to its weights and its preprocessing. Importing this imports no torch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aqa_pipeline.plugins import Pluggable

if TYPE_CHECKING:
    from torch import nn

Takes = Literal["clip", "image"]
Variant = Literal["paper", "released"]
Framing = Literal["center", "whole"]  # the part of a frame that the preprocessing cuts out, or all of it

WHOLE = "-whole"  # suffix of a preprocessing's name: the same pixel values, without the crop

# Pairs (regular expression, replacement) that turn a checkpoint's names into ours, and keep our own names.
KeyMap = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cost:
    """The cost of a network without its classifier.

    `gflops` is for one clip or image of the paper's preprocessing. It counts a multiply-add as one operation,
    as the papers do.
    """

    gflops: float
    num_parameters: int


@dataclass(frozen=True)
class Checkpoint:
    """How an official checkpoint's entries become the network's.

    `key_map` renames them. `unused` are prefixes, after renaming, of entries that features do not need.
    """

    key_map: KeyMap = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backbone(Pluggable):
    """A network that turns clips or images into features (batch, feature_size).

    Clips are (batch, 3, frame, height, width) with `frames_per_clip` frames. Images are
    (batch, 3, height, width), and their `frames_per_clip` is None. `build` imports what it needs when called,
    and returns the network with arbitrary weights. `weights` is the official file's name in `aqa weights`.
    `preprocess` names the preprocessing of the paper and of its released code. `source` is the paper and the
    code with its license. `map_shapes` are the shapes (channel, time, height, width) of one clip's maps after
    each endpoint that `LoadedBackbone.maps` takes.
    """

    name: str
    feature_size: int
    frames_per_clip: int | None
    weights: str
    build: Callable[[], "nn.Module"]
    preprocess: Mapping[Variant, str]
    source: str
    cost: Cost
    checkpoint: Checkpoint = Checkpoint()
    map_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def takes(self) -> Takes:
        """What the network takes: clips if it has a number of frames per clip, else images."""
        return "image" if self.frames_per_clip is None else "clip"

    def preprocess_name(self, variant: Variant, framing: Framing = "center") -> str:
        """Return the name of the variant's preprocessing with that framing."""
        return f"{self.preprocess[variant]}{WHOLE}" if framing == "whole" else self.preprocess[variant]

    def choices_of(self, preprocess_name: str) -> tuple[Variant, Framing]:
        """Return the variant and the framing whose preprocessing has that name."""
        cropped = preprocess_name.removesuffix(WHOLE)
        variant: Variant = "paper" if cropped == self.preprocess["paper"] else "released"
        return variant, "center" if cropped == preprocess_name else "whole"


def by_name(backbones: Iterable[Backbone]) -> dict[str, Backbone]:
    """Return `{name: backbone}`. Raise ValueError if two have one name."""
    named: dict[str, Backbone] = {}
    for backbone in backbones:
        if backbone.name in named:
            raise ValueError(f"backbone {backbone.name!r} is registered twice")
        named[backbone.name] = backbone
    return named
