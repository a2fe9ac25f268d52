"""Triton kernels of thresholds that follow the potentials: against the plain recurrence, statistics, launches."""

from copy import deepcopy

import pytest
import torch

from snnlab.kernels import backend
from snnlab.kernels.eager import loop
from snnlab.neurons import DSATGO

pytest.importorskip("triton")
from snnlab.kernels.triton import adaptive
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.launcher import Launch
from tests.kernels.triton.comparison import compare, make_surrogate, normal

pytestmark = pytest.mark.usefixtures("device")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"width": "threshold", "f_c": 1.2},
        {"adaptive_threshold": False},
        {"adaptive_width": False},
        {"adaptive_threshold": False, "adaptive_width": False},
        {"mpd": "estimated"},
        {"mpd": "estimated", "width": "threshold", "adaptive_threshold": False},
    ],
    ids=repr,
)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_adaptive_thresholds(options, training, device):
    neuron = DSATGO(num_steps=4, **options).to(device).train(training)
    with torch.no_grad():
        neuron.threshold_T.copy_(0.7 + 0.1 * normal(4))
    again = deepcopy(neuron)
    compare(neuron, normal(3, 5, 10).to(device), again=again, start=1)
    torch.testing.assert_close(neuron.threshold_T, again.threshold_T, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("size", "most"), [(1, 1024), (63, 1024), (2500, 1024), (2500, 1), (2500, 2)])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_statistics_over_several_programs(steps, size, most, device, monkeypatch):
    """2500 elements are blocks of different sizes, done by one, two or three programs."""
    monkeypatch.setattr(adaptive, "_PARTS", most)
    neuron = DSATGO(make_surrogate("tsg", steps), num_steps=steps, f_c=1.1).to(device)
    x_T = normal(steps, size, 4).to(device)[..., :1].transpose(1, 2) + 3
    again = deepcopy(neuron)
    compare(neuron, x_T, again=again)
    with torch.no_grad(), backend("eager"):
        for given in (None, normal(1, size, seed=4).to(device)):
            call = neuron.call_of(x_T, neuron.rest(x_T) if given is None else given, 0, keep_state=True)
            wanted_T, wanted, _ = loop(again.call_of(x_T, call.v, 0, keep_state=True))
            found_T, found, _ = triton_backend.run(call)
            assert torch.equal(found_T, wanted_T)
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_adaptive_thresholds_in_float64(device):
    """Mean and deviation of all potentials of each step, where the mean is large beside the deviation."""
    x_T, decay = normal(4, 3000).to(device) * 0.01 + 100, torch.tensor(0.5, device=device)
    rest = torch.zeros((), device=device).expand(3000)
    rule = adaptive.Rule(1.0, 1.0, True, True, True)
    spikes_T, _, (theta_T, width_T) = adaptive.AdaptiveForward(x_T, rest, rule, False)(x_T, rest, decay)
    v = torch.zeros(3000, dtype=torch.float64, device=device)
    for x, s, theta, width in zip(x_T, spikes_T, theta_T, width_T, strict=True):
        h = 0.5 * v + x.double()
        torch.testing.assert_close(theta.double(), h.mean() + h.std(), rtol=1e-6, atol=0)
        torch.testing.assert_close(width.double(), 2 * torch.sigmoid(2 * (h.std() - 1)), rtol=1e-4, atol=0)
        v = torch.where(s > 0, 0.0, h)


def test_launches_of_adaptive_thresholds(device, monkeypatch):
    """Counts passes: docs/kernels.md states them."""
    seen, plain = [], Launch.__call__

    def note(launch, *tensors, **keys):
        seen.append(launch.name)
        plain(launch, *tensors, **keys)

    monkeypatch.setattr(Launch, "__call__", note)
    with backend("triton"):
        DSATGO(num_steps=5).to(device)(normal(5, 20).to(device))
    assert seen == ["charge"] * 6


def test_adaptive_thresholds_in_one_graph(device):
    neuron = DSATGO(num_steps=3).to(device)
    again = deepcopy(neuron)
    x_T = normal(3, 20).to(device)
    torch.use_deterministic_algorithms(False)
    torch._dynamo.reset()
    with backend("triton"):
        assert torch.equal(neuron(x_T), torch.compile(again, backend="aot_eager", fullgraph=True)(x_T))
    assert torch.equal(neuron.threshold_T, again.threshold_T)
