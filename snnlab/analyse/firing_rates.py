"""Firing rate of each layer at each time step (DS-ATGO Fig. 8 and 10), and how often each level occurs."""

from collections.abc import Callable

import torch

from snnlab.analyse.subject import Finding, Subject, ends, table
from snnlab.errors import SnnlabError
from snnlab.metrics import FiringRate, LevelShares, Recorder, Statistic
from snnlab.neurons.base import Neuron
from snnlab.plots.layers_over_time import plot_layers_over_time


@torch.inference_mode()
def run(subject: Subject) -> Finding:
    """The share of a layer's outputs that are not zero: firing neurons, or active units of an ANN.

    Of neurons with several levels the CSV also has the share of each level, over all steps.
    """
    neurons = [module for module in subject.model.modules() if isinstance(module, Neuron)]
    if not neurons:
        raise SnnlabError(
            f"firing_rates: {subject.cfg.model.name} has no neuron layer", "analyse another run"
        )
    levels = (
        min(neuron.output_range[0] for neuron in neurons),
        max(neuron.output_range[1] for neuron in neurons),
    )
    statistics: dict[str, Callable[[], Statistic]] = {
        "rate": FiringRate,
        "level": lambda: LevelShares(levels),
    }
    with Recorder(subject.model, statistics) as recorder:
        for x_TBCHW, _ in subject.batches("firing rates"):
            subject.model(x_TBCHW)
    layers: dict[str, FiringRate] = recorder.recorded("rate")
    rates = {layer: values for layer, values in recorder.rates().items() if values}
    everywhere = FiringRate()
    # Layers of a network of mixed time steps have no common ones.
    if len({len(values) for values in rates.values()}) == 1:
        for rate in layers.values():
            everywhere.merge(rate)
    all_neurons = everywhere.compute()
    several = levels != (0, 1)
    shares = {layer: counted.shares() for layer, counted in recorder.recorded("level").items()}
    picture = plot_layers_over_time(
        rates,
        subject.path("firing_rates"),
        measure="firing rate",
        everywhere=all_neurons,
        names=subject.names,
        title=subject.title,
        extra={layer: {f"level {k}": _mean(share[k]) for k in share} for layer, share in shares.items()}
        if several
        else {},
    )
    heads = [f"is {k}" for k in range(levels[0], levels[1] + 1)] if several else ["first step", "last step"]
    found = table("firing rate, %", "layer", "mean", *heads)
    for layer, values in rates.items():
        of_levels = [f"{100 * _mean(shares[layer][k]):.2f}" for k in shares[layer]]
        found.add_row(subject.names[layer], *(ends(values)[:1] + of_levels if several else ends(values)))
    if all_neurons:
        found.add_row("all neurons", *ends(all_neurons)[: 1 if several else 3])
    return Finding(picture, found)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
