"""Selects the back end that runs a neuron's recurrence, explains refusals, and counts what has run.

Shape suffixes: T time steps, `...` any further axes.
"""

import importlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, cast, get_args

from torch._subclasses.fake_tensor import FakeTensor

from snnlab.kernels import eager
from snnlab.kernels.contract import Backend, Call, FusedBackend, Result
from snnlab.triton_language import tl

BackendName = Literal["auto", "eager", "compiled", "triton"]

# Modules that implement `Backend`; imported when first considered.
_MODULES = {"compiled": "snnlab.kernels.cpu.backend", "triton": "snnlab.kernels.triton.backend"}

_loaded: dict[str, Backend] = {}


class BackendError(ValueError):
    """The requested back end does not cover a call."""


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


class Noted(NamedTuple):
    """A call that ran in plain PyTorch.

    Attributes:
        call: the call; its `x_T` is the input of the normalisation if it is `fused`.
        fused: it could be one operation with the normalisation before it.
        residual: a residual is added between them.
        stepped: the normalisation differs between time steps.
    """

    call: Call
    fused: bool = False
    residual: bool = False
    stepped: bool = False


@dataclass(frozen=True)
class Choice:
    """The selected back end, and the count of calls since it was selected.

    Attributes:
        name: name of the back end.
        say: receives the warnings of `auto`.
        fuse: run a normalisation and the neuron behind it as one, where the back end can (`snnlab/layers/fused.py`).
        counts: how often each back end has run.
        said: the warnings given so far; each is given once.
        noted: receives the calls that run in `eager`, for `ahead.py`; None: nothing is kept.
    """

    name: BackendName = "auto"
    say: Callable[[str], object] = _warn
    fuse: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    said: set[str] = field(default_factory=set)
    noted: list[Noted] | None = None

    def __post_init__(self) -> None:
        if self.name not in get_args(BackendName):
            raise ValueError(
                f"no back end is called '{self.name}'; there are {', '.join(get_args(BackendName))}"
            )


# Read in the forward pass only: autograd runs backward passes in threads of its own, which have their own context.
_choice: ContextVar[Choice] = ContextVar("snnlab_backend", default=Choice())  # noqa: B039  # counts belong to it


def use_backend(name: BackendName, say: Callable[[str], object] | None = None, fuse: bool = True) -> Choice:
    """Selects the back end of all neurons for the rest of this thread.

    Args:
        name: `auto` selects the fastest back end that covers a call, warns once why a faster one was not used, and
            falls back to plain PyTorch; `eager` always runs plain PyTorch; `compiled` (generated C++, for the CPU)
            and `triton` (for CUDA) raise an error if they do not cover a call.
        say: receives the warnings of `auto`; `warnings.warn` if None.
        fuse: run a normalisation and the neuron behind it as one, where the back end can (`snnlab/layers/fused.py`).

    Raises:
        ValueError: no such back end.
    """
    choice = Choice(name, _warn if say is None else say, fuse)
    _choice.set(choice)
    return choice


@contextmanager
def backend(
    name: BackendName,
    say: Callable[[str], object] | None = None,
    fuse: bool | None = None,
    noted: list[Noted] | None = None,
) -> Iterator[Choice]:
    """Selects the back end inside a `with` block; arguments that are None keep their value from outside the block.

    Calls inside the block are counted in the yielded choice, and added to the outer choice when the block ends. Those
    that run in `eager` are appended to `noted`.
    """
    outside = _choice.get()
    inside = replace(outside, name=name, counts=Counter(), noted=noted)
    if say is not None:
        inside = replace(inside, say=say, said=set())
    if fuse is not None:
        inside = replace(inside, fuse=fuse)
    token = _choice.set(inside)
    try:
        yield inside
    finally:
        _choice.reset(token)
        outside.counts.update(inside.counts)


def counts() -> Counter[str]:
    """Returns how often each back end has run since the current one was selected."""
    return _choice.get().counts


