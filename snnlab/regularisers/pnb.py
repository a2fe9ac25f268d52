"""The positive-negative balance of membrane potentials, the regulariser of the circulate-firing paper."""

from collections.abc import Iterator
from math import exp
from typing import Any, Literal

import torch
from torch import Tensor

from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.ranges import NonNegative, Positive, PositiveInt
from snnlab.regularisers.base_potential import PotentialPenalty

PART = 1 << 17
"""Numbers that the CPU takes at a time: few enough for its cache, many enough for its operations."""


class PNB(PotentialPenalty):
    """Balance of positive and negative membrane potentials, region by region between the thresholds.

    See `positive_negative_balance` for the equations (circulate-firing paper, Eq. 18 to 22). The potentials are those
    of a layer before reset, its thresholds the neuron's; the mean over layers is added to the loss with
    `weight` (Eq. 23). For a neuron without negative spikes the regions are mirrored, as in the paper's Fig. 4 with
    `lif`.

    Args:
        weight: lambda of Eq. 23. The paper's 0.25.
        K: regions of either sign; the paper's 2 for K_P = K_N = 2.
        per: layer | step: means over a layer's whole sequence, or for each time step alone. With "step" the penalties
            of the steps are averaged. The paper does not say; the larger sample has fewer empty regions.
        detach_weights: true: no gradient through the weights of the means. The paper does not say.
        eps: added in Eq. 20 to 22, which give no number.
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
    """Returns the absolute log ratio of the means of positive and negative potentials u [...], averaged over K regions.

    U+_k   = {u: (k - 1) theta_P <  u <= k theta_P}           U-_k = {u: -k theta_N <= u < -(k - 1) theta_N}
    mu+_k  = sum over U+_k of w u / (sum of w + eps),         w = exp(-|k theta_P - u|)
    mu-_k  = sum over U-_k of w u / (sum of w + eps),         w = exp(-|-k theta_N - u|)
    result = 1/K sum over k = 1..K of |log(|mu+_k| / (|mu-_k| + eps) + eps)|

    (circulate-firing paper, Eq. 18 to 22, theta_N a magnitude as in these equations). Potentials beyond the last
    threshold are not counted. If one of the two regions is empty, the term of k is 0: as printed, an empty region
    would contribute about |log eps| and a gradient of 1 / eps.

    The gradient is finite everywhere, and 0 at perfect balance.
    """
    sums = _RegionSums.apply(u, K, theta_P, theta_N, detach_weights)
    weights, moments = sums.view(2, 2, K)  # each [sign, k]
    mean = moments / (weights + eps)
    ratio = torch.where((weights > 0).all(0), mean[0] / (mean[1] + eps) + eps, 1)
    return ratio.log().abs().mean()


class _RegionSums(torch.autograd.Function):
    """Sums over each region of w and of w |u|: [2, 2 K], the positive regions first.

    Autograd through masks takes several times as long and saves many times as much; the derivatives with respect to
    |u| are w and w (1 + |u|), or 0 and w with constant weights.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, K: int, theta_P: float, theta_N: float, detach_weights: bool) -> Tensor:
        ctx.save_for_backward(u)
        ctx.constants = (K, theta_P, theta_N, detach_weights)
        sums = []
        for part in _parts(u):
            distance, w = _distance_and_weight(part, K * max(theta_P, theta_N))
            moment = distance.mul_(w)
            for inside, scale in _regions(part, K, theta_P, theta_N):
                sums += [(inside * one).sum() * scale for one in (w, moment)]
        return torch.stack(sums).view(-1, 2 * K, 2).sum(0).T.contiguous()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (u,) = ctx.saved_tensors
        K, theta_P, theta_N, detach_weights = ctx.constants
        of_moments = grad_outputs[0][1]
        constants, slopes = (of_moments, None) if detach_weights else (grad_outputs[0].sum(0), of_moments)
        grad = torch.empty(u.shape, dtype=u.dtype, device=u.device)
        for part, out in zip(_parts(u), _parts(grad), strict=True):
            distance, w = _distance_and_weight(part, K * max(theta_P, theta_N))
            out.zero_()
            slope = torch.zeros_like(part)
            for j, (inside, scale) in enumerate(_regions(part, K, theta_P, theta_N)):
                out += inside * (constants[j] * scale)
                if slopes is not None:
                    slope += inside * (slopes[j] * scale)
            out.addcmul_(slope, distance).mul_(w).mul_(part.sign())
        return grad, None, None, None, None


def _parts(u: Tensor) -> tuple[Tensor, ...]:
    """Splits the numbers into pieces that fit into a CPU's cache; returns a single piece elsewhere."""
    parts: tuple[Tensor, ...] = torch.split(u.reshape(-1), PART if u.device.type == "cpu" else u.numel())
    return parts


def _distance_and_weight(u: Tensor, top: float) -> tuple[Tensor, Tensor]:
    """Returns min(|u|, top), and exp of its difference to top."""
    distance = u.abs().clamp_(max=top)
    return distance, (distance - top).exp_()


def _regions(u: Tensor, K: int, theta_P: float, theta_N: float) -> Iterator[tuple[Tensor, float]]:
    """Returns 1 inside each region and 0 outside, and exp(top - k theta), by which exp(|u| - top) becomes the weights.

    Floats instead of booleans: on a CPU, selecting by a boolean takes forty times as long as comparing into a float.
    """
    top = K * max(theta_P, theta_N)
    for compare, theta in ((torch.gt, theta_P), (torch.lt, -theta_N)):
        below = compare(u, 0.0, out=torch.empty_like(u))
        for k in range(1, K + 1):
            above = compare(u, k * theta, out=torch.empty_like(u))
            yield below.sub_(above), exp(top - k * abs(theta))
            below = above
