"""Accuracy and calibration error against the level of noise."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.metric_names import ACC, ECE
from snnlab.plots.figure import BLUE, VERMILLION, drawing
from snnlab.plots.hover import hover_line

UNITS = {
    "uniform": "half width of the noise, in units of the input's range",
    "gaussian": "standard deviation of the noise, in units of the input's range",
    "salt_pepper": "share of the pixels, %",
}


def plot_noise(rows: Sequence[Mapping[str, float]], path: Path, *, kind: str, title: str = "") -> Path:
    """Draws accuracy and ECE of a sweep over levels of noise.

    Args:
        rows: for each level `level`, `acc` and `ece`, all fractions.
        path: PNG file to write.
        kind: uniform, gaussian or salt_pepper.
        title: above the picture.

    Returns:
        `path`.
    """
    rows = sorted(rows, key=lambda row: row["level"])
    scale = 100.0 if kind == "salt_pepper" else 1.0
    levels = [scale * row["level"] for row in rows]
    with drawing(path, 8.0, 3.4, f"{title}, {kind.replace('_', ' and ')} noise".removeprefix(", ")) as figure:
        left, right = figure.subplots(1, 2)
        for axes, metric, colour, marker in ((left, ACC, BLUE, "o"), (right, ECE, VERMILLION, "s")):
            values = [metric.factor * row[metric.key] for row in rows]
            axes.plot(levels, values, "-", color=colour, marker=marker)
            texts = [
                f"noise {level:g}: {metric.label} {metric.text(row[metric.key])}"
                for level, row in zip(levels, rows, strict=True)
            ]
            hover_line(axes, levels, values, texts)
        left.set(title=ACC.title, ylabel=ACC.unit, ylim=(0, 100))
        right.set(title=ECE.title)
        right.set_ylim(bottom=0)
        for axes in (left, right):
            axes.grid(axis="y")
            axes.set_xlim(left=0) if min(levels) == 0 else None
        figure.supxlabel(UNITS[kind], fontsize=10)
    return path
