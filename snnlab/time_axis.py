"""The time axis of a tensor: folded into the batch and back, and aligned to another number of time steps.

Shape suffixes: T time steps, B samples of the batch, N = T * B, `...` any further axes.
"""

from torch import Tensor


def fold_time(x_TB: Tensor) -> Tensor:
    """[T, B, ...] -> [T * B, ...], without a copy where the layout allows it."""
    return x_TB.flatten(0, 1)


def unfold_time(x_N: Tensor, num_steps: int) -> Tensor:
    """[T * B, ...] -> [T, B, ...], without a copy."""
    return x_N.view(num_steps, -1, *x_N.shape[1:])


def is_still(x_TB: Tensor) -> bool:
    """Returns whether x_TB [T, B, ...] is one time step expanded to T, as for a static image."""
    return len(x_TB) > 1 and x_TB.stride(0) == 0 and x_TB.numel() > len(x_TB)


def average(x_T: Tensor, steps: int) -> Tensor:
    """Returns the mean over time at each of the new steps (mixed-timestep paper, Eq. 20), as an expanded view."""
    return x_T.mean(0, keepdim=True).expand(steps, *x_T.shape[1:])


def nearest(x_T: Tensor, steps: int) -> Tensor:
    """Returns a sequence whose step t, from 0, is the old step floor(t T / steps).

    With more steps it repeats some or all (upsampling), with fewer it omits some (downsampling). The paper names both
    without defining them; the sum is preserved only if one number of steps divides the other and the sequence is
    even.
    """
    chosen = [t * len(x_T) // steps for t in range(steps)]
    return x_T[chosen]
