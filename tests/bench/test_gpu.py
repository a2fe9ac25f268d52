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
from snnlab.config.schema import TrainerConfig
from snnlab.registry import component_files
from snnlab.train import tensor_rates
from tests.train.again import Again

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


@pytest.mark.parametrize("neuron", ["relu", "snnlab", "spikingjelly"])
def test_a_step_trains(neuron: str) -> None:
    if neuron == "spikingjelly":
        pytest.importorskip(neuron)
    torch.manual_seed(0)
    one = step.training(TINY | {"batch": 8, "neuron": neuron})
    losses = [float(one.step()) for _ in range(30)]
    assert losses[-1] < losses[0]


def test_the_trainer_and_a_loop_by_hand_take_the_same_step() -> None:
    """What is compared is the neuron, not the loss or the optimiser."""
    case = TINY | {"dtype": "fp32"}
    torch.manual_seed(0)
    ours = step.Trainers(case)
    torch.manual_seed(0)
    loop = step.Loop(case)
    for _ in range(3):
        torch.testing.assert_close(ours.step(), loop.step())
    for mine, theirs in zip(ours.model.parameters(), loop.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("neuron", ["relu", "snnlab"])
def test_graphs_are_those_of_the_trainer_and_counted(neuron: str, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Again()
    asked = []

    def stand_in(trainer: TrainerConfig, device: torch.device) -> Again:
        asked.append(trainer.cuda_graph)
        return capture

    monkeypatch.setattr(step, "capture_for", stand_in)
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda", "cpu"))
    (row,) = group.measured([TINY | {"mode": "graph", "neuron": neuron}], 60)
    assert "failed" not in row, row
    assert asked == ["required"]
    assert capture.recorded == 2, "batch and update"
    assert row["graphs"]["eager"] == 0
    assert row["graphs"]["updates"]["eager"] == 2
    assert row["graphs"]["updates"]["replays"] >= row["train"]["repeats"] + 2


def test_eager_steps_have_no_graphs_and_compiled_ones_are_the_trainers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[object] = []
    monkeypatch.setattr(torch, "compile", lambda run: compiled.append(run) or run)
    for mode, graph, count in (("eager", "off", 0), ("compile", "off", 1), ("compile", "off", 2)):
        one = step.Trainers(TINY | {"mode": mode})
        assert one.learner.trainer.cuda_graph == graph
        assert one.graphs() is None
        assert len(compiled) == count


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
    assert row["graphs"] is None


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
