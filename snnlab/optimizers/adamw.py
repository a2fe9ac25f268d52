"""AdamW: PyTorch's, with the choice of what is decayed."""

import torch
from torch import nn

from snnlab.optimizers.base import Own, param_groups
from snnlab.ranges import HalfOpenFraction, NonNegative, Positive


class AdamW(torch.optim.AdamW):
    """AdamW (Loshchilov and Hutter, 2019): Adam with decoupled weight decay; defaults are PyTorch's.

    Args:
        model: The module whose trainable parameters are optimised.
        lr: learning rate before any schedule. Spikformer's CIFAR recipe has 0.0005.
        beta1: decay of the running mean of the gradient.
        beta2: decay of the running mean of its square.
        eps: added to the root of the latter.
        weight_decay: share of the weight taken away per step, times lr. Spikformer's recipe has 0.06.
        decay_norm_and_bias: true | false: decay normalisation, biases and neuron scalars too. False leaves parameters
            of at most one dimension without decay; true, as in PyTorch, decays everything.
        lr_t: learning rate of the time steps t of `quant_relu` (or n, or s); null: lr. With 0 they stay as they are.
        weight_decay_t: their weight decay; null: that of other scalars. It pulls towards fewer time steps.
        lr_gamma: learning rate of gamma of `quant_relu`; null: lr.
        weight_decay_gamma: its weight decay; null: that of other scalars.

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
        weight_decay: NonNegative = 0.01,
        decay_norm_and_bias: bool = True,
        lr_t: NonNegative | None = None,
        weight_decay_t: NonNegative | None = None,
        lr_gamma: NonNegative | None = None,
        weight_decay_gamma: NonNegative | None = None,
    ) -> None:
        own = {"t": Own(lr_t, weight_decay_t), "gamma": Own(lr_gamma, weight_decay_gamma)}
        groups = param_groups(model, weight_decay, decay_norm_and_bias, own)
        super().__init__(groups, lr=lr, betas=(beta1, beta2), eps=eps)
