"""What every registered neuron must do with every registered surrogate.

A new neuron or surrogate is tested here as soon as its file exists.
"""

import inspect

import pytest
import torch

from snnlab import registry
from snnlab.surrogates.base import Surrogate

NEURONS = tuple(registry.component_files("neuron"))
SURROGATES = tuple(registry.component_files("surrogate"))
SPIKING = tuple(n for n in NEURONS if "surrogate" in inspect.signature(registry.load("neuron", n)).parameters)
OPTIONS = (
    {},
    {"reset": "soft"},
    {"detach_reset": True},
    {"reset": "soft", "detach_reset": True},
    {"decay_input": True},
    {"v_reset": -0.3},
    {"v_reset": 0.2, "decay_input": True, "v_init": 0.4, "threshold": 0.7},
    {"v_reset": 0.2, "reset": "soft", "v_init": -0.4, "threshold": 0.7},
)


def make(name, surrogate="triangle", options=None):
    """The neuron with those of the options that it has, for up to 10 time steps."""
    cls = registry.load("neuron", name)
    known = inspect.signature(cls).parameters
    chosen = {key: value for key, value in (options or {}).items() if key in known}
    if "num_steps" in known:
        chosen["num_steps"] = 10
    if "surrogate" in known:
        chosen["surrogate"] = make_surrogate(surrogate) if isinstance(surrogate, str) else surrogate
    return cls(**chosen)


def make_surrogate(name):
    cls = registry.load("surrogate", name)
    return cls(**({"num_steps": 10} if "num_steps" in inspect.signature(cls).parameters else {}))


def currents(*shape, dtype=torch.float32, seed=0):
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (x + 0.4).to(dtype)


class StraightThrough(Surrogate):
    """The same surrogate, differentiated by autograd: step + primitive - primitive."""

    def __init__(self, original):
        super().__init__()
        self.original = original
        self.num_steps = original.num_steps

    def at(self, t, threshold):
        return StraightThrough(self.original.at(t, threshold))

    def forward(self, u):
        smooth = self.original.primitive(u)
        return (u >= 0).to(u.dtype) + (smooth - smooth.detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NEURONS)
def test_shape_and_dtype(name, dtype):
    neuron = make(name)
    x = currents(4, 3, 2, 5, dtype=dtype).requires_grad_()
    y, state = neuron.forward_with_state(x)
    assert y.shape == x.shape
    assert y.dtype == dtype
    assert state.dtype == (torch.float64 if dtype == torch.float64 else torch.float32) or not state.numel()
    y.sum().backward()
    assert x.grad.dtype == dtype
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", SPIKING)
def test_spikes_are_whole_numbers_and_all_levels_occur(name, options):
    neuron = make(name, options=options)
    least, greatest = neuron.output_range
    assert neuron(currents(10, 500)).unique().tolist() == list(range(least, greatest + 1))


@pytest.mark.parametrize("name", NEURONS)
def test_no_state_is_left_from_one_call_to_the_next(name):
    neuron = make(name)
    x = currents(5, 40)
    first = neuron(x)
    neuron(currents(7, 3, 11, seed=1))
    assert torch.equal(neuron(x), first)
    neuron.eval()
    first = neuron(x)
    before = {key: value.clone() for key, value in neuron.state_dict().items()}
    neuron(currents(7, 3, 11, seed=1))
    assert torch.equal(neuron(x), first)
    assert all(torch.equal(value, before[key]) for key, value in neuron.state_dict().items())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NEURONS)
def test_streaming_equals_the_whole_sequence(name, options):
    neuron = make(name, options=options)
    x = currents(9, 4, 33)
    whole, last = neuron.forward_with_state(x)
    state, spikes = None, []
    for step in x:
        s, state = neuron.step(step, state)
        spikes.append(s)
    assert torch.equal(torch.stack(spikes), whole)
    assert torch.equal(state, last)
    head, middle = neuron.forward_with_state(x[:4])
    assert torch.equal(torch.cat([head, neuron(x[4:], middle)]), whole)


@pytest.mark.parametrize("name", NEURONS)
def test_a_step_does_not_see_the_future_or_other_samples(name):
    neuron = make(name).eval()
    x = currents(6, 4, 10)
    changed = x.clone()
    changed[3:] += 1
    changed[:, 2] -= 1
    assert torch.equal(neuron(changed)[:3, [0, 1, 3]], neuron(x)[:3, [0, 1, 3]])


@pytest.mark.parametrize("name", NEURONS)
def test_any_layout_gives_the_same(name):
    neuron = make(name)
    x = currents(3, 2, 4, 5, 6)
    expected, gradient = run(neuron, x)
    last = x.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    batch_first = x.transpose(0, 1).contiguous().transpose(0, 1)
    for other in (last, batch_first):
        assert not other.is_contiguous()
        y, g = run(neuron, other)
        assert torch.equal(y, expected)
        torch.testing.assert_close(g, gradient)
    repeated = x[:1].expand(4, -1, -1, -1, -1)
    assert torch.equal(neuron(repeated), neuron(repeated.contiguous()))


def run(neuron, x):
    x = x.detach().requires_grad_()
    y = neuron(x)
    y.backward(currents(*x.shape, dtype=x.dtype, seed=9))
    return y.detach(), x.grad


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", SPIKING)
def test_gradients_equal_autograd_of_the_straight_through_form(name, options, surrogate):
    original = make_surrogate(surrogate)
    neuron = make(name, original, options).double()
    other = make(name, StraightThrough(original), options).double()  # the surrogate's parameters are the same
    with torch.no_grad():
        for i, parameter in enumerate(original.parameters()):
            parameter += 0.5 * currents(*parameter.shape, seed=20 + i)
    results = []
    for module in (neuron, other):
        x = currents(6, 3, 20, dtype=torch.float64).requires_grad_()
        start = module.initial_state(x[0].detach())
        state = (start + 0.3 * currents(*start.shape, dtype=torch.float64, seed=2)).requires_grad_()
        y, last = module.forward_with_state(x, state)
        loss = (y * currents(*y.shape, seed=3)).sum() + (last * currents(*last.shape, seed=4)).sum()
        parameters = list(module.parameters())
        results.append([y, last, *torch.autograd.grad(loss, [x, state, *parameters])])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", NEURONS)
def test_low_precision_input_is_integrated_in_float32(name):
    neuron = make(name)
    x = currents(6, 200, dtype=torch.bfloat16)
    assert torch.equal(neuron(x).float(), neuron(x.float()).bfloat16().float())


@pytest.mark.slow
@pytest.mark.parametrize("name", NEURONS)
def test_compiles_into_one_graph(name):
    neuron = make(name)
    compiled = torch.compile(neuron, fullgraph=True)
    x = currents(4, 3, 50)
    y, g = run(neuron, x)
    y_compiled, g_compiled = run(compiled, x)
    assert torch.equal(y, y_compiled)
    torch.testing.assert_close(g, g_compiled)
