"""Structural similarity between the input and the spikes of the first layer (DS-ATGO Fig. 4).

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.analyse.subject import Finding, Subject, table
from snnlab.errors import SnnlabError
from snnlab.metrics.similarity import structural_similarity
from snnlab.neurons.base import Neuron
from snnlab.plots.encoding import plot_encoding

SHOWN = 6


@torch.inference_mode()
def run(subject: Subject) -> Finding:
    """Compares the input in grey with the mean over channels and steps 1 to t of the first neurons' output.

    Both are stretched to 0..1. The input is the mean over its channels and steps, made as small as the layer's output.
    """
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for x_TBCHW, _ in subject.batches("encoding"):
        spikes_TBCHW = _first_output(subject, x_TBCHW)
        size = (spikes_TBCHW.shape[-2], spikes_TBCHW.shape[-1])
        grey_BHW = _stretched(F.adaptive_avg_pool2d(x_TBCHW.float().mean((0, 2)), size))
        encoded_TBHW = [_stretched(one) for one in spikes_TBCHW.float().mean(2).cumsum(0)]
        alike_TB = torch.stack([structural_similarity(grey_BHW, one) for one in encoded_TBHW])
        parts.append((grey_BHW.cpu(), encoded_TBHW[-1].cpu(), alike_TB.cpu()))
    greys, encoded, alike = zip(*parts, strict=True)
    alike_TB = torch.cat(alike, 1)
    # Samples lie in the order of their classes.
    shown = torch.linspace(0, alike_TB.shape[1] - 1, min(SHOWN, alike_TB.shape[1])).round().long()
    picture = plot_encoding(
        torch.cat(greys)[shown].tolist(),
        torch.cat(encoded)[shown].tolist(),
        alike_TB[-1, shown].tolist(),
        alike_TB.tolist(),
        subject.path("encoding"),
        title=subject.title,
    )
    found = table(
        "similarity to the input of the first layer's spikes in steps 1 to t", "t", "mean", "least", "most"
    )
    for t, alike_B in enumerate(alike_TB, start=1):
        found.add_row(
            str(t), *(f"{float(one):.4f}" for one in (alike_B.mean(), alike_B.min(), alike_B.max()))
        )
    return Finding(picture, found)


def _first_output(subject: Subject, x_TBCHW: Tensor) -> Tensor:
    """The output of the neurons that the network runs first, if they are laid out as a picture."""
    seen: list[Tensor] = []
    neurons = [module for module in subject.model.modules() if isinstance(module, Neuron)]
    handles = [
        module.register_forward_hook(lambda module, args, output: seen.append(output)) for module in neurons
    ]
    try:
        subject.model(x_TBCHW)
    finally:
        for handle in handles:
            handle.remove()
    if not seen or seen[0].ndim != 5 or x_TBCHW.ndim != 5:
        raise SnnlabError(
            f"encoding: the first neurons of {subject.cfg.model.name} put out no pictures",
            "analyse a convolutional network",
        )
    return seen[0]


def _stretched(x_BHW: Tensor) -> Tensor:
    """Each picture from 0 to 1; one of a single value is 0."""
    low, high = x_BHW.amin((1, 2), keepdim=True), x_BHW.amax((1, 2), keepdim=True)
    return (x_BHW - low) / (high - low).clamp(min=1e-12)
