"""Accuracy and calibration error against the level of noise."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.metric_names import ACC, ECE
from snnlab.plots.figure import BLUE, VERMILLION, drawing

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
        left.plot(levels, [ACC.factor * row[ACC.key] for row in rows], "-", color=BLUE, marker="o")
        left.set(title=ACC.title, ylabel=ACC.unit, ylim=(0, 100))
        right.plot(levels, [ECE.factor * row[ECE.key] for row in rows], "-", color=VERMILLION, marker="s")
        right.set(title=ECE.title)
        right.set_ylim(bottom=0)
        for axes in (left, right):
            axes.grid(axis="y")
            axes.set_xlim(left=0) if min(levels) == 0 else None
        figure.supxlabel(UNITS[kind], fontsize=10)
    return path
