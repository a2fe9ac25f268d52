"""Time steps of each layer of a mixed-timestep network."""

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class HasTimeSteps(Protocol):
    """A layer with its own number of time steps; None before it is set."""

    @property
    def time_steps(self) -> int | None: ...


def time_steps(model: nn.Module) -> dict[str, int]:
    """Returns T of each layer that has its own, in the order of the model; empty for any other network.

    A layer has T levels above 0 before conversion (`quant_relu`) and runs for T steps after it (`mixed_if`).
    """
    found = {
        name: module.time_steps for name, module in model.named_modules() if isinstance(module, HasTimeSteps)
    }
    return {name: steps for name, steps in found.items() if isinstance(steps, int)}


def time_step_metrics(model: nn.Module) -> dict[str, float]:
    """Returns `time_steps`, the mean over layers, and `time_steps/<layer>`; empty for any other network.

    The mean is the latency of the mixed-timestep paper: unweighted, without the output layer.
    """
    steps = time_steps(model)
    if not steps:
        return {}
    mean = sum(steps.values()) / len(steps)
    return {"time_steps": mean, **{f"time_steps/{name}": float(one) for name, one in steps.items()}}
