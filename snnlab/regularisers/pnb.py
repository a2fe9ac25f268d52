"""The positive-negative balance of membrane potentials, the regulariser of the circulate-firing paper."""

from collections.abc import Iterator
from math import exp
from typing import Any, Literal

import torch
from torch import Tensor

from snnlab.neurons._membrane import MembraneNeuron
from snnlab.ranges import NonNegative, Positive, PositiveInt
from snnlab.regularisers._potential_penalty import PotentialPenalty


class PNB(PotentialPenalty):
    """Balance of positive and negative membrane potentials, region by region between the thresholds.

    See `positive_negative_balance` for the equations (circulate-firing paper, Eq. 18 to 22). The potentials are those
    of a layer before reset, its thresholds the neuron's; the mean over layers is added to the loss with
    `weight` (Eq. 23). A neuron that never fires downwards has the mirrored regions, as the paper's Fig. 4 uses
    them with `lif`.

    Args:
        weight: lambda, the paper's 0.25.
        K: regions of either sign. The paper's 2, for K_P = K_N = 2.
        per: "layer" takes the means over all time steps, samples and neurons of a layer; "step" takes them for
            each time step alone and averages the penalties. The paper does not say; the larger sample has
            fewer empty regions.
        detach_weights: no gradient through the weights of the means. The paper does not say.
        eps: of Eq. 20 to 22, which give no number.
    """

    def __init__(
        self,
        *,
        weight: NonNegative = 0.25,
        K: PositiveInt = 2,
        per: Literal["layer", "step"] = "layer",
        detach_weights: bool = False,
        eps: Positive = 1e-6,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.K = K
        self.per = per
        self.detach_weights = detach_weights
        self.eps = eps

    def penalty(self, neuron: MembraneNeuron, h_T: Tensor) -> Tensor:
        parts = h_T.unbind(0) if self.per == "step" else (h_T,)
        balances = [
            positive_negative_balance(
                part, self.K, *neuron.thresholds, eps=self.eps, detach_weights=self.detach_weights
            )
            for part in parts
        ]
        return torch.stack(balances).mean()

    def extra_repr(self) -> str:
        return f"weight={self.weight:g}, K={self.K}, per={self.per}"


def positive_negative_balance(
    u: Tensor, K: int, theta_P: float, theta_N: float, *, eps: float = 1e-6, detach_weights: bool = False
) -> Tensor:
    """How far apart the means of positive and negative potentials u [...] are, as a log ratio, averaged over K.

    U+_k   = {u: (k - 1) theta_P <  u <= k theta_P}           U-_k = {u: -k theta_N <= u < -(k - 1) theta_N}
    mu+_k  = sum over U+_k of w u / (sum of w + eps),         w = exp(-|k theta_P - u|)
    mu-_k  = sum over U-_k of w u / (sum of w + eps),         w = exp(-|-k theta_N - u|)
    result = 1/K sum over k = 1..K of |log(|mu+_k| / (|mu-_k| + eps) + eps)|

    (circulate-firing paper, Eq. 18 to 22, theta_N a magnitude as these equations have it). Potentials beyond the
    last threshold count nowhere. Where one of the two regions is empty, k adds 0: as printed, an empty region
    would give about |log eps| and a gradient of 1 / eps.

    The gradient is finite, also in the moment of perfect balance, where it is 0.
    """
    sums = _RegionSums.apply(u, K, theta_P, theta_N, detach_weights)
    weights, moments = sums.view(2, 2, K)  # each [sign, k]
    mean = moments / (weights + eps)
    ratio = torch.where((weights > 0).all(0), mean[0] / (mean[1] + eps) + eps, 1)
    return ratio.log().abs().mean()


class _RegionSums(torch.autograd.Function):
    """Sums over each region of w and of w |u|: [2, 2 K], the positive regions first.

    Autograd through masks takes several times as long and keeps many times as much; by |u| the derivatives are
    w and w (1 + |u|), or 0 and w with constant weights.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, K: int, theta_P: float, theta_N: float, detach_weights: bool) -> Tensor:
        ctx.save_for_backward(u)
        ctx.constants = (K, theta_P, theta_N, detach_weights)
        distance, top = u.abs(), K * max(theta_P, theta_N)
        w = (distance.clamp(max=top) - top).exp_()
        sums = []
        for inside, scale in _regions(u, K, theta_P, theta_N):
            w_inside = torch.where(inside, w, 0)
            sums += [w_inside.sum() * scale, w_inside.mul_(distance.clamp(max=top)).sum() * scale]
        return torch.stack(sums).view(2 * K, 2).T.contiguous()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (u,) = ctx.saved_tensors
        K, theta_P, theta_N, detach_weights = ctx.constants
        grad_weights, grad_moments = grad_outputs[0]
        distance, top = u.abs(), K * max(theta_P, theta_N)
        constant, linear = torch.zeros_like(u), torch.zeros_like(u)
        for j, (inside, scale) in enumerate(_regions(u, K, theta_P, theta_N)):
            of_weight = 0 if detach_weights else grad_weights[j]
            constant = torch.where(inside, (of_weight + grad_moments[j]) * scale, constant)
            if not detach_weights:
                linear = torch.where(inside, grad_moments[j] * scale, linear)
        distance.clamp_(max=top)
        grad = linear.mul_(distance).add_(constant).mul_((distance - top).exp_()).mul_(u.sign())
        return grad, None, None, None, None


def _regions(u: Tensor, K: int, theta_P: float, theta_N: float) -> Iterator[tuple[Tensor, float]]:
    """Who is in each region, and exp(top - k theta), which turns exp(|u| - top) into the region's weights."""
    top = K * max(theta_P, theta_N)
    for k in range(1, K + 1):
        yield (u > (k - 1) * theta_P) & (u <= k * theta_P), exp(top - k * theta_P)
    for k in range(1, K + 1):
        yield (u < -(k - 1) * theta_N) & (u >= -k * theta_N), exp(top - k * theta_N)
