"""The neuron whose threshold and surrogate width follow the distribution of its layer's membrane potentials."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from math import log
from typing import Literal

import torch
from torch import Tensor, distributed, nn

from snnlab.kernels.contract import Dynamics, KernelForm, Statistics
from snnlab.kernels.processes import many_processes
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.ranges import Fraction, OpenFraction, Positive
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.rectangle import Rectangle


class DSATGO(MembraneNeuron):
    """Leaky integrate-and-fire neuron with an adaptive threshold (AT) and an adaptive surrogate width (TGO).

    h_t = sigmoid(w) v_{t-1} + x_t                        w learned, one for the layer
    s_t = 1 if h_t >= theta_t else 0,  ds_t/dh_t = g((h_t - theta_t) / k_t) / k_t
    v_t = h_t (1 - s_t)

    for x_T [T, ...], g the surrogate. In training, with m_t and d_t the mean and the standard deviation (n - 1) of
    all of h_t, over batch, channels and space together, both treated as constants by the backward pass:

    theta_t   = f_c (m_t + d_t)                           DS-ATGO Eq. 5, mpd "true"
    running_t = (1 - momentum) running_t + momentum theta_t,  threshold before training; Eq. 6
    k_t       = 1 + tanh(d_t - threshold)                 width "std", released code
    k_t       = 1 + tanh(theta_t - threshold)             width "threshold", Eq. 7, whose two cases coincide

    In evaluation theta_t = running_t and k_t = 1: no batch statistics are used, and samples are independent. With
    the default surrogate, `Rectangle()`, ds/dh is 1 / k where |h - theta| < k / 2 (Eq. 4); other surrogates are
    stretched by k in the same way, with constant area. mpd "estimated" replaces the statistics by m_t = 0 and
    d_t = threshold sqrt(1 + sigmoid(w)^2), at the first step d_t = threshold (Eq. 5).

    While `torch.distributed` is initialised with several processes, the statistics in training are computed over
    all of them, by one small collective for each time step. Statistics and threshold are in float32 under mixed
    precision. The processes' parts of the batch may differ in size.

    Args:
        surrogate: gradient of the spike before stretching; None: `Rectangle()`.
        num_steps: number of time steps with a running threshold; fewer may be run, more may not.
        threshold: V_th: the threshold without AT, and the initial running threshold. Also the reference of k_t; in
            the released code that is 1, its V_th.
        f_c: factor of the adaptive threshold; the paper has 1.0 and, for fewer spikes, 1.2.
        mpd: mean and deviation: true (of the membrane) | estimated (from the leak).
        momentum: weight of the newest batch in the running threshold.
        adaptive_threshold: true: AT | false: the threshold stays at V_th. Without it theta_t = threshold, and TGO
            compares what theta_t would be.
        adaptive_width: true: TGO | false: the surrogate is not stretched, k_t = 1.
        width: quantity that sets k_t: std (released code) | threshold (paper, Eq. 7). Default std: the published
            numbers were most likely made with the code.
        init_decay: factor of the potential from one step to the next, sigmoid(w), before training.

    Raises:
        ValueError: in `forward`, for more steps than there are running thresholds.
    """

    threshold_T: Tensor

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        num_steps: int = 1,
        *,
        threshold: Positive = 1.0,
        f_c: Positive = 1.0,
        mpd: Literal["true", "estimated"] = "true",
        momentum: Fraction = 0.1,
        adaptive_threshold: bool = True,
        adaptive_width: bool = True,
        width: Literal["std", "threshold"] = "std",
        init_decay: OpenFraction = 0.2,
    ) -> None:
        super().__init__(Rectangle() if surrogate is None else surrogate)
        self.threshold = threshold
        self.f_c = f_c
        self.mpd = mpd
        self.momentum = momentum
        self.adaptive_threshold = adaptive_threshold
        self.adaptive_width = adaptive_width
        self.width = width
        self.w = nn.Parameter(torch.tensor(log(init_decay / (1 - init_decay))))
        self.register_buffer("threshold_T", torch.full((num_steps,), threshold))

    @property
    def thresholds(self) -> tuple[float, float]:
        return self.threshold, self.threshold

    def firing_thresholds(self, t: int) -> list[float]:
        return [float(self.threshold_T[t]) if self.adaptive_threshold else self.threshold]

    def quantities(self) -> dict[str, Tensor]:
        return super().quantities() | ({"threshold": self.threshold_T} if self.adaptive_threshold else {})

    @property
    def num_steps(self) -> int:
        return len(self.threshold_T)

    def current_decay(self) -> Tensor:
        return self.w.sigmoid()

    def dynamics_of_call(self) -> Dynamics:
        return _Adaptive(
            self.threshold, 0.0, False, False, False, decide=self._decide, form=self._kernel_form()
        )

    @torch.no_grad()
    def _decide(self, h: Tensor, t: int) -> tuple[Tensor | float, Tensor | float]:
        """Returns threshold and width of step t from the potentials before reset h [...], in training."""
        if not self.training:
            return (self.threshold_T[t].clone() if self.adaptive_threshold else self.threshold), 1.0
        if not (self.adaptive_threshold or self.adaptive_width):
            return self.threshold, 1.0
        mean, std = self._estimate(h, t) if self.mpd == "estimated" else mean_and_std(h)
        adaptive, width = self._adapted(mean, std)
        if not self.adaptive_threshold:
            return self.threshold, width
        self._remember(t, adaptive)
        return adaptive, width

    def _adapted(self, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor | float]:
        adaptive = self.f_c * (mean + std)
        driver = std if self.width == "std" else adaptive
        # 1 + tanh(z), in a form that does not round to 0
        return adaptive, 2 * torch.sigmoid(2 * (driver - self.threshold)) if self.adaptive_width else 1.0

    def _remember(self, steps: int | slice, threshold: Tensor) -> None:
        self.threshold_T[steps].lerp_(threshold.to(self.threshold_T.dtype), self.momentum)

    def _estimate(self, h: Tensor, t: int) -> tuple[Tensor, Tensor]:
        std = h.new_full((), self.threshold)
        return torch.zeros_like(std), std * (1 + self.current_decay().to(h.dtype) ** 2).sqrt() if t else std

    def _kernel_form(self) -> KernelForm:
        adaptive = self.adaptive_threshold or self.adaptive_width
        statistics = self.training and adaptive and self.mpd == "true"
        return KernelForm(
            "snnlab.kernels.triton.families.integrate_and_fire",
            (0, 0, 1),
            self.threshold,
            self.threshold,
            None if statistics else self._threshold_width,
            Statistics(
                self.f_c,
                self.adaptive_threshold,
                self.adaptive_width,
                self.width == "std",
                self._decided,
                self._threshold_width_of,
            )
            if statistics
            else None,
        )

    @torch.no_grad()
    def _threshold_width(self, start: int, steps: int) -> Tensor:
        """Returns thresholds and widths [2, T] if they do not depend on the potentials."""
        running_T = self.threshold_T[start : start + steps]
        running_T = running_T.to(torch.promote_types(running_T.dtype, torch.float32))
        threshold_T, width_T = torch.full_like(running_T, self.threshold), torch.ones_like(running_T)
        if not self.training:
            return torch.stack([running_T if self.adaptive_threshold else threshold_T, width_T])
        if self.adaptive_threshold or self.adaptive_width:
            std_T = threshold_T * (1 + self.current_decay().to(threshold_T.dtype) ** 2).sqrt()
            if start == 0:
                std_T[0] = self.threshold
            adaptive_T, width = self._adapted(torch.zeros_like(std_T), std_T)
            width_T = width_T * width
            if self.adaptive_threshold:
                threshold_T = adaptive_T
                self._remember(slice(start, start + steps), adaptive_T)
        return torch.stack([threshold_T, width_T])

    @torch.no_grad()
    def _threshold_width_of(self, moments: Tensor) -> tuple[Tensor | float, Tensor | float]:
        """Returns threshold and width of a step from the moments [3] of this process's potentials."""
        adaptive, width = self._adapted(*over_processes(moments))
        return (adaptive if self.adaptive_threshold else self.threshold), width

    @torch.no_grad()
    def _decided(self, start: int, threshold_width_T: Tensor) -> None:
        if self.adaptive_threshold:
            self._remember(slice(start, start + threshold_width_T.shape[1]), threshold_width_T[0])

    def extra_repr(self) -> str:
        return (
            f"num_steps={self.num_steps}, threshold={self.threshold:g}, f_c={self.f_c:g}, mpd={self.mpd}, "
            f"AT={self.adaptive_threshold}, TGO={self.width if self.adaptive_width else False}"
        )


