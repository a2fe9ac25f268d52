"""The forward pass of an evaluation, with the firing rates of its neurons."""

from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from snnlab.machine.device import autocast
from snnlab.metrics import FiringRate, Recorder


class Forward(Protocol):
    """Maps inputs to logits inside a `with` block, which is one pass over the data."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K], which are valid until the next call."""

    def rates(self) -> dict[str, FiringRate]:
        """Returns the firing rate of each neuron layer in this pass."""


class PlainForward:
    """Calls the network.

    Args:
        model: the network, in evaluation mode.
        device: its device.
        precision: of matrix products.
    """

    def __init__(self, model: nn.Module, device: torch.device, precision: str) -> None:
        self._model, self._device, self._precision = model, device, precision
        self._recorder = Recorder(model)

    def __enter__(self) -> Self:
        self._recorder = Recorder(self._model)
        self._recorder.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recorder.__exit__(kind, error, trace)

    def __call__(self, x_TBCHW: Tensor) -> Tensor:
        with autocast(self._device, self._precision):
            logits_TBK: Tensor = self._model(x_TBCHW)
        return logits_TBK

    def rates(self) -> dict[str, FiringRate]:
        return self._recorder.recorded("rate")
