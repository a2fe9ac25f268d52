"""What `snnlab bench device=cuda` measures, held on the CPU at tiny sizes."""

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from snnlab.bench import gpu_plan, group, step
from snnlab.bench.tables import step_table
from snnlab.cli import main
from snnlab.registry import component_files

TINY: dict[str, Any] = {
    "kind": "step",
    "device": "cpu",
    "threads": 1,
    "dtype": "bf16",
    "repeats": 1,
    "batch": 2,
    "neuron": "snnlab",
    "mode": "eager",
    "layout": "channels_last",
    "network": "vgg_snn",
    "shape": (2, 2, 8, 4),
    "params": {"channels": [4, 8]},
}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.bench.worker.SECONDS", 0)


def test_each_network_is_measured_by_all_at_two_batch_sizes_in_a_process_of_its_own() -> None:
    neurons, *networks = gpu_plan.groups(["lif"], ["atan", "tsg"], full=False)
    assert {case["kind"] for case in neurons} == {"neuron"}
    assert {"fp32", "bf16"} <= {case["dtype"] for case in neurons}
    there = [name for name in gpu_plan.BATCHES if name in component_files("model")]
    assert {"resnet19_snn", "vgg_snn", "spikformer"} <= set(there)
    assert [{case["network"] for case in cases} for cases in networks] == [{name} for name in there]
    for cases in networks:
        assert len({case["batch"] for case in cases}) == 2
        for name in ("relu", "snnlab"):
            assert {case["mode"] for case in cases if case["neuron"] == name} == set(gpu_plan.MODES)
        assert cases[0]["mode"] == "eager"
        assert "compile" in cases[-1]["mode"]
    assert (gpu_plan.SECONDS + gpu_plan.GRACE) * (1 + len(gpu_plan.BATCHES)) <= 8 * 60


@pytest.mark.parametrize("network", [*gpu_plan.BATCHES])
def test_networks_are_those_of_the_shapes(network: str) -> None:
    assert network in step.SHAPES


@pytest.mark.parametrize("neuron", ["relu", "snnlab", "spikingjelly"])
def test_a_step_is_measured(neuron: str) -> None:
    if neuron == "spikingjelly":
        pytest.importorskip(neuron)
    (row,) = group.measured([TINY | {"neuron": neuron}], 60)
    assert "failed" not in row, row
    assert row["samples_per_second"] == pytest.approx(2 / row["train"]["ms"] * 1e3)
    assert step_table([row]).row_count == 1


def test_a_step_trains() -> None:
    torch.manual_seed(0)
    training = step.Training(TINY | {"batch": 8})
    losses = [float(training.gradients(training.x_TBCHW, training.target_B))]
    for _ in range(30):
        training.step()
    losses.append(float(training.gradients(training.x_TBCHW, training.target_B)))
    assert losses[1] < losses[0]


def test_a_graph_is_captured_of_the_whole_step_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    captured, replayed = [], []

    def capture(work: Any) -> Any:
        captured.append(work)
        return lambda: replayed.append(1)

    monkeypatch.setattr(step, "as_graph", capture)
    (row,) = group.measured([TINY | {"mode": "graph"}], 60)
    assert "failed" not in row, row
    assert [work.__name__ for work in captured] == ["step"]
    assert len(replayed) >= row["train"]["repeats"]


def test_spikingjelly_is_captured_by_its_own_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("spikingjelly.activation_based._cuda_graph")
    made = []

    def graph(function: Any, warm_up: int) -> Any:
        made.append(warm_up)
        return function

    monkeypatch.setattr(module, "StaticCudaGraph", graph)
    (row,) = group.measured([TINY | {"mode": "graph", "neuron": "spikingjelly"}], 60)
    assert "failed" not in row, row
    assert made == [step.WARM_UP]


def test_what_fails_or_is_late_does_not_stop_the_others() -> None:
    rows = [*group.measured([TINY | {"network": "nothing"}, TINY], 60)]
    assert "nothing" in rows[0]["failed"]
    assert "failed" not in rows[1]
    assert [row["failed"] for row in group.measured([TINY, TINY], -1)] == ["no time left"] * 2


def test_rows_of_a_process_that_ends_early_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps(TINY | {"train": {}})

    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("bench", 1, output=f"\n{line}\n\n{line[:20]}".encode())

    monkeypatch.setattr(subprocess, "run", late)
    first, second = gpu_plan.measure_group([TINY, TINY])
    assert "failed" not in first
    assert second["failed"] == "no time left"
    dead = SimpleNamespace(stdout=f"{line}\n", stderr="a\nkilled by that", returncode=1)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: dead)
    assert [row.get("failed") for row in gpu_plan.measure_group([TINY, TINY])] == [None, "killed by that"]


def test_the_command_prints_a_table_for_each_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("snnlab.verbs.bench._check_cuda", lambda: None)
    cases = [TINY, TINY | {"batch": 4}, TINY | {"neuron": "relu"}]
    monkeypatch.setattr("snnlab.bench.gpu_plan.groups", lambda *_, **__: [cases[:2], cases[2:]])
    monkeypatch.setattr("snnlab.bench.gpu_plan.measure_group", lambda todo: [*group.measured(todo, 60)])
    assert main(["bench", "device=cuda"]) == 0
    said = capsys.readouterr()
    assert "batch 2" in said.out
    assert "batch 4" in said.out
    assert "1/2 vgg_snn snnlab eager, batch 2, bf16, channels_last and 1 more" in said.err
