"""The neurons of NIR: differential equations, whose forward Euler step is ours."""

import nir
import numpy as np
from numpy.typing import NDArray

from snnlab.export.readers import ABOVE, Reader
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire

_NO_LEAK = 2.0**40  # steps; 1 - 1 / steps is 1 in single precision


def neuron_node(
    name: str, neuron: IntegrateAndFire, like: NDArray[np.floating], dt: float, reader: Reader
) -> nir.NIRNode:
    """Returns the IF or LIF node of a layer of neurons, with potentials counted from the reset potential.

    Args:
        name: of the layer, for messages.
        neuron: `if`, `lif` or `plif`.
        like: an array of the shape and precision of its input, without time and batch.
        dt: seconds of a time step.
        reader: the package that the graph is for. For snntorch and norse IF is a LIF node without a leak that single
            precision could hold (snntorch reads IF nodes with a decay of 0.9, norse without their r), and the
            threshold is the number before ours, for they fire above it and we from it on.

    Raises:
        ValueError: a subtractive reset, or a potential that does not start at the reset potential.
    """
    dynamics, decay = neuron.dynamics, float(neuron.current_decay())
    if dynamics.soft_reset:
        raise ValueError(f"{name}: the neurons of NIR are reset to a potential, not by subtraction")
    if neuron.v_init != dynamics.v_reset:
        raise ValueError(f"{name}: the neurons of NIR start at v_reset, here v_init is {neuron.v_init:g}")

    def everywhere(value: float) -> NDArray[np.floating]:
        return np.full_like(like, value)

    special = reader in ABOVE
    zero, threshold = everywhere(0), everywhere(dynamics.threshold - dynamics.v_reset)
    if special:
        threshold = np.nextafter(threshold, threshold.dtype.type(-np.inf))
    if decay == 1 and not special:
        return nir.IF(r=everywhere(1 / dt), v_threshold=threshold, v_reset=zero)
    steps = _NO_LEAK if decay == 1 else 1 / (1 - decay)
    scaled = dynamics.decay_input and decay != 1
    return nir.LIF(
        tau=everywhere(steps * dt),
        r=everywhere(1.0 if scaled else steps),
        v_leak=zero,
        v_threshold=threshold,
        v_reset=zero,
    )
