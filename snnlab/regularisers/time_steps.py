"""The number of time steps as a penalty, the regulariser of the mixed-timestep paper."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from snnlab.neurons.quant_relu import QuantReLU
from snnlab.ranges import NonNegative
from snnlab.regularisers.base import Regulariser


class TimeSteps(Regulariser):
    """The time steps of all layers, weight * sum over layers of t (mixed-timestep paper, Eq. 10).

    t is the real number that `quant_relu` rounds; a t below 1 counts as 1 and receives no gradient. The paper's
    Algorithm 1 adds lambda to the gradient of t a second time, which is equivalent to twice the weight.

    The paper's weight 1e-6 changes t by 5e-3 over its whole run, which alone cannot shorten T: see
    `optimizer.lr_t` and `optimizer.weight_decay_t`.

    Args:
        weight: lambda. The paper's 1e-6.
    """

    def __init__(self, *, weight: NonNegative = 1e-6) -> None:
        super().__init__()
        self.weight = weight

    def watching(self, model: nn.Module) -> AbstractContextManager[None]:
        """Returns a context that does nothing.

        Raises:
            ValueError: no neuron of the model learns its time steps.
        """
        if not _layers(model):
            raise ValueError("no neuron of the model learns its time steps, as quant_relu does")
        return nullcontext()

    def term(self, model: nn.Module) -> Tensor:
        return self.weight * torch.stack([layer.real_t().clamp(min=1) for layer in _layers(model)]).sum()


def _layers(model: nn.Module) -> list[QuantReLU]:
    return [module for module in model.modules() if isinstance(module, QuantReLU)]
