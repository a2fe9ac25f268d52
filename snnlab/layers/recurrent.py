"""A layer of neurons whose spikes come back to it, one time step later.

Shape suffixes: T time steps, B samples, `...` any further axes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from snnlab.neurons.base import Neuron


class Recurrent(Neuron):
    """At each step the neurons get x_t plus what the loop makes of their spikes at the step before.

    The state is [1 + parts, B, ...]: the last spikes, and the state of each part.

    Args:
        parts: the layers that make up the neurons, one behind the other; the last one fires. Those that are a `Neuron`
            have one state [B, ...] each.
        loop: layers without a time axis by name, in their order.
        sources: what each of them takes, and under `""` what comes back to the neurons: names, added up; `""` are the
            spikes.

    Raises:
        ValueError: a part has a state of another form.
    """

    batch_axis = 1

    def __init__(
        self, parts: Sequence[nn.Module], loop: nn.ModuleDict, sources: Mapping[str, tuple[str, ...]]
    ) -> None:
        super().__init__()
        if any(isinstance(part, Neuron) and part.batch_axis != 0 for part in parts):
            raise ValueError(
                "a neuron or a surrogate that counts its time steps cannot get its own spikes back"
            )
        self.loop = loop
        self.sources = dict(sources)
        # No submodules: who looks for neurons finds one layer here, this one.
        self._parts = tuple(parts)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        for part in self._parts:
            part._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return super()._apply(fn, recurse)  # type: ignore[no-any-return, no-untyped-call]

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all parts."""
        for part in self._parts:
            part.train(mode)
        return super().train(mode)

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns spikes [T, B, ...] and the state after the last step."""
        before = self.initial_state(x_T[0]) if state is None else state
        spikes, *left = before.unbind(0)
        spikes_T = []
        for x in x_T.unbind(0):
            values = {"": spikes.to(x.dtype)}
            for name, layer in self.loop.items():
                values[name] = layer(_sum(values, self.sources[name]))
            x = x + _sum(values, self.sources[""])
            states, left = left, []
            for part in self._parts:
                if isinstance(part, Neuron):
                    x, state = part.step(x, states[len(left)])
                    left.append(state)
                else:
                    x = part(x)
            spikes = x.to(before.dtype)
            spikes_T.append(x)
        return torch.stack(spikes_T), torch.stack([spikes, *left])

    def initial_state(self, x: Tensor) -> Tensor:
        """Returns no spikes, and the initial state of each part."""
        states = [part.initial_state(x) for part in self._parts if isinstance(part, Neuron)]
        return torch.stack([torch.zeros_like(states[0]), *states])


def _sum(values: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    first, *rest = (values[name] for name in names)
    for one in rest:
        first = first + one
    return first
