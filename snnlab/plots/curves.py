"""Learning curves: loss and accuracy of training and test against the epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.metric_names import ACC, LOSS, MetricName
from snnlab.plots.figure import BLUE, VERMILLION, drawing, whole_numbers
from snnlab.plots.hover import hover_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPLITS = (("train", BLUE, "-"), ("test", VERMILLION, "-"))


def plot_curves(rows: Sequence[Mapping[str, object]], path: Path, *, title: str = "") -> Path:
    """Draws the learning curves of one run.

    Args:
        rows: lines of `metrics.jsonl`: `epoch` and any of `train/loss`, `train/acc`, `test/loss`, `test/acc`;
            accuracies are fractions. A value that is not there or null is left out.
        path: PNG file to write.
        title: above the picture.

    Returns:
        `path`.
    """
    with drawing(path, 9.0, 4.0, title) as figure:
        loss_axes, acc_axes = figure.subplots(1, 2)
        lowest = _draw(loss_axes, rows, LOSS)
        loss_axes.set(title=LOSS.title, xlabel="epoch")
        if lowest > 0 and _highest(rows, LOSS) > 50 * lowest:
            loss_axes.set_yscale("log")
        _draw(acc_axes, rows, ACC)
        acc_axes.set(title=ACC.title, xlabel="epoch", ylabel=ACC.unit)
    return path


def _draw(axes: "Axes", rows: Sequence[Mapping[str, object]], metric: MetricName) -> float:
    """Draws one panel; returns its lowest value."""
    everything: list[float] = []
    epochs: list[float] = []
    for split, colour, line in SPLITS:
        points = _points(rows, f"{split}/{metric.key}")
        if not points:
            continue
        xs, ys = [epoch for epoch, _ in points], [metric.factor * value for _, value in points]
        form = "{:.1f} %" if metric is ACC else "{:.3g}"
        name = f"{split}: last {form.format(ys[-1])}"
        if metric is ACC and split == "test":
            name += f", best {form.format(max(ys))}"
        axes.plot(xs, ys, line, color=colour, marker="o" if len(xs) <= 30 else "", label=name)
        hover_line(
            axes, xs, ys, [f"{split}, epoch {x:g}: {form.format(y)}" for x, y in zip(xs, ys, strict=True)]
        )
        everything += ys
        epochs += xs
    axes.grid(axis="y")
    if everything:
        whole_numbers(axes, min(epochs), max(epochs))
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.18))
    return min(everything, default=0.0)


def _highest(rows: Sequence[Mapping[str, object]], metric: MetricName) -> float:
    return max(
        (value for split, *_ in SPLITS for _, value in _points(rows, f"{split}/{metric.key}")), default=0.0
    )


def _points(rows: Sequence[Mapping[str, object]], key: str) -> list[tuple[float, float]]:
    found = [(row.get("epoch"), row.get(key)) for row in rows]
    return [
        (float(epoch), float(value))
        for epoch, value in found
        if isinstance(epoch, int | float) and isinstance(value, int | float)
    ]
