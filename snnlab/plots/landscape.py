"""The loss on a plane through the trained weights, as a contour map and as a surface."""

from collections.abc import Sequence
from pathlib import Path

from snnlab.plots.figure import MUTED, VERMILLION, drawing, write_csv
from snnlab.plots.hover import hover_points


def plot_landscape(
    places: Sequence[float],
    losses_BA: Sequence[Sequence[float]],
    path: Path,
    *,
    measure: str = "loss",
    title: str = "",
) -> Path:
    """Draws the contours, evenly spaced in the logarithm, and the surface; the trained weights are marked.

    Args:
        places: along both directions.
        losses_BA: a row for each place along the second direction, a column for each along the first.
        path: PNG file to write; the CSV beside it has a row per point.
        measure: what the height is.
        title: above the picture.

    Returns:
        `path`.
    """
    import numpy as np
    from matplotlib.ticker import FuncFormatter

    height_BA = np.asarray(losses_BA, dtype=np.float64)
    finite = height_BA[np.isfinite(height_BA)]
    low = max(float(finite.min()), 1e-6)
    high = max(float(finite.max()), low * 1.001)
    levels = np.geomspace(low, high, 19)
    log_BA = np.log10(np.clip(np.nan_to_num(height_BA, nan=high, posinf=high), low, high))
    with drawing(path, 10.0, 4.3, title) as figure:
        axes = figure.add_subplot(1, 2, 1)
        filled = axes.contourf(places, places, log_BA, np.log10(levels), cmap="viridis")
        axes.contour(places, places, log_BA, np.log10(levels), colors="white", linewidths=0.5, alpha=0.6)
        axes.plot(
            [0], [0], "*", color=VERMILLION, markersize=12, markeredgecolor="white", label="trained weights"
        )
        ticks = np.linspace(places[0], places[-1], 5)
        axes.set(
            xticks=ticks,
            yticks=ticks,
            xlabel="first direction",
            ylabel="second direction",
            aspect="equal",
            title="Contours",
        )
        points = [
            (a, b, loss)
            for b, row in zip(places, losses_BA, strict=True)
            for a, loss in zip(places, row, strict=True)
        ]
        texts = [f"first {a:.2f}, second {b:.2f}: {measure} {loss:.4g}" for a, b, loss in points]
        hover_points(axes, [a for a, _, _ in points], [b for _, b, _ in points], texts)
        figure.legend(loc="outside lower left")
        surface = figure.add_subplot(1, 2, 2, projection="3d")
        a, b = np.meshgrid(places, places)
        surface.plot_surface(
            a, b, log_BA, cmap="viridis", linewidth=0.2, edgecolor="#FFFFFF40", rcount=80, ccount=80
        )
        surface.set(
            xticks=ticks, yticks=ticks, xlabel="first", ylabel="second", zlabel=measure, title="Surface"
        )
        surface.view_init(elev=32, azim=-55)
        surface.tick_params(labelsize=8, colors=MUTED)
        power = FuncFormatter(lambda value, _: f"{10**value:.3g}")
        surface.zaxis.set_major_formatter(power)
        heights = np.linspace(np.log10(low), np.log10(high), 6)
        figure.colorbar(filled, ax=axes, label=measure, format=power, ticks=heights)
    write_csv(path.with_suffix(".csv"), ("first", "second", "loss"), points)
    return path
