"""An optimiser's step whose learning rates are tensors, so that a CUDA graph of it follows the schedule."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

DEVICES = ("cuda",)
"""Types of devices on which optimisers run in this form, with graphs and without."""

_FUSED = (torch.optim.SGD, torch.optim.Adam)
"""Optimisers (AdamW is an Adam) whose fused form takes its rate from a tensor on every device."""


class TensorRates:
    """Runs an optimiser in PyTorch's fused form, or else in its capturable one, with a tensor for each group's rate.

    Outside of `taken` the groups are what they would be otherwise: schedules set numbers, and checkpoints hold
    numbers, so that each form reads what another one has saved.

    Args:
        optimizer: with one of the two forms, see `form`.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        found = form(optimizer)
        assert found is not None
        self._optimizer, self._form = optimizer, found
        self._rates = [torch.zeros((), device=group["params"][0].device) for group in optimizer.param_groups]
        self.settle()
        optimizer.register_load_state_dict_post_hook(lambda _: self.settle())

    def settle(self) -> None:
        """Moves the counts of steps to the parameters' devices; other forms keep them on the host."""
        for parameter, state in self._optimizer.state.items():
            if isinstance(step := state.get("step"), Tensor):
                state["step"] = step.to(parameter.device, torch.float32)

    def write(self) -> None:
        """Writes the groups' learning rates into the tensors; reads nothing on the host.

        Raises:
            RuntimeError: a rate is beyond the numbers of float32.
        """
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            rate.fill_(group["lr"])

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The optimiser steps in this form inside the `with` block."""
        groups = self._optimizer.param_groups
        before = [dict(group) for group in groups]
        for group, rate in zip(groups, self._rates, strict=True):
            group.update(self._form, lr=rate)
        try:
            yield
        finally:
            for group, kept in zip(groups, before, strict=True):
                group.update(kept)


def form(optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
    """The settings of an optimiser's groups under which its rate may be a tensor; None if there are none."""
    known = optimizer.defaults
    if known.get("differentiable"):
        return None
    capturable = {"capturable": True} if "capturable" in known else {}
    if isinstance(optimizer, _FUSED):
        return {"fused": True, "foreach": None, **capturable}
    return capturable or None


def tensor_rates(optimizer: torch.optim.Optimizer, device: torch.device) -> TensorRates | None:
    """That form of an optimiser on a GPU; None on the CPU, or where the optimiser has no such form."""
    return TensorRates(optimizer) if device.type in DEVICES and form(optimizer) is not None else None
