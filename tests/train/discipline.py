"""What a CUDA graph cannot hold, raised on the CPU: a mode in which a step has to run before it may be captured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

READS = {Tensor.tolist, Tensor.numpy, Tensor.cpu, Tensor.__array__, Tensor.item}
FROM_THE_HOST = {torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy, Tensor.new_tensor}
FACTORIES = {
    torch.empty,
    torch.zeros,
    torch.ones,
    torch.full,
    torch.arange,
    torch.linspace,
    torch.eye,
    torch.rand,
    torch.randn,
    torch.randint,
    torch.randperm,
}


class UndisciplinedError(AssertionError):
    """A step did what a CUDA graph cannot hold."""


class _Calls(TorchFunctionMode):
    """Sees what PyTorch does without an operator: lists and arrays of tensors, and tensors made on the host."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", str(func))
        if func in READS:
            raise UndisciplinedError(f"{name} reads a tensor's value on the host")
        if func in FROM_THE_HOST and not (
            args and isinstance(args[0], Tensor) and func is not Tensor.new_tensor
        ):
            raise UndisciplinedError(f"{name} copies from the host")
        if func in FACTORIES and kwargs.get("device") is None and kwargs.get("out") is None:
            raise UndisciplinedError(f"{name} without a device makes a tensor on the host")
        return func(*args, **kwargs)


class _Operators(TorchDispatchMode):
    """Sees operators, those of backward passes too: PyTorch tags those whose result or shape depends on values."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.data_dependent_output in func.tags:
            raise UndisciplinedError(f"{func} reads a tensor's value on the host")
        if func is torch.ops.aten.lift_fresh.default:
            raise UndisciplinedError("a tensor made of numbers of the host is copied")
        if _has_shape_of_data(func, args):
            raise UndisciplinedError(f"{func} has a shape that depends on the data")
        return func(*args, **kwargs)


def _has_shape_of_data(func: Any, args: Any) -> bool:
    if func.overloadpacket in (
        torch.ops.aten.index,
        torch.ops.aten.index_put,
        torch.ops.aten.index_put_,
        torch.ops.aten._index_put_impl_,
    ):
        masks = (torch.bool, torch.uint8)
        return any(one is not None and one.dtype in masks for one in args[1])
    return torch.Tag.dynamic_output_shape in func.tags


@contextmanager
def disciplined(*networks: nn.Module) -> Iterator[None]:
    """Raises if a step inside the block could not be captured, or leaves a gradient of the networks in new memory.

    Raises:
        UndisciplinedError: it reads a value on the host, has shapes that depend on data, copies from the host, or
            allocates gradients anew.
    """
    parameters = [(name, one) for network in networks for name, one in network.named_parameters()]
    before = [_place(one) for _, one in parameters]
    with _Calls(), _Operators():
        yield
    for (name, one), place in zip(parameters, before, strict=True):
        if _place(one) != place:
            raise UndisciplinedError(f"the gradient of {name} is allocated anew")


def _place(parameter: Tensor) -> tuple[int, int] | None:
    return None if parameter.grad is None else (id(parameter.grad), parameter.grad.data_ptr())
