"""Adaptive thresholds and what else neurons learn (decays, surrogates' heights) over training (DS-ATGO Fig. 14)."""

import re

from snnlab.analyse.subject import Finding, Subject, table
from snnlab.errors import SnnlabError
from snnlab.metric_names import METRICS
from snnlab.plots.layer_names import layer_names
from snnlab.plots.quantity_trends import Quantities, plot_quantity_trends
from snnlab.runs.results import read_metrics

NOT_OF_NEURONS = "|".join((*METRICS, "firing_rate"))
FORMER_NAMES = {"leak": "decay"}
"""Of quantities, in the metrics of runs made before they were renamed."""

PATTERN = re.compile(rf"test/(?!(?:{NOT_OF_NEURONS})(?:_|/|$))(\w+)/(.+?)(?:/t(\d+))?")


LAYER = re.compile(r"test/firing_rate/(.+)/t\d+")
"""All neuron layers have a rate, also those that learn nothing, and a layer is counted among all."""


def run(subject: Subject) -> Finding:
    """Plots the neurons' quantities logged in `metrics.jsonl` after each evaluation; no network is run."""
    found: Quantities = {}
    places: dict[str, None] = {}
    for row in read_metrics(subject.folder):
        for key, value in row.items():
            if layer_of := LAYER.fullmatch(key):
                places[layer_of[1]] = None
            match = PATTERN.fullmatch(key)
            if match and isinstance(value, int | float):
                quantity, layer, step = FORMER_NAMES.get(match[1], match[1]), match[2], int(match[3] or 0)
                points = found.setdefault(quantity, {}).setdefault((layer, step), [])
                points.append((int(row["epoch"]), float(value)))
    if not found:
        raise SnnlabError(
            f"thresholds: training changes nothing about the neurons '{subject.cfg.neuron.name}' of this run",
            "neuron=dsatgo adapts its thresholds, plif learns its decay, surrogate=tsg its height",
        )
    learning = (layer for lines in found.values() for layer, _ in lines)
    names = layer_names(dict.fromkeys((*places, *learning)))
    picture = plot_quantity_trends(found, subject.path("thresholds"), names=names, title=subject.title)
    short = table("over training", "quantity", "layers", "first evaluation", "last evaluation")
    for quantity, lines in found.items():
        ends = [[points[end][1] for points in lines.values()] for end in (0, -1)]
        spans = [f"{min(values):.3f} to {max(values):.3f}" for values in ends]
        short.add_row(quantity, str(len({layer for layer, _ in lines})), *spans)
    return Finding(picture, short)
