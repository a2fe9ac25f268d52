"""Quantities of neurons that training changes: adaptive thresholds, learned decays, surrogate widths and heights."""

from torch import nn

from snnlab.neurons.base import Neuron


def quantities(model: nn.Module) -> dict[str, float]:
    """Returns numbers to log: `threshold/<layer>/t3` for a quantity of each time step, else `decay/<layer>`."""
    found: dict[str, float] = {}
    for layer, module in model.named_modules():
        if not isinstance(module, Neuron):
            continue
        for quantity, values in module.quantities().items():
            name = f"{quantity}/{layer}"
            if values.dim() == 0:
                found[name] = float(values.detach())
            else:
                found |= {f"{name}/t{step}": value for step, value in enumerate(values.tolist(), start=1)}
    return found
