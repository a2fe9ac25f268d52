"""The back end `compiled`: generated C++ for the CPU, one pass over memory in the forward and one in the backward pass.

Only the input is saved for the backward pass, which recomputes the membrane potentials. Shape suffixes: T time steps,
`...` any further axes.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, Result
from snnlab.kernels.cpu.arguments import Pointers, address, repeats
from snnlab.kernels.cpu.compiler import BuildError, library
from snnlab.kernels.cpu.program import Program, program_of
from snnlab.kernels.cpu.source import CHUNKS, INPUT_TYPES, Variant, source_of
from snnlab.kernels.cpu.thresholds import forward
from snnlab.kernels.cpu.trace import UntraceableError
from snnlab.kernels.eager import measured_gradient
from snnlab.surrogates.base import Surrogate

LEAST_ELEMENTS = 1 << 15
"""Below so many elements T * N a call in plain PyTorch costs less than a build."""

MOST_STEPS = 64
"""The steps are written out in the source; with more of them it takes too long to build."""

_MODULE_KEYS = frozenset(vars(nn.Module()))


@dataclass(frozen=True)
class Kernel:
    """A compiled program and the values of its constants; or the reason why there is none."""

    program: Program | None = None
    functions: Any = None
    numbers: Tensor | None = None
    refusal: str | None = None


def refusal(call: Call, **variant: bool) -> str | None:
    """Returns the reason why it does not cover a call, as a clause; None if it does. `variant` as in `kernel_of`."""
    if call.x_T.device.type != "cpu":
        return f"it is for the CPU, and the input is on {call.x_T.device.type}"
    return refusal_anywhere(call) or kernel_of(call, **variant).refusal


def refusal_anywhere(call: Call) -> str | None:
    """Returns the reason, whatever the device, why it does not try to cover a call; None if it does."""
    if call.x_T.dtype not in INPUT_TYPES or call.v.dtype not in (torch.float32, torch.float64):
        return f"it does not compute in {str(call.x_T.dtype).removeprefix('torch.')}"
    if len(call.x_T) > MOST_STEPS:
        return f"{len(call.x_T)} time steps are more than {MOST_STEPS}"
    return None


def pays(call: Call) -> bool:
    """Returns whether a call is large enough to repay compilation and launch."""
    return call.x_T.numel() >= LEAST_ELEMENTS


def run_planned(call: Call) -> Result | None:
    """Returns the results of `integrate_and_fire` if a call of these types and equations has been run; else None."""
    parameters = parameters_of(call.surrogate)
    try:
        kernel = call.plans.get(_key(call, parameters))
    except TypeError:  # equations without a hash
        return None
    return None if kernel is None else _run(call, kernel, parameters)


def run(call: Call) -> Result:
    """Returns the results of `integrate_and_fire`, differentiable once."""
    kernel, parameters = kernel_of(call), parameters_of(call.surrogate)
    call.plans.keep(_key(call, parameters), kernel)
    return _run(call, kernel, parameters)


def _key(call: Call, parameters: tuple[Tensor, ...]) -> Hashable:
    """Returns everything that `refusal` and the kernel depend on."""
    x_T = call.x_T
    return (
        "compiled",
        x_T.shape[0],
        x_T.dtype,
        x_T.device,
        call.v.dtype,
        call.measure is None,
        call.surrogate.plain_step,
        *_equations(call, parameters),
    )


def _run(call: Call, kernel: Kernel, parameters: tuple[Tensor, ...]) -> Result:
    learned = call.decay if isinstance(call.decay, Tensor) else None
    x_T = dense(call.x_T)
    v = call.v if repeats(call.v) else like(call.v, x_T[0])
    return _Compiled.apply(x_T, v, learned, call, kernel, *parameters)  # type: ignore[no-any-return]


def parameters_of(surrogate: Surrogate) -> tuple[Tensor, ...]:
    """Returns `surrogate.parameters()`, without its search where there is nothing to find."""
    return tuple(surrogate.parameters()) if surrogate._parameters or surrogate._modules else ()


_kernels: dict[object, Kernel] = {}


def kernel_of(call: Call, affine: bool = False, residual: bool = False, stepped: bool = False) -> Kernel:
    """Returns the kernel for a call's equations and dtypes; layers with equal equations share one."""
    variant = _variant(call, affine, residual, stepped)
    try:
        key = (*_equations(call, parameters_of(call.surrogate)), variant)
        if (kernel := _kernels.get(key)) is None:
            kernel = _kernels[key] = _build(call, variant)
    except TypeError:
        return Kernel(refusal=f"the equations {type(call.dynamics).__name__} have no hash")
    return kernel


