"""Traces a neuron's time step into C statements for one element while PyTorch runs the step on scalars.

The step is run once on zero-dimensional tensors. Every operation that PyTorch dispatches becomes a line of C; Python
code around it (classes, loops over thresholds, autograd) is not recorded. So every neuron and surrogate that consists
of elementwise operations is covered, including those of plugins, and the gradients are those of autograd.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class UntraceableError(Exception):
    """The step uses an operation without a translation to C; the message names it in a clause."""


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Records the operations on scalars inside its `with` block.

    Args:
        prefix: prefix of the variable names.
        inputs: tensors that already have a name.

    Attributes:
        lines: C statements, of type S.
        stepped: names of the parameters [T] whose element of the current step was read.
        per_step: names of the variables that are gradients of such an element.
    """

    def __init__(self, prefix: str, inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in torch
        self.lines: list[str] = []
        self.stepped: set[str] = set()
        self.per_step: set[str] = set()
        self._prefix = prefix
        self._alive = list(inputs.values())  # so that no address is used twice
        self._names = {_key(tensor): name for name, tensor in inputs.items()}

    def name(self, tensor: Tensor) -> str:
        """Returns the name of an input or of a tensor that was computed inside the block.

        Raises:
            UntraceableError: the tensor comes from elsewhere.
        """
        if (name := self._names.get(_key(tensor))) is None:
            raise UntraceableError("it uses a tensor of its own that is no parameter")
        return name

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        packet = func.overloadpacket.__name__
        result = func(*args, **kwargs)
        if not isinstance(result, Tensor):
            raise UntraceableError(f"it looks at values by {packet}")
        self._alive.append(result)
        if packet == "lift_fresh" and _key(args[0]) not in self._names:
            self._names[_key(result)] = number(args[0].item())
        elif packet == "select" and args[0].dim() == 1:
            self.stepped.add(self.name(args[0]))
            self._names[_key(result)] = self.name(args[0])
        elif packet == "select_backward":
            name = self.name(args[0])
            self.per_step.add(name)
            self._names[_key(result)] = name
        elif packet not in _C or (result.dim() > 0 and not self._all_per_step(args)):
            raise UntraceableError(f"the operation {packet} has no compiled form")
        else:
            values = {key: value for key, value in kwargs.items() if key != "out"}
            line = _C[packet](*(self._c(arg) for arg in args), **values)
            name = f"{self._prefix}{len(self.lines)}"
            self.lines.append(f"const S {name} = {line};")
            self._names[_key(result)] = name
            if result.dim() > 0:
                self.per_step.add(name)
        return result

    def _all_per_step(self, args: Sequence[Any]) -> bool:
        return all(self.name(arg) in self.per_step for arg in args if isinstance(arg, Tensor))

    def _c(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.name(value)
        return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def number(value: float) -> str:
    """Returns a number in C: a literal for 0, 1, -1 and 2, which compilers simplify, else a placeholder."""
    if value != value:
        return "(S)NAN"
    if abs(value) == inf:
        return f"({'-' if value < 0 else ''}(S)INFINITY)"
    return f"(S){float(value)!r}" if value in (0, 1, -1, 2) else f"NUMBER({float(value)!r})"


class Numbers:
    """Turns the placeholders in C code into arguments n0, n1, ...; equal numbers share one.

    So equations that differ in their numbers only, such as the decay, have equal sources and share a compiled library.
    """

    def __init__(self) -> None:
        self._names: dict[float, str] = {}

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(self._names)

    def name(self, text: str) -> str:
        """Returns the code with its placeholders replaced by argument names."""
        return _MARK.sub(lambda mark: self._names.setdefault(float(mark[1]), f"n{len(self._names)}"), text)


_MARK = re.compile(r"NUMBER\(([^()]*)\)")


def _key(tensor: Tensor) -> tuple[int, int]:
    return tensor.data_ptr(), tensor.dim()


def _scaled(b: str, alpha: float) -> str:
    return b if alpha == 1 else f"{number(alpha)} * {b}"


def _clamp(x: str, low: str | None = None, high: str | None = None, **kwargs: float | None) -> str:
    low = number(kwargs["min"]) if kwargs.get("min") is not None else low  # type: ignore[arg-type]
    high = number(kwargs["max"]) if kwargs.get("max") is not None else high  # type: ignore[arg-type]
    if low is not None:
        x = f"({x} < {low} ? {low} : {x})"
    return x if high is None else f"({x} > {high} ? {high} : {x})"


def _power(x: str, exponent: str) -> str:
    return f"{x} * {x}" if exponent == number(2) else f"POW({x}, {exponent})"


def _compare(sign: str) -> Callable[[str, str], str]:
    return lambda a, b: f"({a} {sign} {b} ? (S)1 : (S)0)"


def _same(x: str, *_: Any, **__: Any) -> str:
    return x


def _constant(value: float) -> Callable[..., str]:
    return lambda *_, **__: number(value)


def _call(function: str) -> Callable[[str], str]:
    return lambda x: f"{function}({x})"


# The name of an ATen operation (its in-place form alike) and the C expression of its arguments.
_C: dict[str, Callable[..., str]] = {
    "add": lambda a, b, alpha=1: f"{a} + {_scaled(b, alpha)}",
    "sub": lambda a, b, alpha=1: f"{a} - {_scaled(b, alpha)}",
    "rsub": lambda a, b, alpha=1: f"{b} - {_scaled(a, alpha)}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"{a} / {b}",
    "addcmul": lambda a, b, c, value=1: f"{a} + {_scaled(b, value)} * {c}",
    "addcdiv": lambda a, b, c, value=1: f"{a} + {_scaled(b, value)} / {c}",
    "lerp": lambda a, b, w: f"{a} + {w} * ({b} - {a})",
    "pow": _power,
    "where": lambda c, a, b: f"({c} != 0 ? {a} : {b})",
    "masked_fill": lambda a, c, b: f"({c} != 0 ? {b} : {a})",
    "clamp": _clamp,
    "clamp_min": lambda x, low: _clamp(x, low),
    "clamp_max": lambda x, high: _clamp(x, None, high),
    "hardtanh": _clamp,
    "maximum": lambda a, b: f"({a} < {b} ? {b} : {a})",
    "minimum": lambda a, b: f"({a} > {b} ? {b} : {a})",
    "ge": _compare(">="),
    "gt": _compare(">"),
    "le": _compare("<="),
    "lt": _compare("<"),
    "eq": _compare("=="),
    "ne": _compare("!="),
    "logical_and": lambda a, b: f"({a} != 0 && {b} != 0 ? (S)1 : (S)0)",
    "bitwise_and": lambda a, b: f"({a} != 0 && {b} != 0 ? (S)1 : (S)0)",
    "logical_or": lambda a, b: f"({a} != 0 || {b} != 0 ? (S)1 : (S)0)",
    "bitwise_or": lambda a, b: f"({a} != 0 || {b} != 0 ? (S)1 : (S)0)",
    "logical_not": lambda a: f"({a} == 0 ? (S)1 : (S)0)",
    "neg": lambda a: f"-{a}",
    "abs": _call("ABS"),
    "exp": _call("EXP"),
    "log": _call("LOG"),
    "sqrt": _call("SQRT"),
    "rsqrt": lambda a: f"1 / SQRT({a})",
    "sin": _call("SIN"),
    "cos": _call("COS"),
    "tanh": _call("TANH"),
    "erf": _call("ERF"),
    "atan": _call("ATAN"),
    "sigmoid": lambda a: f"1 / (1 + EXP(-{a}))",
    "relu": lambda a: _clamp(a, number(0)),
    "reciprocal": lambda a: f"1 / {a}",
    "square": lambda a: f"{a} * {a}",
    "sign": lambda a: f"(S)(({a} > 0) - ({a} < 0))",
    "sgn": lambda a: f"(S)(({a} > 0) - ({a} < 0))",
    "sigmoid_backward": lambda g, y: f"{g} * (1 - {y}) * {y}",
    "tanh_backward": lambda g, y: f"{g} * (1 - {y} * {y})",
    "threshold_backward": lambda g, x, low: f"({x} <= {low} ? (S)0 : {g})",
    # a value is its own sum, copy and reshaping
    **dict.fromkeys(
        ("sum", "mean", "clone", "detach", "alias", "_to_copy", "expand", "view", "copy", "lift_fresh"), _same
    ),
    **dict.fromkeys(("zeros_like", "new_zeros", "zeros", "empty_like", "new_empty", "empty"), _constant(0)),
    **dict.fromkeys(("ones_like", "new_ones", "ones"), _constant(1)),
    "full_like": lambda _, value, **__: value,
    "scalar_tensor": lambda value, **__: value,
    "full": lambda _, value, **__: value,
    "copy_": lambda _, value, *__: value,
    "fill_": lambda _, value: value,
    "zero_": _constant(0),
}
_C |= {
    f"{name}_": line
    for name, line in list(_C.items())
    if not name.startswith(("new", "_")) and name[-1] != "_"
}
