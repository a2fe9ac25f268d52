"""Firing rates: a heat map of every layer at every time step, and the numbers as CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.plots.figure import INK, drawing, write_csv
from snnlab.plots.hover import hover_cells
from snnlab.plots.layer_names import layer_names

MAX_NUMBERS = 20


def plot_firing_rates(rates: Mapping[str, Sequence[float]], path: Path, *, title: str = "") -> Path:
    """Draws the share of neurons that fire, a row per layer and a column per time step.

    Args:
        rates: layer name to its rate at every time step, in the order of the network.
        path: PNG file to write; the CSV beside it has the mean over the steps, too.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: no layer, or layers with different numbers of time steps.
    """
    import numpy as np

    if not rates or len({len(values) for values in rates.values()}) != 1:
        raise ValueError("rates: every layer needs the same number of time steps, and there must be a layer")
    rates_LT = np.array([list(values) for values in rates.values()], dtype=np.float64)
    num_layers, num_steps = rates_LT.shape
    width, height = min(max(5.0, 0.5 * num_steps + 2.6), 14.0), max(2.4, 0.32 * num_layers + 1.3)
    top = max(float(np.nanmax(np.abs(rates_LT))), 1e-12)
    by_place = layer_names(rates)
    names = list(by_place.values())
    with drawing(path, width, height, title) as figure:
        axes = figure.subplots()
        image = axes.imshow(rates_LT, aspect="auto", cmap="Blues", vmin=0, vmax=top)
        axes.set(title="Firing rate (share of neurons that fire)", xlabel="time step t")
        axes.set_yticks(range(num_layers), names)
        every = -(-num_steps // MAX_NUMBERS)
        shown = range(0, num_steps, every)
        axes.set_xticks(shown, [str(step + 1) for step in shown])
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if num_steps <= MAX_NUMBERS:
            for (layer, step), rate in np.ndenumerate(rates_LT):
                colour = "white" if rate > 0.6 * top else INK
                axes.text(step, layer, f"{rate:.2f}", ha="center", va="center", fontsize=8, color=colour)
        hover_cells(
            axes,
            [
                [f"{name}, t = {step}: {rate:.4f}" for step, rate in enumerate(rates_T, start=1)]
                for name, rates_T in zip(names, rates_LT, strict=True)
            ],
        )
        figure.colorbar(image, ax=axes, pad=0.02)
    head = ["layer", *(f"t{t}" for t in range(1, num_steps + 1)), "mean", "place"]
    rows = [[by_place[place], *one, sum(one) / num_steps, place] for place, one in rates.items()]
    write_csv(path.with_suffix(".csv"), head, rows)
    return path
