"""The bit-width model of energy against a sum by hand, and the loss surfaces of the parameterisations."""

import math

import pytest
import torch

from snnlab.convert.energy import energy
from snnlab.convert.network import weighted_inputs
from snnlab.convert.surfaces import surfaces
from snnlab.layers.trace import trace
from snnlab.metrics.operations import OperationCounter
from snnlab.plots.loss_surfaces import plot_loss_surfaces
from tests.convert.test_network import ann, images, snn

STEPS = (3, 5, 2, 8)


def test_energy_is_products_times_the_price_of_their_widths():
    source = ann("vgg", steps=STEPS)
    converted = snn(source)
    found = energy(source, converted, images())
    pixels, products = (256, 256, 64, 64), (3 * 9 * 8, 8 * 9 * 8, 8 * 9 * 12, 12 * 9 * 12)
    macs = [p * k for p, k in zip(pixels, products, strict=True)] + [12 * 16 * 7]
    bits = [8.0, *(math.log2(t) for t in STEPS)]
    expected = sum(m * (0.2 * b * 8 / 64 + 0.03) for m, b in zip(macs, bits, strict=True))
    assert found["ann_mJ"] == pytest.approx(expected * 1e-9, rel=1e-6)
    with OperationCounter(converted) as counter, torch.no_grad():
        converted(images())
    first, *others = counter.layers()
    additions = sum(layer.products * sum(layer.rate_T) for layer in others)
    assert first.inputs == "real"
    assert found["snn_mJ"] == pytest.approx((macs[0] * 0.23 + additions * 0.03) * 1e-9, rel=1e-6)
    assert found["ratio"] == found["ann_mJ"] / found["snn_mJ"]


def test_whose_spikes_feed_a_layer():
    found = weighted_inputs(trace(ann("resnet20")))
    assert found["stem.0.0"] == frozenset()
    assert found["stages.1.0.shortcut.0.0"] == found["stages.1.0.body.0.0"] == {"stages.0.0.neuron"}
    assert found["head"] == {"stages.1.1.neuron"}


def test_surfaces_hold_the_loss_and_the_ways_go_downhill(tmp_path):
    found = surfaces(points=500, size=6, steps=20)
    assert list(found) == ["n_s", "n_gamma", "s_gamma", "t_gamma"]
    for surface in found.values():
        loss = torch.tensor(surface.loss)
        assert loss.shape == (6, 6)
        assert 0.4 < loss.min() < loss.max() < 4
        assert [len(way) for way in surface.ways] == [21, 21]
    assert plot_loss_surfaces(found, tmp_path / "s.png").stat().st_size > 10_000
    with pytest.raises(ValueError, match="there must be one"):
        plot_loss_surfaces({}, tmp_path / "s.png")


def test_more_levels_quantise_better_and_a_low_gamma_cuts_off():
    surface = surfaces(points=500, size=6, steps=0)["t_gamma"]
    loss = torch.tensor(surface.loss)
    assert (loss[3, 0] > loss[3, -1]).all()
    assert loss[0, -1] > loss[3, -1]
