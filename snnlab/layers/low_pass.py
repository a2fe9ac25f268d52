"""Leaky integrators that do not fire: synapses with a time constant, and readouts.

Shape suffixes: T time steps, `...` any further axes.
"""

import torch
from torch import Tensor

from snnlab.neurons.base import Neuron


class LowPass(Neuron):
    """y_t = decay y_{t-1} + gain x_t + shift, element by element: x_T [T, ...] -> y_T [T, ...].

    It is a `Neuron`, so that a network can be run step by step; its state is y [...].

    Args:
        decay, gain, shift: numbers, or tensors that fit an input of one time step without its batch.
        start: y before the first step, of the same form.
        late: true: the output of a step is y before its input arrives, y_{t-1}.
    """

    fires = False

    decay: Tensor
    gain: Tensor
    shift: Tensor
    start: Tensor

    def __init__(
        self,
        decay: Tensor | float,
        gain: Tensor | float,
        shift: Tensor | float = 0.0,
        start: Tensor | float = 0.0,
        *,
        late: bool = False,
    ) -> None:
        super().__init__()
        for name, value in (("decay", decay), ("gain", gain), ("shift", shift), ("start", start)):
            self.register_buffer(name, torch.as_tensor(value), persistent=False)
        self.late = late

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns y_T [T, ...] and y after the last step."""
        y = self.initial_state(x_T[0]) if state is None else state
        decay, gain, shift = (one.to(y.dtype) for one in (self.decay, self.gain, self.shift))
        outputs_T = []
        for x in x_T.to(y.dtype).unbind(0):
            before, y = y, decay * y + gain * x + shift
            outputs_T.append(before if self.late else y)
        return torch.stack(outputs_T).to(x_T.dtype), y

    def initial_state(self, x: Tensor) -> Tensor:
        return self.start.to(torch.promote_types(x.dtype, torch.float32)).expand(x.shape)
