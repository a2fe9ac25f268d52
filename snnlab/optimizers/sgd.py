"""SGD with momentum: PyTorch's, with the choice of what is decayed."""

import torch
from torch import nn

from snnlab.optimizers.base import Own, param_groups
from snnlab.ranges import HalfOpenFraction, NonNegative, Positive


class SGD(torch.optim.SGD):
    """Stochastic gradient descent with momentum; defaults are the usual CIFAR recipe.

    Args:
        model: The module whose trainable parameters are optimised.
        lr: learning rate before any schedule.
        momentum: decay of the running sum of gradients.
        weight_decay: L2 term in the gradient.
        nesterov: true | false: Nesterov's momentum, needs momentum > 0.
        decay_norm_and_bias: true | false: decay normalisation, biases and neuron scalars too. False leaves parameters
            of at most one dimension without decay; true, as in PyTorch, decays everything.
        lr_t: learning rate of the time steps t of `quant_relu` (or n, or s); null: lr. With 0 they stay as they are.
        weight_decay_t: their weight decay; null: that of other scalars. It pulls towards fewer time steps.
        lr_gamma: learning rate of gamma of `quant_relu`; null: lr.
        weight_decay_gamma: its weight decay; null: that of other scalars.

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
