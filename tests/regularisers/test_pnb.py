"""PNB against sums over plain numbers, in a network, and without keeping potentials."""

import math

import pytest
import torch
from torch import nn

from snnlab.models import VGGSNN
from snnlab.neurons import CF, DSATGO, IF, LIF, PLIF, ReLU
from snnlab.neurons.base_membrane import watch_potentials
from snnlab.norms import BN
from snnlab.regularisers import PNB
from snnlab.regularisers.pnb import positive_negative_balance
from snnlab.surrogates import TSG, Triangle
from snnlab.surrogates.base import Surrogate

NEURONS = {
    "if": lambda s=None: IF(s),
    "lif": lambda s=None: LIF(s),
    "plif": lambda s=None: PLIF(s),
    "cf": lambda s=None: CF(s, theta_P=0.9, theta_N=0.7),
    "dsatgo": lambda s=None: DSATGO(s, 4),
}


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def naive(u, K, theta_p, theta_n, eps):
    """Eq. 18 to 22 as printed, number by number."""
    total = 0.0
    for k in range(1, K + 1):
        up = [x for x in u if (k - 1) * theta_p < x <= k * theta_p]
        down = [x for x in u if -k * theta_n <= x < -(k - 1) * theta_n]
        if not up or not down:
            continue
        w = [math.exp(-abs(k * theta_p - x)) for x in up]
        mu_up = sum(a * x for a, x in zip(w, up, strict=True)) / (sum(w) + eps)
        w = [math.exp(-abs(-k * theta_n - x)) for x in down]
        mu_down = sum(a * x for a, x in zip(w, down, strict=True)) / (sum(w) + eps)
        total += abs(math.log(abs(mu_up) / (abs(mu_down) + eps) + eps))
    return total / K


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("thetas", [(1.0, 1.0), (0.8, 0.5)])
@pytest.mark.parametrize("eps", [1e-6, 1e-2])
def test_equations(K, thetas, eps):
    u = numbers(4, 50) + 0.3
    got = positive_negative_balance(u, K, *thetas, eps=eps)
    assert got.item() == pytest.approx(naive(u.flatten().tolist(), K, *thetas, eps), rel=1e-10)
    assert got > 0.01


def test_edges_belong_to_the_region_below():
    """At exactly one threshold the potential is in the first region, at 0 in none."""
    u = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64)
    assert positive_negative_balance(u, 1, 1.0, 1.0).item() == pytest.approx(0, abs=1e-5)
    assert positive_negative_balance(u, 2, 1.0, 1.0).item() == pytest.approx(0, abs=1e-5)
    assert positive_negative_balance(u[[0, 2]], 1, 1.0, 1.0).item() == 0


def test_balance_is_symmetric_and_0_for_symmetric_potentials():
    u = numbers(500).abs()
    assert positive_negative_balance(torch.cat([u, -u]), 2, 1.0, 1.0).item() == pytest.approx(0, abs=1e-5)
    u = numbers(500) + 0.4
    forth, back = (positive_negative_balance(sign * u, 2, 1.0, 1.0, eps=1e-9).item() for sign in (1, -1))
    assert forth == pytest.approx(back, rel=1e-6)


def test_gradcheck():
    u = (numbers(60) * 1.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda u: positive_negative_balance(u, 2, 1.0, 0.8), u)


@pytest.mark.parametrize("part", [7, 1 << 17])
def test_gradient_equals_autograd_through_the_equations(part, monkeypatch):
    monkeypatch.setattr("snnlab.regularisers.pnb.PART", part)
    u = (numbers(4, 200) * 1.2).requires_grad_()
    total = 0
    for k in (1, 2):
        means = []
        for v, theta in ((u, 1.0), (-u, 0.8)):
            region = v[(v > (k - 1) * theta) & (v <= k * theta)]
            w = torch.exp(-(k * theta - region).abs())
            means.append((w * region).sum() / (w.sum() + 1e-6))
        total = total + (means[0] / (means[1] + 1e-6) + 1e-6).log().abs() / 2
    got = positive_negative_balance(u, 2, 1.0, 0.8)
    torch.testing.assert_close(got, total)
    torch.testing.assert_close(
        torch.autograd.grad(got, u), torch.autograd.grad(total, u), rtol=1e-9, atol=1e-12
    )


def test_detached_weights_change_the_gradient_and_not_the_value():
    """By hand for one region: with constant weights, d log(mu)/du_i = w_i / sum(w u)."""
    u = torch.tensor([0.3, 0.9, -0.6], dtype=torch.float64, requires_grad=True)
    value = positive_negative_balance(u, 1, 1.0, 1.0, eps=1e-12, detach_weights=True)
    assert value.item() == pytest.approx(positive_negative_balance(u, 1, 1.0, 1.0, eps=1e-12).item())
    value.backward()
    w = [math.exp(0.3 - 1), math.exp(0.9 - 1)]
    total = w[0] * 0.3 + w[1] * 0.9
    sign = 1 if total / sum(w) > 0.6 else -1
    assert u.grad.tolist() == pytest.approx([sign * w[0] / total, sign * w[1] / total, sign / 0.6], rel=1e-9)


