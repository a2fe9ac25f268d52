"""SGD with momentum: PyTorch's, with the choice of what is decayed."""

import torch
from torch import nn

from snnlab.optimizers._groups import param_groups
from snnlab.ranges import HalfOpenFraction, NonNegative, Positive


class SGD(torch.optim.SGD):
    """Stochastic gradient descent with momentum; defaults are the usual CIFAR recipe.

    Args:
        model: The module whose trainable parameters are optimised.
        lr: Learning rate, before any schedule.
        momentum: Decay of the running sum of gradients.
        weight_decay: Weight of the L2 term in the gradient.
        nesterov: Nesterov's momentum; needs a momentum above 0.
        decay_norm_and_bias: False leaves parameters of at most one dimension (normalisation, biases, a
            neuron's learnable scalars) without decay. True, as in PyTorch, decays everything.

    Raises:
        ValueError: the model has no trainable parameter, or `nesterov` without momentum.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: Positive = 0.1,
        momentum: HalfOpenFraction = 0.9,
        weight_decay: NonNegative = 0.0005,
        nesterov: bool = False,
        decay_norm_and_bias: bool = True,
    ) -> None:
        groups = param_groups(model, weight_decay, decay_norm_and_bias)
        super().__init__(groups, lr=lr, momentum=momentum, nesterov=nesterov)
