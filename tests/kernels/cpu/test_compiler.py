"""The cache of built kernels: what shares a library, how large it grows, what other processes may do to it."""

import ctypes
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from snnlab.kernels import backend
from snnlab.kernels.cpu import backend as cpu
from snnlab.kernels.cpu import compiler
from snnlab.neurons import CF, IF, LIF
from snnlab.surrogates import ATan, Triangle

pytestmark = pytest.mark.skipif(
    not (os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")),
    reason="there is no C++ compiler",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no kernels in this process."""
    monkeypatch.setattr(compiler, "_folder", lambda: tmp_path)
    monkeypatch.setattr(cpu, "_kernels", {})
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


PAIRS = {
    "decay": (LIF(decay=0.3), LIF(decay=0.7)),
    "threshold": (LIF(threshold=0.8), LIF(threshold=1.3)),
    "v_reset": (LIF(v_reset=0.2), LIF(v_reset=-0.3)),
    "soft": (LIF(reset="soft", threshold=0.8), LIF(reset="soft", threshold=1.3)),
    "surrogate": (LIF(ATan(alpha=2.5)), LIF(ATan(alpha=3.5))),
    "if": (
        IF(Triangle(gamma=0.5, height=1.5), threshold=0.8),
        IF(Triangle(gamma=0.7, height=1.7), threshold=1.2),
    ),
    "cf": (CF(theta_N=0.7, decay=0.3), CF(theta_N=0.8, decay=0.4)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_equal_equations_of_other_numbers_share_a_library(name: str, folder: Path) -> None:
    x_T = torch.randn(3, 700, generator=torch.Generator().manual_seed(0)) * 1.5
    outcomes = []
    for neuron in PAIRS[name]:
        (spikes, grad), (expected, expected_grad) = (
            outcome(neuron, x_T, one) for one in ("compiled", "eager")
        )
        assert torch.equal(spikes, expected)
        torch.testing.assert_close(grad, expected_grad)
        outcomes.append(torch.stack([spikes, grad]))
    assert not torch.equal(*outcomes)
    assert len(names(folder)) == 1


def outcome(neuron: nn.Module, x_T: torch.Tensor, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    x_T = x_T.clone().requires_grad_()
    with backend(name):  # type: ignore[arg-type]
        spikes_T = neuron(x_T)
    spikes_T.sum().backward()
    assert x_T.grad is not None
    return spikes_T.detach(), x_T.grad


def source(number: int) -> str:
    return f'extern "C" int answer() {{ return {number}; }}'


def test_the_libraries_used_longest_ago_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MOST_FILES", 3)
    files = []
    for number in range(3):
        assert compiler.library(source(number)).answer() == number
        (file,) = set(names(folder)) - set(files)
        files.append(file)
        os.utime(folder / file, ns=(number, number))
    first = compiler.library(source(0))
    compiler.library(source(3))
    assert len(names(folder)) == 3
    assert files[0] in names(folder)  # used since
    assert files[1] not in names(folder)
    assert files[2] in names(folder)
    assert first.answer() == 0


def test_the_cache_is_bounded_in_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler.library(source(0))
    (size,) = (file.stat().st_size for file in folder.iterdir())
    monkeypatch.setattr(compiler, "MOST_BYTES", int(2.5 * size))
    for number in range(1, 5):
        assert compiler.library(source(number)).answer() == number
    assert len(names(folder)) == 2
    monkeypatch.setattr(compiler, "MOST_BYTES", 1)
    assert compiler.library(source(9)).answer() == 9
    assert len(names(folder)) == 1  # the one that was asked for


def test_a_library_that_another_process_removes_is_built_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = compiler.library(source(1))
    (file,) = folder.iterdir()
    file.unlink()
    assert loaded.answer() == 1
    assert compiler.library(source(1)).answer() == 1
    assert names(folder) == [file.name]

    def removed(path: str) -> ctypes.CDLL:
        Path(path).unlink()
        monkeypatch.undo()
        monkeypatch.setattr(compiler, "_folder", lambda: folder)
        raise OSError("no such file")

    monkeypatch.setattr(compiler.ctypes, "CDLL", removed)
    assert compiler.library(source(1)).answer() == 1


def test_several_may_build_and_remove_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MOST_FILES", 2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: compiler.library(source(number % 5)).answer(), range(15)))
    assert found == [number % 5 for number in range(15)]
