"""The loss of quantising normal numbers, over the two numbers that each parameterisation learns (paper's Fig. 3).

python -m snnlab.convert.surfaces surfaces.png
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from snnlab.neurons.quant_relu import QuantReLU
from snnlab.plots.loss_surfaces import Surface, plot_loss_surfaces

RANGES = {"n": (0.5, 6.0), "t": (1.0, 48.0), "s": (0.02, 1.0), "gamma": (0.25, 5.0)}
"""Of each number; the paper says "typical ranges"."""
STARTS = ((4.0, 1.0), (24.0, 4.0))
"""(t, gamma) from which the optimiser starts, the same for every parameterisation."""


def surfaces(points: int = 10_000, size: int = 50, steps: int = 300, lr: float = 0.1) -> dict[str, Surface]:
    """The surface of each parameterisation and the ways of SGD on it.

    The loss is the mean of (x - Q(x))^2 over x from a standard normal distribution (the paper's Appendix B). Q is
    the quantised rectifier, so the negative half adds 0.5 everywhere.

    Args:
        points: numbers that are quantised.
        size: grid points along each axis.
        steps: of SGD.
        lr: its learning rate, without momentum, equal for all.
    """
    x = torch.randn(points, generator=torch.Generator().manual_seed(0))
    found = {}
    for parameters in ("n_s", "n_gamma", "s_gamma", "t_gamma"):
        first, second = parameters.split("_")
        along, across = (torch.linspace(*RANGES[name], size) for name in (first, second))
        neuron = QuantReLU(parameters=parameters)
        one, other = neuron.parameters()
        loss: list[list[float]] = []
        with torch.no_grad():
            for b in across:
                loss.append([])
                for a in along:
                    one.fill_(a)
                    other.fill_(b)
                    loss[-1].append(_loss(neuron, x).item())
        ways = [_way(parameters, x, t, gamma, steps, lr) for t, gamma in STARTS]
        found[parameters] = Surface(first, second, along.tolist(), across.tolist(), loss, ways)
    return found


def _loss(neuron: QuantReLU, x: Tensor) -> Tensor:
    loss: Tensor = (x - neuron(x)).square().mean()
    return loss


def _way(
    parameters: str, x: Tensor, t: float, gamma: float, steps: int, lr: float
) -> list[tuple[float, float]]:
    neuron = QuantReLU(parameters=parameters, t_init=t, gamma_init=gamma)  # type: ignore[arg-type]
    one, other = neuron.parameters()
    optimizer = torch.optim.SGD(neuron.parameters(), lr=lr)
    way = [(one.item(), other.item())]
    for _ in range(steps):
        optimizer.zero_grad()
        _loss(neuron, x).backward()  # type: ignore[no-untyped-call]  # untyped in torch
        optimizer.step()
        way.append((one.item(), other.item()))
    return way


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "mtsnn_loss_surfaces.png")
    drawn = plot_loss_surfaces(surfaces(), target, title="Loss of quantising N(0, 1), with two ways of SGD")
    sys.stdout.write(f"{drawn}\n")
