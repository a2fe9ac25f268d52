"""The positive-negative balance of membrane potentials, the regulariser of the circulate-firing paper."""

from typing import Literal

import torch
from torch import Tensor

from snnlab.neurons._membrane import MembraneNeuron
from snnlab.ranges import NonNegative, Positive, PositiveInt
from snnlab.regularisers._regulariser import Regulariser


class PNB(Regulariser):
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
    terms = []
    for k in range(1, K + 1):
        up, some_up = _edge_mean(u, (k - 1) * theta_P, k * theta_P, eps, detach_weights)
        down, some_down = _edge_mean(-u, (k - 1) * theta_N, k * theta_N, eps, detach_weights)
        ratio = torch.where(some_up & some_down, up / (down + eps) + eps, 1)
        terms.append(ratio.log().abs())
    return torch.stack(terms).mean()


def _edge_mean(
    u: Tensor, above: float, upto: float, eps: float, detach_weights: bool
) -> tuple[Tensor, Tensor]:
    """Mean of all u in (above, upto], weighted with exp(u - upto); and whether there is any."""
    inside = (u > above) & (u <= upto)
    u = torch.where(inside, u, 0)
    w = torch.where(inside, torch.exp(u - upto), 0)
    if detach_weights:
        w = w.detach()
    return (w * u).sum() / (w.sum() + eps), inside.any()
