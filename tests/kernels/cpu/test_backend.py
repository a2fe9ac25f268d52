"""The compiled kernels against the plain PyTorch form: spikes, states, all gradients, layouts, refusals."""

import os
import platform
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor

from snnlab import registry
from snnlab.kernels import BackendError, backend
from snnlab.kernels.contract import Call
from snnlab.kernels.cpu import backend as cpu
from snnlab.kernels.cpu import compiler
from snnlab.neurons import CF, IF, LIF, PLIF
from snnlab.neurons.base_membrane import MembraneNeuron, watch_potentials
from snnlab.surrogates import TSG, ATan, Sigmoid

T = 3


def results(neuron: MembraneNeuron, x_T: Tensor, v: Tensor | None, name: str) -> list[Tensor]:
    """Spikes, state, and the gradients of input, state and parameters for a fixed random weighting."""
    random = torch.Generator().manual_seed(1)
    neuron.zero_grad()
    x_T = x_T.clone(memory_format=torch.preserve_format).requires_grad_()
    v = None if v is None else v.clone().requires_grad_()
    with backend(name):  # type: ignore[arg-type]
        spikes_T, state = neuron.forward_with_state(x_T, v)
    grad_s = torch.randn(spikes_T.shape, generator=random).to(spikes_T.dtype)
    grad_v = torch.randn(state.shape, generator=random, dtype=state.dtype)
    torch.autograd.backward((spikes_T, state), (grad_s, grad_v))
    leaves = [x_T, *([] if v is None else [v]), *neuron.parameters()]
    return [spikes_T.detach(), state.detach(), *(leaf.grad for leaf in leaves)]


def assert_same(
    neuron: MembraneNeuron, x_T: Tensor, v: Tensor | None = None, tolerance: float = 1e-5
) -> None:
    with backend("auto") as choice:
        (spikes, *compiled), (expected, *eager) = (
            results(neuron, x_T, v, name) for name in ("compiled", "eager")
        )
    assert choice.counts == {"compiled": 1, "eager": 1}
    assert spikes.dtype == expected.dtype
    assert torch.equal(spikes, expected)
    for a, b in zip(compiled, eager, strict=True):
        assert a.shape == b.shape
        assert (a - b).norm() <= tolerance * b.norm()


def currents(*shape: int, scale: float = 1.5) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) * scale


NEURONS = {
    "if": lambda: IF(detach_reset=True),
    "soft": lambda: LIF(reset="soft", decay_input=True, v_reset=0.1, tau=1.7),
    "atan": lambda: LIF(ATan(), v_reset=-0.2, v_init=0.3, detach_reset=True),
    "plif": lambda: PLIF(decay_input=True),
    "plif_tsg": lambda: PLIF(TSG(T + 2), v_reset=0.2),
    "cf": lambda: CF(theta_N=0.7),
    "cf_tsg": lambda: CF(TSG(T), K_P=3, K_N=1, subtract="one"),
}


@pytest.mark.parametrize("name", NEURONS)
def test_neurons(name: str) -> None:
    neuron = NEURONS[name]()
    state = None if neuron.num_steps else currents(5, 7, 9, scale=0.3)
    assert_same(neuron, currents(T, 5, 7, 9), state)


@pytest.mark.parametrize("name", registry.component_files("surrogate"))
def test_every_surrogate(name: str) -> None:
    assert_same(LIF(registry.load("surrogate", name)()), currents(1, 99))


@pytest.mark.parametrize("name", registry.component_files("surrogate"))
def test_slopes_in_vectors(name: str) -> None:
    """Against float64, over a whole block: the compiler takes functions of vectors, such as that of exp."""
    x_T = torch.cat([currents(1, 700, scale=0.5), currents(1, 300, scale=1e4)], dim=1).requires_grad_()
    surrogate = registry.load("surrogate", name)()
    with backend("compiled"):
        LIF(surrogate, detach_reset=True)(x_T).sum().backward()
    expected = surrogate.double().gradient(x_T.detach().double() - 1)
    assert (x_T.grad - expected).abs().max() <= 2e-6 * expected.max()


