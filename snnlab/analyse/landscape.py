"""Loss around the trained weights, along two random directions of filter-normalised length (DS-ATGO Fig. 9)."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from snnlab import build
from snnlab.analyse.subject import Finding, Subject, table
from snnlab.data.track import track
from snnlab.losses.base import Loss
from snnlab.losses.base_pass import PassLoss
from snnlab.plots.landscape import plot_landscape


@torch.no_grad()
def run(subject: Subject) -> Finding:
    """Held-out loss of the run's objective on a grid of weights, the network in evaluation mode."""
    options = subject.settings.landscape
    model, device = subject.model, subject.stored.pipeline.device
    loss = build.build_loss(subject.cfg).to(device)
    batches = list(subject.batches("reading samples", options.samples, options.split))
    places = torch.linspace(-options.span, options.span, options.grid, dtype=torch.float64).tolist()
    generator = torch.Generator().manual_seed(options.seed)
    directions = [filter_normalised(model, generator) for _ in range(2)]
    points = [(a, b) for b in places for a in places]
    losses = [
        _mean_loss(model, loss, batches)
        for _ in track(moved(model, directions, points), len(points), "loss landscape")
    ]
    rows_BA = [losses[start : start + len(places)] for start in range(0, len(losses), len(places))]
    picture = plot_landscape(
        places, rows_BA, subject.path("landscape"), measure=f"{options.split} loss", title=subject.title
    )
    count = sum(len(target) for _, target in batches)
    centre = _mean_loss(model, loss, batches)
    found = table(
        f"{options.split} loss of {count} samples, {options.grid} x {options.grid} points", "", "loss"
    )
    found.add_row("trained weights", f"{centre:.4f}")
    found.add_row("lowest point of the grid", f"{min(losses):.4f}")
    found.add_row("highest point of the grid", f"{max(losses):.4f}")
    return Finding(picture, found)


def filter_normalised(model: nn.Module, generator: torch.Generator) -> list[Tensor]:
    """A random direction for each parameter (Li et al. 2018, "Visualizing the loss landscape of neural nets").

    Each filter (a row of the first axis) has the norm of the weights' own; what has one axis or none (biases,
    normalisation, learned constants of neurons) does not move.
    """
    found = []
    for weight in model.parameters():
        if weight.dim() < 2:
            found.append(torch.zeros_like(weight))
            continue
        random = torch.randn(weight.shape, generator=generator).to(weight)
        own, of_random = (x.flatten(1).norm(dim=1) for x in (weight.detach(), random))
        scale = own / of_random.clamp(min=1e-10)
        found.append(random * scale.view(-1, *[1] * (weight.dim() - 1)))
    return found


def moved(
    model: nn.Module, directions: Sequence[Sequence[Tensor]], points: Sequence[tuple[float, ...]]
) -> Iterator[tuple[float, ...]]:
    """Yields each point while the weights lie there; puts the weights back in the end."""
    parameters = list(model.parameters())
    start = [parameter.detach().clone() for parameter in parameters]
    try:
        for point in points:
            for index, parameter in enumerate(parameters):
                parameter.copy_(start[index])
                for distance, direction in zip(point, directions, strict=True):
                    parameter.add_(direction[index], alpha=distance)
            yield point
    finally:
        for parameter, value in zip(parameters, start, strict=True):
            parameter.copy_(value)


def _mean_loss(model: nn.Module, loss: Loss, batches: list[tuple[Tensor, Tensor]]) -> float:
    pass_loss = PassLoss(loss)
    for x_TBCHW, target_B in batches:
        pass_loss.update(model(x_TBCHW), target_B)
    return pass_loss.compute()
