"""One number per layer and time step, such as a firing rate: heat map with the means along both of its sides."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.plots.figure import BLUE, GRID, INK, VERMILLION, drawing, tip, write_csv
from snnlab.plots.hover import hover_cells, hover_points
from snnlab.plots.layer_names import layer_names

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

MAX_NUMBERS = 12


def plot_layers_over_time(
    shares: Mapping[str, Sequence[float]],
    path: Path,
    *,
    measure: str,
    everywhere: Sequence[float],
    names: Mapping[str, str] | None = None,
    title: str = "",
    extra: Mapping[str, Mapping[str, float]] | None = None,
) -> Path:
    """Draws shares in %: a row per layer, a column per step; layer means at the right, step means above.

    Args:
        shares: layer name to its share at every time step, in the order of the network.
        path: PNG file to write; the CSV beside it has the shares as fractions.
        measure: what the share is of, for the labels.
        everywhere: the share among all neurons together at every step; empty if layers differ in their steps.
        names: what to call the layers; None: by their places among these.
        title: above the picture.
        extra: further columns of the CSV, for each layer.

    Returns:
        `path`.

    Raises:
        ValueError: no layer, or one without a time step.
    """
    import numpy as np

    if not shares or not all(shares.values()):
        raise ValueError("there must be a layer, and every layer needs a time step")
    num_layers, num_steps = len(shares), max(len(values) for values in shares.values())
    names = names or layer_names(shares)
    values_LT = np.full((num_layers, num_steps), np.nan)
    for values_T, values in zip(values_LT, shares.values(), strict=True):
        values_T[: len(values)] = 100 * np.asarray(values)
    steps = np.arange(1, num_steps + 1)
    mean_L, mean_T = np.nanmean(values_LT, 1), 100 * np.asarray(everywhere)
    width, height = min(max(0.55 * num_steps, 2.6), 8.0) + 4.6, 0.3 * num_layers + 1.7
    heights = (1.0, 0.3 * num_layers + 0.4) if everywhere else (1.0,)
    with drawing(path, width, height + 1.3 * (len(heights) - 1), title) as figure:
        grid = figure.subplots(
            len(heights), 2, width_ratios=(width - 4.4, 2.6), height_ratios=heights, squeeze=False
        )
        heat, right = grid[-1]
        _heat_map(heat, values_LT, [names[place] for place in shares], steps)
        heat.set(xlabel="time step t")
        if everywhere:
            above, corner = grid[0]
            corner.set_axis_off()
            above.plot(steps, mean_T, color=BLUE, marker="o")
            said = [f"t = {t}: {y:.2f} %" for t, y in enumerate(mean_T, start=1)]
            hover_points(above, steps.tolist(), mean_T.tolist(), said)
            above.set(xlim=(0.5, num_steps + 0.5), ylim=(0, 1.25 * max(float(mean_T.max()), 1e-9)), xticks=[])
            above.set(title=f"All neurons: {measure}, %")
            above.grid(axis="y")
        else:
            heat.set_title(f"{measure}, %".capitalize())
        rows = np.arange(num_layers)
        bars = right.barh(rows, mean_L, color=BLUE, height=0.7)
        for bar, place, mean in zip(bars, shares, mean_L, strict=True):
            bar.set_url(tip(f"{names[place]}, mean over the steps: {mean:.2f} %"))
        right.set(ylim=(num_layers - 0.5, -0.5), yticks=[], xlabel="mean over the steps, %")
        right.set_xlim(0, 1.25 * max(float(mean_L.max()), 1e-9))
        if everywhere:
            average = float(mean_T.mean())
            right.axvline(average, color=VERMILLION, linestyle=":", linewidth=2)
            right.set_title(f"all neurons {average:.1f} %", fontsize=9, fontweight="normal", color=VERMILLION)
        for row, mean in enumerate(mean_L):
            right.text(
                1.0,
                row,
                f"{mean:.1f}",
                transform=right.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=8,
            )
        right.grid(axis="x", color=GRID)
    further = list(next(iter(extra.values()))) if extra else []
    whole = {**shares, "all neurons": everywhere} if everywhere else shares
    table = [
        [
            names.get(layer, layer),
            *(values[t - 1] if t <= len(values) else None for t in range(1, num_steps + 1)),
            sum(values) / len(values),
            *((extra or {}).get(layer, {}).get(name) for name in further),
            layer if layer in names else None,
        ]
        for layer, values in whole.items()
    ]
    head = ["layer", *(f"t{t}" for t in steps), "mean", *further, "place"]
    write_csv(path.with_suffix(".csv"), head, table)
    return path


def _heat_map(
    axes: "Axes", values_LT: "NDArray[np.float64]", names: Sequence[str], steps: "NDArray[np.int64]"
) -> None:
    import numpy as np

    top = max(float(np.nanmax(values_LT)), 1e-12)
    axes.imshow(
        values_LT,
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=top,
        extent=(0.5, len(steps) + 0.5, len(names) - 0.5, -0.5),
    )
    axes.set_yticks(range(len(names)), names)
    every = -(-len(steps) // MAX_NUMBERS)
    axes.set_xticks(steps[::every])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(steps) <= MAX_NUMBERS:
        for (layer, step), value in np.ndenumerate(values_LT):
            if np.isnan(value):
                continue
            colour = "white" if value > 0.6 * top else INK
            axes.text(step + 1, layer, f"{value:.1f}", ha="center", va="center", fontsize=8, color=colour)
    texts = [
        [
            "" if np.isnan(value) else f"{name}, t = {step}: {value:.2f} %"
            for step, value in enumerate(values_T, 1)
        ]
        for name, values_T in zip(names, values_LT, strict=True)
    ]
    hover_cells(axes, texts, left=0.5)
