"""Share of neurons that get a gradient through their spike, in each layer and step (DS-ATGO Fig. 11)."""

from copy import deepcopy

import torch

from snnlab.analyse.subject import Finding, Subject, ends, table
from snnlab.errors import SnnlabError
from snnlab.metrics import GradientSupport
from snnlab.neurons.base_membrane import MembraneNeuron, watch_potentials
from snnlab.plots.layers_over_time import plot_layers_over_time


@torch.no_grad()
def run(subject: Subject) -> Finding:
    """Neurons whose membrane potential before reset lies where the surrogate's slope is at least `least` of its peak.

    Measured as in training: with the statistics of the batch, and with adaptive thresholds and widths, on a copy
    of the network, which changes while it is measured.
    """
    least = subject.settings.gradient_support.least
    model = deepcopy(subject.model).train()
    layers = {
        module: GradientSupport(least) for module in model.modules() if isinstance(module, MembraneNeuron)
    }
    if not layers:
        raise SnnlabError(
            f"gradient_support: the neuron '{subject.cfg.neuron.name}' has no spike and no surrogate",
            "analyse a run with spiking neurons; what=firing_rates works on this one",
        )
    with watch_potentials(model, lambda neuron, h_T: layers[neuron].update(neuron, h_T)):
        for x_TBCHW, _ in subject.batches("gradient support"):
            model(x_TBCHW)
    places = {module: name for name, module in model.named_modules()}
    shares = {places[neuron]: counted.compute() for neuron, counted in layers.items()}
    bounds = {places[neuron]: counted.bounds() for neuron, counted in layers.items()}
    everywhere = GradientSupport(least)
    for counted in layers.values():
        everywhere.merge(counted)
    all_neurons = everywhere.compute()
    picture = plot_layers_over_time(
        shares,
        subject.path("gradient_support"),
        measure="neurons with a gradient",
        everywhere=all_neurons,
        names=subject.names,
        title=subject.title,
        extra={layer: _columns(found) for layer, found in bounds.items()},
    )
    short = table(
        f"neurons with a gradient through '{subject.cfg.surrogate.name}', %",
        "layer",
        "mean",
        "first step",
        "last step",
        "potentials, last step",
    )
    for layer, values in shares.items():
        short.add_row(subject.names[layer], *ends(values), "{:.3f} to {:.3f}".format(*bounds[layer][-1]))
    short.add_row("all neurons", *ends(all_neurons))
    return Finding(picture, short)


def _columns(bounds: list[tuple[float, float]]) -> dict[str, float]:
    """What the CSV says besides: from which potential to which, at each step."""
    return {
        f"{end} t{t}": value
        for index, end in enumerate(("low", "high"))
        for t, value in enumerate((pair[index] for pair in bounds), start=1)
    }
