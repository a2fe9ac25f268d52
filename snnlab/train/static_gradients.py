"""Gradients whose memory stays the same from step to step, as a recorded graph needs it."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


class StaticGradients:
    """The gradients that graphs write to.

    A parameter that gets no gradient keeps none: an optimiser would decay it. Outside of graphs, gradients may lie
    anywhere; `bind` brings them here before a graph adds to them.

    Args:
        parameters: those of the network.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._memory: dict[nn.Parameter, Tensor] = {}

    def allocate(self, work: Callable[[], None]) -> bool:
        """Does the work, which adds gradients, and allocates memory for those it adds; existing gradients stay.

        Returns:
            True if memory was allocated.
        """
        before = [parameter.grad for parameter in self._parameters]
        self.release()
        try:
            work()
            found = [one for one in self._parameters if one.grad is not None and one not in self._memory]
            for parameter in found:
                assert parameter.grad is not None
                self._memory[parameter] = torch.zeros_like(parameter.grad)
        finally:
            for parameter, grad in zip(self._parameters, before, strict=True):
                parameter.grad = grad
        return bool(found)

    def bind(self, *, keep: bool) -> None:
        """Makes this memory the parameters' gradients.

        Args:
            keep: the gradients that are there belong to this step and are kept; else the graph zeroes the memory.
        """
        for parameter in self._parameters:
            memory = self._memory.get(parameter)
            if memory is None:
                # No graph writes to it: what is there is of this step, or stale.
                parameter.grad = parameter.grad if keep else None
                continue
            if keep and parameter.grad is not memory:
                if parameter.grad is None:
                    memory.zero_()
                else:
                    memory.copy_(parameter.grad)
            parameter.grad = memory

    def zero(self) -> None:
        """Zeroes the memory, in one launch or a few."""
        torch._foreach_zero_(list(self._memory.values()))

    def release(self) -> None:
        """Leaves all parameters without a gradient."""
        for parameter in self._parameters:
            parameter.grad = None
