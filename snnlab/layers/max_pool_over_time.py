"""Max pooling of firing rates, in networks whose layers have their own numbers of time steps.

Shape suffixes: T time steps, B samples of the batch, `...` any further axes.
"""

from collections.abc import Iterable
from copy import copy

import torch
from torch import Tensor, nn

from snnlab.layers.own_time import has_own_time
from snnlab.layers.per_step import is_per_step
from snnlab.layers.time import EachStep

MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


class MaxPoolOverTime(EachStep):
    """A max pool whose output has the greatest rate among its inputs, not the greatest spike of each step.

    Spikes of several inputs seldom fall on the same step, so that their maximum at each step fires more often than any
    of them. What it does instead is `max_pool` of the neurons:

    counts: y_t = max_i N_i(t) - max_i N_i(t - 1), where N_i(t) is the sum of input i up to step t. The sum of the
        outputs is the greatest of the sums of the inputs, and of spikes the outputs are spikes.
    gate: the spikes of the input with the greatest sum up to this step, the first of equal ones (Rueckauer et al.
        2017). When another input takes the lead, spikes may be lost or doubled.
    spikes: the maximum at each step.

    Before conversion, when the neurons have no time steps of their own, it is the maximum at each step.
    """

    def __init__(self, pool: nn.Module, neurons: Iterable[nn.Module]) -> None:
        super().__init__(pool)
        self._neurons = tuple(neurons)  # in a tuple they are not layers of this one

    def forward(self, x_TB: Tensor) -> Tensor:
        converted = [one for one in self._neurons if is_per_step(one)]
        how = getattr(converted[0], "max_pool", "counts") if converted else "spikes"
        if how == "spikes" or len(x_TB) == 1:
            return super().forward(x_TB)
        sums_TB = x_TB.to(torch.promote_types(x_TB.dtype, torch.float32)).cumsum(0)
        if how == "gate":
            return self._gated(x_TB, sums_TB)
        greatest_TB = super().forward(sums_TB)
        return torch.cat([greatest_TB[:1], greatest_TB.diff(dim=0)]).to(x_TB.dtype)

    def _gated(self, x_TB: Tensor, sums_TB: Tensor) -> Tensor:
        leading = copy(self[0])
        assert isinstance(leading, MAX_POOLS)
        leading.return_indices = True
        axes = x_TB.dim() - 3  # behind time, batch and channels
        found = [leading(sums_B)[1] for sums_B in sums_TB]
        taken = [
            x_B.flatten(-axes).gather(-1, index_B.flatten(-axes)).view_as(index_B)
            for x_B, index_B in zip(x_TB, found, strict=True)
        ]
        return torch.stack(taken)


def pool_over_time(model: nn.Module) -> None:
    """Replaces the max pools of a network with own time steps; a second call changes nothing."""
    neurons = [module for module in model.modules() if has_own_time(module)]
    for name, module in list(model.named_modules()):
        if isinstance(module, EachStep) and not isinstance(module, MaxPoolOverTime) and is_max_pool(module):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, MaxPoolOverTime(module[0], neurons))


def is_max_pool(module: nn.Module) -> bool:
    """Returns True for a max pool, alone in an `EachStep`."""
    return isinstance(module, EachStep) and len(module) == 1 and isinstance(module[0], MAX_POOLS)
