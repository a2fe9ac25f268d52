"""Histograms of membrane potentials before reset, with the thresholds (DS-ATGO Fig. 2 and 5, CF Fig. 1)."""

import torch
from torch import Tensor

from snnlab.analyse.chosen_layers import chosen_layers
from snnlab.analyse.subject import Finding, Subject, table
from snnlab.errors import SnnlabError
from snnlab.metrics import Potentials
from snnlab.neurons.base_membrane import MembraneNeuron, watch_potentials
from snnlab.plots.membrane import Histogram, plot_membrane


@torch.inference_mode()
def run(subject: Subject) -> Finding:
    """The distribution of each layer's charged potentials at each step, in evaluation mode."""
    options = subject.settings.membrane
    neurons = {
        name: module for name, module in subject.model.named_modules() if isinstance(module, MembraneNeuron)
    }
    if not neurons:
        raise SnnlabError(
            f"membrane: the neuron '{subject.cfg.neuron.name}' has no membrane potential",
            "analyse a run with spiking neurons; what=firing_rates works on this one",
        )
    places = chosen_layers(neurons, subject.names, options.only, "membrane.only")
    drawn = {place: neurons[place] for place in places}
    counted = {module: Potentials(options.bins) for module in drawn.values()}

    def count(neuron: MembraneNeuron, h_T: Tensor) -> None:
        if neuron in counted:
            counted[neuron].update(neuron, h_T)

    with watch_potentials(subject.model, count):
        for x_TBCHW, _ in subject.batches("membrane potentials"):
            subject.model(x_TBCHW)
    histograms = {}
    for name, neuron in drawn.items():
        potentials = counted[neuron]
        shares = potentials.shares()
        levels = [neuron.firing_thresholds(t) for t in range(len(shares))]
        histograms[name] = Histogram(potentials.edges, shares, levels, potentials.mean_std())
    picture = plot_membrane(
        histograms,
        subject.path("membrane"),
        names=subject.names,
        max_layers=options.layers,
        title=subject.title,
    )
    found = table("membrane potential before reset, last step", "layer", "mean", "std", "fires at")
    for name, one in histograms.items():
        mean, std = one.mean_std[-1]
        fires_at = ", ".join(f"{level:.3g}" for level in one.levels[-1])
        found.add_row(subject.names[name], f"{mean:.3f}", f"{std:.3f}", fires_at)
    return Finding(picture, found)
