"""Adam: PyTorch's, with the choice of what is decayed."""

import torch
from torch import nn

from snnlab.optimizers.base import Own, param_groups
from snnlab.ranges import HalfOpenFraction, NonNegative, Positive


class Adam(torch.optim.Adam):
    """Adam (Kingma and Ba, 2015); its weight decay is an L2 term in the gradient, as in PyTorch.

    Args:
        model: The module whose trainable parameters are optimised.
        lr: Learning rate, before any schedule. TET's recipe has 0.001, TMC's released code 0.0015.
        beta1: Decay of the running mean of the gradient.
        beta2: Decay of the running mean of its square.
        eps: Added to the root of the latter.
        weight_decay: Weight of the L2 term; 0 as in TET's and TMC's code.
        decay_norm_and_bias: False leaves parameters of at most one dimension (normalisation, biases, a
            neuron's learnable scalars) without decay. True, as in PyTorch, decays everything.
        lr_t: Learning rate of the t (or n, or s) of `quant_relu` neurons; None: `lr`. 0 keeps them as they are.
        weight_decay_t: Their weight decay, which pulls towards fewer time steps; None: as other scalars.
        lr_gamma: Learning rate of their gamma; None: `lr`.
        weight_decay_gamma: Its weight decay; None: as other scalars.

    Raises:
        ValueError: the model has no trainable parameter.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: Positive = 0.001,
        beta1: HalfOpenFraction = 0.9,
        beta2: HalfOpenFraction = 0.999,
        eps: Positive = 1e-8,
        weight_decay: NonNegative = 0.0,
        decay_norm_and_bias: bool = True,
        lr_t: NonNegative | None = None,
        weight_decay_t: NonNegative | None = None,
        lr_gamma: NonNegative | None = None,
        weight_decay_gamma: NonNegative | None = None,
    ) -> None:
        own = {"t": Own(lr_t, weight_decay_t), "gamma": Own(lr_gamma, weight_decay_gamma)}
        groups = param_groups(model, weight_decay, decay_norm_and_bias, own)
        super().__init__(groups, lr=lr, betas=(beta1, beta2), eps=eps)
