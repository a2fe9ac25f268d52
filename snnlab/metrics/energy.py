"""Estimates energy from counted operations, by the convention of each paper.

The counts are those of `OperationCounter`; energies are estimates for 45 nm arithmetic or a neuromorphic chip, without
memory access and without the neurons themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from snnlab.metrics.operations import LayerOperations


@dataclass(frozen=True)
class Convention:
    """The constants and counting rules of a paper.

    Attributes:
        source: publication it is taken from.
        ac_pJ: energy of an accumulation (a synaptic operation).
        mac_pJ: energy of a multiply-accumulate, the operation of an ANN with the same layers.
        spikes: cost of layers with spikes as input. "rate": products x mean firing rate x T, the papers' formula,
            which counts padding as if it fired at the mean rate. "connections": the counted additions.
        ends: "as_fed": the cost of a layer depends on its input. "macs": the first and the last layer are counted as
            multiply-accumulates whatever their input.
        still: how many times a first layer with real input is counted if its input is equal at every time step.
    """

    source: str
    ac_pJ: float
    mac_pJ: float
    spikes: Literal["rate", "connections"] = "rate"
    ends: Literal["as_fed", "macs"] = "as_fed"
    still: Literal["every_step", "once"] = "every_step"


def mac_energy(input_bits: float, weight_bits: float = 8) -> float:
    """Returns the energy in pJ of an integer multiply-accumulate.

    0.2 (input_bits weight_bits) / 64 for the product, as MT-SNN's Table 8 (0.025, 0.05, 0.075 pJ for 1, 2, 3 bits
    times 8 bits; quadratic in a common width, as its text says), plus `ac_energy`. 0.23 for 8 bits times 8 bits.
    """
    return 0.2 * input_bits * weight_bits / 64 + ac_energy(weight_bits)


def ac_energy(weight_bits: float = 8) -> float:
    """Returns the energy in pJ of an integer addition, linear in the width: 0.03 for 8 bits (MT-SNN, Table 8)."""
    return 0.03 * weight_bits / 8


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "counted": Convention(
            "additions as counted, 0.9 / 4.6 pJ (Horowitz 2014)", 0.9, 4.6, spikes="connections"
        ),
        "cf": Convention("circulate-firing paper, Eq. 26 to 28", 0.077, 12.5, still="once"),
        "dsatgo": Convention("DS-ATGO, Table 2", 0.9, 4.6, ends="macs"),
        "mtsnn": Convention("MT-SNN, Eq. 22 and 23, 8-bit weights and inputs", ac_energy(), mac_energy(8)),
        "spikformer": Convention("Spikformer (Zhou et al. 2023)", 0.9, 4.6, still="once"),
    }
)


@dataclass(frozen=True)
class LayerCost:
    """Operations and energy of a layer for one sample.

    Attributes:
        name, kind, inputs: see `LayerOperations`.
        rate: mean firing rate of its input over the time steps.
        ac, mac: accumulations and multiply-accumulates of the spiking network, over all time steps.
        snn_pJ: their energy.
        ann_mac: multiply-accumulates of the corresponding layer in an ANN, which runs once.
        ann_pJ: their energy.
    """

    name: str
    kind: str
    inputs: str
    rate: float
    ac: float
    mac: float
    snn_pJ: float
    ann_mac: float
    ann_pJ: float


def costs(
    layers: Sequence[LayerOperations],
    convention: Convention,
    *,
    still: bool = False,
    ann_mac_pJ: Mapping[str, float] | None = None,
) -> list[LayerCost]:
    """Returns operations and energy of each layer by a convention.

    A layer whose input is spikes or pooled spikes costs accumulations, any other multiply-accumulates at every step.

    Args:
        layers: counted operations of each layer, in the order of execution.
        convention: the paper's constants and counting rules.
        still: whether the input is one image, equal at every time step.
        ann_mac_pJ: energy of a multiplication in the ANN for layers whose inputs have widths of their own, see
            `mac_energy`; the convention's for all others.
    """
    found = []
    for index, layer in enumerate(layers):
        steps = layer.steps
        ac = mac = 0.0
        if layer.inputs == "real" or (convention.ends == "macs" and index in (0, len(layers) - 1)):
            once = still and index == 0 and convention.still == "once"
            mac = layer.products * (1 if once else steps)
        elif convention.spikes == "rate":
            ac = layer.products * sum(layer.rate_T)
        else:
            ac = sum(layer.accumulates_T)
        ann_pJ = layer.products * (ann_mac_pJ or {}).get(layer.name, convention.mac_pJ)
        snn_pJ = ac * convention.ac_pJ + mac * convention.mac_pJ
        rate = sum(layer.rate_T) / steps
        found.append(
            LayerCost(layer.name, layer.kind, layer.inputs, rate, ac, mac, snn_pJ, layer.products, ann_pJ)
        )
    return found


@dataclass(frozen=True)
class TotalCost:
    """Sums over the layers, named as in `LayerCost`."""

    ac: float
    mac: float
    snn_pJ: float
    ann_mac: float
    ann_pJ: float


def total(found: Sequence[LayerCost]) -> TotalCost:
    """Returns the cost of a whole network."""
    names = TotalCost.__dataclass_fields__
    return TotalCost(**{name: sum(getattr(layer, name) for layer in found) for name in names})
