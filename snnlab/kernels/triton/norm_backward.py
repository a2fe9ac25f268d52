"""The backward pass of a normalisation and a neuron in one, for tensors of one layout; the equations are in `norm.py`.

Shape suffixes: T time steps, B samples, C channels, `...` any further axes.
"""

from typing import NamedTuple

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton.arguments import Equations, Inputs
from snnlab.kernels.triton.back_over_time import MOST_STEPS
from snnlab.kernels.triton.backward import GRAD_OF_CURRENT, GRAD_OF_INPUT, NOTHING, Backward
from snnlab.kernels.triton.channel_moments import channel_sums
from snnlab.kernels.triton.launcher import Launch
from snnlab.kernels.triton.layout import channel_strides, laid_out, reading
from snnlab.kernels.triton.through_norm import back_through_norm

_BLOCK = 1024


class NormGradients(NamedTuple):
    """The gradients of the tensors of a call; None where there is nothing to differentiate."""

    y_T: Tensor
    weight: Tensor
    bias: Tensor
    residual_T: Tensor | None
    decay_tensor: Tensor | None
    learned_T: Tensor | None


class NormBackward:
    """Computes the gradients of calls whose tensors are laid out like those given.

    Args:
        grad_spikes_T: gradient of the spikes [T, ...].
        inputs, equations: tensors and constants of a call. No reference to the tensors is kept.
        residual_T: the residual [T, ...], if there is one.
        of_batch: whether the statistics are those of the batch.
    """

    def __init__(
        self,
        grad_spikes_T: Tensor,
        inputs: Inputs,
        equations: Equations,
        residual_T: Tensor | None,
        of_batch: bool,
    ) -> None:
        y_T = inputs.x_T
        in_two_runs = of_batch and residual_T is None and len(y_T) <= MOST_STEPS
        in_one_run = not of_batch and residual_T is None
        self._zeros = not of_batch and residual_T is not None
        self._residual = residual_T is not None

        def backward(sums: bool, writes: int) -> Backward:
            return Backward(
                grad_spikes_T, None, inputs, equations, False, True, residual_T, sums=sums, writes=writes
            )

        self._first = backward(
            True, NOTHING if in_two_runs else GRAD_OF_INPUT if in_one_run else GRAD_OF_CURRENT
        )
        self._second = backward(False, GRAD_OF_INPUT) if in_two_runs else None
        self._through = None if in_two_runs or in_one_run else ThroughNorm(y_T)
        inner, channels = channel_strides(y_T)
        size = self._first.size
        self._channels = channels
        self._sums = Launch(
            channel_sums,
            (channels,),
            (size // channels, size, inner, channels, channels / y_T.numel()),
            {"OF_BATCH": of_batch, "BLOCK": 2 * _BLOCK},
            y_T.get_device(),
        )

    def __call__(
        self,
        grad_spikes_T: Tensor,
        inputs: Inputs,
        table: Tensor,
        weight: Tensor,
        bias: Tensor,
        residual_T: Tensor | None,
    ) -> NormGradients:
        """Returns the gradients of a call; table [4, C] has mean, scale, bias and 1 / sqrt(var + eps)."""
        y_T = inputs.x_T
        found = self._first(grad_spikes_T, None, inputs, table, residual_T)
        grad_weight, grad_bias = weight.new_empty(weight.shape), bias.new_empty(bias.shape)
        # With running statistics the terms are zero, and only the pass after a residual reads them.
        terms = table.new_zeros(2, self._channels) if self._zeros else table.new_empty(2, self._channels)
        assert found.norm_sums is not None
        self._sums(found.norm_sums, table[3], grad_weight, grad_bias, terms)
        grad_y_T = found.x_T
        if self._second is not None:
            grad_y_T = self._second(grad_spikes_T, None, inputs, table, terms=terms).x_T
        elif self._through is not None:
            assert grad_y_T is not None
            grad_y_T = self._through(grad_y_T, y_T, table, terms, keep=self._residual)
        assert grad_y_T is not None
        residual = found.x_T if self._residual else None
        return NormGradients(grad_y_T, grad_weight, grad_bias, residual, found.decay_tensor, found.learned_T)


class ThroughNorm:
    """Computes the gradient before a normalisation from that behind it, for tensors laid out like y_T."""

    def __init__(self, y_T: Tensor) -> None:
        way, (y_t,), (self._of_y,) = reading(y_T)
        count = y_T[0].numel()
        self._launch = Launch(
            back_through_norm,
            (triton.cdiv(count, _BLOCK), y_T.shape[0]),
            (count, *way.inner_sizes(), y_t, *way.strides_of(0), *channel_strides(y_T)),
            {"RANK": len(way.sizes), "BLOCK": _BLOCK},
            y_T.get_device(),
        )

    def __call__(self, grad_x_T: Tensor, y_T: Tensor, table: Tensor, terms: Tensor, keep: bool) -> Tensor:
        """Returns the gradient of y_T; it is written over grad_x_T unless that is to keep."""
        grad_y_T = torch.empty_like(grad_x_T) if keep else grad_x_T
        self._launch(grad_x_T, laid_out(y_T, self._of_y), table, terms, grad_y_T)
        return grad_y_T
