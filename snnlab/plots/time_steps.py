"""The number of time steps of every layer, and the bits of the quantised ANN that it stands for."""

from collections.abc import Mapping
from math import log2
from pathlib import Path

from snnlab.plots.figure import BLUE, INK, MUTED, drawing, tip
from snnlab.plots.layer_names import layer_names


def plot_time_steps(steps: Mapping[str, int], path: Path, *, title: str = "") -> Path:
    """Draws a bar for each layer with its T and, above it, log2 T, the bits of its activations (paper's Fig. 2).

    Args:
        steps: layer name to T, in the order of the network.
        path: PNG file to write.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: there is no layer.
    """
    from matplotlib.ticker import MaxNLocator

    if not steps:
        raise ValueError("steps: there must be a layer")
    mean = sum(steps.values()) / len(steps)
    with drawing(path, max(6.0, 0.42 * len(steps) + 1.5), 4.2, title) as figure:
        axes = figure.subplots()
        places = range(len(steps))
        names = list(layer_names(steps).values())
        bars = axes.bar(places, list(steps.values()), color=BLUE, width=0.7)
        for bar, name, value in zip(bars, names, steps.values(), strict=True):
            bar.set_url(tip(f"{name}: T = {value}, {log2(value):.1f} bits"))
        axes.axhline(mean, color=MUTED, linestyle="--", linewidth=1.0)
        axes.set_xlim(-0.6, len(steps) - 0.4)
        axes.text(len(steps) - 0.4, mean, f" mean {mean:.2f}", va="center", color=MUTED, fontsize=9)
        for place, value in zip(places, steps.values(), strict=True):
            axes.annotate(
                f"{log2(value):.1f}",
                (place, value),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=INK,
            )
        axes.set_xticks(places, names, rotation=60, ha="right", fontsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
        axes.set(title="Time steps of each layer (on the bar: log2 T, bits of the ANN)", ylabel="T")
        axes.grid(axis="y")
    return path
