"""The benchmark: what it plans, what a case returns, rivals that fire the same, the command's errors."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from snnlab.bench import plan, worker
from snnlab.bench.rivals import lif, makers
from snnlab.bench.tables import network_table, neuron_table
from snnlab.cli import main

TINY = {"device": "cpu", "threads": 1, "layout": "contiguous", "dtype": "fp32", "repeats": 1}


@pytest.mark.parametrize("name", ["snnlab plain", *plan.PACKAGES])
def test_all_are_the_same_neuron(name: str) -> None:
    if name in plan.PACKAGES:
        pytest.importorskip(name)
    x_T = 1.2 * torch.randn(10, 2, 8, 5, 4, generator=torch.Generator().manual_seed(0))
    grad_T = torch.randn(x_T.shape, generator=torch.Generator().manual_seed(1))
    (spikes, grad), (expected, expected_grad) = (
        _forward_and_back(neuron, x_T, grad_T) for neuron in (makers()[name](), lif())
    )
    assert 0.1 < expected.mean() < 0.3
    assert torch.equal(spikes, expected)
    if name != "norse":  # which has no arctangent
        torch.testing.assert_close(grad, expected_grad)


def _forward_and_back(neuron: nn.Module, x_T: Tensor, grad_T: Tensor) -> tuple[Tensor, Tensor]:
    x_T = x_T.clone().requires_grad_()
    spikes_T = neuron(x_T)
    spikes_T.backward(grad_T)
    return spikes_T.detach(), x_T.grad


def test_a_neuron_is_measured() -> None:
    case = TINY | {"kind": "neuron", "neuron": "cf", "surrogate": "tsg", "shape": (2, 2, 4, 64, 64)}
    found = case | worker._neuron(case) | {"backend": "compiled"}
    assert found["train"]["ms"] > 0
    assert found["minimal_bytes"] == {"forward": 2 * 4 * 65536, "backward": 3 * 4 * 65536}
    assert 4 <= found["kept_bytes_per_neuron_step"] < 4.1  # the input
    assert neuron_table([found]).row_count == 1


@pytest.mark.slow
def test_the_plain_recurrence_is_measured_under_the_compiler() -> None:
    case = TINY | {
        "kind": "neuron",
        "neuron": "snnlab+compile",
        "surrogate": "triangle",
        "shape": (2, 2, 4, 64, 64),
    }
    found = worker.main(case)
    assert found["train"]["ms"] > 0
    assert found["backend"] == "none"  # what torch.compile makes of the equations, and none of the back ends
    x_T = torch.randn(case["shape"], generator=torch.Generator().manual_seed(0))
    assert torch.equal(worker._make(case, 2)(x_T), lif()(x_T))


@pytest.mark.slow
def test_a_network_is_measured() -> None:
    case = TINY | {"kind": "network", "network": "resnet19_snn", "neuron": "snnlab", "batch": 1}
    found = case | worker._network(case)
    assert found["samples_per_second"] > 0
    assert network_table([found]).row_count == 1


def test_the_plan_names_every_surrogate_only_when_asked() -> None:
    quick = plan.cases(["lif"], ["atan", "tsg"], device="cpu", threads=1, full=False)
    full = plan.cases(["lif"], ["atan", "tsg"], device="cpu", threads=1, full=True)
    assert {case.get("surrogate") for case in quick} == {"triangle", None}
    assert {case["dtype"] for case in full} == {"fp32", "bf16"}
    compiled = [case.get("network") for case in full if case["neuron"] == "snnlab+compile"]
    assert compiled == [None, "vgg_snn", "resnet19_snn"]
    assert not [case for case in quick if case["neuron"].endswith("+compile")]
    assert len({case["shape"] for case in full if "shape" in case}) == 3
    assert {"atan", "tsg"} <= {case.get("surrogate") for case in full}
    assert {case.get("network") for case in full} == {"vgg_snn", "resnet19_snn", None}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lfi"], "'lif'"),
        (["device=tpu"], "cpu, cuda"),
        (["devise=cuda"], "unknown key 'devise'. Did you mean 'device'?"),
    ],
)
def test_mistakes(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_file_may_go_into_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"neuron": "lif", "dtype": "fp32", "layout": "contiguous"}
    monkeypatch.setattr("snnlab.bench.plan.cases", lambda *_, **__: [case])
    monkeypatch.setattr("snnlab.bench.plan.measure", lambda case: {**case, "failed": "as said"})
    assert main(["bench", "--json", str(tmp_path / "new/bench.json")]) == 1
    assert json.loads((tmp_path / "new/bench.json").read_text())["rows"][0]["failed"] == "as said"


def test_calls_count_once_no_pages_are_faulted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, faults = [], iter([0])
    monkeypatch.setattr(worker, "_faults", lambda: next(faults, 9999))
    monkeypatch.setattr(worker, "SECONDS", 0)
    found = worker.timed(lambda: calls.append(1), TINY | {"repeats": 4})
    assert found["repeats"] == 4
    assert len(calls) == 4 + 3
    assert found["least_ms"] <= found["ms"]


def test_a_job_that_fails_says_why() -> None:
    case = TINY | {"kind": "neuron", "neuron": "nothing", "surrogate": "atan", "shape": (1, 1)}
    assert "nothing" in plan.measure(case)["failed"]
