"""The loss of every ensemble of time steps against the epoch (Fig. 3 of the TWD paper), and the numbers as CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.metric_names import known_at_each_step
from snnlab.plots.figure import drawing, whole_numbers, write_csv
from snnlab.plots.hover import hover_line

MAX_NAMES = 10


def plot_loss_trends(
    rows: Sequence[Mapping[str, object]], path: Path, *, prefix: str = "test", title: str = ""
) -> Path:
    """Draws the cross entropy of the mean logits of the first t steps, a line for each t.

    Args:
        rows: lines of `metrics.jsonl`: `epoch` and `test/nll_cum/t1`, `test/nll_cum/t2`, ...; lines without
            them are left out.
        path: PNG file to write; the CSV beside it has a row per epoch and a column per t.
        prefix: first part of the metric names.
        title: above the picture.

    Returns:
        `path`.
    """
    import matplotlib

    found = [(int(str(row["epoch"])), known_at_each_step(_numbers(row), f"{prefix}/nll_cum")) for row in rows]
    found = [(epoch, losses) for epoch, losses in found if losses]
    steps = sorted({step for _, losses in found for step in losses})
    with drawing(path, 7.4, 4.0, title) as figure:
        axes = figure.subplots()
        colours = matplotlib.colormaps["cividis"].resampled(max(len(steps), 2))
        named = range(0, len(steps), -(-len(steps) // MAX_NAMES)) if steps else ()
        for index, step in enumerate(steps):
            points = [(epoch, losses[step]) for epoch, losses in found if step in losses]
            marker = "o" if len(points) <= 30 else ""
            label = f"t = 1 to {step}" if step > 1 else "t = 1"
            epochs, values = zip(*points, strict=True)
            said = [f"{label}, epoch {epoch}: {value:.4g}" for epoch, value in points]
            hover_line(axes, epochs, values, said)
            axes.plot(
                epochs,
                values,
                color=colours(index),
                marker=marker,
                markersize=3.5,
                linewidth=1.5,
                label=label if index in named or step == steps[-1] else "_",
            )
        axes.set(title=f"Loss of the mean logits of the first steps ({prefix})", xlabel="epoch", ylabel="NLL")
        axes.grid(axis="y")
        if found:
            whole_numbers(axes, found[0][0], found[-1][0])
            figure.legend(loc="outside right upper")
    table = [[epoch, *(losses.get(step) for step in steps)] for epoch, losses in found]
    write_csv(path.with_suffix(".csv"), ["epoch", *(f"t{step}" for step in steps)], table)
    return path


def _numbers(row: Mapping[str, object]) -> dict[str, float]:
    return {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
