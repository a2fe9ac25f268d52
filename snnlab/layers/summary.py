"""A table of a network's layers: output shape, parameters, and multiply-accumulates per sample and time step.

The network runs on fake tensors, which compute no values, so the summary of a large one takes seconds.
Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Row:
    """One layer: output shape [...] without time and batch; parameters and MACs without those of children."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: float


@dataclass(frozen=True)
class Summary:
    """The rows in the order of execution, and the totals over the whole network."""

    rows: tuple[Row, ...]
    parameters: int
    macs: float


def summarise(model: nn.Module, x_TBCHW: Tensor) -> Summary:
    """Lists the layers of a model that maps x_TBCHW to logits [T, B, K], for inputs of this shape.

    MACs are those of convolutions, linear layers and matrix products (attention), as if all inputs were
    dense; norms, neurons and pools count as 0. A module is a row if it calls no other module, or has operations or
    parameters of its own. The model's training flags and running statistics do not change.
    """
    num_steps = len(x_TBCHW)
    batch = 2  # tells [T, B, ...] from [T * B, ...] by the first axis
    shapes: dict[str, tuple[int, ...]] = {}
    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            folded = len(output) == num_steps * batch
            shapes.setdefault(names[module], tuple(output.shape[1 if folded else 2 :]))

    hooks = [module.register_forward_hook(note) for module in names]
    try:
        with _evaluating(model), torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
            counter = FlopCounterMode(display=False)
            with counter:
                model(x_TBCHW.new_empty((num_steps, batch, *x_TBCHW.shape[2:])))
    finally:
        for hook in hooks:
            hook.remove()

    root = type(model).__name__
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    whole = {name: flops.get(f"{root}.{name}".rstrip("."), 0) for name in shapes}
    own, callers = dict(whole), set()
    for name in shapes:
        if (caller := _caller(name, shapes)) is not None:
            own[caller] -= whole[name]
            callers.add(caller)
    rows = []
    for module, name in names.items():
        parameters = sum(p.numel() for p in module.parameters(recurse=False))
        leaf = name not in callers and not isinstance(module, nn.Identity)
        if name in shapes and (own[name] or parameters or leaf):
            macs = own[name] / (2 * num_steps * batch)
            rows.append(Row(name, type(module).__name__, shapes[name], parameters, macs))
    order = list(shapes)
    rows.sort(key=lambda row: order.index(row.name))
    total = counter.get_total_flops() / (2 * num_steps * batch)
    return Summary(tuple(rows), sum(p.numel() for p in model.parameters()), total)


def _caller(name: str, called: Container[str]) -> str | None:
    """Returns the innermost enclosing module that is called itself, which containers in between need not be."""
    while name:
        name = name.rpartition(".")[0]
        if name in called:
            return name
    return None


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
