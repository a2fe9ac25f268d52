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
from snnlab.models import VGGSNN
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
    out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(2)).to(out))
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

    def counting(x, levels, wrong, pack=packing.pack):
        packed = pack(x, levels, wrong)
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
    # Six neurons and a pool, all of whose outputs are saved; what adds up to no level is none of theirs.
    assert packs == [True] * 7


def test_other_layouts_and_types(packs: list[bool]) -> None:
    x = frames().flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (T, B))
    equal(network(CF), x)
    equal(network(LIF).double(), frames(torch.float64))
    with torch.autocast("cpu", torch.bfloat16):
        equal(network(CF), frames())
    assert packs == [True] * 20  # the linear layer of 16 bits saves a copy of what the pool returned


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


POOLS = {
    "avg": (nn.AvgPool2d(2), LIF, [True, True]),
    "avg of several levels": (nn.AvgPool2d(2), CF, [True, True]),
    "avg, overlapping": (nn.AvgPool2d(2, stride=1), LIF, [True, True]),
    "avg of 8": (nn.AvgPool2d((4, 2)), LIF, [True, True]),
    "max": (nn.MaxPool2d(2), LIF, [True, True]),
    "max, padded": (nn.MaxPool2d(3, 2, 1), CF, [True, True]),
    "avg of 9": (nn.AvgPool2d(3), LIF, [True]),
    "avg, padded": (nn.AvgPool2d(2, padding=1), LIF, [True]),
    "avg, cut off": (nn.AvgPool2d(2, 2, ceil_mode=True), LIF, [True]),
    "avg, other divisor": (nn.AvgPool2d(2, divisor_override=3), LIF, [True]),
    "too many levels": (nn.AvgPool2d(8), CF, [True]),
    "of what is no spike": (nn.Sequential(nn.Sigmoid(), nn.AvgPool2d(2)), LIF, []),
}


@pytest.mark.parametrize("name", POOLS)
def test_pools_of_spikes(name: str, packs: list[bool]) -> None:
    """A pool keeps its input, and the convolution behind it the pool's output."""
    pool, neuron, expected = POOLS[name]
    model = Layers(conv3x3(2, C), neuron(), EachStep(pool, nn.Conv2d(C, 3, 1)))
    for dtype in (torch.float32, torch.bfloat16):
        equal(copy.deepcopy(model).to(dtype), frames(dtype))
    assert packs == expected * 2


def test_pools_of_pools(packs: list[bool]) -> None:
    equal(
        Layers(conv3x3(2, C), LIF(), EachStep(nn.AvgPool2d(2), nn.AvgPool2d(2), nn.Conv2d(C, 3, 1))), frames()
    )
    assert packs == [True] * 3


def kept_bytes(model: nn.Module, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes that autograd keeps from the forward to the backward pass, without parameters."""
    kept = {one.untyped_storage().data_ptr(): 0 for one in model.parameters()}
    hooks = torch.autograd.graph.saved_tensors_hooks

    def counting(save, restore):
        def note(tensor: Tensor) -> object:
            saved = save(tensor)
            one = saved.spikes.packed if isinstance(saved, packing._View) else saved.tensor
            kept.setdefault(one.untyped_storage().data_ptr(), one.untyped_storage().nbytes())
            alive.append(one)
            return saved

        return hooks(note, restore)

    alive: list[Tensor] = []
    with monkeypatch.context() as patch:
        patch.setattr(torch.autograd.graph, "saved_tensors_hooks", counting)
        with packed_spikes(model):
            model(x)
    return sum(kept.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_a_network_with_average_pools_keeps(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """The input, what each convolution returns, and bits: 1 for a spike, 4 for the mean of four of them."""
    model = VGGSNN(LIF, BN, 2, 5, 16, channels=(4, 8, 8, 16)).to(dtype)
    x = torch.randn(T, B, 2, 16, 16).to(dtype)
    size = torch.finfo(dtype).bits // 8
    spikes = [T * B * c * w * w for c, w in ((4, 16), (8, 16), (8, 8), (16, 8))]
    pools = [T * B * c * w * w for c, w in ((8, 8), (16, 4))]
    bits = sum(n // 8 for n in spikes) + sum(n // 2 for n in pools)
    with kernels.backend("compiled"):
        kept = kept_bytes(model, x, monkeypatch)
    expected = size * (x.numel() + sum(spikes)) + bits
    assert expected <= kept <= expected + 4000  # statistics and tables of normalisations
    monkeypatch.setattr(packing, "_pooled", lambda module, levels: None)
    with kernels.backend("compiled"):
        without = kept_bytes(model, x, monkeypatch)
    assert without - kept == sum(pools) * size - sum(n // 2 for n in pools)


@pytest.mark.gpu
def test_on_a_gpu_only_what_is_known_to_be_a_level_is_packed(packs: list[bool]) -> None:
    model, x = network(Loud).cuda(), frames().cuda()
    with packed_spikes(model):
        model(x)
    assert packs == []
    equal(network(CF).cuda(), x)
    assert packs == [True] * 7


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
