"""SGD with momentum: PyTorch's, with the choice of what is decayed."""

import torch
from torch import nn

from snnlab.optimizers.base import Own, param_groups
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
        lr_t: Learning rate of the t (or n, or s) of `quant_relu` neurons; None: `lr`. 0 keeps them as they are.
        weight_decay_t: Their weight decay, which pulls towards fewer time steps; None: as other scalars.
        lr_gamma: Learning rate of their gamma; None: `lr`.
        weight_decay_gamma: Its weight decay; None: as other scalars.

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
        lr_t: NonNegative | None = None,
        weight_decay_t: NonNegative | None = None,
        lr_gamma: NonNegative | None = None,
        weight_decay_gamma: NonNegative | None = None,
    ) -> None:
        own = {"t": Own(lr_t, weight_decay_t), "gamma": Own(lr_gamma, weight_decay_gamma)}
        groups = param_groups(model, weight_decay, decay_norm_and_bias, own)
        super().__init__(groups, lr=lr, momentum=momentum, nesterov=nesterov)
