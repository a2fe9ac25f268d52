"""The interface of all neurons: calls for a whole sequence, for a part of one, and for a single time step.

Shape suffixes: T time steps (first axis), `...` any further axes.
"""

from torch import Tensor, nn


class Neuron(nn.Module):
    """Base class of neurons: stateless between calls; the state is an explicit argument and result.

    A subclass implements `forward_with_state` and `initial_state`. The state is one tensor, in float32 whatever
    the dtype of the input (float64 for float64); the spikes have the dtype of the input.

    Attributes:
        output_range: the least and the greatest output of a spiking neuron, whose outputs are integers.
        fires: false for a layer that has a state as neurons have and gives no spikes; firing rates leave it out.
    """

    output_range: tuple[int, int] = (0, 1)
    fires: bool = True

    @property
    def batch_axis(self) -> int | None:
        """Returns the batch axis of the state; None if the state is empty."""
        return 0

    def forward(self, x_T: Tensor, state: Tensor | None = None) -> Tensor:
        """Returns spikes [T, ...] for input currents x_T [T, ...]; None stands for the initial state."""
        return self.forward_with_state(x_T, state)[0]

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns spikes [T, ...] and the state after the last step, from which a next call can continue."""
        raise NotImplementedError

    def step(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns spikes [...] for one time step x [...], and the next state; consecutive steps equal one call."""
        spikes_T, state = self.forward_with_state(x.unsqueeze(0), state)
        return spikes_T.squeeze(0), state

    def align(self, x_T: Tensor) -> Tensor:
        """Returns x_T [T, ...], aligned to the neuron's number of time steps if it has one of its own."""
        return x_T

    def quantities(self) -> dict[str, Tensor]:
        """Returns what training changes about the neuron, for logging: name -> [] or a number per step [T]."""
        return {}

    def initial_state(self, x: Tensor) -> Tensor:
        """Returns the state before the first step, for an input x [...] of one time step."""
        raise NotImplementedError
