"""What `if`, `lif` and `plif` share: one membrane potential as the state, and the recurrence."""

import torch
from torch import Tensor

from snnlab.neurons._neuron import Neuron
from snnlab.neurons._recurrence import Dynamics, integrate_and_fire
from snnlab.surrogates._surrogate import Surrogate
from snnlab.surrogates.triangle import Triangle


class IntegrateAndFire(Neuron):
    """Base class of neurons with one membrane potential; a subclass says how it leaks."""

    def __init__(self, surrogate: Surrogate | None, dynamics: Dynamics, v_init: float) -> None:
        super().__init__()
        self.surrogate = Triangle() if surrogate is None else surrogate
        self.dynamics = dynamics
        self.v_init = v_init

    def leak(self) -> Tensor | float:
        """The part of the potential that survives a step."""
        raise NotImplementedError

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        v = self.initial_state(x_T[0]) if state is None else state
        return integrate_and_fire(x_T, v, self.leak(), self.dynamics, self.surrogate)

    def initial_state(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.v_init, dtype=torch.promote_types(x.dtype, torch.float32))

    def extra_repr(self) -> str:
        return f"v_init={self.v_init:g}, {self.dynamics}"
