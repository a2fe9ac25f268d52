"""Accuracy of networks of mixed time steps when all their steps are multiplied, against the mean number of steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.metric_names import ACC
from snnlab.plots.figure import BLUE, GREEN, MUTED, ORANGE, PURPLE, SKY, VERMILLION, drawing
from snnlab.plots.hover import hover_line

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY)


def plot_time_scale(
    networks: Mapping[str, Sequence[tuple[float, float]]],
    path: Path,
    *,
    ann: Mapping[str, float] | None = None,
    title: str = "",
) -> Path:
    """Draws a line for each network (mixed-timestep paper, Fig. 6).

    Args:
        networks: name to points (mean T, accuracy as a fraction), the first of which is the network as it is.
        path: PNG file to write.
        ann: accuracy of the quantised ANN by the network's name, as a dashed line.
        title: above the picture.

    Returns:
        `path`.
    """
    with drawing(path, 6.0, 3.8, title) as figure:
        axes = figure.subplots()
        for (name, points), colour in zip(networks.items(), COLOURS, strict=False):
            steps, accs = [one for one, _ in points], [ACC.factor * one for _, one in points]
            axes.plot(steps, accs, color=colour, marker="o", label=name)
            hover_line(
                axes,
                steps,
                accs,
                [f"{name}, mean T {x:g}: {y:.2f} %" for x, y in zip(steps, accs, strict=True)],
            )
            if ann and name in ann:
                axes.axhline(ACC.factor * ann[name], color=colour, linestyle="--", linewidth=1.0)
        axes.set_xscale("log", base=2)
        ticks = sorted({one for points in networks.values() for one, _ in points})
        axes.set_xticks(ticks, [f"{one:g}" for one in ticks])
        axes.minorticks_off()
        # Differences below a point are drawn small, as they are.
        low, high = axes.get_ylim()
        room = max(0.0, 2.0 - (high - low)) / 2
        axes.set_ylim(low - room, high + room)
        axes.set(title="Accuracy when all time steps are multiplied", xlabel="mean T", ylabel="%")
        axes.grid(axis="y")
        if ann:
            axes.plot([], [], "--", color=MUTED, linewidth=1.0, label="quantised ANN")
        figure.legend(loc="outside lower center")
    return path
