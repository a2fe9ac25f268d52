"""Normalisation and neuron in one, against the plain modules: output, gradients, running statistics, and when not."""

import copy

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.kernels import backend, counts
from snnlab.layers.fused import Layers, norm_and_neuron
from snnlab.layers.time import EachStep
from snnlab.metrics import Recorder
from snnlab.models import ResNet19SNN
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.norms import BN, TDBN, TEBN
from snnlab.surrogates import TSG

T = 3
FUSED = "compiled with norm"


@pytest.fixture(autouse=True)
def _compiled():
    with backend("compiled"):
        yield


def norms() -> dict[str, nn.Module]:
    made = {"bn": BN(6), "tdbn": TDBN(6, 0.5), "tebn": TEBN(6, T + 1)}
    random = torch.Generator().manual_seed(3)
    for norm in made.values():
        for parameter in norm.parameters():
            nn.init.normal_(parameter, 1.0, 0.3, generator=random)
    return made


def frames(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 1.5 + 0.7


def both(
    norm: nn.Module,
    neuron: nn.Module,
    y: Tensor,
    residual: Tensor | None,
    training: bool,
    tolerance: float = 2e-5,
) -> None:
    found = []
    for fuse in (True, False):
        one, fires = copy.deepcopy(norm).train(training), copy.deepcopy(neuron)
        leaves = [y.clone(memory_format=torch.preserve_format).requires_grad_()]
        leaves += [] if residual is None else [residual.clone().requires_grad_()]
        with backend("compiled", fuse=fuse) as choice:
            spikes = norm_and_neuron(one, fires, *leaves)
        assert choice.counts[FUSED] == fuse
        spikes.backward(torch.randn(spikes.shape, generator=torch.Generator().manual_seed(1)))
        grads = [leaf.grad for leaf in (*leaves, *one.parameters(), *fires.parameters())]
        found.append((spikes.detach(), grads, dict((*one.named_buffers(), *fires.named_buffers()))))
    (spikes, grads, buffers), (spikes2, grads2, buffers2) = found
    assert torch.equal(spikes, spikes2)
    for a, b in zip(grads, grads2, strict=True):
        assert (a - b).norm() <= tolerance * b.norm() + 1e-6
    for name, buffer in buffers2.items():
        assert torch.allclose(buffers[name], buffer, rtol=1e-5, atol=1e-6), name


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["bn", "tdbn", "tebn"])
def test_equal_to_the_plain_modules(name: str, training: bool) -> None:
    both(norms()[name], LIF(), frames(T, 4, 6, 5, 7), None, training)


def test_with_residual_and_learned_parameters() -> None:
    both(norms()["bn"], PLIF(TSG(T)), frames(T, 4, 6, 5, 7), frames(T, 4, 6, 5, 7, seed=5), True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["bn", "tebn"])
def test_thresholds_of_the_whole_layer(name: str, training: bool) -> None:
    neuron = DSATGO(num_steps=T).train(training)
    both(norms()[name], neuron, frames(T, 4, 6, 5, 7), frames(T, 4, 6, 5, 7, seed=5), training)


def test_channels_last_and_vectors() -> None:
    x = frames(T * 4, 6, 5, 7).contiguous(memory_format=torch.channels_last).unflatten(0, (T, 4))
    both(norms()["bn"], CF(), x, frames(T, 4, 6, 5, 7, seed=5), True)
    both(norms()["tebn"], LIF(), x, None, True)
    both(norms()["bn"], LIF(), frames(T, 9, 6), None, True)


def test_far_from_zero() -> None:
    both(norms()["bn"], LIF(), frames(T, 4, 6, 5, 7) * 0.1 + 30, None, True, tolerance=1e-4)


def test_a_layer_in_a_network_trains_alike() -> None:
    outputs, states = [], []
    for fuse in (True, False):
        torch.manual_seed(0)
        model = ResNet19SNN(LIF, BN, 2, 5)
        before = list(model.state_dict())
        with backend("compiled", fuse=fuse) as choice:
            model(frames(2, 3, 2, 8, 8)).square().mean().backward()
        assert choice.counts[FUSED] == (17 if fuse else 0)
        outputs.append([p.grad for p in model.parameters()])
        states.append(model.state_dict())
        assert list(states[-1]) == before
    for a, b in zip(*outputs, strict=True):
        assert (a - b).norm() <= 1e-3 * b.norm() + 1e-6
    assert all(
        torch.allclose(states[0][k].float(), states[1][k].float(), rtol=1e-4, atol=1e-5) for k in states[0]
    )


def test_firing_rates_are_recorded_of_the_fused_layer() -> None:
    model = Layers(EachStep(nn.Conv2d(2, 6, 3)), BN(6), LIF()).eval()
    x = frames(T, 2, 2, 6, 6)
    with Recorder(model) as recorder:
        spikes = model(x)
        assert counts()[FUSED] == 1
    rates = spikes.detach().mean((1, 2, 3, 4)).tolist()
    assert recorder.rates() == {"2": pytest.approx(rates, abs=1e-6)}
    assert min(rates) > 0
    model(x)
    assert recorder.rates() == {"2": pytest.approx(rates, abs=1e-6)}


def test_plain_where_someone_looks_or_others_join() -> None:
    model = Layers(EachStep(nn.Conv2d(2, 6, 3)), BN(6), LIF())
    x = frames(T, 2, 2, 6, 6)
    for layer in (model[1], model[1].bn, model[2]):
        handle = layer.register_forward_hook(lambda *_: None)
        model(x)
        assert counts()[FUSED] == 0
        handle.remove()
    nn.SyncBatchNorm.convert_sync_batchnorm(model).eval()(x)
    assert counts()[FUSED] == 0
    with backend("eager"):
        Layers(BN(2), LIF())(x)
    assert counts()[FUSED] == 0
    Layers(BN(2), LIF())(x)
    assert counts()[FUSED] == 1


def test_every_norm_has_a_way() -> None:
    for name in registry.component_files("norm"):
        cls = registry.load("norm", name)
        norm = cls(6, **{"tdbn": {"threshold": 1.0}, "tebn": {"num_steps": T}}.get(name, {}))
        assert Layers(norm, LIF())(frames(T, 2, 6, 3, 3)).shape == (T, 2, 6, 3, 3)
