"""Reliability diagrams: accuracy against confidence, with how many samples each bin holds."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.binned_error import binned_error
from snnlab.plots.figure import BLUE, GRID, INK, MUTED, PURPLE, SKY, VERMILLION, drawing, legend_columns, tip
from snnlab.plots.inline_svg import inline_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Bins = Mapping[str, Sequence[Sequence[float | None]]]


INLINE = 140, 165
"""Pixels of a diagram in a page, which has no narrower column for it (`.multiples.narrow`)."""
SETTLES = "confidence at which TMC's training settles"


def plot_reliability(
    bins: Bins,
    path: Path,
    *,
    steps: Sequence[int] | None = None,
    settles: Sequence[float] = (),
    title: str = "",
) -> Path:
    """Draws a diagram for each chosen time step.

    The bar is the accuracy in a bin of confidence, and the coloured part between it and the bin's mean
    confidence is the calibration error there: orange where the network is too sure of itself, light blue
    where it is not sure enough. Below is the share of the samples in each bin.

    Args:
        bins: `count`, `confidence` and `accuracy`, each [T][bins], over bins of equal width; the means of an
            empty bin are ignored.
        path: PNG file to write.
        steps: time steps to show, from 1; default the first, the middle and the last.
        settles: for each time step, the confidence at which training settles, drawn as a line; may be empty.
        title: above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: a step is not there.
    """
    num_steps = len(bins["count"])
    chosen = sorted({1, (num_steps + 1) // 2, num_steps}) if steps is None else list(steps)
    if any(not 1 <= step <= num_steps for step in chosen):
        raise ValueError(f"steps must be in 1..{num_steps}, got {chosen}")
    width = max(2.9 * len(chosen) + 0.7, 4.2)
    with drawing(path, width, 4.7, title) as figure:
        grid = figure.subplots(2, len(chosen), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
        for column, step in enumerate(chosen):
            error = _diagram(grid[0, column], bins, step, settles[step - 1] if settles else None)
            _counts(grid[1, column], bins, step)
            grid[0, column].set_title(f"t = {step}, ECE {error:.4f}")
            grid[1, column].set(xlabel="confidence", xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
        grid[0, 0].set_ylabel("accuracy")
        grid[1, 0].set_ylabel("samples, %")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, width))
    return path


def inline_reliability(bins: Bins, step: int, settles: float | None = None) -> tuple[str, float]:
    """The diagram of one time step, from 1, as SVG inside a page, with tooltips; and its ECE.

    `settles` is the confidence at which training settles, a line.
    """
    with inline_picture(*INLINE, f"reliability at step {step}") as picture:
        above, below = picture.figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        error = _diagram(above, bins, step, settles, picture.tip)
        _counts(below, bins, step)
        above.set(yticks=[0, 0.5, 1])
        below.set(xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"], yticks=[])
        for axes in (above, below):
            axes.tick_params(length=0, labelcolor=MUTED)
            axes.spines["left"].set_visible(False)
    return picture.svg, error


def _diagram(
    axes: "Axes", bins: Bins, step: int, settles: float | None, tip: Callable[[str], str] = tip
) -> float:
    """Draws one panel; returns its ECE, 0 without samples."""
    import numpy as np

    count, confidence, accuracy = (_numbers(bins, key, step) for key in ("count", "confidence", "accuracy"))
    width = 1 / len(count)
    filled = [index for index, number in enumerate(count) if number > 0]
    centres = [(index + 0.5) * width for index in filled]
    right, sure = [accuracy[index] for index in filled], [confidence[index] for index in filled]
    both = [min(pair) for pair in zip(right, sure, strict=True)]
    over = [max(s - r, 0.0) for r, s in zip(right, sure, strict=True)]
    under = [max(r - s, 0.0) for r, s in zip(right, sure, strict=True)]
    axes.bar(centres, both, 0.9 * width, color=BLUE, label="accuracy")
    axes.bar(centres, over, 0.9 * width, both, color=VERMILLION, alpha=0.55, label="too sure")
    axes.bar(centres, under, 0.9 * width, both, color=SKY, label="not sure enough")
    for bars in axes.containers:
        for index, bar in zip(filled, bars, strict=True):
            sizes = f"confidence {confidence[index]:.3f}, accuracy {accuracy[index]:.3f}"
            bar.set_url(tip(f"{count[index]:.0f} samples, {sizes}"))
    axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=1)
    if settles is not None:
        # Unclipped: a line at confidence 1 would be cut in half by the edge of the panel.
        line = axes.axvline(settles, color=PURPLE, linewidth=2, linestyle=":", label=SETTLES, clip_on=False)
        line.set_url(tip(f"{SETTLES}: {settles:.3f}"))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(color=GRID)
    gaps = [count[index] * (confidence[index] - accuracy[index]) for index in filled]
    return float(binned_error(np.array(gaps), sum(count) or 1))


def _counts(axes: "Axes", bins: Bins, step: int) -> None:
    count = _numbers(bins, "count", step)
    width = 1 / len(count)
    total = sum(count)
    shares = [100 * number / total if total else 0.0 for number in count]
    axes.bar([(index + 0.5) * width for index in range(len(count))], shares, 0.9 * width, color=MUTED)
    axes.grid(axis="y")


def _numbers(bins: Bins, key: str, step: int) -> list[float]:
    return [math.nan if value is None else float(value) for value in bins[key][step - 1]]
