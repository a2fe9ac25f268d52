"""What neurons learn (thresholds, decays, heights of the surrogate) against the epoch, a line per layer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.plots.figure import drawing, whole_numbers, write_csv
from snnlab.plots.hover import hover_line
from snnlab.plots.layer_names import layer_names

Quantities = dict[str, dict[tuple[str, int], list[tuple[int, float]]]]
"""Name of a quantity -> (layer, time step or 0 where steps are alike) -> its values as (epoch, value)."""

MAX_STEPS = 4
MAX_NAMES = 12


def plot_quantity_trends(
    quantities: Quantities, path: Path, *, names: Mapping[str, str] | None = None, title: str = ""
) -> Path:
    """Draws a row of panels per quantity, a panel per time step, a line per layer from dark to light.

    Args:
        quantities: what was logged; of more than four steps the first, the last and two between are drawn.
        path: PNG file to write; the CSV beside it has all of them.
        names: what to call the layers; None: by their places among these.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: nothing to draw.
    """
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    if not quantities:
        raise ValueError("quantities: nothing to draw")
    rows = {quantity: _some(sorted({step for _, step in lines})) for quantity, lines in quantities.items()}
    rows = dict(sorted(rows.items(), key=lambda row: -len(row[1])))
    columns = max(len(steps) for steps in rows.values())
    layers = list(dict.fromkeys(layer for lines in quantities.values() for layer, _ in lines))
    names = names or layer_names(layers)
    colours = colormaps["viridis"](np.linspace(0, 0.92, max(len(layers), 2)))
    shown = {layers[round(n)] for n in np.linspace(0, len(layers) - 1, min(len(layers), MAX_NAMES))}
    with drawing(path, max(2.6 * columns + 2.2, 5.6), 2.3 * len(rows) + 0.7, title) as figure:
        panels = figure.subplots(len(rows), columns, squeeze=False, sharey="row")
        for (quantity, steps), line_of_panels in zip(rows.items(), panels, strict=True):
            for axes in line_of_panels[len(steps) :]:
                axes.set_axis_off()
            for axes, step in zip(line_of_panels, steps, strict=False):
                for layer, colour in zip(layers, colours, strict=False):
                    points = quantities[quantity].get((layer, step), [])
                    if points:
                        epochs, values = zip(*points, strict=True)
                        marker = "o" if len(points) <= 30 else ""
                        axes.plot(epochs, values, color=colour, marker=marker, markersize=3, linewidth=1.4)
                        said = [f"{names[layer]}, epoch {epoch}: {value:.4g}" for epoch, value in points]
                        hover_line(axes, epochs, values, said)
                        whole_numbers(axes, epochs[0], epochs[-1])
                axes.set(
                    title=f"{quantity}, t = {step}" if step else f"{quantity}, all steps", xlabel="epoch"
                )
                axes.grid(axis="y")
        handles = [
            Line2D([], [], color=colour, label=names[layer])
            for layer, colour in zip(layers, colours, strict=False)
            if layer in shown
        ]
        figure.legend(handles=handles, loc="outside right upper", title="layer")
    table = [
        [quantity, names[layer], step or None, epoch, value, layer]
        for quantity, lines in quantities.items()
        for (layer, step), points in lines.items()
        for epoch, value in points
    ]
    write_csv(path.with_suffix(".csv"), ("quantity", "layer", "t", "epoch", "value", "place"), table)
    return path


def _some(steps: Sequence[int]) -> list[int]:
    import numpy as np

    if len(steps) <= MAX_STEPS:
        return list(steps)
    return [steps[round(index)] for index in np.linspace(0, len(steps) - 1, MAX_STEPS)]
