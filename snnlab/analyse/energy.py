"""Accumulations, multiplications and energy of each layer, beside an ANN of the same shape."""

from dataclasses import asdict

import torch

from snnlab.analyse.subject import Finding, Subject, table
from snnlab.metrics import CONVENTIONS, LayerCost, OperationCounter, TotalCost, costs, total
from snnlab.plots.energy import plot_energy
from snnlab.plots.figure import MICRO
from snnlab.plots.layer_names import layer_names


@torch.no_grad()
def run(subject: Subject) -> Finding:
    """Counts on real samples, see `OperationCounter`, priced by `energy.convention`."""
    chosen = subject.settings.energy.convention
    convention = CONVENTIONS[chosen]
    with OperationCounter(subject.model) as counter:
        for x_TBCHW, _ in subject.batches("operations"):
            subject.model(x_TBCHW)
    layers = counter.layers()
    found = costs(layers, convention, still=subject.stored.dataset.static)
    whole = total(found)
    picture = plot_energy(
        [asdict(layer) for layer in found],
        asdict(whole),
        # Tables of different papers want one run counted differently.
        subject.path("energy" if chosen == "counted" else f"energy-{chosen}"),
        convention=f"{convention.source}; {convention.ac_pJ:g} pJ per accumulation, {convention.mac_pJ:g} per MAC",
        title=subject.title,
    )
    steps = max(layer.steps for layer in layers)
    short = table(
        f"one sample, {steps} steps; {convention.source}",
        "layer",
        "input",
        "rate",
        "AC M",
        "MAC M",
        f"SNN {MICRO}J",
        f"ANN {MICRO}J",
    )
    names = layer_names((layer.name for layer in found), "conv")
    for layer in found:
        rate = f"{layer.rate:.4f}" if layer.inputs != "real" else ""
        short.add_row(names[layer.name], layer.inputs, rate, *_numbers(layer))
    short.add_row("total", "", "", *_numbers(whole))
    return Finding(picture, short)


def _numbers(cost: LayerCost | TotalCost) -> list[str]:
    millions = (cost.ac, cost.mac, cost.snn_pJ, cost.ann_pJ)
    return [f"{value / 1e6:.3f}" for value in millions]
