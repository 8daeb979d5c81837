"""Send the clips of a batch of videos through a network: one clip position after the other, or all at once.

The orders differ only while BatchNorm takes the statistics of what it sees. The authors' code of WD, USDL and
TSA-Net calls the network once per clip position.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from heads.data.device import to_device
from heads.recipes.fine_tuning import ClipOrder

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ClipPassing:
    """The order of clips, and whether the backward pass computes activations again instead of keeping them.

    With `checkpoint_activations`, one clip position's activations are in memory at a time. Clips that are
    packed go position by position then, too, unless BatchNorm takes statistics over all of them.
    """

    order: ClipOrder = "packed"
    checkpoint_activations: bool = False

    def __call__(
        self, network: nn.Module, clips: Tensor, mask: Tensor, *, prepare: Run | None = None
    ) -> Tensor:
        """Return the network's outputs `(batch, clip, ...)` of clips `(batch, clip, ...)`; 0 for padding.

        `mask`, bool `(batch, clip)`, is false for padding, which never enters the network. With a mask on the
        CPU nothing waits for the GPU. `prepare` comes before the network. Raises `ValueError` for a batch
        without a clip.
        """
        run = self._with_less_memory(network, prepare)
        if self.order == "packed" and not self._splits(network) and mask.all():
            return run(clips.flatten(0, 1)).unflatten(0, mask.shape)
        groups = list(self._groups(network, mask))
        if not groups:
            raise ValueError("a batch of videos without any clip: expected at least one clip in it")
        outputs = [run(clips[_on(clips.device, group)]) for group in groups]
        videos, positions = (torch.cat(each) for each in zip(*groups, strict=True))
        passed = outputs[0].new_zeros(*mask.shape, *outputs[0].shape[1:])
        passed[_on(passed.device, (videos, positions))] = torch.cat(outputs)
        return passed

    def _groups(self, network: nn.Module, mask: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the (videos, clip positions) of the clips of each call of the network."""
        if self.order == "packed" and not self._splits(network):
            videos, positions = mask.nonzero(as_tuple=True)
            yield from [(videos, positions)] if len(videos) else []
            return
        for position, is_real in enumerate(mask.unbind(dim=1)):
            (videos,) = is_real.nonzero(as_tuple=True)
            if len(videos):
                yield videos, torch.full_like(videos, position)

    def _splits(self, network: nn.Module) -> bool:
        """Return True if packed clips can go one position at a time with the same result, to save memory."""
        return self.checkpoint_activations and not _norms_of_batches(network)

    def _with_less_memory(self, network: nn.Module, prepare: Run | None) -> Run:
        def run(clips: Tensor) -> Tensor:
            output: Tensor = network(clips if prepare is None else prepare(clips))
            return output

        if not self.checkpoint_activations:
            return run

        def run_again_in_backward(clips: Tensor) -> Tensor:
            output: Tensor = checkpoint(
                run,
                clips,
                use_reentrant=False,
                context_fn=lambda: (nullcontext(), statistics_kept(network)),
            )
            return output

        return run_again_in_backward


PACKED = ClipPassing()


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Leave running statistics as they are; BatchNorm takes those of its batch as before.

    Computing activations again would otherwise count each batch twice.
    """
    norms = _norms_of_batches(network)
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, num_batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, num_batches


def _norms_of_batches(network: nn.Module) -> list[_BatchNorm]:
    """Return the layers of BatchNorm that take the statistics of their batch."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm) and module.training]


def _on(device: torch.device, indices: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return to_device(indices[0], device), to_device(indices[1], device)