@pytest.mark.parametrize(
    "u",
    [
        torch.zeros(5),
        torch.full((5,), 0.5),
        torch.full((5,), -0.5),
        torch.full((5,), 1e30),
        torch.tensor([0.5, -1.5]),
        torch.tensor([1e-30, -0.5]),
        torch.tensor([0.5, -1e-30]),
    ],
    ids=str,
)
def test_empty_and_extreme_regions_are_finite(u):
    u = u.clone().requires_grad_()
    value = positive_negative_balance(u, 2, 1.0, 1.0)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(u.grad).all()


def test_half_empty_pairs_count_nothing():
    u = torch.tensor([0.5, 1.5, 0.7])
    assert positive_negative_balance(u, 2, 1.0, 1.0).item() == 0


class StraightThrough(Surrogate):
    """A surrogate with a forward of its own, for which the neurons run a plain loop under autograd."""

    def __init__(self, original):
        super().__init__()
        self.original = original
        self.num_steps = original.num_steps

    def at(self, t, threshold):
        return StraightThrough(self.original.at(t, threshold))

    def forward(self, u):
        smooth = self.original.primitive(u)
        return (u >= 0).to(u.dtype) + (smooth - smooth.detach())


@pytest.mark.parametrize("per", ["layer", "step"])
@pytest.mark.parametrize("learned", [False, True], ids=["triangle", "tsg"])
@pytest.mark.parametrize("name", NEURONS)
def test_the_penalty_is_differentiated_like_a_plain_loop(name, learned, per):
    original = TSG(4) if learned else Triangle()
    results = []
    for surrogate in (original, StraightThrough(original)):
        model = nn.Sequential(nn.Linear(6, 20), NEURONS[name](surrogate)).double()
        with torch.no_grad():
            for i, parameter in enumerate(model[0].parameters()):
                parameter.copy_(numbers(*parameter.shape, seed=i))
        pnb = PNB(per=per)
        with pnb.watching(model):
            spikes = model(numbers(4, 5, 6))
        loss = (spikes * numbers(*spikes.shape, seed=5)).sum() + 40 * pnb.term(model)
        results.append([loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))])
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", NEURONS)
def test_the_potentials_are_those_before_reset(name):
    neuron = NEURONS[name]().eval()
    x = numbers(4, 30).float()
    seen = []
    with watch_potentials(neuron, lambda one, h_T: seen.append((one, h_T.clone()))):
        spikes = neuron(x)
    ((who, h_T),) = seen
    assert who is neuron
    assert torch.equal(h_T[0], x[0])
    if name != "dsatgo":
        up, down = neuron.thresholds
        assert torch.equal(spikes > 0, h_T >= up)
        assert torch.equal(spikes < 0, h_T <= -down) or neuron.output_range[0] == 0
    if name == "lif":
        assert torch.equal(h_T[1], 0.5 * h_T[0] * (1 - spikes[0]) + x[1])
    neuron(x)
    assert len(seen) == 1


@pytest.mark.parametrize("learned", [False, True], ids=["triangle", "tsg"])
@pytest.mark.parametrize("name", NEURONS)
def test_nothing_more_is_kept_for_the_backward_pass(name, learned):
    sizes = []

    def kept(watched):
        neuron = NEURONS[name](TSG(4) if learned else None)
        x = torch.randn(4, 500, requires_grad=True)
        sizes.clear()
        with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            if watched:
                with PNB().watching(neuron):
                    neuron(x)
            else:
                neuron(x)
        return sum(sizes)

    assert kept(True) == kept(False) < 3000


def test_each_layer_of_a_network_gets_its_penalty_and_its_gradient():
    torch.manual_seed(0)
    model = VGGSNN(CF, BN, 2, 3, 16, channels=(4, 4, 8, 8))
    pnb = PNB()
    with pnb.watching(model):
        model(torch.randn(3, 4, 2, 16, 16))
    names = [name for name, module in model.named_modules() if isinstance(module, CF)]
    assert list(pnb.by_layer()) == names
    mean = sum(one.item() for one in pnb.by_layer().values()) / 4
    assert pnb.term(model).item() == pytest.approx(0.25 * mean)
    pnb.term(model).backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if not n.startswith("head"))
    assert all(module.measure is None for module in model.modules() if isinstance(module, CF))


def test_training_on_it_alone_balances_the_potentials():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(10, 30), CF())
    with torch.no_grad():
        layer[0].bias.fill_(0.4)
    x = torch.randn(4, 32, 10)
    optimizer = torch.optim.Adam(layer.parameters(), 0.02)
    pnb, history = PNB(weight=1.0), []
    for _ in range(40):
        with pnb.watching(layer):
            layer(x)
        loss = pnb.term(layer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.3 * history[0]


def test_what_cannot_be_watched_is_refused():
    with (
        pytest.raises(ValueError, match="no neuron of Sequential has a membrane potential"),
        PNB().watching(nn.Sequential(nn.Linear(2, 2), ReLU())),
    ):
        pass
    neuron, pnb = LIF(), PNB()
    with pnb.watching(neuron):
        with pytest.raises(ValueError, match="watched already"), PNB().watching(neuron):
            pass
        with pytest.raises(ValueError, match="before the model has run"):
            pnb.term(neuron)
    with pytest.raises(RuntimeError, match="on purpose"), pnb.watching(neuron):
        raise RuntimeError("on purpose")
    assert neuron.measure is None
