"""One head that can be fitted: the streams it reads, its variants, network and recipe.

A head's module is called as `module(features, masks)` with one padded tensor `batch time dim` and one
boolean mask `batch time` per stream, and returns `models.output.HeadOutput`: scores in [0, 1] and attention.
The part of it that learns at the recipe's `head_lr` is named `regressor`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.plugins import Pluggable
from aqa_pipeline.records import StreamSpec
from heads.data.streams import MAP_STREAMS, PIXELS
from heads.recipes import Recipe, StreamSteps
from heads.recipes.adapted import ADAPTED

if TYPE_CHECKING:
    from torch import nn

# Adapters of the datasets that the papers trained on.
PAPERS_DATASETS = ("mit-skating", "rhythmic-gymnastics", "mtl-aqa", "aqa7", "fr-fs", "fis-v")

Build = Callable[..., "nn.Module"]
ChooseRecipe = Callable[[str, str, str, StreamSteps], Recipe]
Start = Callable[["nn.Module"], None]
FindStart = Callable[[Mapping[str, StreamSpec], Path | None], Start]


def _as_built(specs: Mapping[str, StreamSpec], checkpoint: Path | None) -> Start:
    if checkpoint is not None:
        raise RunError(f"{checkpoint} was given to start from, but this head has no pretrained part.")
    return lambda network: None


@dataclass(frozen=True)
class HeadKind(Pluggable):
    """One head: the streams it reads, its variants, network and recipe.

    The default variant is the first one for datasets of papers, and `adapted` for all other data.

    `build(dims, variant)` returns the untrained network for features of `dims[stream]` dimensions; where its
    recipes have options of the network, it takes them by name.
    `choose_recipe(dataset, split, variant, steps)` its recipe; `steps` are the training videos' lengths.
    `one_stream` tells that it reads a single stream, whichever.
    `scores_steps` tells that a single step of its one stream has a score that means something.
    `find_start(specs, checkpoint)` returns what puts pretrained weights into the untrained network.
    `of_judges` tells that it learns each judge's mark, and tells the execution. `reads_tubes` tells that it
    needs to know where the athlete is.
    """

    name: str
    streams: tuple[str, ...]
    variants: tuple[str, ...]
    build: Build
    choose_recipe: ChooseRecipe
    source: str
    one_stream: bool = False
    scores_steps: bool = False
    find_start: FindStart = _as_built
    of_judges: bool = False
    reads_tubes: bool = False

    @property
    def reads_maps(self) -> bool:
        """True if the head reads maps with tubes, not one feature vector per step."""
        return self.streams[0] in MAP_STREAMS

    def default_variant(self, adapter: str) -> str:
        """Return the variant for a dataset: the paper's for those that papers trained on, else `adapted`."""
        if adapter in PAPERS_DATASETS or ADAPTED not in self.variants:
            return self.variants[0]
        return ADAPTED

    def check_variant(self, variant: str) -> None:
        """Raise `UnknownName` for a variant that this head does not have."""
        if variant not in self.variants:
            raise UnknownName(f"variant of {self.name}", variant, self.variants)

    def check_streams(self, streams: tuple[str, ...]) -> None:
        """Raise `RunError` for streams that this head cannot read."""
        if not streams or len(set(streams)) < len(streams) or (self.one_stream and len(streams) > 1):
            number = "one stream" if self.one_stream else "different streams"
            raise RunError(f"{self.name} reads {number}, such as {','.join(self.streams)}; got {streams}.")
        if PIXELS in streams:
            raise RunError(f"{self.name} reads pixels only while it is fine-tuned: add --fine-tune.")
        wrong = [stream for stream in streams if (stream in MAP_STREAMS) != self.reads_maps]
        if wrong:
            kind = "maps" if self.reads_maps else "features, not maps"
            raise RunError(f"{self.name} reads {kind}, such as {','.join(self.streams)}; got {wrong}.")
