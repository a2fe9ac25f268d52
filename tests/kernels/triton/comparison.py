"""The Triton kernels of a neuron against the plain recurrence: spikes, potential and all gradients."""

import torch

from snnlab import registry
from snnlab.kernels import Call
from snnlab.kernels.eager import loop
from snnlab.kernels.triton import backend as triton_backend
from snnlab.neurons import DSATGO


def make_surrogate(name, steps):
    cls = registry.load("surrogate", name)
    return cls(num_steps=steps) if name == "tsg" else cls()


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def gradients(neuron, spikes_T, v, inputs, weight_T, weight):
    loss = (spikes_T.float() * weight_T).sum() + (v * weight).sum()
    return torch.autograd.grad(loss, [*inputs, *neuron.parameters()])


def compare(neuron, x_T, state=None, weight_T=None, start=0, again=None):
    """Spikes, potential and all gradients of the kernels equal those of the loop, which runs on a copy if given."""
    x_T = x_T.requires_grad_()
    given = torch.full_like(x_T[0], neuron.v_init, dtype=torch.float32) if state is None else state
    given = given.requires_grad_()
    weight_T = normal(*x_T.shape, seed=1).to(x_T.device) if weight_T is None else weight_T
    weight = normal(*x_T.shape[1:], seed=2).to(x_T.device)
    plain = neuron if again is None else again
    dynamics, seen = plain.dynamics_of_call(), []

    def measure(h_T):
        seen.append(h_T.detach())

    wanted_T, wanted_v, _ = loop(
        Call(x_T, given, plain.current_decay(), dynamics, plain.surrogate, start, measure)
    )
    wanted = gradients(plain, wanted_T, wanted_v, (x_T, given), weight_T, weight)

    call = Call(x_T, given, neuron.current_decay(), neuron.dynamics_of_call(), neuron.surrogate, start)
    assert triton_backend.refusal(call) is None
    spikes_T, v, _ = triton_backend.run(call)
    found = gradients(neuron, spikes_T, v, (x_T, given), weight_T, weight)

    assert spikes_T.dtype == x_T.dtype
    if isinstance(neuron, DSATGO):
        assert torch.equal(spikes_T, wanted_T)
    else:
        assert sure(seen[0].cpu(), neuron)[(spikes_T != wanted_T).cpu()].logical_not().all()
    torch.testing.assert_close(v, wanted_v, rtol=1e-5, atol=1e-5)
    # The interpreter cuts bits off where a GPU rounds to the nearest number.
    tolerance = {torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[x_T.dtype]
    for a, b, name in zip(found, wanted, ["x", "v", *dict(neuron.named_parameters())], strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert (a - b).float().norm() <= tolerance * b.float().norm() + 1e-12, name
    return spikes_T


def sure(h_T, neuron):
    """Where no potential so far came so near to a threshold that rounding decides."""
    near = torch.zeros_like(h_T, dtype=torch.bool)
    for sign, theta, count in zip(
        (1, -1), neuron.thresholds, (neuron.output_range[1], -neuron.output_range[0]), strict=True
    ):
        for k in range(1, count + 1):
            near |= (sign * h_T - k * theta).abs() < 1e-5
    return near.cummax(0).values.logical_not()
