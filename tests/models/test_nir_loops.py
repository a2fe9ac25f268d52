"""Loops of a NIR graph: outputs as if written out, step by step, gradients, and what counts as firing."""

import nir
import numpy as np
import pytest
import torch

from snnlab.layers.low_pass import LowPass
from snnlab.layers.streaming import Streaming
from snnlab.metrics.recorder import Recorder
from snnlab.models import NIR
from snnlab.neurons import LIF
from snnlab.surrogates.tsg import TSG
from tests.models.nir_graphs import BATCH, CLASSES, SIZE, STEPS, ends, frames, graph_file, lif, linear


def looped(tmp_path, back=0.5, kind=lif):
    """A layer whose spikes come back through weights, one whose spikes come back as they are, and a readout."""
    first, last = ends([2, SIZE, SIZE], [CLASSES])
    full = np.ones(CLASSES, np.float32)
    nodes = {
        **first,
        "row": nir.Flatten({"input": np.array([2, SIZE, SIZE])}, start_dim=0),
        "a": linear(6, 2 * SIZE * SIZE, size=0.3),
        "n": kind(6),
        "w": linear(6, 6, seed=1, size=back),
        "twice": nir.Scale(np.full(6, 2, np.float32)),
        "m": lif(6, tau=4e-4),
        "b": linear(CLASSES, 6, seed=2),
        "v": nir.LI(tau=2e-4 * full, r=2 * full, v_leak=0 * full),
        **last,
    }
    edges = [("in", "row"), ("row", "a"), ("a", "n"), ("n", "w"), ("w", "n"), ("n", "twice")]
    edges += [("twice", "m"), ("m", "m"), ("m", "b"), ("b", "v"), ("v", "out")]
    return graph_file(tmp_path, nodes, edges)


@torch.no_grad()
def test_loops_written_out(tmp_path):
    file = looped(tmp_path)
    model, graph = (
        NIR(LIF, 2, CLASSES, (SIZE, SIZE), file, fires="at").double(),
        nir.read(file, type_check=False),
    )
    x_TBCHW = frames().double()
    a, w, b = (torch.tensor(graph.nodes[name].weight).double() for name in "awb")
    v = u = s = z = torch.zeros(BATCH, 6, dtype=torch.float64)
    y, expected = torch.zeros(BATCH, CLASSES, dtype=torch.float64), []
    for x_BCHW in x_TBCHW:
        v = 0.5 * v + x_BCHW.flatten(1) @ a.T + s @ w.T
        s = (v >= 1).double()
        v = v * (1 - s)
        u = 0.75 * u + 2 * s + z
        z = (u >= 1).double()
        u = u * (1 - z)
        y = 0.5 * y + z @ b.T
        expected.append(y)
    expected_TBK = torch.stack(expected)
    assert expected_TBK.std() > 0.1
    torch.testing.assert_close(model(x_TBCHW), expected_TBK, rtol=1e-5, atol=1e-5)


def synaptic(size):
    full = np.ones(size, np.float32)
    return nir.CubaLIF(
        tau_syn=2e-4 * full, tau_mem=3e-4 * full, r=3 * full, v_leak=0 * full, v_threshold=full, w_in=2 * full
    )


@pytest.mark.parametrize("kind", [lif, synaptic])
@torch.no_grad()
def test_loops_step_by_step_while_samples_leave(kind, tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path, kind=kind)).double()
    x_TBCHW = frames().double()
    expected_TBK = model(x_TBCHW)
    kept = torch.tensor([2, 0])
    with Streaming(model) as stream:
        for t, x_BCHW in enumerate(x_TBCHW[:4]):
            torch.testing.assert_close(stream(x_BCHW), expected_TBK[t])
        stream.keep(kept)
        for t, x_BCHW in enumerate(x_TBCHW[4:], start=4):
            torch.testing.assert_close(stream(x_BCHW[kept]), expected_TBK[t, kept])


def test_gradients_reach_all_weights_of_a_loop(tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path))
    model(frames()).square().sum().backward()
    assert {name: bool(p.grad.any()) for name, p in model.named_parameters()} == {
        name: True for name, _ in model.named_parameters()
    }
    assert "layers.n.loop.0_w.weight" in dict(model.named_parameters())


def test_a_readout_and_a_synapse_do_not_count_as_firing(tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path))
    assert any(isinstance(module, LowPass) for module in model.modules())
    with Recorder(model) as recorder, torch.no_grad():
        model(frames())
    assert list(recorder.rates()) == ["layers.n", "layers.m"]


def test_a_surrogate_that_counts_steps_is_refused_in_a_loop(tmp_path):
    with pytest.raises(ValueError, match="that counts its time steps"):
        NIR(lambda **o: LIF(TSG(STEPS), **o), 2, CLASSES, (SIZE, SIZE), looped(tmp_path))
