"""Which back end runs a neuron's recurrence: the choice, the reasons against it, and what has run.

Shape suffixes: T time steps, `...` any further axes.
"""

import importlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, cast, get_args

from torch._subclasses.fake_tensor import FakeTensor

from snnlab.kernels.contract import Backend, Call, FusedBackend
from snnlab.triton_language import tl

BackendName = Literal["auto", "eager", "compiled", "triton"]

# Modules that implement `Backend`; imported when first considered.
_MODULES = {"compiled": "snnlab.kernels.cpu.backend", "triton": "snnlab.kernels.triton.backend"}


class BackendError(ValueError):
    """The back end that was asked for does not cover a call."""


counts: Counter[str] = Counter()
"""How often each back end has run since `use_backend`."""

_chosen: BackendName = "auto"
_said: set[str] = set()
_fuse = True


def use_backend(name: BackendName, say: Callable[[str], object] | None = None, fuse: bool = True) -> None:
    """Chooses the back end of all neurons of this process.

    Args:
        name: `auto` takes the fastest that covers a call, says once why it is not a faster kind, and runs the plain
            PyTorch form otherwise; `eager` always runs that; `compiled` (generated C++, for the CPU) and `triton`
            (for CUDA) raise where they do not cover a call.
        say: takes the warnings of `auto`; `warnings.warn` if None.
        fuse: run a normalisation and the neuron behind it as one, where the back end can (`snnlab/layers/fused.py`).

    Raises:
        ValueError: no such back end.
    """
    global _chosen, _say, _fuse
    if name not in get_args(BackendName):
        raise ValueError(f"no back end is called '{name}'; there are {', '.join(get_args(BackendName))}")
    _chosen = name
    _fuse = fuse
    _say = _warn if say is None else say
    _said.clear()
    counts.clear()


def ran() -> str:
    """Which back ends have run, as words."""
    total = sum(counts.values())
    return ", ".join(f"{name} {100 * count / total:.0f} %" for name, count in counts.most_common()) or "none"


@contextmanager
def backend(name: BackendName) -> Iterator[None]:
    """The same inside a `with` block."""
    global _chosen
    before, _chosen = _chosen, name
    try:
        yield
    finally:
        _chosen = before


def pick(call: Call) -> Backend | None:
    """The back end for a call; None: the plain PyTorch form.

    Raises:
        BackendError: the one that was asked for does not cover the call.
    """
    if _chosen == "eager" or isinstance(call.x_T, FakeTensor):
        name = "eager"
    elif _chosen == "auto":
        name = _fastest(call)
    elif reason := _refusal(name := _chosen, call):
        raise BackendError(f"the back end {name} does not cover this: {reason}")
    counts[name] += 1
    return None if name == "eager" else _module(name)


def fusing(call: Call, residual: bool, stepped: bool) -> FusedBackend | None:
    """What runs the call, whose input is still to be normalised, with the normalisation in one; counts it.

    Args:
        call: of the neuron, with the input of the normalisation.
        residual: something is added between the two.
        stepped: the normalisation differs between steps.
    """
    if not _fuse or _chosen == "eager" or isinstance(call.x_T, FakeTensor) or not call.surrogate.plain_step:
        return None
    name = {"cpu": "compiled", "cuda": "triton"}.get(call.x_T.device.type) if _chosen == "auto" else _chosen
    if name == "compiled" and call.x_T.device.type == "cpu":
        from snnlab.kernels.cpu import backend as cpu
        from snnlab.kernels.cpu import norm as cpu_norm

        refusal = cpu.refusal(call, affine=True, residual=residual, stepped=stepped)
        if refusal is None and (_chosen == "compiled" or cpu.pays(call)):
            counts["compiled with norm"] += 1
            return cpu_norm
    elif name == "triton" and tl is not None:
        from snnlab.kernels.triton import norm as triton_norm

        if triton_norm.refusal(call, stepped) is None:
            counts["triton with norm"] += 1
            return triton_norm
    return None


def pick_operator(call: Call) -> Backend | None:
    """The same within torch.compile, which fuses the plain form by itself but takes the kernels as they are.

    Raises:
        BackendError: `triton` was asked for and does not cover the call.
    """
    if not (_chosen == "triton" or (_chosen == "auto" and call.x_T.is_cuda)):
        return None
    reason: str | None = "Triton is not installed"
    if tl is not None:
        from snnlab.kernels.triton import (
            backend as triton_backend,  # a plain import, which torch.compile can trace
        )

        if not (reason := triton_backend.refusal(call)):
            return triton_backend
    if _chosen == "triton":
        raise BackendError(f"the back end triton does not cover this: {reason}")
    return None


def _fastest(call: Call) -> str:
    name = {"cpu": "compiled", "cuda": "triton"}.get(call.x_T.device.type)
    if name not in _MODULES:
        return "eager"
    if call.surrogate.plain_step and not _module(name).pays(call):
        return "eager"
    if reason := _refusal(name, call):
        message = f"neurons run in plain PyTorch, not in the back end {name}: {reason}"
        if message not in _said:
            _said.add(message)
            _say(message)
        return "eager"
    return name


def _refusal(name: str, call: Call) -> str | None:
    if not call.surrogate.plain_step:
        return f"the surrogate {type(call.surrogate).__name__} has a forward pass of its own"
    try:
        module = _module(name)
    except (ImportError, KeyError) as error:
        return f"it cannot be loaded: {error}"
    return module.refusal(call)


def _module(name: str) -> Backend:
    return cast(Backend, importlib.import_module(_MODULES[name]))


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


_say: Callable[[str], object] = _warn
