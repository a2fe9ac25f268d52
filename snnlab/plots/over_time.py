"""Accuracy and calibration errors against the time step, on single steps and on the cumulative mean."""

from collections.abc import Mapping
from pathlib import Path

from snnlab.plots.figure import BLUE, VERMILLION, drawing, whole_numbers
from snnlab.plots.flat import value_per_step

PANELS = (("acc", "Accuracy", "%"), ("ece", "ECE", ""), ("adaece", "AdaECE", ""), ("cece", "CECE", ""))
VIEWS = (("step", "single step", VERMILLION, "o", "--"), ("cum", "cumulative mean", BLUE, "s", "-"))


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
        for index, (axes, (metric, name, unit)) in enumerate(
            zip(figure.subplots(2, 2, sharex=True).flat, PANELS, strict=True)
        ):
            scale = 100.0 if metric == "acc" else 1.0
            for view, label, colour, marker, line in VIEWS:
                values = value_per_step(metrics, f"{prefix}/{metric}_{view}")
                if values:
                    ys = [scale * value for value in values.values()]
                    axes.plot(list(values), ys, line, color=colour, marker=marker, label=label)
                    whole_numbers(axes, 1, max(values))
            axes.set(title=name, ylabel=unit)
            axes.grid(axis="y")
            if metric != "acc":
                axes.set_ylim(bottom=0)
            if index >= 2:
                axes.set_xlabel("time step t")
            if index == 0 and axes.lines:
                axes.legend(loc="lower right")
    return path
