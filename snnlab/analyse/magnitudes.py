"""Magnitude of one layer's membrane potentials before reset, by neuron and sample (CF Fig. 3)."""

import torch
from torch import Tensor

from snnlab.analyse.chosen_layers import chosen_layers
from snnlab.analyse.subject import Finding, Subject, table
from snnlab.errors import SnnlabError
from snnlab.neurons.base_membrane import MembraneNeuron, watch_potentials
from snnlab.plots.magnitudes import plot_magnitudes


@torch.inference_mode()
def run(subject: Subject) -> Finding:
    """|h| averaged over the time steps, for evenly spaced neurons and samples, in evaluation mode."""
    options = subject.settings.magnitudes
    neurons = {
        name: module for name, module in subject.model.named_modules() if isinstance(module, MembraneNeuron)
    }
    if not neurons:
        raise SnnlabError(
            f"magnitudes: the neuron '{subject.cfg.neuron.name}' has no membrane potential",
            "analyse a run with spiking neurons; what=firing_rates works on this one",
        )
    place = chosen_layers(neurons, subject.names, options.layer, "magnitudes.layer")[-1]
    layer, name, parts_BN = neurons[place], subject.names[place], list[Tensor]()

    def keep(neuron: MembraneNeuron, h_T: Tensor) -> None:
        if neuron is layer:
            parts_BN.append(_spread(h_T.abs().mean(0).flatten(1), options.neurons).cpu())

    with watch_potentials(subject.model, keep):
        for x_TBCHW, _ in subject.batches("magnitudes", options.samples):
            subject.model(x_TBCHW)
    magnitudes_BN = torch.cat(parts_BN)
    picture = plot_magnitudes(
        magnitudes_BN.T.tolist(),
        subject.path("magnitudes"),
        limit=options.limit,
        title=subject.title,
        layer=name,
    )
    found = table("magnitude of the membrane potential before reset", "layer", "mean", "90 %", "greatest")
    numbers = (magnitudes_BN.mean(), magnitudes_BN.quantile(0.9), magnitudes_BN.max())
    found.add_row(name, *(f"{float(number):.3f}" for number in numbers))
    return Finding(picture, found)


def _spread(values_BN: Tensor, count: int) -> Tensor:
    """Returns `count` evenly spaced columns of [B, N], all of them if there are fewer."""
    wanted = min(count, values_BN.shape[1])
    return values_BN[:, torch.linspace(0, values_BN.shape[1] - 1, wanted).round().long()]
