"""The rectified linear unit as a neuron, which turns a spiking network into its ANN."""

from torch import Tensor

from snnlab.neurons.base import Neuron


class ReLU(Neuron):
    """Rectified linear unit, stateless: max(0, x) at every step, which makes a network an ANN.

    Args:
        threshold: has no effect; accepted because models may set another threshold for some neurons.
    """

    batch_axis = None

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return x_T.relu(), self.initial_state(x_T) if state is None else state

    def initial_state(self, x: Tensor) -> Tensor:
        """Returns an empty tensor."""
        return x.new_empty(0)
