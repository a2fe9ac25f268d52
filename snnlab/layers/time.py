"""Runs layers without a time axis on all time steps at once.

Shape suffixes: T time steps, B samples of the batch, N = T * B, `...` any further axes.
"""

from torch import Tensor, nn

from snnlab.time_axis import fold_time, is_still, unfold_time

# Layers that map equal inputs to equal outputs and keep no statistics.
_PURE = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.MaxPool2d, nn.Identity)


class EachStep(nn.Sequential):
    """Runs layers without a time axis on all time steps at once: [T, B, ...] -> [T, B, ...].

    A static input runs through convolutions, linear layers and pools once, and their output is expanded to T steps.
    If these layers have hooks, they process every time step, as for any other input.
    """

    def _observed(self) -> bool:
        return any(layer._forward_hooks or layer._forward_pre_hooks for layer in (self, *self))

    def forward(self, x_TB: Tensor) -> Tensor:
        if is_still(x_TB) and all(isinstance(layer, _PURE) for layer in self) and not self._observed():
            x_B = x_TB[0]
            for layer in self:
                x_B = layer(x_B)
            return x_B.expand(len(x_TB), *x_B.shape)
        x_N = fold_time(x_TB)
        for layer in self:
            x_N = layer(x_N)
        return unfold_time(x_N, len(x_TB))
