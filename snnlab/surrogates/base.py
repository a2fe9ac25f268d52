"""What all surrogates share: a step function in the forward pass, a smooth derivative in the backward pass.

One autograd function serves them all; a surrogate adds `gradient` and its antiderivative `primitive`.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Surrogate(nn.Module):
    """Base class: `s = 1 if u >= 0 else 0`, with `ds/du := gradient(u)`.

    `u` is the membrane potential minus the threshold, of any shape and any floating point type.

    Attributes:
        num_steps: time steps that it has parameters for; None: every step is alike.
        kernel_gradient: `gradient` for Triton kernels, a function `(u, a, numbers)` marked with
            `snnlab.triton_language.jit`: numbers are `kernel_numbers()`, constants when the kernel is compiled, and a
            is what the surrogate learns for the step. None: kernels do not cover the surrogate.
        kernel_learning: the derivative of the smooth step with regard to a, a function of the same kind.
    """

    num_steps: int | None = None
    kernel_gradient: ClassVar[Any] = None
    kernel_learning: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _classes[f"{cls.__module__}.{cls.__qualname__}"] = cls

    @property
    def plain_step(self) -> bool:
        """Whether `forward` gives the step itself, so that a neuron may compare instead of calling it."""
        return type(self).forward is Surrogate.forward

    def at(self, t: int, threshold: float) -> "Surrogate":
        """The surrogate of time step t (from 0) for thresholds that lie so far from each other and from rest.

        Itself, unless a subclass depends on one of them. A neuron with several levels calls one such surrogate
        for each level, so a gradient over all levels is the sum of theirs.
        """
        return self

    def kernel_numbers(self) -> tuple[float, ...]:
        """The numbers that `kernel_gradient` works with."""
        return ()

    def kernel_learned(self) -> Tensor | None:
        """What is learned for each time step [T], with a gradient; None: nothing."""
        return None

    def quantities(self) -> dict[str, Tensor]:
        """What training changes about its form, to be logged: name -> [] or a number per step [T]."""
        return {}

    def forward(self, u: Tensor) -> Tensor:
        """Spikes [...] of u [...], in u's dtype: 1 where `u >= 0`, else 0 (0 for NaN)."""
        return _Spike.apply(u, self)  # type: ignore[no-any-return]

    def gradient(self, u: Tensor) -> Tensor:
        """The derivative that replaces the step's, elementwise."""
        raise NotImplementedError

    def primitive(self, u: Tensor) -> Tensor:
        """An antiderivative of `gradient`, elementwise: the smooth step that the gradient belongs to."""
        raise NotImplementedError


_classes: dict[str, type[Surrogate]] = {}


def surrogate_class(name: str) -> type[Surrogate]:
    """The class called so, with its module: the name by which an operator of PyTorch is told a surrogate."""
    return _classes[name]


def heaviside(u: Tensor) -> Tensor:
    """1 where `u >= 0`, else 0 (also for NaN), in u's dtype, without a gradient."""
    # On the CPU, comparing into a float tensor is several times as fast as comparing and casting.
    return u.detach().clone().ge_(0)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(u)
        ctx.surrogate = surrogate
        return heaviside(u)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return grad_outputs[0] * ctx.surrogate.gradient(u), None
