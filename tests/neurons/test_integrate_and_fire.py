"""`if`, `lif` and `plif` against a naive loop under autograd, by hand, and against spikingjelly."""

from itertools import product

import pytest
import torch

from snnlab.neurons import IF, LIF, PLIF, ReLU
from snnlab.surrogates import ATan, FastSigmoid, Rectangle, Sigmoid, Triangle


def naive(x_T, v, decay, gain, threshold, v_reset, soft, detach, primitive):
    """Written from the equations, one step at a time, with the spike as step.detach() + p - p.detach()."""
    spikes_T = []
    for x in x_T:
        h = decay * v + (1 - decay) * v_reset + gain * x
        p = primitive(h - threshold)
        s = torch.where(h >= threshold, 1.0, 0.0).to(h.dtype).detach() + p - p.detach()
        gate = s.detach() if detach else s
        v = h - gate * threshold if soft else (1 - gate) * h + gate * v_reset
        spikes_T.append(s)
    return torch.stack(spikes_T), v


def data():
    g = torch.Generator().manual_seed(3)
    x = torch.randn(7, 2, 30, dtype=torch.float64, generator=g) + 0.5
    weights = torch.randn(8, 2, 30, dtype=torch.float64, generator=g)
    return x.requires_grad_(), weights


def gradients(spikes_T, v, weights, inputs):
    loss = (spikes_T * weights[:-1]).sum() + (v * weights[-1]).sum()
    return torch.autograd.grad(loss, inputs)


