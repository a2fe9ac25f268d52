"""Spikes kept as bits: gradients equal bit for bit, memory gone, and nothing packed that is no spike."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from snnlab import kernels, registry
from snnlab.layers import packing
from snnlab.layers.fused import Layers
from snnlab.layers.packing import packed_spikes
from snnlab.layers.residual import ResidualBlock, conv3x3
from snnlab.layers.time import EachStep
from snnlab.neurons import CF, LIF, MixedIF
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.norms import BN

T, B, C = 3, 2, 6


@pytest.fixture(autouse=True)
def _back_end():
    with kernels.backend("auto", lambda message: None):
        yield


def network(neuron) -> nn.Module:
    torch.manual_seed(0)
    return Layers(
        conv3x3(2, C),
        BN(C),
        neuron(),
        ResidualBlock(C, C, 1, neuron, BN),
        ResidualBlock(C, 2 * C, 2, neuron, BN),
        EachStep(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2 * C * 4, 5)),
        neuron(),
        nn.Linear(5, 3),
    )


def frames(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(T, B, 2, 8, 8, generator=torch.Generator().manual_seed(1)).to(dtype) * 2


def outcome(model: nn.Module, x: Tensor, pack: bool) -> list[Tensor]:
    model, x = copy.deepcopy(model), x.clone(memory_format=torch.preserve_format).requires_grad_()
    with packed_spikes(model) if pack else nullcontext():
        out = model(x)
    out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(2)).to(out.dtype))
    return [out.detach(), x.grad, *(p.grad for p in model.parameters()), *model.buffers()]


def equal(model: nn.Module, x: Tensor) -> None:
    found = [outcome(model, x, pack) for pack in (True, False)]
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def neurons() -> dict[str, type[MembraneNeuron]]:
    loaded = {name: registry.load("neuron", name) for name in registry.component_files("neuron")}
    return {name: cls for name, cls in loaded.items() if issubclass(cls, MembraneNeuron)}


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each packing succeeded, as they happen."""
    done = []

    def counting(x, levels, pack=packing.pack):
        packed = pack(x, levels)
        done.append(packed is not None)
        return packed

    monkeypatch.setattr(packing, "pack", counting)
    return done


@pytest.mark.parametrize("backend", ["eager", "compiled"])
@pytest.mark.parametrize("name", [*neurons()])
def test_gradients_are_equal_for_every_neuron(name: str, backend: str, packs: list[bool]) -> None:
    cls = neurons()[name]
    neuron = (lambda: cls(num_steps=T)) if name == "dsatgo" else cls
    model = network(neuron)
    with kernels.backend("auto" if name in ("dsatgo", "mixed_if") and backend == "compiled" else backend):
        equal(model, frames())
    # Six neurons, all of whose outputs are saved; what adds up to no level is none of theirs.
    assert packs == [True] * 6


def test_other_layouts_and_types(packs: list[bool]) -> None:
    x = frames().flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (T, B))
    equal(network(CF), x)
    equal(network(LIF).double(), frames(torch.float64))
    with torch.autocast("cpu", torch.bfloat16):
        equal(network(CF), frames())
    assert packs == [True] * 18


def test_the_spikes_themselves_are_gone_after_the_forward_pass() -> None:
    model, alive = network(LIF), []
    for module in model.modules():
        if isinstance(module, LIF):
            module.register_forward_hook(
                lambda _, args, out: alive.append(StorageWeakRef(out.untyped_storage()))
            )
    with packed_spikes(model):
        out = model(frames())
    assert len(alive) == 6
    assert all(one.expired() for one in alive)
    out.sum().backward()
    alive.clear()
    out = model(frames())
    assert not any(one.expired() for one in alive)


def test_what_two_layers_save_is_packed_once(packs: list[bool]) -> None:
    model = Layers(LIF(), ResidualBlock(C, C, 1, LIF, BN))
    equal(model, torch.randn(T, B, C, 8, 8))
    assert packs == [
        True,
        True,
    ]  # of the first neuron, saved by convolution and addition, and of the one inside


class Doubled(nn.Module):
    """Writes into its input."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(2)


class Loud(LIF):
    """Fires with an amplitude that is none of its levels."""

    def forward(self, x_T: Tensor, state: Tensor | None = None) -> Tensor:
        return super().forward(x_T, state) * 0.3


def test_what_is_no_level_is_kept_as_it_is(packs: list[bool]) -> None:
    equal(network(Loud), frames())
    assert packs[:5] == [False] * 5  # the last one is silent


def test_what_was_written_to_is_kept_as_it_is(packs: list[bool]) -> None:
    equal(Layers(conv3x3(2, C), LIF(), Doubled(), conv3x3(C, C)), frames())
    assert packs == []


def test_converted_neurons_with_other_amplitudes(packs: list[bool]) -> None:
    model = network(MixedIF)
    for module in model.modules():
        if isinstance(module, MixedIF):
            module.theta.fill_(0.7)
    equal(model, frames())
    assert packs[:5] == [False] * 5


def test_writing_into_what_was_saved_is_an_error_as_ever() -> None:
    layer = nn.Linear(4, 4)
    x = torch.randn(2, 4)
    with packed_spikes(layer):
        out = layer(x)
    x.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_nothing_is_left_behind() -> None:
    model = network(LIF)
    with pytest.raises(ZeroDivisionError), packed_spikes(model):
        raise ZeroDivisionError
    assert not any(module._forward_hooks for module in model.modules())
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: saved.append(x) or x, lambda x: x):
        model(frames())
    assert saved
