"""The rectifier with learnable quantisation levels, from which networks of mixed time steps are converted."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from snnlab.neurons.base import Neuron
from snnlab.ranges import Positive

SMALLEST = 1e-4
"""Lower bound of gamma and s, which divide."""


class QuantReLU(Neuron):
    """Rectified linear unit with T + 1 levels from 0 to gamma, T and gamma learnable; stateless.

    a = s clip(Q(z / s); 0, T),   Q(v) = floor(v + 1/2),   s = gamma / T

    for z [T', ...], elementwise at each time step (mixed-timestep paper, Eq. 5). T is an integer, at least 1: the
    nearest to a real number t, which is learned itself or determined by other learned numbers:

    parameters   learned     t            s          gamma
    n_s          n, s        2^n          s          s T
    n_gamma      n, gamma    2^n          gamma/T    gamma
    s_gamma      s, gamma    gamma/s      s          s T
    t_gamma      t, gamma    t            gamma/T    gamma

    Gradients are straight-through: both roundings are treated as the addition of a constant. With the constants
    c = Q(z/s) - z/s and d = T - t,

        a = s (z/s + c) where 0 <= Q <= T,   0 below,   s (t + d) above,

    a smooth function of z and of the learned parameters. Its derivatives, with v = z/s and q = Q(v):

                             0 <= q <= T     q > T    q < 0
        da/dz                1               0        0
        da/ds  (T fixed)     q - v           T        0
        da/dT  (s fixed)     0               s        0

    The chain rule for s and T in the table above then gives Eq. 11, 12, 15, 16 and 18 as printed where t is an
    integer, and these corrections: in Eq. 14 the first term is q / 2^n, as in Eq. 18, not s q; in
    Eq. 13 and 17 (n_gamma and t_gamma) the saturated term gamma I(q > T) ln 2 and gamma/t I(q > T) is 0, for
    at saturation a = gamma, which does not depend on T. `saturated="printed"` trains with the printed term. The
    sums over the elements of a layer are computed by autograd. Q rounds ties up, as the converted neuron does.

    Args:
        threshold: has no effect; accepted because models may set another threshold for some neurons.
        parameters: which two numbers are learned: n_s | n_gamma | s_gamma | t_gamma (the paper's best).
        t_init: initial t; T is the nearest integer. The paper does not say; 8 is that of its predecessor
            QCFS.
        gamma_init: initial gamma, the greatest output. The paper does not say; 8 is that of QCFS.
        saturated: gradient of t where the output is gamma: autograd (0) | printed (the paper's extra term). The term
            of Eq. 13 and 17 raises or lowers t with the loss gradient at saturation. Without effect on n_s and
            s_gamma.
        negative: gradient of the parameters where q < 0: zero | printed (the paper's masks). The paper's text defines
            clip, which gives "zero"; the masks of Eq. 11 to 18 say q - v there as well, without the clip.
    """

    batch_axis = None

    def __init__(
        self,
        threshold: float = 0.0,
        *,
        parameters: Literal["n_s", "n_gamma", "s_gamma", "t_gamma"] = "t_gamma",
        t_init: Positive = 8.0,
        gamma_init: Positive = 8.0,
        saturated: Literal["autograd", "printed"] = "autograd",
        negative: Literal["zero", "printed"] = "zero",
    ) -> None:
        super().__init__()
        self.parameterisation = parameters
        start = {
            "n": torch.tensor(float(t_init)).log2(),
            "t": torch.tensor(float(t_init)),
            "s": torch.tensor(gamma_init / t_init),
            "gamma": torch.tensor(float(gamma_init)),
        }
        self.learned = tuple(parameters.split("_"))
        for name in self.learned:
            self.register_parameter(name, nn.Parameter(start[name]))
        # Parameters with optimiser settings of their own: those that determine t, and those that determine the height.
        first, second = self.learned
        self.optimizer_groups = {first: "t", second: "gamma"}
        # With gamma learned, da/dT of the printed equations keeps s where the change of s cancels it.
        self._extra = saturated == "printed" and parameters in ("n_gamma", "t_gamma")
        self._negative = negative == "printed"

    def _learned(self, name: str) -> Tensor:
        parameter = self._parameters[name]
        assert parameter is not None
        return parameter

    def real_t(self) -> Tensor:
        """Returns the real number t that is rounded to T, differentiable."""
        first, second = self.learned
        if first == "n":
            return torch.exp2(self._learned("n"))
        if first == "t":
            return self._learned("t")
        return self._learned(second) / _at_least(self._learned("s"), SMALLEST)

    def step_and_levels(self) -> tuple[Tensor, Tensor]:
        """Returns s and T as float scalars; gradients pass through the rounding of T and through its bound 1."""
        t = self.real_t()
        levels = _passing((t.detach() + 0.5).floor().clamp(min=1), t)
        if "s" in self.learned:
            return _at_least(self._learned("s"), SMALLEST), levels
        return _at_least(self._learned("gamma"), SMALLEST) / levels, levels

    @property
    def time_steps(self) -> int:
        """T, the number of time steps of the neuron that this one is converted to."""
        return round(self.step_and_levels()[1].item())

    @property
    def height(self) -> Tensor:
        """gamma (or s T), the greatest output, which is the threshold of the neuron that this one is converted to."""
        step, levels = self.step_and_levels()
        return (step * levels).detach()

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        step, levels = self.step_and_levels()
        a_T: Tensor = _Quantise.apply(x_T, step, levels, self._extra, self._negative)
        return a_T, self.initial_state(x_T) if state is None else state

    def initial_state(self, x: Tensor) -> Tensor:
        """Returns an empty tensor."""
        return x.new_empty(0)

    def extra_repr(self) -> str:
        return f"parameters={self.parameterisation}"


def _at_least(x: Tensor, bound: float) -> Tensor:
    """Returns max(x, bound), with the gradient of x everywhere, so that a value below the bound can grow again."""
    return _passing(x.detach().clamp(min=bound), x)


def _passing(value: Tensor, x: Tensor) -> Tensor:
    """Returns exactly the value, with the gradient of x."""
    return value + (x - x.detach())


def _precise(x: Tensor, step: Tensor) -> Tensor:
    """Returns a tensor in the precision of the computation, which type promotion with a scalar would not raise."""
    return x.to(torch.promote_types(x.dtype, step.dtype))


class _Quantise(torch.autograd.Function):
    """a = s clip(floor(z/s + 1/2); 0, T) with the derivatives of the table in `QuantReLU`; keeps z only."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, step: Tensor, levels: Tensor, extra: bool, negative: bool) -> Tensor:
        ctx.save_for_backward(z, step, levels)
        ctx.extra, ctx.negative = extra, negative
        q = (_precise(z, step) / step).add_(0.5).floor_().clamp_(min=0)
        return torch.minimum(q, levels, out=q).mul_(step).to(z.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        z, step, levels = ctx.saved_tensors
        (grad,) = grad_outputs
        grad, v = _precise(grad, step), _precise(z, step) / step
        q = (v + 0.5).floor()
        above = q > levels
        inside = (q >= 0) & ~above
        grad_z = (grad * inside).to(z.dtype)
        grad_above = (grad * above).sum()
        residual = (q - v).mul_(~above if ctx.negative else inside)
        grad_step = residual.mul_(grad).sum() + grad_above * levels
        grad_levels = grad_above * step * (2 if ctx.extra else 1)
        return grad_z, grad_step.to(step.dtype), grad_levels.to(levels.dtype), None, None