SURROGATES = (Triangle(gamma=0.8), Rectangle(width=1.3), Sigmoid(), ATan(), FastSigmoid(slope=5.0))
KINDS = ("if", "lif", "plif")
CASES = [
    case
    for case in product(KINDS, (False, True), (False, True), (False, True), (0.0, -0.25))
    if case[0] != "if" or not case[3]  # no leak, no decay of the input
]


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(("kind", "soft", "detach", "decay_input", "v_reset"), CASES)
def test_naive_loop(kind, soft, detach, decay_input, v_reset, surrogate):
    shared = {
        "reset": "soft" if soft else "hard",
        "detach_reset": detach,
        "v_reset": v_reset,
        "threshold": 0.9,
        "v_init": 0.1,
    }
    x, weights = data()
    if kind == "if":
        neuron, decay = IF(surrogate, **shared), 1.0
    elif kind == "lif":
        neuron, decay = LIF(surrogate, decay=0.7, decay_input=decay_input, **shared), 0.7
    else:
        neuron = PLIF(surrogate, init_decay=0.6, decay_input=decay_input, **shared).double()
        w = torch.tensor(0.6 / 0.4, dtype=torch.float64).log().float().double().requires_grad_()
        decay = 1 / (1 + torch.exp(-w))
    gain = 1 - decay if decay_input else 1.0
    v = torch.full((2, 30), 0.1, dtype=torch.float64)
    expected = naive(x, v, decay, gain, 0.9, v_reset, soft, detach, surrogate.primitive)
    got = neuron.forward_with_state(x)
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-12)
    inputs, theirs = ([x, *neuron.parameters()], [x, w] if kind == "plif" else [x])
    for a, b in zip(gradients(*got, weights, inputs), gradients(*expected, weights, theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


def column(*values):
    return torch.tensor(values).unsqueeze(1)


def test_lif_by_hand():
    x = column(0.6, 0.7, 0.6, 1.9, 0.5)
    spikes, v = LIF().forward_with_state(x)
    # h: 0.6, 0.3 + 0.7 = 1.0 fires, 0.6, 0.3 + 1.9 = 2.2 fires, 0.5
    assert spikes.flatten().tolist() == [0, 1, 0, 1, 0]
    assert v.item() == pytest.approx(0.5)
    spikes, v = LIF(reset="soft").forward_with_state(x)
    # h: 0.6, 1.0 -> 0, 0.6, 2.2 -> 1.2, 0.6 + 0.5 = 1.1 -> 0.1
    assert spikes.flatten().tolist() == [0, 1, 0, 1, 1]
    assert v.item() == pytest.approx(0.1)


def test_if_counts_like_a_rounding_quantiser():
    """Soft reset from half a threshold: T steps of constant input x in [0, 1] fire round(T x) times."""
    x = torch.tensor([0.0, 0.05, 0.13, 0.3, 0.62, 0.9, 1.0])
    spikes = IF(reset="soft", v_init=0.5)(x.expand(8, -1))
    assert spikes.sum(0).tolist() == (8 * x + 0.5).floor().tolist()


def test_decay_input_scales_the_input_and_the_rest_potential_attracts():
    neuron = LIF(tau=4, decay_input=True, v_reset=0.2, threshold=9.0)
    _, v = neuron.forward_with_state(column(0.4))
    assert v.item() == pytest.approx(0 + (0.4 - (0 - 0.2)) / 4)
    _, v = LIF(tau=4, v_reset=0.2, threshold=9.0, v_init=1.0).forward_with_state(column(0.4))
    assert v.item() == pytest.approx(1 - (1 - 0.2) / 4 + 0.4)


def test_tau_is_another_way_to_give_the_decay():
    assert LIF(tau=4).decay == 0.75
    assert LIF(tau=1).decay == 0
    assert type(LIF().decay) is float
    for decay in (0.3, 0.5):  # the second is the default, and given all the same
        with pytest.raises(ValueError, match="not both"):
            LIF(tau=4, decay=decay)
    with pytest.raises(ValueError, match="at least 1"):
        LIF(tau=0.5)


@pytest.mark.parametrize("kind", [IF, LIF, PLIF])
def test_habits_of_other_packages_are_not_taken_for_something_else(kind):
    with pytest.raises(ValueError, match="reset is 'zero', but must be 'hard' or 'soft'"):
        kind(reset="zero")
    for surrogate in (0.9, ATan):
        with pytest.raises(TypeError, match="settings are given by name"):
            kind(surrogate)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_a_decay_that_grows_is_refused(decay):
    with pytest.raises(ValueError, match="decay is"):
        LIF(decay=decay)


@pytest.mark.parametrize("decay", [0.1, 0.5, 0.9])
def test_plif_starts_where_it_is_told_and_equals_lif_there(decay):
    plif = PLIF(init_decay=decay)
    assert [p.numel() for p in plif.parameters()] == [1]
    assert plif.current_decay().item() == pytest.approx(decay)
    x = torch.randn(6, 50, generator=torch.Generator().manual_seed(5))
    assert torch.equal(plif(x), LIF(decay=decay)(x))


def test_relu_is_stateless():
    x = torch.tensor([[-1.0, 2.0], [0.5, -3.0]])
    assert ReLU()(x).tolist() == [[0, 2], [0.5, 0]]
    assert ReLU(threshold=0.5)(x).tolist() == [[0, 2], [0.5, 0]]


def test_only_the_input_is_kept_for_the_backward_pass():
    x = torch.randn(5, 100, requires_grad=True)
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        LIF()(x)
    assert x.numel() <= sum(sizes) <= x.numel() + x[0].numel()


SJ_CASES = [
    case
    for case in product(KINDS, (False, True), (None, 0.0, -0.25), (False, True), ("Sigmoid", "ATan"))
    if case[0] != "if" or not case[1]
]


@pytest.mark.parametrize(("kind", "decay_input", "v_reset", "detach", "surrogate"), SJ_CASES)
def test_spikingjelly_agrees(kind, decay_input, v_reset, detach, surrogate):
    nodes = pytest.importorskip("spikingjelly.activation_based.neuron")
    theirs_surrogate = getattr(pytest.importorskip("spikingjelly.activation_based.surrogate"), surrogate)()
    mine = {
        "reset": "soft" if v_reset is None else "hard",
        "v_reset": v_reset or 0.0,
        "detach_reset": detach,
        "threshold": 0.8,
    }
    theirs = {
        "v_threshold": 0.8,
        "v_reset": v_reset,
        "detach_reset": detach,
        "surrogate_function": theirs_surrogate,
        "step_mode": "m",
    }
    ours = {"Sigmoid": Sigmoid(), "ATan": ATan()}[surrogate]
    if kind == "if":
        neuron, node = IF(ours, **mine), nodes.IFNode(**theirs)
    elif kind == "lif":
        neuron = LIF(ours, tau=2.5, decay_input=decay_input, **mine)
        node = nodes.LIFNode(tau=2.5, decay_input=decay_input, **theirs)
    else:
        neuron = PLIF(ours, init_decay=1 - 1 / 2.5, decay_input=decay_input, **mine)
        node = nodes.ParametricLIFNode(init_tau=2.5, decay_input=decay_input, **theirs)
    g = torch.Generator().manual_seed(8)
    x = (torch.randn(9, 4, 50, generator=g) + 0.4).requires_grad_()
    if v_reset:  # spikingjelly starts at v_reset
        state = torch.full((4, 50), v_reset)
        spikes = neuron(x, state)
    else:
        spikes = neuron(x)
    weights = torch.randn(9, 4, 50, generator=g)
    expected = node(x)
    assert torch.equal(spikes, expected)
    assert 0.02 < spikes.mean() < 0.98
    got = torch.autograd.grad((spikes * weights).sum(), [x, *neuron.parameters()])
    want = torch.autograd.grad((expected * weights).sum(), [x, *node.parameters()])
    torch.testing.assert_close(got[0], want[0], rtol=1e-4, atol=1e-5)
    if kind == "plif":  # theirs learns 1 / tau = 1 - decay
        torch.testing.assert_close(got[1], -want[1], rtol=1e-4, atol=1e-3)
