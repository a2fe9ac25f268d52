"""The board as a picture: a map of neurons by losses for accuracy and ECE, on clean and on corrupted images."""

from collections.abc import Sequence
from pathlib import Path

from snnlab.board.lines import SPOILED
from snnlab.board.standing import GROUPS, Standing
from snnlab.errors import ConfigError
from snnlab.metric_names import MetricName
from snnlab.plots.number_maps import NumberMap, plot_number_maps


def draw(known: Sequence[Standing], path: Path) -> Path:
    """Draws the pairs that are measured.

    Args:
        known: the pairs, each with a measurement.
        path: PNG, PDF or SVG file to write; the CSV beside it has the numbers.

    Raises:
        ConfigError: no pair is measured.
    """
    if not known:
        raise ConfigError("board: no picture without numbers", "snnlab board --run, or --from FILE.json")
    pairs = {(one.neuron, one.loss): one for one in known}
    neurons, losses = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    aside = {
        (neurons.index(neuron), losses.index(loss))
        for (neuron, loss), one in pairs.items()
        if not one.by_heart
    }

    def number_map(metric: MetricName, group: str) -> NumberMap:
        values = [[_value(pairs.get((neuron, loss)), metric, group) for loss in losses] for neuron in neurons]
        unit = f", {metric.unit}" if metric.unit else ""
        images = "clean images" if group == "clean" else "corrupted images"
        return NumberMap(
            f"{metric.title}{unit}, {images}", values, 1 if metric.unit else 3, metric.higher_is_better, aside
        )

    seeds = sorted({len(one.seeds) for one in known})
    counts = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    note = f"cumulative mean at the last time step; mean over seeds ({counts}); the darker the better"
    if aside:
        note += "; in brackets: training accuracy below 99 %"
    maps = [number_map(metric, group) for group in ("clean", "corruption") for metric in SPOILED]
    return plot_number_maps(maps, path, rows=neurons, columns=losses, note=note)


def _value(one: Standing | None, metric: MetricName, group: str) -> float | None:
    mean = None if one is None else one.last(metric.key, GROUPS[group])[0]
    return None if mean is None else metric.factor * mean