def key_of(call: Call, affine: bool, residual: bool, stepped: bool) -> Hashable | None:
    """Returns what the library of a call depends on; None if the equations have no hash, and so no library."""
    key = (*_equations(call, parameters_of(call.surrogate)), _variant(call, affine, residual, stepped))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def source_of_call(call: Call, affine: bool, residual: bool, stepped: bool) -> str:
    """Returns the source of the library of a call, of which no values are looked at.

    Raises:
        UntraceableError: its equations cannot be translated.
    """
    return source_of(_program_of(call), _variant(call, affine, residual, stepped))


def _variant(call: Call, affine: bool, residual: bool, stepped: bool) -> Variant:
    measured = call.measure is not None
    return Variant(len(call.x_T), call.x_T.dtype, call.v.dtype, measured, affine, residual, stepped)


def _equations(call: Call, parameters: tuple[Tensor, ...]) -> tuple[object, ...]:
    decay = None if isinstance(call.decay, Tensor) else call.decay
    return type(call.dynamics), call.dynamics.key(), decay, *_own(call.surrogate), len(parameters)


def _own(surrogate: nn.Module) -> tuple[object, ...]:
    """Returns the type and the settings of a surrogate, and those of the surrogates inside of it; not its tensors."""
    settings = {
        name: value
        for name, value in vars(surrogate).items()
        if name not in _MODULE_KEYS and not isinstance(value, Tensor)
    }
    inside = (part for child in surrogate._modules.values() if child is not None for part in _own(child))
    return type(surrogate), repr(settings), *inside


def _build(call: Call, variant: Variant) -> Kernel:
    if any(True for _ in call.surrogate.buffers()):
        return Kernel(refusal=f"the surrogate {type(call.surrogate).__name__} has buffers")
    try:
        program = _program_of(call)
        functions = library(source_of(program, variant))
    except UntraceableError as error:
        names = f"{type(call.dynamics).__name__} with {type(call.surrogate).__name__}"
        return Kernel(refusal=f"{names}: {error}")
    except BuildError as error:
        return Kernel(refusal=str(error))
    return Kernel(program, functions, torch.tensor(program.numbers, dtype=variant.dtype))


def _program_of(call: Call) -> Program:
    form = call.dynamics.kernel_form()
    adaptive = form is not None and (form.threshold_width is not None or form.statistics is not None)
    return program_of(call.dynamics, call.surrogate, call.decay, call.v.dtype, adaptive)


def dense(x_T: Tensor) -> Tensor:
    """Returns x_T [T, ...] itself if its steps are stored back to back without gaps, in any order of axes; else a copy.

    A single step expanded to T steps counts as dense, too.
    """
    expected = 1
    axes = sorted((axis for axis in range(1, x_T.dim()) if x_T.shape[axis] > 1), key=x_T.stride)
    for axis in axes:
        if x_T.stride(axis) != expected:
            return x_T.contiguous()
        expected *= x_T.shape[axis]
    return x_T if x_T.shape[0] == 1 or x_T.stride(0) in (0, expected) else x_T.contiguous()


