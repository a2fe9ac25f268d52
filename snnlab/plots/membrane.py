"""Histograms of membrane potentials, a panel per layer and a line per time step, with the firing thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.plots.figure import INK, VERMILLION, drawing, tip, write_csv
from snnlab.plots.layer_names import layer_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

MAX_COLUMNS = 3
MAX_STEPS = 12


@dataclass(frozen=True)
class Histogram:
    """The potentials of one layer.

    Attributes:
        edges: of the bins, one more than there are bins.
        shares: for each step, the share of potentials below the first edge, in each bin, above the last edge.
        levels: for each step, the potentials at which the output changes, ascending.
        mean_std: for each step.
    """

    edges: Sequence[float]
    shares: Sequence[Sequence[float]]
    levels: Sequence[Sequence[float]]
    mean_std: Sequence[tuple[float, float]]


def plot_membrane(
    histograms: Mapping[str, Histogram],
    path: Path,
    *,
    names: Mapping[str, str] | None = None,
    max_layers: int = 6,
    title: str = "",
) -> Path:
    """Draws the distribution of the potentials before reset, later steps in lighter colours, twelve steps at most.

    The thresholds of the last step are dashed; where they move, those of the first step are dotted.

    Args:
        histograms: layer name to its histogram, in the order of the network.
        path: PNG file to write; the CSV beside it has every bin of every layer and step.
        names: what to call the layers; None: by their places among these.
        max_layers: panels; the first, the last and evenly spaced layers of more.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: no layer.
    """
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm
    from matplotlib.lines import Line2D

    if not histograms:
        raise ValueError("histograms: no layer to draw")
    places = list(histograms)
    titles = names or layer_names(places)
    if len(places) > max_layers:
        places = [places[round(index)] for index in np.linspace(0, len(places) - 1, max_layers)]
    num_steps = max(len(histograms[place].shares) for place in places)
    colours = colormaps["viridis"].resampled(max(num_steps, 2))
    columns = min(-(-len(places) // 2), MAX_COLUMNS) if len(places) > 3 else len(places)
    rows = -(-len(places) // columns)
    moving = False
    with drawing(path, 3.2 * columns + 1.0, 2.3 * rows + 1.0, title) as figure:
        panels = figure.subplots(rows, columns, squeeze=False)
        for axes in panels.flat[len(places) :]:
            axes.set_axis_off()
        for axes, place in zip(panels.flat, places, strict=False):
            moving |= _panel(axes, histograms[place], colours)
            axes.set_title(titles[place])
        for axes in panels[:, 0]:
            axes.set_ylabel("density")
        for index in range(columns):
            panels[-1 if index < len(places) - columns * (rows - 1) else -2, index].set_xlabel(
                "potential before reset"
            )
        lines = [Line2D([], [], color=VERMILLION, linestyle="--", label="threshold")]
        if moving:
            lines[0].set_label("threshold, last step")
            lines.append(Line2D([], [], color=VERMILLION, linestyle=":", label="threshold, first step"))
        figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))
        if num_steps > 1:
            norm = BoundaryNorm(np.arange(num_steps + 1) + 0.5, colours.N)
            bar = figure.colorbar(ScalarMappable(norm, colours), ax=panels, pad=0.02, label="time step t")
            bar.set_ticks(np.unique(np.linspace(1, num_steps, min(num_steps, 6)).round().tolist()).tolist())
            bar.ax.tick_params(length=0)
    write_csv(
        path.with_suffix(".csv"),
        ("layer", "t", "from", "to", "share", "mean", "std", "levels", "place"),
        _rows(histograms, titles),
    )
    return path


def _panel(axes: "Axes", one: Histogram, colours: "Colormap") -> bool:
    """Draws one layer; returns whether its thresholds differ between steps."""
    import numpy as np

    edges = np.asarray(one.edges)
    width = edges[1] - edges[0]
    density_TN = np.asarray(one.shares)[:, 1:-1] / width
    drawn = np.linspace(0, len(density_TN) - 1, min(len(density_TN), MAX_STEPS)).round().astype(int)
    for t in drawn.tolist():
        line = axes.stairs(density_TN[t], edges, color=colours(t), linewidth=1.3)
        mean, std = one.mean_std[t]
        line.set_url(tip(f"t = {t + 1}: mean {mean:.3f}, standard deviation {std:.3f}"))
    # A peak at rest, of neurons without input, would compress the rest of the plot.
    ordered = np.sort(density_TN.ravel())
    highest, usual = (
        ordered[-1],
        np.sort(density_TN, 1)[:, :-3].max() if density_TN.shape[1] > 3 else ordered[-1],
    )
    if highest > 3 * usual > 0:
        axes.set_ylim(0, 1.25 * usual)
        axes.text(
            0.02, 0.97, f"peak {highest:.2g}", transform=axes.transAxes, va="top", fontsize=8, color=INK
        )
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlim(edges[0], edges[-1])
    first, last = list(one.levels[0]), list(one.levels[-1])
    lines = [(level, "--", f"threshold {level:.3f}") for level in last]
    if first != last:
        lines = [(level, "--", f"threshold of the last step {level:.3f}") for level in last]
        lines += [(level, ":", f"threshold of the first step {level:.3f}") for level in first]
    for level, dashes, said in lines:
        axes.axvline(level, color=VERMILLION, linestyle=dashes, linewidth=1.2, url=tip(said))
    return first != last


def _rows(histograms: Mapping[str, Histogram], names: Mapping[str, str]) -> list[list[object]]:
    rows: list[list[object]] = []
    for place, one in histograms.items():
        bounds = [None, *one.edges, None]
        for t, shares in enumerate(one.shares):
            levels = " ".join(f"{level:g}" for level in one.levels[t])
            rows += [
                [names[place], t + 1, bounds[n], bounds[n + 1], share, *one.mean_std[t], levels, place]
                for n, share in enumerate(shares)
            ]
    return rows
