"""A neuron's time step, forward and backward, as C statements for one element."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from snnlab.kernels.contract import Dynamics
from snnlab.kernels.cpu.trace import Numbers, Trace, UntraceableError
from snnlab.kernels.eager import differentiate
from snnlab.surrogates.base import Surrogate


@dataclass(frozen=True)
class Program:
    """The C statements of one time step of one element, and the names of their variables.

    Attributes:
        charge: from x, v (and the decay) to h.
        fire: from h to s, w, where w is the potential after the reset.
        backward: from h, x, v, gs, gv to gx, gv' and the gradients of scalars.
        results: the variable of each result.
        parameters: names of the surrogate's parameters, in order.
        stepped: those parameters that have an element for each step.
        numbers: values of the constants n0, n1, ... in the statements.
        learned_decay: whether the decay is a scalar with a gradient.
        adaptive: whether each step has a threshold and a width, which `fire` and `backward` take.
    """

    charge: tuple[str, ...]
    fire: tuple[str, ...]
    backward: tuple[str, ...]
    results: dict[str, str]
    parameters: tuple[str, ...]
    stepped: frozenset[str]
    numbers: tuple[float, ...]
    learned_decay: bool
    adaptive: bool


def program_of(
    dynamics: Dynamics, surrogate: Surrogate, decay: Tensor | float, dtype: torch.dtype, adaptive: bool
) -> Program:
    """Traces one time step.

    Raises:
        UntraceableError: the step contains operations that are not elementwise.
    """
    # The numbers of a trace mean nothing, so debug=nan must not look at them.
    unwatched = torch.autograd.set_detect_anomaly(False)
    with torch.inference_mode(False), torch.enable_grad(), unwatched, _all_learned(surrogate):
        return _program_of(dynamics, surrogate, decay, dtype, adaptive)


@contextmanager
def _all_learned(surrogate: Surrogate) -> Iterator[None]:
    """Lets all parameters of a surrogate have a gradient: one program serves them frozen and learned."""
    frozen = [one for one in surrogate.parameters() if not one.requires_grad]
    for one in frozen:
        one.requires_grad_(True)
    try:
        yield
    finally:
        for one in frozen:
            one.requires_grad_(False)


def _program_of(
    dynamics: Dynamics, surrogate: Surrogate, decay: Tensor | float, dtype: torch.dtype, adaptive: bool
) -> Program:
    learned = isinstance(decay, Tensor)
    results: dict[str, str] = {}
    names = tuple(f"p{k}" for k, _ in enumerate(surrogate.parameters()))
    given = ("h", "x", "v", "gs", "gv", "extra", "decay", *(("threshold", "width") if adaptive else ()))
    scalars = {name: torch.tensor(0.3, dtype=dtype) for name in given}
    x, v, h, gs, gv, decay_scalar = (scalars[name] for name in ("x", "v", "h", "gs", "gv", "decay"))

    if adaptive:
        dynamics = dynamics.at_threshold(scalars["threshold"], scalars["width"])

    with Trace("c", scalars) as charge:
        h_new = dynamics.charge(x, v, decay_scalar if learned else decay)
    with Trace("f", scalars) as fire:
        s = dynamics.fire(h, 0, out=torch.empty_like(h))
        w = dynamics.reset(h, s)
    results |= {"h": charge.name(h_new), "s": fire.name(s), "w": fire.name(w)}

    inputs = [tensor.requires_grad_() for tensor in ((x, v, decay_scalar) if learned else (x, v))]
    with Trace("b", scalars | dict(zip(names, surrogate.parameters(), strict=True))) as backward:
        if names:
            grad_h, *grads = differentiate(dynamics, surrogate, h, 0, gs, gv)
        else:
            grad_h, grads = dynamics.adjoint(h, 0, gs, gv, surrogate, torch.empty_like(h)), []
        charged = dynamics.charge(x, v, decay_scalar if learned else decay)
        grad_inputs = torch.autograd.grad(
            charged, inputs, grad_h + scalars["extra"], allow_unused=True, materialize_grads=True
        )
    for name, grad in zip(("gx", "gv", "gdecay"), grad_inputs, strict=False):
        results[name] = backward.name(grad)
    for name, grad in zip(names, grads, strict=True):
        results[f"g{name}"] = backward.name(grad)
    if mixed := {n for n in backward.stepped if results[f"g{n}"] not in backward.per_step}:
        raise UntraceableError(f"its parameter {mixed} is used in more than one way")
    numbers = Numbers()
    charged_by, fired_by, back_by = (
        tuple(numbers.name(line) for line in trace.lines) for trace in (charge, fire, backward)
    )
    results = {name: numbers.name(result) for name, result in results.items()}
    return Program(
        charged_by,
        fired_by,
        back_by,
        results,
        names,
        frozenset(backward.stepped),
        numbers.values,
        learned,
        adaptive,
    )
