"""Loss surfaces over two parameters, with trajectories of an optimiser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.plots.figure import VERMILLION, drawing
from snnlab.plots.hover import MOST, hover_points


@dataclass(frozen=True)
class Surface:
    """A loss on a grid.

    Attributes:
        first, second: names of the parameters, along and across.
        along, across: their values.
        loss: a row for each value across, with a number for each value along.
        ways: trajectories, each a list of (first, second) from the start to the end of an optimisation.
    """

    first: str
    second: str
    along: Sequence[float]
    across: Sequence[float]
    loss: Sequence[Sequence[float]]
    ways: Sequence[Sequence[tuple[float, float]]] = ()


def plot_loss_surfaces(surfaces: Mapping[str, Surface], path: Path, *, title: str = "") -> Path:
    """Draws contours of log10 of each loss above the least one, side by side, on one scale.

    Args:
        surfaces: name to surface.
        path: PNG file to write.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: there is no surface.
    """
    import numpy as np

    if not surfaces:
        raise ValueError("surfaces: there must be one")
    grids = {name: np.array(one.loss, dtype=np.float64) for name, one in surfaces.items()}
    least = min(float(grid.min()) for grid in grids.values())
    heights = {name: np.log10(np.maximum(grid - least, 1e-5)) for name, grid in grids.items()}
    levels = np.linspace(min(h.min() for h in heights.values()), max(h.max() for h in heights.values()), 24)
    with drawing(path, 3.6 * len(surfaces), 3.9, title) as figure:
        panels = figure.subplots(1, len(surfaces), squeeze=False)[0]
        for axes, (name, surface) in zip(panels, surfaces.items(), strict=True):
            drawn = axes.contourf(surface.along, surface.across, heights[name], levels=levels, cmap="cividis")
            for way in surface.ways:
                axes.plot([a for a, _ in way], [b for _, b in way], color=VERMILLION, linewidth=1.5)
                axes.plot(*way[0], "o", color="white", markersize=4)
                axes.plot(*way[-1], "*", color=VERMILLION, markersize=9)
            points = [(a, b) for b in surface.across for a in surface.along]
            losses = [loss for row in surface.loss for loss in row]
            texts = [
                f"{surface.first} {a:.3g}, {surface.second} {b:.3g}: loss {loss:.4g}"
                for (a, b), loss in zip(points, losses, strict=True)
            ]
            # Every so many, if all would be too many.
            every = slice(None, None, -(-len(points) // MOST))
            xs, ys = zip(*points[every], strict=True)
            hover_points(axes, xs, ys, texts[every])
            axes.set(title=name, xlabel=surface.first, ylabel=surface.second)
            axes.set_xlim(surface.along[0], surface.along[-1])
            axes.set_ylim(surface.across[0], surface.across[-1])
        figure.colorbar(drawn, ax=list(panels), label="log10 (loss - least loss)", format="%.1f")
    return path
