"""Points in the plane, coloured by class: a panel per number of time steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.plots.figure import MUTED, drawing, write_csv
from snnlab.plots.hover import urls

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MAX_CLASSES = 12


def plot_embedding(
    points: "Mapping[int, ArrayLike]",
    labels: "ArrayLike",
    path: Path,
    *,
    class_names: Sequence[str],
    notes: Mapping[int, str] | None = None,
    title: str = "",
) -> Path:
    """Draws the points of each panel; classes beyond the first twelve are grey.

    Args:
        points: number of steps t -> coordinates [N, 2].
        labels: class of each sample [N].
        path: PNG file to write; the CSV beside it has a row per point.
        class_names: by class.
        notes: below the panel of a t.
        title: above the picture.

    Returns:
        `path`.
    """
    import numpy as np
    from matplotlib.lines import Line2D

    classes = np.asarray(labels)
    there = [int(k) for k in np.unique(classes)]
    palette = _palette()
    colour = {k: palette[n] if n < MAX_CLASSES else "#BBBBBB" for n, k in enumerate(there)}
    size = 9 if len(classes) <= 1000 else 4
    with drawing(path, 2.9 * len(points) + 1.3, 3.8, title) as figure:
        for axes, (step, xy) in zip(
            figure.subplots(1, len(points), squeeze=False).flat, points.items(), strict=True
        ):
            xy_N2 = np.asarray(xy)
            dots = axes.scatter(*xy_N2.T, s=size, c=[colour[int(k)] for k in classes], linewidths=0)
            dots.set_urls(urls([f"sample {n}: {class_names[int(k)]}" for n, k in enumerate(classes)]))
            axes.set(xticks=[], yticks=[], title=f"steps 1 to {step}" if step > 1 else "step 1")
            axes.set_xlabel((notes or {}).get(step, ""), color=MUTED)
            axes.set_box_aspect(1)
            for spine in axes.spines.values():
                spine.set(visible=True, linewidth=0.6)
        handles = [
            Line2D([], [], linestyle="", marker="o", color=colour[k], label=class_names[k])
            for k in there[:MAX_CLASSES]
        ]
        if len(there) > MAX_CLASSES:
            handles.append(Line2D([], [], linestyle="", marker="o", color="#BBBBBB", label="other classes"))
        figure.legend(handles=handles, loc="outside right center", handletextpad=0.1)
    rows = [
        [step, index, int(k), class_names[int(k)], float(x), float(y)]
        for step, xy in points.items()
        for index, (k, (x, y)) in enumerate(zip(classes, np.asarray(xy), strict=True))
    ]
    write_csv(path.with_suffix(".csv"), ("t", "sample", "class", "name", "x", "y"), rows)
    return path


def _palette() -> list[str]:
    """Twelve colours; those of Paul Tol's muted scheme first, which colour-blind readers can tell apart."""
    return [
        "#332288",
        "#88CCEE",
        "#44AA99",
        "#117733",
        "#999933",
        "#DDCC77",
        "#CC6677",
        "#882255",
        "#AA4499",
        "#EE7733",
        "#0077BB",
        "#555555",
    ]
