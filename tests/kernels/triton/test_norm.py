"""Normalisation and neuron in one Triton kernel against the plain modules: output, gradients, running statistics."""

import re
from copy import deepcopy

import pytest
import torch
from torch._inductor.utils import run_and_get_code

from snnlab.kernels import backend
from snnlab.layers.fused import norm_and_neuron
from snnlab.models import VGGSNN
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.norms import BN, TDBN, TEBN
from snnlab.surrogates import TSG

pytest.importorskip("triton")
from snnlab.kernels.triton import backward
from snnlab.kernels.triton.launcher import Launch
from snnlab.triton_language import INTERPRETED

FUSED = "triton with norm"


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)], autouse=True)
def device(request):
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    torch.use_deterministic_algorithms(True)  # fills empty tensors with NaN
    yield request.param
    torch.use_deterministic_algorithms(False)


def normal(*shape, seed):
    """Numbers from a generator of the CPU, which cannot fill tensors of a GPU."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def frames(*shape, seed=0):
    return normal(*shape, seed=seed) * 1.5 + 0.7


def channels_last(x):
    return x.flatten(0, 1).to(memory_format=torch.channels_last).view(x.shape)


def compare(norm, neuron, y, residual=None, training=True, tolerance=2e-5, fused=True):
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.copy_(1 + 0.3 * normal(*parameter.shape, seed=3))
    found = []
    for together in (True, False):
        one, fires = deepcopy(norm).train(training), deepcopy(neuron)
        leaves = [x.detach().requires_grad_() for x in (y, residual) if x is not None]
        with backend("triton" if together else "eager", fuse=together) as choice:
            spikes = norm_and_neuron(one, fires, *leaves)
        assert choice.counts[FUSED] == (fused and together)
        spikes.backward(frames(*spikes.shape, seed=1).to(spikes))
        found.append(
            (spikes.detach(), [x.grad for x in (*leaves, *one.parameters(), *fires.parameters())], one)
        )
    (spikes, grads, one), (plain, expected, other) = found
    assert (spikes != plain).float().mean() < (1e-3 if y.dtype == torch.float32 else 2e-2)
    if y.dtype == torch.float32 and torch.equal(spikes, plain):
        for a, b in zip(grads, expected, strict=True):
            assert a.dtype == b.dtype
            assert (a - b).norm() <= tolerance * b.norm() + 1e-6
    for name, buffer in other.named_buffers():
        torch.testing.assert_close(dict(one.named_buffers())[name], buffer, rtol=1e-4, atol=1e-5)
    return torch.equal(spikes, plain)


@pytest.mark.parametrize("training", [True, False])
def test_equal_to_the_plain_modules(training, device):
    assert compare(BN(6).to(device), LIF(), frames(3, 4, 6, 5, 7).to(device), training=training)
    assert compare(TDBN(6, 0.5).to(device), LIF(), frames(2, 9, 6).to(device), training=training)


@pytest.mark.parametrize("steps", [3, 19])
def test_with_residual_and_learned_parameters(steps, device):
    y, residual = frames(steps, 2, 6, 3, 5).to(device), frames(steps, 2, 6, 3, 5, seed=5).to(device)
    assert compare(BN(6).to(device), PLIF(TSG(steps), decay_input=True).to(device), y, residual)
    if steps == 3:
        assert compare(BN(6).to(device), LIF(), channels_last(y), residual)
        assert compare(BN(6).to(device), CF(), y, channels_last(residual))


def in_double(norm, neuron, y, residual, weight, training):
    """Spikes and gradients by the textbook formulas in float64, with autograd."""
    norm, neuron = deepcopy(norm).double(), deepcopy(neuron).double()
    y, residual = (None if t is None else t.double().detach().requires_grad_() for t in (y, residual))
    shape = [1, 1, -1, *[1] * (y.ndim - 3)]
    if training:
        axes = [0, 1, *range(3, y.ndim)]
        mean, var = y.mean(axes), y.var(axes, correction=0)
    else:
        mean, var = norm.bn.running_mean, norm.bn.running_var
    x = (y - mean.view(shape)) / (var.view(shape) + norm.bn.eps).sqrt()
    x = x * norm.bn.weight.view(shape) + norm.bn.bias.view(shape)
    with backend("eager"):
        spikes = neuron(x if residual is None else x + residual)
    leaves = [t for t in (y, residual, *norm.parameters(), *neuron.parameters()) if t is not None]
    return spikes, torch.autograd.grad(spikes, leaves, weight.double())


@pytest.mark.parametrize("programs", [1, 1024])
@pytest.mark.parametrize("training", [True, False], ids=["batch", "running"])
@pytest.mark.parametrize("added", [False, True], ids=["alone", "residual"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "features"])
def test_gradients_in_float64(layout, added, training, programs, device, monkeypatch):
    """Also where a program does several blocks, which are then whole samples apart, or cover no whole sample."""
    monkeypatch.setattr(backward, "_PROGRAMS", programs)
    shape = (3, 400, 6) if layout == "features" else (3, 3, 16, 8, 8)
    y, residual = frames(*shape).to(device), frames(*shape, seed=5).to(device) if added else None
    if layout == "channels_last":
        y = channels_last(y)
    norm, weight = BN(shape[2]).to(device).train(training), frames(*shape, seed=1).to(device)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.copy_(1 + 0.3 * normal(*parameter.shape, seed=3))
    neuron = PLIF(TSG(3)).to(device)
    wanted_spikes, wanted = in_double(norm, neuron, y, residual, weight, training)
    leaves = [t.detach().requires_grad_() for t in (y, residual) if t is not None]
    with backend("triton") as choice:
        spikes = norm_and_neuron(norm, neuron, *leaves)
    assert choice.counts[FUSED] == 1
    assert (spikes != wanted_spikes).sum() <= 1  # of 9,216, next to a threshold
    if torch.equal(spikes.double(), wanted_spikes):
        found = torch.autograd.grad(spikes, [*leaves, *norm.parameters(), *neuron.parameters()], weight)
        for a, b in zip(found, wanted, strict=True):
            assert (a - b).norm() <= 1e-5 * b.norm()


@pytest.mark.parametrize(
    ("steps", "added", "training", "launches"),
    [
        (3, False, True, ["backward", "channel_sums", "backward"]),
        (19, False, True, ["backward", "channel_sums", "back_through_norm"]),
        (3, True, True, ["backward", "channel_sums", "back_through_norm"]),
        (3, False, False, ["backward", "channel_sums"]),
        (3, True, False, ["backward", "channel_sums", "back_through_norm"]),
    ],
)
def test_launches_of_a_layer(steps, added, training, launches, device, monkeypatch):
    """Counts passes: docs/kernels.md states them."""
    seen, plain = [], Launch.__call__

    def note(launch, *tensors, **keys):
        seen.append(launch.name)
        plain(launch, *tensors, **keys)

    monkeypatch.setattr(Launch, "__call__", note)
    y = frames(steps, 2, 6, 3, 5).to(device).requires_grad_()
    residual = frames(steps, 2, 6, 3, 5, seed=5).to(device).requires_grad_() if added else None
    with backend("triton"):
        spikes = norm_and_neuron(BN(6).to(device).train(training), LIF(), y, residual)
    assert seen == (["column_moments", "norm_table"] if training else []) + ["forward"]
    seen.clear()
    spikes.sum().backward()
    assert seen == launches


def test_gaps_and_sixteen_bits(device):
    y = frames(2, 4, 6, 5, 7).to(device)
    assert compare(BN(6).to(device), LIF(), y[:, :, :, ::2, 1:])
    assert compare(BN(6).to(device), LIF(), y * 0.1 + 30, tolerance=1e-3)
    compare(BN(6).to(device), LIF(), y.bfloat16())


def test_plain_modules_where_they_are_not_covered(device):
    y = frames(2, 4, 6, 5).to(device)
    compare(TEBN(6, 2).to(device), LIF(), y, fused=False)
    compare(BN(6).to(device), DSATGO(num_steps=2).to(device), y, fused=False)
    assert compare(BN(6).to(device), DSATGO(num_steps=2).to(device).eval(), y)


@pytest.mark.slow
def test_a_network_in_one_graph_without_copies_into_other_layouts(device):
    """Between neurons are convolutions and normalisations, and nothing that lays anything out anew."""
    torch.use_deterministic_algorithms(False)
    torch._dynamo.reset()
    model = VGGSNN(LIF, BN, 2, 5, 16, channels=(4, 8, 8, 8)).to(device, memory_format=torch.channels_last)
    x = 2 * frames(2, 2, 2, 16, 16).to(device)
    with backend("triton"):
        logits, (code, *_) = run_and_get_code(torch.compile(model, fullgraph=True), x)
        torch.testing.assert_close(logits, model(x), rtol=1e-4, atol=1e-5)
    calls = re.findall(
        r"(?:snnlab\.recurrence\.default|kernels\.convolution|[a-z_]*(?:clone|copy)\w*)\(", code
    )
    neurons = [k for k, call in enumerate(calls) if "recurrence" in call]
    assert len(neurons) == 4
    between = calls[neurons[0] : neurons[-1]]
    # The running statistics are copied to their place by the normalisation's own loop.
    assert not [c for c in between if ("clone" in c or "copy" in c) and "batch_norm" not in c]
