"""The interface of all surrogates: a step function in the forward pass, a smooth derivative in the backward pass.

All share one autograd function; a surrogate defines `gradient` and its antiderivative `primitive`.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Surrogate(nn.Module):
    """Base class of surrogate gradients: `s = 1 if u >= 0 else 0`, with `ds/du := gradient(u)`.

    `u` is the membrane potential minus the threshold, of any shape and any floating point type.

    Attributes:
        num_steps: number of time steps with parameters of their own; None: all steps are alike.
        kernel_gradient: `gradient` for Triton kernels, a function `(u, a, numbers)` marked with
            `snnlab.triton_language.jit`: numbers are `kernel_numbers()`, constants when the kernel is compiled, and a
            is the learned parameter of the step. None: kernels do not cover the surrogate.
        kernel_learning: the derivative of the smooth step with respect to a, a function of the same kind.
    """

    num_steps: int | None = None
    kernel_gradient: ClassVar[Any] = None
    kernel_learning: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _classes[f"{cls.__module__}.{cls.__qualname__}"] = cls

    @property
    def plain_step(self) -> bool:
        """Whether `forward` returns exactly the step function, so that a neuron may compare instead of calling it."""
        return type(self).forward is Surrogate.forward

    def at(self, t: int, threshold: float) -> "Surrogate":
        """Returns the surrogate of time step t (from 0) for thresholds at this distance from each other and from rest.

        It returns itself, unless a subclass depends on one of the two. A neuron with several levels calls one such
        surrogate for each level, so the gradient over all levels is the sum of their gradients.
        """
        return self

    def kernel_numbers(self) -> tuple[float, ...]:
        """Returns the constants of `kernel_gradient`."""
        return ()

    def kernel_learned(self) -> Tensor | None:
        """Returns the learned parameter of each time step [T], with a gradient; None if nothing is learned."""
        return None

    def quantities(self) -> dict[str, Tensor]:
        """Returns what training changes about its shape, for logging: name -> [] or a number per step [T]."""
        return {}

    def forward(self, u: Tensor) -> Tensor:
        """Returns spikes [...] for u [...], in u's dtype: 1 where `u >= 0`, else 0 (0 for NaN)."""
        return _Spike.apply(u, self)  # type: ignore[no-any-return]

    def gradient(self, u: Tensor) -> Tensor:
        """Returns the derivative that replaces that of the step function, elementwise."""
        raise NotImplementedError

    def primitive(self, u: Tensor) -> Tensor:
        """Returns an antiderivative of `gradient`, elementwise: the smooth step whose derivative is the gradient."""
        raise NotImplementedError


_classes: dict[str, type[Surrogate]] = {}


def surrogate_class(name: str) -> type[Surrogate]:
    """Returns the class of this full name (with its module), as which a PyTorch operator receives a surrogate."""
    return _classes[name]


def heaviside(u: Tensor) -> Tensor:
    """Returns 1 where `u >= 0`, else 0 (also for NaN), in u's dtype, without a gradient."""
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
