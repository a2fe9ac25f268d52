"""Counts the operations of a network: products of every layer, and the accumulations that its spikes cause.

Shape suffixes: T time steps, B samples, N rows that hold T and B, `...` any further axes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.hooks import RemovableHandle

from snnlab.metrics.spikes import Content, Look, is_sign, look

Kind = Literal["conv", "linear", "product"]
CONTENTS: tuple[Content, ...] = ("spikes", "pooled", "real")
# Above this n an average counts as a real number: any rounded number is a multiple of a small enough 1/n.
LARGEST_POOL = 4096

aten = torch.ops.aten
LINEAR = (aten.mm.default, aten.addmm.default)
COUNTED = (*LINEAR, aten.convolution.default, aten.bmm.default, aten.baddbmm.default)
AVERAGES = (
    aten.mean.default,
    aten.mean.dim,
    aten.avg_pool2d.default,
    aten.avg_pool3d.default,
    aten._adaptive_avg_pool2d.default,
)


@dataclass(frozen=True)
class LayerOperations:
    """The operations of one layer for a sample; means over all samples.

    Attributes:
        name: as in `model.named_modules()`; products of activations are numbered within their module.
        kind: conv, linear, or product of two activations, as in attention.
        inputs: kind of its input, see `OperationCounter`.
        products: multiplications of an input with a weight in one step, including those with a zero or padding.
        rate_T: mean magnitude of the inputs at each step, in spikes; for binary spikes the firing rate.
        accumulates_T: additions of event-driven hardware at each step, one for each connection of each spike; a spike
            of several levels counts once for each level, a pooled spike as the number of spikes in its average.
            Connections into padding do not count. 0 for real inputs.
    """

    name: str
    kind: Kind
    inputs: Content
    products: float
    rate_T: tuple[float, ...]
    accumulates_T: tuple[float, ...]

    @property
    def steps(self) -> int:
        """The number of time steps that the layer runs for."""
        return len(self.rate_T)


class OperationCounter:
    """Counts the convolutions, linear layers and matrix products of a network inside a `with` block.

        with torch.no_grad(), OperationCounter(model) as counter:
            for x_TBCHW in batches:
                model(x_TBCHW)
        layers = counter.layers()

    Normalisation, pooling, biases, neurons and residual additions are not counted: the first can be folded into
    weights, the others cost an operation for each neuron, not for each connection.

    The kind of an input is determined from its values. Integers are spikes (of one or several levels, summed, or
    events of a camera), and so are 0 and one other magnitude (spikes times a threshold). If the network has
    averaged over n values before, multiples of 1/n are pooled spikes. All other inputs are real, and a layer that
    has received real numbers once counts as real from then on. In a product of two activations, coincidences of
    spikes are counted if all values are 0, 1 or -1; otherwise the spikes of the second operand if it has any, else
    those of the first.

    Args:
        model: called with x [T, B, ...]; not compiled, without autocast, in evaluation mode.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._calls = _Calls(self._called)
        self._weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        self._handles: list[RemovableHandle] = []
        self._running: list[_Call] = []
        self._divisors: list[int] = []
        self._layers: dict[str, _Sums] = {}
        self._samples = 0
        self._time_batch = (1, 1)

    def layers(self) -> tuple[LayerOperations, ...]:
        """Returns the layers in the order of execution.

        Raises:
            ValueError: the model was not called.
        """
        if not self._layers:
            raise ValueError("nothing was counted: call the model inside the block")
        return tuple(sums.result(name, self._samples) for name, sums in self._layers.items())

    def __enter__(self) -> Self:
        for name, module in self._model.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._entering(name), with_kwargs=True))
            self._handles.append(module.register_forward_hook(self._leave, always_call=True))
        self._calls.__enter__()  # type: ignore[no-untyped-call]  # untyped in torch
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._running.clear()

    def _entering(self, name: str) -> Callable[..., None]:
        def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            tensors = [one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)]
            shape = tuple(tensors[0].shape) if tensors else ()
            if not self._running:
                self._time_batch = (shape[0], shape[1])
                self._samples += shape[1]
            self._running.append(_Call(name or type(module).__name__, shape))

        return enter

    def _leave(self, *_: object) -> None:
        self._running.pop()

    def _called(self, func: Any, args: tuple[Any, ...], out: Tensor) -> None:
        if not self._running:
            return
        if func in AVERAGES:
            self._averaged(args[0].numel() // out.numel())
        else:
            self._count(func, args, out)

    def _averaged(self, count: int) -> None:
        found = {count, *self._divisors, *(count * n for n in self._divisors)}
        self._divisors = sorted(n for n in found if 1 < n <= LARGEST_POOL)

    def _count(self, func: Any, args: tuple[Any, ...], out: Tensor) -> None:
        name = self._running[-1].name
        if func is aten.convolution.default:
            x, weight, _, *geometry = args[:9]
            products = (x if args[6] else out).numel() * weight[0].numel()
            self._add(name, "conv", x, products, lambda s: _conv_events(s, weight, geometry))
            return
        a, b = args[1:3] if func in (aten.addmm.default, aten.baddbmm.default) else args[:2]
        products = a.numel() * b.shape[-1]
        if func in LINEAR or self._is_weight(b):
            self._add(name, "linear", a, products, lambda s: _row_sums(s) * b.shape[-1])
        elif self._is_weight(a):
            self._add(name, "linear", b, products, lambda s: _row_sums(s) * a.shape[-2])
        else:
            self._running[-1].products += 1
            self._add_product(f"{name} product {self._running[-1].products}", a, b, products)

    def _is_weight(self, x: Tensor) -> bool:
        return x.untyped_storage().data_ptr() in self._weights

    def _add_product(self, name: str, a: Tensor, b: Tensor, products: int) -> None:
        """Counts the product of a [N, i, k] and b [N, k, j]."""
        first = look(b, self._divisors).content == "real"
        x, fan_out = (a, b.shape[-1]) if first else (b, a.shape[-2])
        if is_sign(a) and is_sign(b):
            self._add(name, "product", x, products, lambda _: _row_sums(torch.bmm(a.abs(), b.abs())))
        else:
            self._add(name, "product", x, products, lambda s: _row_sums(s) * fan_out)

    def _add(
        self, name: str, kind: Kind, x: Tensor, products: int, events: Callable[[Tensor], Tensor]
    ) -> None:
        """Adds a call of a layer; `events` maps spikes [N, ...] to the accumulations of each row [N]."""
        found = look(x, self._divisors)
        spikes = x.abs() / found.unit
        sums = self._layers.setdefault(name, _Sums(kind, self._steps(len(x))))
        sums.add(products, found, _row_sums(spikes), x[0].numel(), events(spikes))

    def _steps(self, rows: int) -> int:
        """Returns the number of time steps in the rows: T, or another number if the layer runs for fewer or more."""
        shape = self._running[-1].shape
        num_steps, batch = self._time_batch
        if shape[:2] == (num_steps, batch) or shape[0] == num_steps * batch:
            return num_steps
        steps = shape[0] // batch if shape[0] % batch == 0 else shape[0]
        return steps if rows % steps == 0 else 1


class _Calls(TorchDispatchMode):
    """Reports every counted operation and every average to the counter."""

    def __init__(self, called: Callable[[Any, tuple[Any, ...], Tensor], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in torch
        self._called = called

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in COUNTED and func not in AVERAGES:
            with self:  # composite operations of counted ones, such as a linear layer without gradients
                parts = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if parts is NotImplemented else parts
        out = func(*args, **kwargs)
        self._called(func, args, out)
        return out


@dataclass
class _Call:
    """A running module, the shape of its input, and the number of products of activations in it so far."""

    name: str
    shape: tuple[int, ...]
    products: int = 0


class _Sums:
    """The sums over the calls of one layer."""

    def __init__(self, kind: Kind, steps: int) -> None:
        self.kind = kind
        self.content = 0
        self.pool = 1
        self.products = 0
        self.inputs = 0
        self.spikes_T = torch.zeros(steps, dtype=torch.float64)
        self.events_T = torch.zeros(steps, dtype=torch.float64)

    def add(self, products: int, found: Look, spikes_N: Tensor, row_size: int, events_N: Tensor) -> None:
        steps = len(self.spikes_T)
        self.products += products
        self.content = max(self.content, CONTENTS.index(found.content))
        self.pool = max(self.pool, found.pool)
        self.inputs += len(spikes_N) * row_size
        self.spikes_T += spikes_N.view(steps, -1).sum(1).cpu()
        self.events_T += events_N.view(steps, -1).sum(1).cpu()

    def result(self, name: str, samples: int) -> LayerOperations:
        steps = len(self.spikes_T)
        events_T = self.events_T * (0 if CONTENTS[self.content] == "real" else self.pool)
        return LayerOperations(
            name,
            self.kind,
            CONTENTS[self.content],
            self.products / (samples * steps),
            tuple((self.spikes_T * steps / self.inputs).tolist()),
            tuple((events_T / samples).tolist()),
        )


def _row_sums(x: Tensor) -> Tensor:
    """Returns the sum over all axes but the first [N], in float64."""
    return x.flatten(1).sum(1, dtype=torch.float64)


def _conv_events(x: Tensor, weight: Tensor, geometry: Sequence[Any]) -> Tensor:
    """Counts the connections [N] of the spikes x [N, C, ...], without padding; `geometry`: stride to groups."""
    *_, transposed, _, groups = geometry
    outputs = weight.shape[1] if transposed else len(weight) // groups
    ones = x.new_ones(*((len(weight), 1) if transposed else (groups, weight.shape[1])), *weight.shape[2:])
    return _row_sums(aten.convolution.default(x, ones, None, *geometry)) * outputs
