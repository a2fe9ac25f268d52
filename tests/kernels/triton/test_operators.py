"""The Triton kernels as operators of PyTorch: registered, compiled, without a state, and watched."""

import pytest
import torch

from snnlab.kernels import backend
from snnlab.neurons import DSATGO, LIF, PLIF
from snnlab.neurons.base_membrane import watch_potentials

pytest.importorskip("triton")
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.forward import Forward
from tests.kernels.triton.comparison import make_surrogate, normal

pytestmark = pytest.mark.usefixtures("device")


@pytest.mark.parametrize(
    ("name", "neuron"),
    [
        ("recurrence", lambda: PLIF(make_surrogate("tsg", 2))),
        ("adaptive_recurrence", lambda: DSATGO(num_steps=2)),
    ],
    ids=["recurrence", "adaptive_recurrence"],
)
def test_operators_are_registered_as_pytorch_wants_them(name, neuron, device, monkeypatch):
    calls = []

    def note(*arguments):
        calls.append(arguments)
        return operator(*arguments)

    operator = getattr(triton_backend, name)
    monkeypatch.setattr(triton_backend, name, note)
    neuron, x_T = neuron().to(device), normal(2, 2, 3, 2, 2).to(device)
    triton_backend.run_operator(neuron.call_of(x_T, neuron.rest(x_T), 0, keep_state=True))
    arguments = [a.detach().requires_grad_() if isinstance(a, torch.Tensor) else a for a in calls[0]]
    torch.use_deterministic_algorithms(False)
    torch.library.opcheck(operator, arguments)


def test_one_graph_in_the_compiler(device):
    neuron = PLIF(make_surrogate("tsg", 3))
    network = torch.nn.Sequential(torch.nn.Linear(5, 6), neuron).to(device)
    x_T = 2 * normal(3, 4, 5).to(device)
    torch.use_deterministic_algorithms(False)
    torch._dynamo.reset()
    with backend("triton"):
        plain_T = network(x_T)
        compiled_T = torch.compile(network, backend="aot_eager", fullgraph=True)(x_T)
    assert torch.equal(plain_T, compiled_T)
    wanted = torch.autograd.grad(plain_T.sum(), list(network.parameters()))
    found = torch.autograd.grad(compiled_T.sum(), list(network.parameters()))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_a_call_without_a_state_writes_spikes_only(device, monkeypatch):
    kept = []

    def note(forward, *arguments):
        found = run(forward, *arguments)
        kept.append(found[1] is not None)
        return found

    run = Forward.__call__
    monkeypatch.setattr(Forward, "__call__", note)
    x_T = normal(2, 30).to(device)
    with backend("triton"):
        spikes_T = LIF()(x_T)
        again_T, state = LIF().forward_with_state(x_T)
        last = LIF().step(x_T[1], LIF().step(x_T[0])[1])
    assert kept[:2] == [False, True]
    assert torch.equal(spikes_T, again_T)
    assert torch.equal(last[0], spikes_T[1])
    assert torch.equal(last[1], state)


@pytest.mark.parametrize("steps", [3, 19])
def test_watched_potentials(steps, device):
    """With a term that is differentiated, one that is not used, and no term."""
    found = []
    for name in ("triton", "eager"):
        neuron, x_T = PLIF(decay_input=True).to(device), normal(steps, 2, 3, 4).to(device)
        x_T = x_T.transpose(1, 3).requires_grad_()
        with (
            backend(name),
            watch_potentials(neuron, lambda _, h_T: h_T.square().mean() + h_T[0].sin().sum()) as seen,
        ):
            spikes_T = neuron(x_T)
            ((term,),) = seen.values()
            loss = (spikes_T * normal(*x_T.shape, seed=2).to(device)).sum() + 30 * term
            found.append((spikes_T, term, *torch.autograd.grad(loss, [x_T, neuron.w])))
            found[-1] += torch.autograd.grad(neuron(x_T).sum(), [x_T, neuron.w])
        with backend(name), watch_potentials(neuron, lambda _, h_T: None) as seen:
            assert torch.equal(neuron(x_T), spikes_T)
            assert seen == {"": [None]}
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5, atol=2e-5)
