"""Every plot with data as they come, and with data that are hard to draw: many layers, steps, classes, long names."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snnlab.plots.curves import plot_curves
from snnlab.plots.embedding import plot_embedding
from snnlab.plots.encoding import plot_encoding
from snnlab.plots.firing_rates import plot_firing_rates
from snnlab.plots.frames import plot_frames
from snnlab.plots.landscape import plot_landscape
from snnlab.plots.layers_over_time import plot_layers_over_time
from snnlab.plots.loss_surfaces import plot_loss_surfaces
from snnlab.plots.loss_trends import plot_loss_trends
from snnlab.plots.magnitudes import plot_magnitudes
from snnlab.plots.membrane import plot_membrane
from snnlab.plots.noise import plot_noise
from snnlab.plots.number_maps import NumberMap, plot_number_maps
from snnlab.plots.over_time import plot_over_time
from snnlab.plots.quantity_trends import plot_quantity_trends
from snnlab.plots.raster import plot_raster
from snnlab.plots.reliability import plot_reliability
from snnlab.plots.rescaling import plot_rescaling
from snnlab.plots.table_curves import plot_table
from snnlab.plots.time_scale import plot_time_scale
from snnlab.plots.time_steps import plot_time_steps
from tests.plots.made_up import (
    RANDOM,
    TITLE,
    bins,
    blocks,
    curves,
    energy,
    histograms,
    over_time,
    rates,
    rows,
    spikes,
    surface,
    trends,
)


@dataclass(frozen=True)
class Piece:
    """A picture.

    Attributes:
        draw: writes it to a path.
        marks: how many of its marks say a value.
        says: one of the texts, whole.
    """

    draw: Callable[[Path], Path]
    marks: int
    says: str


MAP = RANDOM.random((12, 30)).tolist()
PLACES = np.linspace(-1, 1, 11).tolist()
BOWL = [[1 + a * a + b * b for a in PLACES] for b in PLACES]
PIXELS = RANDOM.random((6, 8, 8)).tolist()
EVENTS = RANDOM.integers(0, 3, (30, 2, 16, 16))
STEEP = [[0.001 * 40 ** (a + b + 2) for a in PLACES] for b in PLACES]
CLASSES = [f"class with a long name {n}" for n in range(30)]
NETWORKS = {
    f"imagenet-resnet18_snn-mixed_if-sdt-t{n}-1a2b3c4d": [(n + 1.5, 0.7), (2 * n + 3, 0.72)] for n in range(4)
}
NOISY = [{"level": 0.1 * n, "acc": 0.9 - 0.1 * n, "ece": 0.05 * n} for n in range(6)]

GALLERY = {
    "curves": Piece(lambda p: plot_curves(rows(2), p, title=TITLE), 8, "train, epoch 1: 3.35"),
    "curves of many epochs": Piece(
        lambda p: plot_curves(rows(300), p, title=TITLE), 156, "train, epoch 300: 0.00168"
    ),
    "embedding": Piece(
        lambda p: plot_embedding(
            {t: RANDOM.random((60, 2)) for t in (1, 3, 4, 6)},
            np.arange(60) % 30,
            p,
            class_names=CLASSES,
            notes={1: "acc 80.0 %"},
            title=TITLE,
        ),
        240,
        "sample 0: class with a long name 0",
    ),
    "encoding": Piece(
        lambda p: plot_encoding(
            PIXELS, PIXELS, [0.5] * 6, [[0.1 * t] * 6 for t in range(12)], p, title=TITLE
        ),
        24,
        "steps 1 to 12: mean SSIM 1.1000",
    ),
    "energy": Piece(energy(5), 10, "block 1.2 conv 2, SNN: 0.001 \N{MICRO SIGN}J"),
    "energy of 20 layers": Piece(energy(20), 40, "block 1.1 conv 1, ANN: 1e-06 \N{MICRO SIGN}J"),
    "firing rates of one step": Piece(
        lambda p: plot_firing_rates({"a": [0.5]}, p, title=TITLE), 1, "a, t = 1: 0.5000"
    ),
    "firing rates of 20 layers": Piece(
        lambda p: plot_firing_rates({**rates(20, 6), "stem": [0.25] * 6}, p, title=TITLE),
        126,
        "stem, t = 6: 0.2500",
    ),
    "firing rates of 60 layers and steps": Piece(
        lambda p: plot_firing_rates({**rates(60, 40), "stem": [0.25] * 40}, p, title=TITLE),
        2440,
        "stem, t = 40: 0.2500",
    ),
    "frames": Piece(
        lambda p: plot_frames(EVENTS[:6], p, label="airplane", predictions=["truck"] * 6),
        6,
        f"t = 1: {EVENTS[0, 1].sum()} ON events, {EVENTS[0, 0].sum()} OFF events; predicted: truck",
    ),
    "frames of many steps": Piece(
        lambda p: plot_frames(
            EVENTS, p, label="airplane", predictions=["a very long class name"] * 30, title=TITLE
        ),
        15,
        f"t = 1 to 2: {EVENTS[:2, 1].sum()} ON events, {EVENTS[:2, 0].sum()} OFF events; predicted: "
        "a very long class name",
    ),
    "landscape": Piece(
        lambda p: plot_landscape(PLACES, BOWL, p, measure="train loss", title=TITLE),
        121,
        "first -1.00, second -1.00: train loss 3",
    ),
    "landscape of a steep loss": Piece(
        lambda p: plot_landscape(PLACES, STEEP, p, measure="train loss", title=TITLE),
        121,
        "first -1.00, second -1.00: train loss 0.001",
    ),
    "layers over time": Piece(
        lambda p: plot_layers_over_time(
            rates(4, 6), p, measure="firing rate", everywhere=[0.5] * 6, title=TITLE
        ),
        34,
        "t = 6: 50.00 %",
    ),
    "20 layers over 50 steps": Piece(
        lambda p: plot_layers_over_time(
            rates(20, 50), p, measure="neurons with a gradient", everywhere=[0.5] * 50, title=TITLE
        ),
        1070,
        "t = 50: 50.00 %",
    ),
    "layers of several steps": Piece(
        lambda p: plot_layers_over_time(
            {"stem": [0.5], "head": [0.1, 0.2]}, p, measure="rate", everywhere=[], title=TITLE
        ),
        5,
        "head, t = 2: 20.00 %",
    ),
    "loss surfaces": Piece(
        lambda p: plot_loss_surfaces({"sdt": surface(60), "tet": surface(60)}, p, title=TITLE),
        3600,
        "weight of the first synapse -1, threshold -1: loss 3.1",
    ),
    "loss trends": Piece(
        lambda p: plot_loss_trends(rows(3, 20), p, title=TITLE), 60, "t = 1 to 20, epoch 3: 1.511"
    ),
    "loss trends of one epoch that hardly differ": Piece(
        lambda p: plot_loss_trends(
            [{"epoch": 1, **{f"test/nll_cum/t{t}": 0.693147 + 1e-5 * t for t in (1, 2, 3)}}], p, title=TITLE
        ),
        3,
        "t = 1 to 3, epoch 1: 0.6932",
    ),
    "magnitudes": Piece(
        lambda p: plot_magnitudes(MAP, p, limit=0.5, title=TITLE, layer="block 2.1 neuron 1"),
        12,
        f"neuron 3: mean {np.mean(MAP[3]):.3g}, greatest {max(MAP[3]):.3g}",
    ),
    "membrane": Piece(
        lambda p: plot_membrane(histograms(20, 6), p, title=TITLE),
        48,
        "t = 1: mean 0.000, standard deviation 1.000",
    ),
    "membrane of one layer and step": Piece(
        lambda p: plot_membrane(histograms(1, 1), p, title=TITLE), 2, "threshold 1.000"
    ),
    "noise": Piece(
        lambda p: plot_noise(NOISY, p, kind="salt_pepper", title="cf_cifar10"), 12, "noise 50: ECE 0.2500"
    ),
    "number maps": Piece(
        lambda p: plot_number_maps(
            [
                NumberMap("Accuracy, %", [[50.0, 51.5, None]] * 2, 1, True),
                NumberMap("ECE", [[0.2, 0.1, 0.04]] * 2, 3, False, {(1, 2)}),
                NumberMap("Accuracy, %, corrupted", [[50.0, 51.5, 3.25]] * 2, 1, True),
            ],
            p,
            rows=["lif", "diet_snn"],
            columns=["sdt", "hard_distillation", "tmc"],
            title=TITLE,
            note="cumulative mean at the last time step; in brackets: training accuracy below 99 %",
        ),
        16,
        "diet_snn, tmc: 0.04",
    ),
    "number maps of many rows": Piece(
        lambda p: plot_number_maps(
            [NumberMap(name, MAP, 3, True) for name in ("one", "two")],
            p,
            rows=[f"a neuron with a long name {n}" for n in range(12)],
            columns=[f"loss {n}" for n in range(30)],
            title=TITLE,
        ),
        720,
        f"a neuron with a long name 0, loss 0: {MAP[0][0]:.4g}",
    ),
    "over time": Piece(
        lambda p: plot_over_time(over_time(4), p, title=TITLE), 32, "single step, t = 4: 60.00 %"
    ),
    "over many steps": Piece(
        lambda p: plot_over_time(over_time(64), p, title=TITLE), 264, "cumulative mean, t = 64: 0.5062"
    ),
    "trends": Piece(
        lambda p: plot_quantity_trends(trends(2, 2), p, title=TITLE), 20, "block 1.1 neuron 2, epoch 2: 0.5"
    ),
    "trends of 20 layers": Piece(
        lambda p: plot_quantity_trends(trends(20, 300), p, title=TITLE),
        3900,
        "block 1.1 neuron 2, epoch 300: 4",
    ),
    "raster": Piece(lambda p: plot_raster(spikes(9, 10), p, title=TITLE), 240, ""),
    "raster of one layer": Piece(
        lambda p: plot_raster({"stem": np.ones((2, 3))}, p, title=TITLE), 3, "fires at t = 1, 2"
    ),
    "reliability": Piece(
        lambda p: plot_reliability(bins(8), p, settles=[0.3 + 0.08 * t for t in range(8)], title=TITLE),
        3 * 46,
        "confidence at which TMC's training settles: 0.860",
    ),
    "reliability of one step": Piece(
        lambda p: plot_reliability(bins(1), p, title=TITLE),
        45,
        "10 samples, confidence 0.033, accuracy 0.223",
    ),
    "rescaling": Piece(
        lambda p: plot_rescaling(
            [[0.1, 0.9]] * 9, [[1.0, -40.0]] * 9, [[0.5, math.nan]] * 9, p, loss="tmc", title=TITLE
        ),
        5 * 3,
        "sample 1: p 0.900, factor -40.000",
    ),
    "table": Piece(
        lambda p: plot_table(curves(3, 6), p, title=TITLE, note="bands: one standard deviation over 3 seeds"),
        72,
        "method 2 with its own regulariser, published, time step 6: 81",
    ),
    "table of many rows": Piece(
        lambda p: plot_table(
            curves(9, 10), p, title=TITLE, note="bands: one standard deviation over 3 seeds"
        ),
        360,
        "method 0 with its own regulariser, time step 10: 81",
    ),
    "time scale": Piece(
        lambda p: plot_time_scale(NETWORKS, p, ann={next(iter(NETWORKS)): 0.75}, title=TITLE),
        8,
        "imagenet-resnet18_snn-mixed_if-sdt-t3-1a2b3c4d, mean T 9: 72.00 %",
    ),
    "time steps": Piece(
        lambda p: plot_time_steps({place: n + 1 for n, place in enumerate(blocks(20))}, p, title=TITLE),
        20,
        "block 1.2 neuron 2: T = 4, 2.0 bits",
    ),
    "time steps of one layer": Piece(
        lambda p: plot_time_steps({"stem": 300}, p, title=TITLE), 1, "stem: T = 300, 8.2 bits"
    ),
}
