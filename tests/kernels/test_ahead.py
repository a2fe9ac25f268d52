"""Kernels that are built ahead are those that the network then asks for, and a build that fails shows up there."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.config.schema import TrainerConfig
from snnlab.data import workers
from snnlab.kernels import BackendError, ahead, backend
from snnlab.kernels.ahead import build_ahead
from snnlab.kernels.choose import Noted
from snnlab.kernels.cpu import backend as cpu
from snnlab.kernels.cpu import compiler
from snnlab.layers.fused import norm_and_neuron
from snnlab.layers.time import EachStep
from snnlab.machine.processes import Processes
from snnlab.system import STARTING
from snnlab.train.rehearsal import build_kernels
from tests.train.small_net import STEPS, made

NEURONS, NORMS = (tuple(registry.component_files(kind)) for kind in ("neuron", "norm"))
CHANNELS = 4
LATE = ("ltmd",)
"""Neurons whose surrogates hold a tensor that is computed for each call; they are built by the first call."""


class Net(nn.Module):
    """A normalisation and a neuron, the same with a residual, and a neuron by itself."""

    def __init__(self, neuron: str, norm: str, surrogate: str = "triangle") -> None:
        super().__init__()

        def own_neuron() -> Any:
            slope = made("surrogate", surrogate, num_steps=STEPS)
            return made("neuron", neuron, surrogate=slope, num_steps=STEPS)

        def own_norm() -> Any:
            return made("norm", norm, num_features=CHANNELS, num_steps=STEPS, threshold=1.0)

        self.conv = EachStep(nn.Conv2d(2, CHANNELS, 3, padding=1))
        self.norms = nn.ModuleList([own_norm(), own_norm()])
        self.neurons = nn.ModuleList([own_neuron(), own_neuron(), own_neuron()])

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        y = self.conv(x_TBCHW)
        one = norm_and_neuron(self.norms[0], self.neurons[0], y)
        other = norm_and_neuron(self.norms[1], self.neurons[1], y, one)
        spikes: Tensor = self.neurons[2](other)
        return spikes


def noted(make: Callable[[], nn.Module], batch: int = 2) -> list[Noted]:
    """The calls of a network on torch's meta device."""
    found: list[Noted] = []
    with torch.device("meta"):
        net = make()
    with backend("eager", noted=found):
        net.to("meta")(torch.rand(STEPS, batch, 2, 8, 8, device="meta"))
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Receives the sources that the back end asks for; nothing is built."""
    sources: list[str] = []

    def library(source: str) -> None:
        sources.append(source)
        raise compiler.BuildError("nothing is built here")

    monkeypatch.setattr(cpu, "library", library)
    monkeypatch.setattr(compiler, "library", library)
    monkeypatch.setattr(cpu, "_kernels", {})
    return sources


def built(calls: list[Noted], sources: list[str], **settings: Any) -> set[str]:
    """The sources that are built ahead."""
    sources.clear()
    settings = {"fuse": True, "times": 1e9, **settings}
    for one in build_ahead(calls, **settings):
        assert isinstance(one.exception(), compiler.BuildError)
    found = set(sources)
    assert len(found) == len(sources)
    sources.clear()
    return found


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_what_is_built_is_what_a_step_asks_for(
    neuron: str, norm: str, fuse: bool, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "LEAST_ELEMENTS", 1)
    found = built(noted(lambda: Net(neuron, norm)), asked, fuse=fuse)
    with backend("auto", lambda text: None, fuse=fuse):
        Net(neuron, norm)(torch.rand(STEPS, 6, 2, 8, 8))
    # Where a fused kernel is refused, as all are here, plain modules ask for another one.
    assert found <= set(asked)
    assert bool(found) == (bool(asked) and neuron not in LATE)


@pytest.mark.parametrize("surrogate", registry.component_files("surrogate"))
def test_every_surrogate(surrogate: str, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "LEAST_ELEMENTS", 1)
    found = built(noted(lambda: Net("lif", "bn", surrogate)), asked)
    with backend("auto", lambda text: None):
        Net("lif", "bn", surrogate)(torch.rand(STEPS, 6, 2, 8, 8))
    assert found <= set(asked)
    assert bool(found) == bool(asked)


def test_small_calls_and_calls_of_many_steps_are_none(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = noted(lambda: Net("lif", "bn"))
    elements = calls[0].call.x_T.numel()
    assert not built(calls, asked, times=(cpu.LEAST_ELEMENTS - 1) / elements)
    assert len(built(calls, asked, times=cpu.LEAST_ELEMENTS / elements)) == 3
    assert len(built(calls, asked, dtype=torch.bfloat16)) == 3
    monkeypatch.setattr(cpu, "MOST_STEPS", STEPS - 1)
    assert not built(calls, asked)


def test_it_is_for_cpus_and_for_the_process_that_leads(asked: list[str]) -> None:
    calls, cpu_device = noted(lambda: Net("lif", "bn")), torch.device("cpu")

    def count(device: torch.device = cpu_device, processes: Processes | None = None, **settings: Any) -> int:
        trainer = TrainerConfig(batch_size=4096, **settings)
        return len(build_kernels(calls, trainer, device, processes or Processes()))

    assert count() == 3
    assert count(backend="compiled") == 3
    assert count(fuse=False) == 1
    assert count(processes=Processes(rank=1, count=2)) == 0
    assert count(backend="eager") == count(compile=True) == count(torch.device("meta")) == 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of libraries."""
    monkeypatch.setattr(compiler, "_folder", lambda: tmp_path)
    monkeypatch.setattr(cpu, "_kernels", {})
    return tmp_path


