"""The common base of `if`, `lif` and `plif`: one threshold, and equations that do not depend on the time step."""

from torch import Tensor

from snnlab.kernels.contract import Dynamics
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.surrogates.base import Surrogate


class IntegrateAndFire(MembraneNeuron):
    """Base class of neurons with one threshold; a subclass defines the leak."""

    def __init__(self, surrogate: Surrogate | None, dynamics: Dynamics, v_init: float) -> None:
        super().__init__(surrogate, v_init)
        self.dynamics = dynamics

    @property
    def thresholds(self) -> tuple[float, float]:
        return self.dynamics.threshold, self.dynamics.threshold

    def current_decay(self) -> Tensor | float:
        raise NotImplementedError

    def dynamics_of_call(self) -> Dynamics:
        return self.dynamics

    def extra_repr(self) -> str:
        return f"v_init={self.v_init:g}, {self.dynamics}"