def mean_and_std(h: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation (n - 1; 0 for a single number) of all of h [...], over all processes."""
    count = h.numel()
    var, mean = torch.var_mean(h, correction=min(1, count - 1))
    if not many_processes():
        return mean, var.sqrt()
    return over_processes(torch.stack([torch.full_like(mean, count), mean, var * max(1, count - 1)]))


def over_processes(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation over all processes from this one's count, mean, squared differences [3]."""
    if not many_processes():
        count, mean, squares = moments
        return mean, (squares / (count - 1).clamp(min=1)).sqrt()
    parts = [torch.empty_like(moments) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, moments)
    return pooled(torch.stack(parts))


def pooled(parts: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation of parts [P, 3]: count, mean, sum of squared differences from that mean."""
    count, mean, squares = parts.unbind(1)
    total = count.sum()
    grand = (count / total * mean).sum()
    squares = squares.sum() + (count * (mean - grand) ** 2).sum()
    return grand, (squares / (total - 1)).sqrt()


@dataclass(frozen=True)
class _Adaptive(Dynamics):
    """The equations of one call with hard reset; the backward pass uses the thresholds of the forward pass."""

    decide: Callable[[Tensor, int], tuple[Tensor | float, Tensor | float]]
    form: KernelForm
    decided: dict[int, tuple[Tensor | float, Tensor | float]] = field(default_factory=dict)

    def kernel_form(self) -> KernelForm:
        return self.form

    def key(self) -> Hashable:
        return self.threshold

    def at_threshold(self, threshold: Tensor, width: Tensor) -> Dynamics:
        return replace(self, decided={0: (threshold, width)})

    def of_step(self, h: Tensor, t: int) -> tuple[Tensor | float, Tensor | float]:
        if t not in self.decided:
            self.decided[t] = self.decide(h, t)
        return self.decided[t]

    def fire(self, h: Tensor, t: int, out: Tensor) -> Tensor:
        return torch.ge(h, self.of_step(h, t)[0], out=out)

    def spike(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        threshold, width = self.of_step(h, t)
        return surrogate.at(t, self.threshold)((h - threshold) / width)  # type: ignore[no-any-return]

    def slope(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        threshold, width = self.of_step(h, t)
        return surrogate.at(t, self.threshold).gradient((h - threshold) / width).div_(width)
