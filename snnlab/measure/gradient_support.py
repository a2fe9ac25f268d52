"""Share of neurons that get a gradient through their spike, in each layer and step (DS-ATGO Fig. 11)."""

from copy import deepcopy

import torch

from snnlab.analysis.layers_over_time import plot_layers_over_time
from snnlab.errors import SnnlabError
from snnlab.measure._subject import Finding, Subject, ends, table
from snnlab.metrics import GradientSupport
from snnlab.neurons._membrane import MembraneNeuron, watch_potentials


@torch.no_grad()
def run(subject: Subject) -> Finding:
    """Neurons whose membrane potential before reset lies where the surrogate's slope is at least `least` of its peak.

    Measured as in training: with the statistics of the batch, and with adaptive thresholds and widths, on a copy
    of the network, which changes while it is measured.
    """
    least = subject.settings["gradient_support"].least
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
    names = {module: name for name, module in model.named_modules()}
    shares = {names[neuron]: counted.compute() for neuron, counted in layers.items()}
    everywhere = GradientSupport(least)
    for counted in layers.values():
        everywhere.merge(counted)
    picture = plot_layers_over_time(
        shares,
        subject.path("gradient_support"),
        measure="neurons with a gradient",
        everywhere=everywhere.compute(),
        title=subject.title,
    )
    found = table(
        f"neurons with a gradient through '{subject.cfg.surrogate.name}', %",
        "layer",
        "mean",
        "first step",
        "last step",
    )
    for layer, values in {**shares, "all neurons": everywhere.compute()}.items():
        found.add_row(layer, *ends(values))
    return Finding(picture, found)
