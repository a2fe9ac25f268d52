"""Accuracy and calibration errors against the time step, on single steps and on the cumulative mean."""

from collections.abc import Mapping
from pathlib import Path

from snnlab.metric_names import ACC, OF_CALIBRATION, READINGS, known_at_each_step
from snnlab.plots.figure import BLUE, VERMILLION, drawing, whole_numbers
from snnlab.plots.hover import hover_line

PANELS = (ACC, *OF_CALIBRATION)
VIEWS = (("step", VERMILLION, "o", "--"), ("cum", BLUE, "s", "-"))


def plot_over_time(
    metrics: Mapping[str, float | None], path: Path, *, prefix: str = "test", title: str = ""
) -> Path:
    """Draws accuracy, ECE, AdaECE and CECE of one evaluation at every time step.

    Args:
        metrics: flat metrics such as `test/acc_step/t3` and `test/ece_cum/t3`, all fractions.
        path: PNG file to write.
        prefix: first part of the metric names.
        title: above the picture.

    Returns:
        `path`.
    """
    with drawing(path, 9.0, 5.6, title) as figure:
        for index, (axes, metric) in enumerate(
            zip(figure.subplots(2, 2, sharex=True).flat, PANELS, strict=True)
        ):
            for view, colour, marker, line in VIEWS:
                values = known_at_each_step(metrics, f"{prefix}/{metric.key}_{view}")
                if values:
                    ys = [metric.factor * value for value in values.values()]
                    axes.plot(
                        list(values),
                        ys,
                        line,
                        color=colour,
                        marker=marker if len(values) <= 30 else "",
                        label=READINGS[view],
                    )
                    texts = [
                        f"{READINGS[view]}, t = {t}: {metric.text(value)}" for t, value in values.items()
                    ]
                    hover_line(axes, list(values), ys, texts)
                    whole_numbers(axes, 1, max(values))
            axes.set(title=metric.title, ylabel=metric.unit)
            axes.grid(axis="y")
            if metric in OF_CALIBRATION:
                axes.set_ylim(bottom=0)
            if index >= 2:
                axes.set_xlabel("time step t")
            if index == 0 and axes.lines:
                figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return path