def one_layer() -> nn.Module:
    return nn.Sequential(made("neuron", "lif"))


def test_the_first_call_waits_for_the_build_and_does_not_build(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[str] = []
    build, begun = compiler._build, threading.Event()

    def counting(*arguments: Any) -> None:
        builds.append(threading.current_thread().name)
        begun.set()
        build(*arguments)

    monkeypatch.setattr(compiler, "_build", counting)
    build_ahead(noted(one_layer), fuse=True, times=1e9)
    assert begun.wait(60)
    with backend("compiled") as choice:
        one_layer()(torch.rand(STEPS, 2, 2, 8, 8, requires_grad=True)).sum().backward()
    assert choice.counts == {"compiled": 1}
    (name,) = builds
    assert name.startswith("build")
    assert len(list(folder.glob("*.so"))) == 1


def test_a_build_that_fails_is_said_by_the_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "false")
    for one in build_ahead(noted(one_layer), fuse=True, times=1e9):
        assert isinstance(one.exception(), compiler.BuildError)
    with backend("compiled"), pytest.raises(BackendError, match="compiler fails"):
        one_layer()(torch.rand(STEPS, 2, 2, 8, 8))


def test_equations_that_cannot_be_translated_are_left_to_the_call(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> str:
        raise RuntimeError("meta tensors have no numbers")

    monkeypatch.setattr(cpu, "source_of_call", fails)
    assert ahead.build_ahead(noted(one_layer), fuse=True, times=1e9) == []


def test_no_process_is_forked_while_a_compiler_is_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork would inherit the pipe by which a new process tells that it runs, and keep it open."""
    held: dict[str, bool] = {}
    start = subprocess.Popen

    def starting(*arguments: Any, **settings: Any) -> Any:
        held["compiler"] = STARTING._is_owned()  # type: ignore[attr-defined]
        return start(*arguments, **settings)

    class Loader:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __iter__(self) -> Any:
            held["loader"] = STARTING._is_owned()  # type: ignore[attr-defined]
            return iter(())

    monkeypatch.setattr(compiler.subprocess, "Popen", starting)
    monkeypatch.setattr(workers, "DataLoader", Loader)
    monkeypatch.setenv("CXX", "false")
    for one in build_ahead(noted(one_layer), fuse=True, times=1e9):
        assert isinstance(one.exception(), compiler.BuildError)
    assert list(workers.read_ahead(lambda index: index, range(2), 1)) == []
    assert held == {"compiler": True, "loader": True}
