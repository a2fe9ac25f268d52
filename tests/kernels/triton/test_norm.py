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
