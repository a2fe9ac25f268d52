"""Spike raster: which neurons of a few layers fire at which time step, for one sample."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.plots.figure import BLUE, MUTED, VERMILLION, drawing
from snnlab.plots.hover import hover_rows
from snnlab.plots.layer_names import layer_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

MAX_LAYERS = 4
LEVELS = (("negative", VERMILLION), ("none", "#F2F2F2"), ("up to 1", BLUE), ("above 1", "#00243D"))


def plot_raster(
    spikes: "Mapping[str, ArrayLike]", path: Path, *, max_neurons: int = 60, title: str = ""
) -> Path:
    """Draws a panel per layer: a row per neuron, a column per time step, a mark where the neuron fires.

    Neurons are sorted by how often and then by how early they fire, the most active on top. Of a large layer,
    the rows are evenly spaced ones of that order among the neurons that fire at all.

    Args:
        spikes: layer name to the outputs of one sample [T, ...]; of more than four layers the picture takes
            the first, the last and two evenly spaced between. Negative and larger spikes get other colours.
        path: PNG file to write.
        max_neurons: rows per layer.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: no layer.
    """
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    if not spikes:
        raise ValueError("spikes: no layer to draw")
    names = list(spikes)
    titles = layer_names(names)
    if len(names) > MAX_LAYERS:
        names = [names[round(index)] for index in np.linspace(0, len(names) - 1, MAX_LAYERS)]
    colours = ListedColormap([colour for _, colour in LEVELS])
    norm = BoundaryNorm([-0.5, 0.5, 1.5, 2.5, 3.5], len(LEVELS))
    levels: set[int] = set()
    with drawing(path, 2.6 * len(names) + 0.6, 4.4, title) as figure:
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
            output = np.asarray(spikes[name], dtype=np.float64)
            output_NT = output.reshape(len(output), -1).T
            shown_NT = _most_active_first(output_NT, max_neurons)
            level_NT = _level(shown_NT)
            levels |= set(np.unique(level_NT).tolist())
            steps = np.arange(len(output) + 1) + 0.5
            rows = np.arange(len(shown_NT) + 1)
            axes.pcolormesh(steps, rows, level_NT, cmap=colours, norm=norm, edgecolor="white", linewidth=0.4)
            hover_rows(axes, [_said(fired) for fired in shown_NT], len(output), left=0.5, top=0.0)
            axes.invert_yaxis()
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            firing, count = int((output_NT != 0).any(1).sum()), len(output_NT)
            axes.set(xlabel="time step t", yticks=[], title=titles[name])
            axes.set_ylabel(
                f"{len(shown_NT):,} of {firing:,} active neurons" if firing else "no neuron is active"
            )
            rate = (output_NT != 0).mean()
            about = f"{100 * firing / count:.0f} % of {count:,} neurons fire\nrate {rate:.3f} per step"
            axes.text(0.0, -0.17, about, transform=axes.transAxes, va="top", fontsize=9, color=MUTED)
        if levels - {1, 2}:
            handles = [Patch(color=colour, label=label) for label, colour in LEVELS]
            figure.legend(handles=handles, loc="outside lower center", ncols=len(LEVELS))
    return path


def _most_active_first(output_NT: "NDArray[np.float64]", max_neurons: int) -> "NDArray[np.float64]":
    """Up to so many of the neurons that fire, sorted; one silent row if none does."""
    import numpy as np

    fired_NT = output_NT != 0
    order = np.lexsort((fired_NT.argmax(1), -fired_NT.sum(1)))
    active = order[: int(fired_NT.any(1).sum())]
    if len(active) > max_neurons:
        active = active[np.linspace(0, len(active) - 1, max_neurons).round().astype(int)]
    return output_NT[active] if len(active) else np.zeros((1, output_NT.shape[1]))


def _said(output_T: "NDArray[np.float64]") -> str:
    steps = ", ".join(str(step) for step, value in enumerate(output_T, start=1) if value)
    return f"fires at t = {steps}" if steps else "does not fire"


def _level(output_NT: "NDArray[np.float64]") -> "NDArray[np.int64]":
    """Index into LEVELS."""
    import numpy as np

    return np.select([output_NT < 0, output_NT == 0, output_NT <= 1], [0, 1, 2], default=3)