def ran() -> str:
    """Returns the names of the back ends that have run, as text."""
    total = sum(counts().values())
    return (
        ", ".join(f"{name} {100 * count / total:.0f} %" for name, count in counts().most_common()) or "none"
    )


def run(call: Call) -> Result:
    """Runs a call in the selected back end.

    Raises:
        BackendError: the requested back end does not cover the call.
    """
    choice, x_T = _choice.get(), call.x_T
    if isinstance(x_T, FakeTensor):
        choice.counts["eager"] += 1
        return eager.run(call)
    automatic = choice.name == "auto"
    name: str = ("triton" if x_T.is_cuda else "compiled") if automatic else choice.name
    backend = _loaded.get(name)
    if (
        backend is not None
        and (not automatic or backend.pays(call))
        and (result := backend.run_planned(call)) is not None  # covered, as an earlier call was
    ):
        choice.counts[name] += 1
        return result
    if automatic:
        name = _fastest(call, choice)
    elif name != "eager" and (reason := _refusal(name, call)):
        raise BackendError(f"the back end {name} does not cover this: {reason}")
    choice.counts[name] += 1
    if name != "eager":
        return _module(name).run(call)
    if choice.noted is not None:
        choice.noted.append(Noted(call))
    return eager.run(call)


def fusing(call: Call, residual: bool, stepped: bool) -> FusedBackend | None:
    """Returns the back end that runs the normalisation and the neuron's call as one operation, and counts the call.

    Args:
        call: the neuron's call; its `x_T` is the input of the normalisation.
        residual: whether a residual is added between normalisation and neuron.
        stepped: whether the normalisation differs between time steps.
    """
    choice = _choice.get()
    if choice.noted is not None:
        choice.noted.append(Noted(call, True, residual, stepped))
    if (
        not choice.fuse
        or choice.name == "eager"
        or isinstance(call.x_T, FakeTensor)
        or not call.surrogate.plain_step
    ):
        return None
    name = (
        {"cpu": "compiled", "cuda": "triton"}.get(call.x_T.device.type)
        if choice.name == "auto"
        else choice.name
    )
    if name == "compiled" and call.x_T.device.type == "cpu":
        from snnlab.kernels.cpu import backend as cpu
        from snnlab.kernels.cpu import norm as cpu_norm

        refusal = cpu.refusal(call, affine=True, residual=residual, stepped=stepped)
        if refusal is None and (choice.name == "compiled" or cpu.pays(call)):
            choice.counts["compiled with norm"] += 1
            return cpu_norm
    elif name == "triton" and tl is not None:
        from snnlab.kernels.triton import norm as triton_norm  # where it is needed: it imports Triton

        if (prepared := triton_norm.prepare(call, stepped)) is not None:
            choice.counts["triton with norm"] += 1
            return prepared
    return None


def pick_operator(call: Call) -> Callable[[Call], Result] | None:
    """Selects what runs a call under torch.compile, which fuses plain PyTorch itself but cannot fuse our kernels.

    Raises:
        BackendError: `triton` was requested and does not cover the call.
    """
    name = _choice.get().name
    if not (name == "triton" or (name == "auto" and call.x_T.is_cuda)):
        return None
    reason: str | None = "Triton is not installed"
    if tl is not None:
        from snnlab.kernels.triton import (
            backend as triton_backend,  # a plain import, which torch.compile can trace
        )

        if not (reason := triton_backend.refusal(call)):
            return triton_backend.run_operator
    if name == "triton":
        raise BackendError(f"the back end triton does not cover this: {reason}")
    return None


def _fastest(call: Call, choice: Choice) -> str:
    name = {"cpu": "compiled", "cuda": "triton"}.get(call.x_T.device.type)
    if name not in _MODULES:
        return "eager"
    if call.surrogate.plain_step and not _module(name).pays(call):
        return "eager"
    if reason := _refusal(name, call):
        message = f"neurons run in plain PyTorch, not in the back end {name}: {reason}"
        if message not in choice.said:
            choice.said.add(message)
            choice.say(message)
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
    module = cast(Backend, importlib.import_module(_MODULES[name]))
    _loaded[name] = module
    return module
