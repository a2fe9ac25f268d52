"""The neuron of LTMD, whose threshold is learned."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from snnlab.kernels.contract import Call, Dynamics, KernelForm
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.ranges import HalfOpenFraction, OpenFraction
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.rectangle import Rectangle


class LTMD(MembraneNeuron):
    """Leaky integrate-and-fire neuron with a learned threshold, one per layer.

    h_t = decay v_{t-1} + x_t,  s_t = 1 if h_t >= tanh(w) else 0,  v_t = h_t (1 - s_t)

    and in the backward pass ds/dh = g(h - tanh(w)) = -ds/dtanh(w), g the surrogate: the learnable thresholding of
    Wang, Cheng and Lim 2022, "LTMD", as in its released code (which fires on strictly greater), with its decay and
    its first w of 0.5. The hyperbolic tangent keeps the threshold below 1. The paper's moderate dropout belongs to its
    network and is not here.

    Args:
        surrogate: gradient of the spike; None: `Rectangle()`, that of the released code.
        threshold: threshold before training, tanh(w); the released code has tanh(0.5).
        decay: factor of the potential from one step to the next.
    """

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        *,
        threshold: OpenFraction = 0.46211715726,
        decay: HalfOpenFraction = 0.25,
    ) -> None:
        super().__init__(Rectangle() if surrogate is None else surrogate)
        self.threshold = threshold
        self.decay = decay
        self.w = nn.Parameter(torch.tensor(float(threshold)).atanh())

    @property
    def thresholds(self) -> tuple[float, float]:
        return self.threshold, self.threshold

    def firing_thresholds(self, t: int) -> list[float]:
        return [float(self.w.detach().tanh())]

    def quantities(self) -> dict[str, Tensor]:
        return super().quantities() | {"threshold": self.w.tanh()}

    def current_decay(self) -> float:
        return self.decay

    def dynamics_of_call(self) -> Dynamics:
        return _AtTheta(self.threshold, 0.0, False, False, False, self.w.detach().tanh())

    def call_of(self, x_T: Tensor, v: Tensor, start: int, keep_state: bool) -> Call:
        call = super().call_of(x_T, v, start, keep_state)
        # The threshold's gradient is a part of the surrogate, also where none is asked for.
        with torch.inference_mode(False), torch.enable_grad():
            theta = self.w.tanh()
        return call._replace(surrogate=_LearnedThreshold(self.surrogate, theta))

    def extra_repr(self) -> str:
        return f"threshold={self.threshold:g} (learned), decay={self.decay:g}"


@dataclass(frozen=True)
class _AtTheta(Dynamics):
    """The equations of a step, with the current threshold theta [] as a constant."""

    theta: Tensor

    def kernel_form(self) -> KernelForm:
        family = "snnlab.kernels.triton.families.integrate_and_fire"
        return KernelForm(family, (0, 0, 0), self.threshold, self.threshold, self._threshold_width)

    def _threshold_width(self, start: int, steps: int) -> Tensor:
        """Returns thresholds and widths [2, T]."""
        theta = self.theta.to(torch.promote_types(self.theta.dtype, torch.float32))
        return torch.stack([theta, torch.ones_like(theta)]).unsqueeze(1).repeat(1, steps)

    def key(self) -> Hashable:
        return self.threshold

    def at_threshold(self, threshold: Tensor, width: Tensor) -> Dynamics:
        return replace(self, theta=threshold)

    def fire(self, h: Tensor, t: int, out: Tensor) -> Tensor:
        return torch.ge(h, self.theta, out=out)

    def spike(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold)(h - self.theta)  # type: ignore[no-any-return]

    def slope(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold).gradient(h - self.theta)


class _LearnedThreshold(Surrogate):
    """A surrogate for h - theta that also hands a gradient to theta, its first parameter.

    Args:
        inner: the surrogate of h - theta.
        theta: the threshold [], with a gradient; h - theta is given, so only its gradient is used.
    """

    def __init__(self, inner: Surrogate, theta: Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.theta = theta
        self.num_steps = inner.num_steps

    @property
    def plain_step(self) -> bool:
        return self.inner.plain_step

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:  # type: ignore[override]  # theta is no leaf
        yield self.theta
        yield from self.inner.parameters()

    def at(self, t: int, threshold: float) -> Surrogate:
        return _LearnedThreshold(self.inner.at(t, threshold), self.theta)

    def forward(self, u: Tensor) -> Tensor:
        return self.inner(u - (self.theta - self.theta.detach()))  # type: ignore[no-any-return]

    def gradient(self, u: Tensor) -> Tensor:
        return self.inner.gradient(u)
