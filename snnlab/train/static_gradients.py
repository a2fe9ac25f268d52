"""Gradients whose memory stays the same from step to step, as a recorded graph needs it."""

from collections.abc import Callable, Collection, Iterable

import torch
from torch import Tensor, nn

Learned = frozenset[nn.Parameter]
"""The parameters to which the work of a batch gives gradients."""


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

    def allocate(self, work: Callable[[], None]) -> Learned:
        """Does the work, which adds gradients, and allocates memory for them; existing gradients stay.

        Returns:
            The parameters that got a gradient.
        """
        before = [parameter.grad for parameter in self._parameters]
        self.release()
        try:
            work()
            learned = frozenset(one for one in self._parameters if one.grad is not None)
            for parameter in learned - self._memory.keys():
                assert parameter.grad is not None
                self._memory[parameter] = torch.zeros_like(parameter.grad)
        finally:
            for parameter, grad in zip(self._parameters, before, strict=True):
                parameter.grad = grad
        return learned

    def bind(self, learned: Learned, *, keep: bool) -> None:
        """Makes this memory the gradients of some parameters.

        Args:
            learned: the parameters to which the next graph adds.
            keep: all gradients that are there belong to this step and are kept; else they are stale, and the graph
                zeroes the memory.
        """
        for parameter in self._parameters:
            if parameter not in learned:
                parameter.grad = parameter.grad if keep else None
                continue
            memory = self._memory[parameter]
            if keep and parameter.grad is not memory:
                if parameter.grad is None:
                    memory.zero_()
                else:
                    memory.copy_(parameter.grad)
            parameter.grad = memory

    def hold(self) -> bool:
        """Whether all gradients that there are lie here."""
        return all(one.grad is None or one.grad is self._memory.get(one) for one in self._parameters)

    def zero(self, learned: Collection[nn.Parameter]) -> None:
        """Zeroes the memory of some parameters, in one launch or a few."""
        torch._foreach_zero_([self._memory[parameter] for parameter in learned])

    def release(self) -> None:
        """Leaves all parameters without a gradient."""
        for parameter in self._parameters:
            parameter.grad = None
