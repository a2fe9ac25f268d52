"""The pictures of `snnlab analyse`: they show the numbers that they were given, and write them."""

import csv

import numpy as np
import pytest

from snnlab.plots.embedding import plot_embedding
from snnlab.plots.energy import plot_energy
from snnlab.plots.landscape import plot_landscape
from snnlab.plots.layers_over_time import plot_layers_over_time
from snnlab.plots.magnitudes import plot_magnitudes
from snnlab.plots.membrane import Histogram, plot_membrane
from snnlab.plots.quantity_trends import plot_quantity_trends
from tests.plots.test_plots import is_picture


def table(path):
    with path.with_suffix(".csv").open() as file:
        return list(csv.DictReader(file))


def test_layers_over_time(tmp_path, drawn) -> None:
    shares = {"a": [0.1, 0.2], "b": [0.3, 0.5]}
    extra = {"a": {"level 1": 0.5}, "b": {"level 1": 0.25}}
    path = plot_layers_over_time(
        shares, tmp_path / "new/a.png", measure="rate", everywhere=[0.2, 0.3], title="t", extra=extra
    )
    assert is_picture(path)
    above, _, heat, right = drawn[0].axes
    assert above.lines[0].get_ydata() == pytest.approx([20, 30])
    assert np.asarray(heat.images[0].get_array()) == pytest.approx(np.array([[10, 20], [30, 50]]))
    assert [bar.get_width() for bar in right.patches] == pytest.approx([15, 40])
    rows = table(path)
    assert [row["layer"] for row in rows] == ["a", "b", "all neurons"]
    assert float(rows[1]["mean"]) == pytest.approx(0.4)
    assert [row["level 1"] for row in rows] == ["0.5", "0.25", ""]


def test_layers_of_different_numbers_of_steps(tmp_path) -> None:
    path = plot_layers_over_time(
        {"a": [0.1], "b": [0.3, 0.5, 0.1]}, tmp_path / "a.png", measure="rate", everywhere=[]
    )
    assert is_picture(path)
    assert [row["t2"] for row in table(path)] == ["", "0.5"]
    with pytest.raises(ValueError, match="must be a layer"):
        plot_layers_over_time({}, tmp_path / "b.png", measure="rate", everywhere=[])


@pytest.mark.parametrize("layers", [1, 4, 9])
def test_membrane(tmp_path, drawn, layers) -> None:
    edges = [-1.0, 0.0, 1.0, 2.0]
    one = Histogram(
        edges, [[0.0, 0.5, 0.25, 0.25, 0.0], [0.1, 0.4, 0.25, 0.25, 0.0]], [[1.0], [1.2]], [(0, 1)] * 2
    )
    path = plot_membrane({f"layer {n}": one for n in range(layers)}, tmp_path / "a.png")
    assert is_picture(path)
    panels = [axes for axes in drawn[0].axes if axes.get_title(loc="left")]
    assert len(panels) == min(layers, 6)
    assert panels[-1].get_title(loc="left") == f"layer {layers - 1}"
    assert sorted(line.get_xdata()[0] for line in panels[0].lines) == [1.0, 1.2]
    assert len(table(path)) == layers * 2 * 5
    assert table(path)[0]["from"] == ""


def test_membrane_of_many_steps_and_of_layers_that_differ_in_them(tmp_path, drawn) -> None:
    edges = [0.0, 1.0, 2.0]
    steps = {"a": 40, "b": 2}
    layers = {
        name: Histogram(edges, [[0.0, 0.75, 0.25, 0.0]] * T, [[1.0]] * T, [(0, 1)] * T)
        for name, T in steps.items()
    }
    plot_membrane(layers, tmp_path / "a.png")
    assert [len(axes.patches) for axes in drawn[0].axes[:2]] == [12, 2]


@pytest.mark.parametrize("limit", [None, 2.0])
def test_magnitudes(tmp_path, drawn, limit) -> None:
    values = [[0.0, 1.0, 3.0], [0.5, 0.25, 2.0]]
    path = plot_magnitudes(values, tmp_path / "a.png", limit=limit, layer="head.2")
    assert is_picture(path)
    (shown,) = drawn[0].axes[0].images
    assert np.asarray(shown.get_array()) == pytest.approx(np.array(values))
    assert shown.get_clim() == (0, 3 if limit is None else 2)
    assert [(row["neuron"], row["sample"], float(row["magnitude"])) for row in table(path)][3:5] == [
        ("1", "0", 0.5),
        ("1", "1", 0.25),
    ]
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_magnitudes([], tmp_path / "b.png")


def test_quantity_trends(tmp_path, drawn) -> None:
    quantities = {
        "decay": {("a", 0): [(1, 0.2), (2, 0.3)]},
        "threshold": {("a", t): [(1, 1.0 * t), (2, 1.1 * t)] for t in range(1, 8)},
    }
    path = plot_quantity_trends(quantities, tmp_path / "a.png")
    assert is_picture(path)
    titles = [axes.get_title(loc="left") for axes in drawn[0].axes if axes.lines]
    assert titles == [*(f"threshold, t = {t}" for t in (1, 3, 5, 7)), "decay, all steps"]
    assert len(table(path)) == 16
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_quantity_trends({}, tmp_path / "b.png")


@pytest.mark.parametrize("top", [3.0, float("nan"), float("inf")])
def test_landscape(tmp_path, top) -> None:
    places = [-1.0, 0.0, 1.0]
    path = plot_landscape(places, [[2.0, 1.5, 2.5], [1.0, 0.5, 1.0], [top, 2.0, 2.0]], tmp_path / "a.png")
    assert is_picture(path)
    assert [row["loss"] for row in table(path)][:4] == ["2.0", "1.5", "2.5", "1.0"]


def test_landscape_without_a_slope(tmp_path) -> None:
    assert is_picture(plot_landscape([-1.0, 0.0, 1.0], [[0.5] * 3] * 3, tmp_path / "a.png"))


def test_embedding_of_many_classes(tmp_path, drawn) -> None:
    labels = np.arange(40) % 20
    xy = np.random.default_rng(0).normal(size=(40, 2))
    path = plot_embedding(
        {1: xy, 4: xy + 1},
        labels,
        tmp_path / "a.png",
        class_names=[f"c{k}" for k in range(20)],
        notes={4: "acc 9 %"},
    )
    assert is_picture(path)
    names = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert names == [*(f"c{k}" for k in range(12)), "other classes"]
    assert drawn[0].axes[1].get_xlabel() == "acc 9 %"
    assert (len(table(path)), table(path)[41]["name"]) == (80, "c1")


def test_energy(tmp_path, drawn) -> None:
    layer = {"name": "a", "kind": "conv", "inputs": "real", "rate": 0.5, "ac": 0.0, "mac": 2e6, "snn_pJ": 9.2e6,
             "ann_mac": 1e6, "ann_pJ": 4.6e6}  # fmt: skip
    silent = {**layer, "name": "b", "inputs": "spikes", "mac": 0.0, "snn_pJ": 0.0}
    whole = {"ac": 0.0, "mac": 2e6, "snn_pJ": 9.2e6, "ann_mac": 2e6, "ann_pJ": 9.2e6}
    path = plot_energy([layer, silent], whole, tmp_path / "a.png", convention="by hand")
    assert is_picture(path)
    (axes,) = drawn[0].axes
    assert axes.get_title(loc="left") == "SNN 9.2 µJ, ANN 9.2 µJ, 1.0 times as much"
    assert [text.get_text() for text in axes.texts] == ["2 M MAC", "0 AC"]
    assert [row["name"] for row in table(path)] == ["a", "b", "total"]
