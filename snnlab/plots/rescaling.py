"""How much a loss scales the gradient of each sample, against its confidence: a panel per time step."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from snnlab.plots.figure import BLUE, GREEN, MUTED, ORANGE, drawing, write_csv
from snnlab.plots.hover import urls

MAX_PANELS = 5
LOW, HIGH = -3.0, 3.0


def plot_rescaling(
    confidence: Sequence[Sequence[float]],
    target: Sequence[Sequence[float]],
    others: Sequence[Sequence[float]],
    path: Path,
    *,
    loss: str,
    settles: Sequence[float] = (),
    title: str = "",
) -> Path:
    """Draws the factors of the target class against the confidence, and those of the others against 1 - confidence.

    Args:
        confidence: for each step, the probability of each sample's class.
        target: for each step, the factor of each sample's class; 1: as cross entropy has it.
        others: for each step, the mean factor of the other classes.
        path: PNG file to write; the CSV beside it has a row per step and sample.
        loss: its name.
        settles: for each step, the probability of the target class at which training settles; may be empty.
        title: above the picture.

    Returns:
        `path`.
    """
    import numpy as np

    last = len(confidence)
    steps = sorted({round(t) for t in np.linspace(1, last, min(MAX_PANELS, last)).tolist()})
    finite = [value for lines in (target, others) for line in lines for value in line if isfinite(value)]
    # A few nearly certain samples would compress the rest of the plot; they are drawn on its edge.
    low, high = (float(np.clip(one, LOW, HIGH)) for one in (min(finite, default=0), max(finite, default=1)))
    with drawing(path, 2.6 * len(steps) + 0.8, 3.4, title) as figure:
        panels = figure.subplots(1, len(steps), squeeze=False, sharey=True)[0]
        for axes, step in zip(panels, steps, strict=True):
            p = np.asarray(confidence[step - 1])
            for x, g, colour, label in (
                (p, target[step - 1], BLUE, "target class, at its probability p"),
                (1 - p, others[step - 1], ORANGE, "other classes, at 1 - p"),
            ):
                dots = axes.scatter(
                    x, np.clip(g, low, high), s=6, color=colour, alpha=0.5, linewidths=0, label=label
                )
                said = [
                    f"sample {n}: p {a:.3f}, factor {b:.3f}"
                    for n, (a, b) in enumerate(zip(p, g, strict=True))
                ]
                dots.set_urls(urls(said))
            axes.axhline(1, color=MUTED, linewidth=0.8, linestyle="--")
            if settles:
                axes.axvline(
                    settles[step - 1], color=GREEN, linestyle=":", label="p at which training settles"
                )
            axes.set(title=f"t = {step}", xlabel="probability", xlim=(-0.03, 1.03))
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        panels[0].set_ylabel(f"gradient of {loss} /\nthat of cross entropy")
        panels[0].set_ylim(min(low, 0) - 0.1, max(high, 1) + 0.1)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), markerscale=2)
    write_csv(
        path.with_suffix(".csv"),
        ("t", "sample", "confidence", "target", "others"),
        [
            [t, n, *values]
            for t, lines in enumerate(zip(confidence, target, others, strict=True), start=1)
            for n, values in enumerate(zip(*lines, strict=True))
        ],
    )
    return path