def test_exp_is_that_of_vectors() -> None:
    """One call for each number would make the surrogate `sigmoid` eight times slower."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    if platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc" or "Free Software" not in said:
        pytest.skip("functions of vectors are there with g++ and glibc on x86-64")
    call = Call(torch.zeros(1, 9), torch.zeros(9), 0.5, LIF().dynamics, Sigmoid())
    assert b"_ZGV" in Path(cpu.kernel_of(call).functions._name).read_bytes()


@pytest.mark.parametrize("size", [1, 63, 1001])
def test_sizes(size: int) -> None:
    assert_same(LIF(), currents(T, size))


def test_layouts() -> None:
    x = currents(T, 2, 6, 5, 4)
    for x_T in (
        x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (T, 2)),
        x.transpose(0, 1).contiguous().transpose(0, 1),
        x.expand(T, -1, -1, -1, -1)[:, :, ::2],
        x[:1].expand(T, -1, -1, -1, -1),
    ):
        assert_same(LIF(), x_T)


def test_channels_last_stays() -> None:
    x_T = (
        currents(T, 2, 6, 5, 4)
        .flatten(0, 1)
        .contiguous(memory_format=torch.channels_last)
        .unflatten(0, (T, 2))
    )
    with backend("compiled"):
        assert LIF()(x_T).stride() == x_T.stride()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.bfloat16, 5e-3)])
def test_types(dtype: torch.dtype, tolerance: float) -> None:
    assert_same(LIF(), currents(T, 40).to(dtype), tolerance=tolerance)


def test_a_sequence_in_pieces() -> None:
    neuron, x_T = PLIF(TSG(T)), currents(T, 50)
    with backend("compiled"):
        whole = neuron(x_T)
        first, state = neuron.forward_with_state(x_T[:1])
        rest, _ = neuron.forward_with_state(x_T[1:], state)
    assert torch.equal(whole, torch.cat([first, rest]))


def test_watched_potentials() -> None:
    grads = []
    for name in ("compiled", "eager"):
        x_T, neuron = currents(T, 50).requires_grad_(), LIF()
        with backend(name), watch_potentials(neuron, lambda _, h_T: h_T.square().mean()) as measured:
            spikes_T = neuron(x_T)
        (measured[""][0] + spikes_T.sum()).backward()
        grads.append(x_T.grad)
    assert torch.allclose(*grads, atol=1e-6)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    neuron, x_T, threads = PLIF(TSG(T)), currents(T, 20000), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = results(neuron, x_T, None, "compiled")
        torch.set_num_threads(3)
        three = results(neuron, x_T, None, "compiled")
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(one, three, strict=True))


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_kernels", {})
    monkeypatch.setattr(compiler.shutil, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    said: list[str] = []
    x_T = torch.zeros(2, cpu.LEAST_ELEMENTS)
    with backend("auto", said.append) as choice:
        LIF()(x_T)
        LIF()(x_T)
    assert said == [
        "neurons run in plain PyTorch, not in the back end compiled: there is no C++ compiler (c++, g++ or $CXX)"
    ]
    assert choice.counts == {"eager": 2}
    with backend("compiled"), pytest.raises(BackendError, match="compiler"):
        LIF()(x_T)


def test_a_step_that_looks_at_values_is_refused() -> None:
    class Looking(ATan):
        def gradient(self, u: Tensor) -> Tensor:
            return super().gradient(u) if u.mean() > 0 else u

    with backend("compiled"), pytest.raises(BackendError, match="looks at values"):
        LIF(Looking())(torch.zeros(2, 3))


def test_auto_leaves_small_calls_alone() -> None:
    with backend("auto") as choice, warnings.catch_warnings():
        warnings.simplefilter("error")
        LIF()(torch.zeros(2, 3))
    assert choice.counts == {"eager": 1}
