"""What all neurons share: the calls that run a whole sequence, run it in pieces, or take a single step.

Shape suffixes: T time steps (first axis), `...` any further axes.
"""

from torch import Tensor, nn


class Neuron(nn.Module):
    """Base class: stateless between calls; the state goes in and comes out explicitly.

    A subclass writes `forward_with_state` and `initial_state`. The state is one tensor, in float32 whatever
    the dtype of the input (float64 for float64); the spikes have the dtype of the input.

    Attributes:
        output_range: the least and the greatest output of a spiking neuron; all whole numbers between them occur.
    """

    output_range: tuple[int, int] = (0, 1)

    @property
    def batch_axis(self) -> int | None:
        """The axis of the state along which the samples of a batch lie; None if the state holds nothing."""
        return 0

    def forward(self, x_T: Tensor, state: Tensor | None = None) -> Tensor:
        """Spikes [T, ...] for input currents x_T [T, ...]; state None means the initial state."""
        return self.forward_with_state(x_T, state)[0]

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Spikes [T, ...] and the state after the last step, to continue from."""
        raise NotImplementedError

    def step(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Spikes [...] of one time step x [...], and the next state. Steps in a row equal one whole call."""
        spikes_T, state = self.forward_with_state(x.unsqueeze(0), state)
        return spikes_T.squeeze(0), state

    def align(self, x_T: Tensor) -> Tensor:
        """x_T [T, ...] with as many time steps as the neuron takes; itself, unless it has steps of its own."""
        return x_T

    def quantities(self) -> dict[str, Tensor]:
        """What training changes about the neuron itself, to be logged: name -> [] or a number per step [T]."""
        return {}

    def initial_state(self, x: Tensor) -> Tensor:
        """The state before the first step, for an input x [...] of one time step."""
        raise NotImplementedError
