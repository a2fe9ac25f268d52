"""Temporal alignment: a sequence of one number of time steps as one of another number.

Shape suffixes: T time steps, `...` any further axes.
"""

from torch import Tensor, nn


def average(x_T: Tensor, steps: int) -> Tensor:
    """Its mean over time at each of the new steps (mixed-timestep paper, Eq. 20); a view of the one mean."""
    return x_T.mean(0, keepdim=True).expand(steps, *x_T.shape[1:])


def nearest(x_T: Tensor, steps: int) -> Tensor:
    """Step floor(t T / steps) of the old ones as the new step t, from 0.

    To more steps it repeats some or all (upsampling), to fewer it leaves some out (downsampling). The paper names
    these two without saying how; the sum is kept only where one number of steps divides the other and the sequence
    is even.
    """
    chosen = [t * len(x_T) // steps for t in range(steps)]
    return x_T[chosen]


def joined(neuron: nn.Module, a_T: Tensor, b_T: Tensor) -> Tensor:
    """a_T + b_T, each aligned first to the time steps of the neuron that follows, if it has some of its own."""
    align = getattr(neuron, "align", None)
    return a_T + b_T if align is None else align(a_T) + align(b_T)
