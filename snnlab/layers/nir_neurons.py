"""NIR's neurons: differential equations, made into layers that step from one time step to the next.

With a step dt (forward Euler) or exactly for a constant input (exponential), f being the share of the way to rest:

    f = dt / tau                  (euler)      f = 1 - exp(-dt / tau)      (exact)
    LIF    h = (1 - f) v + f (v_leak + r x)    IF  h = v + dt r x
    LI     v = (1 - f) v + f (v_leak + r x)    I   v = v + dt r x
    CubaLIF and CubaLI: the same with x = i,   i = (1 - f') i + f' w_in x,  f' of tau_syn

then LIF, IF and CubaLIF fire, and v is v_reset. Potentials start at v_leak, those of IF at 0, currents at 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snnlab.layers.low_pass import LowPass
from snnlab.layers.nir_layers import Shape, shown
from snnlab.layers.per_neuron_lif import PerNeuronLIF
from snnlab.neurons.lif import LIF

if TYPE_CHECKING:
    import nir

Numbers = NDArray[np.floating]

NEURONS = ("IF", "LIF", "CubaLIF", "LI", "I", "CubaLI")
# 1 - 1 / steps is 1 in single precision: a leak that nobody sees, for `lif` takes no decay of 1.
NO_LEAK = 1 - 2.0**-40
# A gain that differs from 1 by rounding alone is 1, as in files whose r is tau / dt.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Stepping:
    """How differential equations are stepped.

    Attributes:
        dt: seconds of a time step.
        method: euler, or exact for a constant input.
        fires: at the threshold and above it, or above it only.
        synapse: whether an input reaches the potential in its own step, or in the next one.
    """

    dt: float
    method: Literal["euler", "exact"]
    fires: Literal["at", "above"]
    synapse: Literal["same_step", "next_step"]


class Current(nn.Module):
    """gain x + shift, element by element, before a layer of neurons: [T, B, ...] -> [T, B, ...]."""

    def __init__(self, gain: Tensor | float, shift: Tensor | float) -> None:
        super().__init__()
        self.register_buffer("gain", torch.as_tensor(gain), persistent=False)
        self.register_buffer("shift", torch.as_tensor(shift), persistent=False)

    def forward(self, x_TB: Tensor) -> Tensor:
        return x_TB * self.gain + self.shift  # type: ignore[operator]


def neuron_layers(
    name: str, node: "nir.NIRNode", shape: Shape, neuron: Callable[..., nn.Module], how: Stepping
) -> list[nn.Module]:
    """Returns the layers of a node, one behind the other; the last one is the neurons.

    Args:
        name: of the node, for messages.
        node: one of `NEURONS`.
        shape: of its input, without time and batch.
        neuron: makes a `lif` layer, from which surrogate and reset are taken.
        how: the steps.

    Raises:
        ValueError: numbers do not fit the input or are not finite, or dt is too long for a time constant.
    """
    values = {key: _array(name, key, value, shape) for key, value in vars(node).items() if key in _KEYS}
    kind = type(node).__name__
    layers: list[nn.Module] = []
    if kind.startswith("Cuba"):
        share = _share(name, "tau_syn", values["tau_syn"], how)
        late = how.synapse == "next_step"
        layers.append(
            LowPass(_decay(share, values["tau_syn"], how), _tensor(share * values["w_in"]), late=late)
        )
    tau = values.get("tau_mem", values.get("tau"))
    if tau is None:
        share = np.asarray(how.dt, values["r"].dtype)
        decay: Tensor | float = NO_LEAK if kind == "IF" else 1.0
        leak: Numbers = np.zeros((), values["r"].dtype)
    else:
        share = _share(name, "tau_mem" if "tau_mem" in values else "tau", tau, how)
        decay, leak = _decay(share, tau, how), values["v_leak"]
    gain = share * values["r"]
    if kind in ("LI", "I", "CubaLI"):
        shift = share * leak if tau is not None else leak
        return [*layers, LowPass(decay, _tensor(gain), _tensor(shift), _tensor(leak))]
    threshold, v_reset = values["v_threshold"] - leak, values["v_reset"] - leak
    scaled = tau is not None and bool(np.all(values["r"] == 1))
    return [*layers, *_firing(decay, gain, scaled, _threshold(threshold, how), v_reset, neuron)]


_KEYS = ("tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")


def _firing(
    decay: Tensor | float,
    gain: Numbers,
    scaled: bool,
    threshold: Numbers,
    v_reset: Numbers,
    neuron: Callable[..., nn.Module],
) -> list[nn.Module]:
    """The neurons with one set of numbers as a `lif` layer, which the fast back ends run; others one by one."""
    alike = isinstance(decay, float) and all(one.size == 1 for one in (gain, threshold, v_reset))
    plain = neuron()
    if not isinstance(plain, LIF):
        raise ValueError(f"the neurons of a graph run as neuron=lif, not as {type(plain).__name__}")
    if alike:
        made = neuron(
            decay=decay,
            tau=None,
            decay_input=scaled,
            threshold=float(threshold),
            v_reset=float(v_reset),
            v_init=0.0,
        )
        # `lif` decays to v_reset, NIR's neurons to v_leak, which is 0 here.
        rest = (1 - decay) * float(v_reset)
        by = 1.0 if scaled or abs(float(gain) - 1) < ROUNDING else float(gain)
        return [made] if by == 1 and not rest else [Current(by, -rest), made]
    dynamics = plain.dynamics
    each = PerNeuronLIF(
        plain.surrogate,
        decay,
        _tensor(threshold),
        _tensor(v_reset),
        soft_reset=dynamics.soft_reset,
        detach_reset=dynamics.detach_reset,
    )
    return [each] if np.all(np.abs(gain - 1) < ROUNDING) else [Current(_tensor(gain), 0.0), each]


def _share(name: str, what: str, tau: Numbers, how: Stepping) -> Numbers:
    """The share of the way to rest that a time step takes; in the precision of the file, as its readers do."""
    if not (tau > 0).all():
        raise ValueError(f"{name}: its {what} is not above 0")
    dt = tau.dtype.type(how.dt)
    if how.method == "exact":
        return np.asarray(-np.expm1(-dt / tau))
    share = np.asarray(dt / tau)
    if (share > 1).any():
        raise ValueError(
            f"{name}: a time step of {how.dt:g} s is longer than its {what} of {float(tau.min()):g} s, and Euler's "
            "steps would go beyond the rest"
        )
    return share


def _decay(share: Numbers, tau: Numbers, how: Stepping) -> Tensor | float:
    decay = np.asarray(np.exp(-tau.dtype.type(how.dt) / tau) if how.method == "exact" else 1 - share)
    return min(float(decay), NO_LEAK) if decay.size == 1 else _tensor(decay)


def _threshold(threshold: Numbers, how: Stepping) -> Numbers:
    """The least potential in single precision that fires."""
    single = np.asarray(threshold, np.float32)
    return single if how.fires == "at" else np.nextafter(single, np.float32(np.inf))


def _array(name: str, what: str, values: Any, shape: Shape) -> Numbers:
    """The numbers of a node; a single one if all are equal."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: its {what} is no number")
    array = array.astype(np.float64 if array.dtype == np.float64 else np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: not all numbers of its {what} are finite")
    if array.size and (array == array.flat[0]).all():
        return np.asarray(array.flat[0])
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: its input is {shown(shape)}, and its {what} {shown(array.shape)}")
    return array


def _tensor(values: Numbers) -> Tensor:
    return torch.tensor(np.asarray(values, np.float32))