def blank(x_T: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Returns uninitialised memory for all steps, in the memory order of a dense x_T."""
    shape = x_T.shape
    return torch.empty_strided(shape, (shape[1:].numel(), *x_T.stride()[1:]), dtype=dtype or x_T.dtype)


def like(tensor: Tensor, model: Tensor) -> Tensor:
    """Returns the tensor in the memory order of a dense tensor of its shape; copies it if its order differs."""
    if all(
        size == 1 or a == b for size, a, b in zip(model.shape, tensor.stride(), model.stride(), strict=True)
    ):
        return tensor
    return torch.empty_like(model, dtype=tensor.dtype).copy_(tensor)


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_T: Tensor,
        v: Tensor,
        learned: Tensor | None,
        call: Call,
        kernel: Kernel,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        ctx.call, ctx.kernel = (call.start, call.measure), kernel
        ctx.set_materialize_grads(False)
        scalars = [*([] if learned is None else [learned]), *parameters]
        pointers = Pointers(x_T, v, call.start, scalars, numbers=kernel.numbers)
        spikes_T = blank(x_T)
        after = torch.empty_like(x_T[0], dtype=v.dtype) if call.keep_state else None
        h_T = None if call.measure is None else blank(x_T, v.dtype)
        threshold_width_T = forward(kernel.functions, pointers, call, spikes_T, after, h_T)
        ctx.save_for_backward(x_T, v, learned, threshold_width_T, *parameters)
        after = v.new_empty(0) if after is None else after
        return spikes_T, after, None if call.measure is None or h_T is None else call.measure(h_T)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_v: Tensor | None, grad_measured: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x_T, v, learned, threshold_width_T, *parameters = ctx.saved_tensors
        start, measure = ctx.call
        functions = ctx.kernel.functions
        scalars = [*([] if learned is None else [learned]), *parameters]
        pointers = Pointers(x_T, v, start, scalars, numbers=ctx.kernel.numbers)
        pointers.set_threshold_width(threshold_width_T)
        grad_x_T = blank(x_T)
        grad_h_T = None if measure is None else torch.zeros_like(grad_x_T, dtype=v.dtype)
        if grad_measured is not None:
            spikes_T, h_T = blank(x_T), blank(x_T, v.dtype)
            functions.forward(pointers.reference, address(spikes_T), address(None), address(h_T))
            grad_h_T = like(measured_gradient(measure, h_T, grad_measured), grad_x_T)
        grad_spikes_T = (
            torch.zeros_like(grad_x_T)
            if grad_spikes_T is None
            else like(grad_spikes_T.to(x_T.dtype), grad_x_T)
        )
        if grad_v is not None and grad_v.numel():
            grad_v = like(grad_v, x_T[0])
        grad_v0 = torch.empty_like(x_T[0], dtype=v.dtype) if ctx.needs_input_grad[1] else None
        sums = torch.zeros(CHUNKS, x_T.shape[0], len(scalars), dtype=torch.float64) if scalars else None
        functions.backward(
            pointers.reference,
            address(grad_spikes_T),
            address(grad_v),
            address(grad_h_T),
            address(grad_x_T),
            address(grad_v0),
            address(sums),
        )
        grads: list[Tensor | None] = [None]
        if sums is not None:
            grads = scalar_gradients(ctx.kernel.program, sums.sum(0), start, learned, parameters)
        return grad_x_T, grad_v0, grads[0], None, None, *grads[1:]


def scalar_gradients(
    program: Program, sums_T: Tensor, start: int, learned: Tensor | None, parameters: list[Tensor]
) -> list[Tensor | None]:
    """Returns the gradients of decay and parameters from sums_T [T, scalars]."""
    grads: list[Tensor | None] = [] if learned is not None else [None]
    scalars = [
        *([] if learned is None else [("decay", learned)]),
        *zip(program.parameters, parameters, strict=True),
    ]
    for k, (name, scalar) in enumerate(scalars):
        if name in program.stepped:
            grad = torch.zeros_like(scalar)
            grad[start : start + len(sums_T)] = sums_T[:, k].to(scalar.dtype)
        else:
            grad = sums_T[:, k].sum().to(scalar.dtype).view_as(scalar)
        grads.append(grad)
    return grads
