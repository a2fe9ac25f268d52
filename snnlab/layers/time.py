"""Layers that know nothing of time, run on every time step at once.

Shape suffixes: T time steps, B samples of the batch, N = T * B, `...` any further axes.
"""

from torch import Tensor, nn

from snnlab.time_axis import fold_time, is_still, unfold_time

# What gives equal outputs for equal inputs, with nothing counted along.
_PURE = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.MaxPool2d, nn.Identity)


class EachStep(nn.Sequential):
    """Runs layers that know nothing of time on every step at once: [T, B, ...] -> [T, B, ...].

    A static input runs through convolutions, linear layers and pools once, and their output is shown T times; not
    where a hook looks at these layers, which then see every step as in any other run.
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
