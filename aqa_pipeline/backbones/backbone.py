"""What a backbone is: a network bound to its weights and its preprocessing. Imports no torch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aqa_pipeline.plugins import Pluggable

if TYPE_CHECKING:
    from torch import nn

Takes = Literal["clip", "image"]
Variant = Literal["paper", "released"]
Framing = Literal["center", "whole"]  # of a frame: the part that the preprocessing cuts out, or everything

WHOLE = "-whole"  # after the name of a preprocessing: its pixels, without its crop

# Regular expressions and replacements that turn a checkpoint's names into ours; no change to our own names.
KeyMap = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Backbone(Pluggable):
    """A network that turns clips (B, 3, T, H, W) or images (B, 3, H, W) into features (B, feature_size).

    `build` imports what it needs when called and returns the network with whatever weights it was born with.
    `weights` names the official file; `unused` are prefixes of its entries that features do not need.
    `preprocess` names the preprocessing of the paper and of its released code; the one of the paper has the
    picture size that costs are given for. `gflops` counts a multiply-add as one, as the papers do, for one
    clip or image; `num_parameters` are those of the network without its classifier.
    `map_shapes` are its maps within reach by endpoint, (channel, step, height, width) of one clip.
    """

    name: str
    takes: Takes
    feature_size: int
    frames_per_clip: int | None
    weights: str
    build: Callable[[], "nn.Module"]
    preprocess: Mapping[Variant, str]
    source: str
    gflops: float
    num_parameters: int
    key_map: KeyMap = ()
    unused: tuple[str, ...] = ()
    map_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.takes == "clip") != (self.frames_per_clip is not None):
            raise ValueError(f"backbone {self.name!r} takes a {self.takes}, of {self.frames_per_clip} frames")

    def preprocess_name(self, variant: Variant, framing: Framing = "center") -> str:
        """The name of the variant's preprocessing with that framing."""
        return f"{self.preprocess[variant]}{WHOLE}" if framing == "whole" else self.preprocess[variant]

    def choices_of(self, preprocess_name: str) -> tuple[Variant, Framing]:
        """The variant and the framing whose preprocessing has that name."""
        cropped = preprocess_name.removesuffix(WHOLE)
        variant: Variant = "paper" if cropped == self.preprocess["paper"] else "released"
        return variant, "center" if cropped == preprocess_name else "whole"


def by_name(backbones: Iterable[Backbone]) -> dict[str, Backbone]:
    """`{name: backbone}`; two of one name are a ValueError."""
    named: dict[str, Backbone] = {}
    for backbone in backbones:
        if backbone.name in named:
            raise ValueError(f"backbone {backbone.name!r} is registered twice")
        named[backbone.name] = backbone
    return named
