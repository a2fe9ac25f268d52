"""NIR's neurons step by step, compared with the equations written out in float64 with NumPy."""

import nir
import numpy as np
import pytest
import torch

from snnlab.layers.nir_neurons import Stepping, neuron_layers
from snnlab.neurons import LIF, PLIF

STEPS, BATCH, SIZE = 12, 5, 7
DT = 1e-3
KINDS = ("IF", "LIF", "CubaLIF", "LI", "I", "CubaLI")
METHODS = ("euler", "exact")


def node_of(kind, same, seed=0):
    """A node whose numbers are all different, or the same for all neurons."""
    random = np.random.default_rng(seed)

    def numbers(low, high):
        return np.full(SIZE, random.uniform(low, high)) if same else random.uniform(low, high, SIZE)

    given = {
        "tau": numbers(2e-3, 9e-3),
        "tau_mem": numbers(2e-3, 9e-3),
        "tau_syn": numbers(2e-3, 9e-3),
        "r": numbers(3.0, 5.0) if kind not in ("IF", "I") else numbers(500.0, 900.0),
        "v_leak": numbers(-0.3, 0.3),
        "v_threshold": numbers(0.6, 1.1),
        "v_reset": numbers(-0.2, 0.2),
        "w_in": numbers(0.5, 1.5),
    }
    cls = getattr(nir, kind)
    return cls(**{key: value for key, value in given.items() if key in cls.__dataclass_fields__})


def inputs(seed=1):
    return np.random.default_rng(seed).normal(0.7, 1.0, (STEPS, BATCH, SIZE))


def written_out(node, x_T, method, synapse="same_step", soft=False):
    """The outputs of a node, one scalar equation after the other."""

    def f(tau):
        return DT / tau if method == "euler" else 1 - np.exp(-DT / tau)

    kind = type(node).__name__
    leak = getattr(node, "v_leak", np.zeros(SIZE))
    v, i, outputs = np.zeros((BATCH, SIZE)) + leak, np.zeros((BATCH, SIZE)), []
    for x in x_T:
        current = x
        if kind.startswith("Cuba"):
            before = i
            i = i + f(node.tau_syn) * (node.w_in * x - i)
            current = before if synapse == "next_step" else i
        if kind in ("IF", "I"):
            v = v + DT * node.r * current
        else:
            tau = node.tau_mem if kind.startswith("Cuba") else node.tau
            v = v + f(tau) * (leak + node.r * current - v)
        if kind in ("LI", "I", "CubaLI"):
            outputs.append(v)
            continue
        s = (v > node.v_threshold).astype(float)
        v = v - (node.v_threshold - leak) * s if soft else np.where(s, node.v_reset, v)
        outputs.append(s)
    return np.stack(outputs)


def run(node, x_T, stepping, neuron=LIF):
    x = torch.tensor(x_T)
    for layer in neuron_layers("it", node, (SIZE,), neuron, stepping):
        x = layer.double()(x)
    return x.numpy()


@pytest.mark.parametrize("same", [True, False], ids=["same", "each"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_neuron_follows_its_equation(kind, method, same):
    node, x_T = node_of(kind, same), inputs()
    found = run(node, x_T, Stepping(DT, method, "above", "same_step"))
    expected = written_out(node, x_T, method)
    assert expected.mean() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-5)  # its numbers are kept in single precision


@pytest.mark.parametrize("same", [True, False], ids=["same", "each"])
@pytest.mark.parametrize("kind", ["CubaLIF", "CubaLI"])
def test_an_input_may_reach_the_potential_in_the_next_step(kind, same):
    node, x_T = node_of(kind, same), inputs()
    found = run(node, x_T, Stepping(DT, "euler", "above", "next_step"))
    np.testing.assert_allclose(found, written_out(node, x_T, "euler", "next_step"), atol=1e-5)
    assert np.abs(found - written_out(node, x_T, "euler")).max() > 0.1


@pytest.mark.parametrize("same", [True, False], ids=["same", "each"])
@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_a_soft_reset_is_the_neurons_setting(kind, same):
    node, x_T = node_of(kind, same), inputs()
    found = run(node, x_T, Stepping(DT, "euler", "above", "same_step"), lambda **o: LIF(reset="soft", **o))
    np.testing.assert_array_equal(found, written_out(node, x_T, "euler", soft=True))


@pytest.mark.parametrize("same", [True, False], ids=["same", "each"])
@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_at_the_threshold_itself(kind, same):
    full = np.ones(SIZE, np.float32)
    threshold = full if same else np.arange(1, SIZE + 1, dtype=np.float32)
    given = {
        "tau": 2e-3,
        "tau_mem": 2e-3,
        "tau_syn": 1e-3,
        "r": 2 if kind != "IF" else 1000,
        "v_leak": 0,
        "w_in": 1,
    }
    cls = getattr(nir, kind)
    fields = {
        key: np.float32(value) * full for key, value in given.items() if key in cls.__dataclass_fields__
    }
    node = cls(**fields, v_threshold=threshold)
    x = torch.tensor(np.broadcast_to(threshold, (1, BATCH, SIZE)).copy())
    for fires, expected in (("at", 1.0), ("above", 0.0)):
        y = x
        for layer in neuron_layers("it", node, (SIZE,), LIF, Stepping(DT, "euler", fires, "same_step")):
            y = layer(y)
        assert y.unique().tolist() == [expected], fires


def test_equal_numbers_run_in_the_fast_neuron_and_no_other_layer():
    full = np.ones(SIZE, np.float32)
    node = nir.LIF(tau=2e-3 * full, r=2 * full, v_leak=0 * full, v_threshold=full)
    (layer,) = neuron_layers("it", node, (SIZE,), LIF, Stepping(DT, "euler", "at", "same_step"))
    assert isinstance(layer, LIF)
    assert (layer.decay, layer.dynamics.threshold) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tau": np.full(SIZE, 1e-4)}, "it: a time step of 0.001 s is longer than its tau of 0.0001 s"),
        ({"tau": np.full(SIZE, 0.0)}, "it: its tau is not above 0"),
        ({"tau": np.full(SIZE, np.nan)}, "it: not all numbers of its tau are finite"),
        ({"r": np.arange(3.0)}, "it: its input is 7, and its r 3"),
        ({"v_threshold": np.full(SIZE, np.inf)}, "it: not all numbers of its v_threshold are finite"),
    ],
)
def test_numbers_that_make_no_sense_are_named(changed, message):
    node = node_of("LIF", same=False)
    for key, value in changed.items():
        setattr(node, key, value)
    with pytest.raises(ValueError, match=message):
        neuron_layers("it", node, (SIZE,), LIF, Stepping(DT, "euler", "at", "same_step"))


def test_a_step_longer_than_a_time_constant_may_be_exact():
    node = node_of("LIF", same=False)
    node.tau = np.full(SIZE, 1e-4)
    found = run(node, inputs(), Stepping(DT, "exact", "above", "same_step"))
    np.testing.assert_array_equal(found, written_out(node, inputs(), "exact"))


def test_other_neurons_are_refused():
    with pytest.raises(ValueError, match="run as neuron=lif, not as PLIF"):
        neuron_layers("it", node_of("LIF", True), (SIZE,), PLIF, Stepping(DT, "euler", "at", "same_step"))
