"""Made-up data for every plot: of any number of layers, steps, epochs and rows."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from snnlab.metric_names import OF_CALIBRATION
from snnlab.plots.energy import plot_energy
from snnlab.plots.loss_surfaces import Surface
from snnlab.plots.membrane import Histogram
from snnlab.plots.table_curves import Curve

TITLE = "sdt_cifar10dvs: preact_resnet34_snn, dsatgo, seed 0"
RANDOM = np.random.default_rng(0)


def blocks(count: int) -> list[str]:
    """Places of neuron layers as in a residual network: `block 1.1 neuron 1` and so on."""
    found = [
        f"stages.{stage}.{block}.body.{place}" for stage in range(9) for block in range(4) for place in (2, 5)
    ]
    return found[:count]


def rows(epochs: int, steps: int = 4) -> list[dict[str, float]]:
    """Lines of metrics.jsonl whose loss falls by some powers of ten."""
    found = []
    for epoch in range(1, epochs + 1):
        loss = 5 * math.exp(-8 * epoch / max(epochs, 20))
        row = {"epoch": epoch, "train/loss": loss, "test/loss": loss + 0.01, "train/acc": 1 - loss / 6}
        row |= {f"test/nll_cum/t{t}": loss + 0.1 / t for t in range(1, steps + 1)}
        found.append(row | {"test/acc": 0.9 - loss / 10})
    return found


def over_time(steps: int) -> dict[str, float]:
    return {
        f"test/{key}_{reading}/t{t}": 0.5 + 0.4 / t
        for key in ("acc", *(one.key for one in OF_CALIBRATION))
        for reading in ("step", "cum")
        for t in range(1, steps + 1)
    }


def bins(steps: int) -> dict[str, list[list[float | None]]]:
    centres = [(n + 0.5) / 15 for n in range(15)]
    return {
        "count": [[10.0 + n for n in range(15)]] * steps,
        "confidence": [centres] * steps,
        "accuracy": [[min(1.0, 0.7 * one + 0.2) for one in centres]] * steps,
    }


def energy(layers: int) -> Callable[[Path], Path]:
    costs = [
        {"name": place, "ac": 2.0 * 10**n, "mac": 0.0 if n else 3e6, "snn_pJ": 10.0**n, "ann_pJ": 4.0**n}
        for n, place in enumerate(blocks(layers))
    ]
    whole = {"snn_pJ": sum(one["snn_pJ"] for one in costs), "ann_pJ": 1e6}
    source = "additions as counted, 0.9 / 4.6 pJ (Horowitz 2014); 0.9 pJ per accumulation, 4.6 per MAC"
    return partial(_energy, costs, whole, source)


def _energy(costs: list[dict[str, float]], whole: dict[str, float], source: str, path: Path) -> Path:
    return plot_energy(costs, whole, path, convention=source, title=TITLE)


def histograms(layers: int, steps: int) -> dict[str, Histogram]:
    edges = np.linspace(-3, 4, 41)
    density = np.exp(-(edges[:-1] ** 2))
    shares = [[0.0, *(density / density.sum()).tolist(), 0.0]] * steps
    levels = [[1.0 + 0.1 * t] for t in range(steps)]
    return {
        place: Histogram(edges.tolist(), shares, levels, [(0.0, 1.0)] * steps) for place in blocks(layers)
    }


def trends(layers: int, epochs: int) -> dict[str, dict[tuple[str, int], list[tuple[int, float]]]]:
    return {
        "threshold": {
            (place, t): [(epoch, 1 + 0.01 * n * epoch) for epoch in range(1, epochs + 1)]
            for n, place in enumerate(blocks(layers))
            for t in range(1, 5)
        },
        "decay": {(place, 0): [(epoch, 0.5) for epoch in range(1, epochs + 1)] for place in blocks(layers)},
    }


def curves(methods: int, steps: int) -> dict[str, list[Curve]]:
    at = range(1, steps + 1)
    lines = [
        Curve(
            f"method {n} with its own regulariser",
            {t: 80 + n + t / 10 for t in at},
            dict.fromkeys(at, 0.5),
            dict.fromkeys(at, 79 + n),
        )
        for n in range(methods)
    ]
    return dict.fromkeys(("accuracy (%)", "ECE (%)"), lines)


def rates(layers: int, steps: int) -> dict[str, list[float]]:
    return {place: RANDOM.random(steps).tolist() for place in blocks(layers)}


def surface(side: int) -> Surface:
    places = np.linspace(-1.0, 1.0, side).tolist()
    loss = [[a * a + 2 * b * b + 0.1 for a in places] for b in places]
    return Surface("weight of the first synapse", "threshold", places, places, loss, [[(1, 1), (0, 0)]])


def spikes(layers: int, steps: int) -> dict[str, np.ndarray]:
    return {place: (RANDOM.random((steps, 4, 5, 5)) < 0.2).astype(float) for place in blocks(layers)}
