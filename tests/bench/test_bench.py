"""The benchmark: what it plans, what a job returns, rivals that fire the same, the command's errors."""

import pytest
import torch

from snnlab.bench import plan, worker
from snnlab.bench.rivals import lif, makers
from snnlab.bench.tables import network_table, neuron_table
from snnlab.cli import main
from snnlab.kernels import use_backend

TINY = {"device": "cpu", "threads": 1, "layout": "contiguous", "dtype": "fp32", "repeats": 1}


@pytest.fixture(autouse=True)
def _restored():
    yield
    use_backend("auto")


@pytest.mark.parametrize("name", [name for name in makers() if name != "relu"])
def test_all_fire_the_same(name: str) -> None:
    x_T = torch.randn(5, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(makers()[name]()(x_T), lif()(x_T))


def test_a_neuron_is_measured() -> None:
    job = TINY | {"kind": "neuron", "neuron": "cf", "surrogate": "tsg", "shape": (2, 2, 4, 64, 64)}
    found = job | worker._neuron(job) | {"backend": "compiled"}
    assert found["train"]["ms"] > 0
    assert found["minimal_bytes"] == {"forward": 2 * 4 * 65536, "backward": 3 * 4 * 65536}
    assert 4 <= found["kept_bytes_per_neuron_step"] < 7  # the input, and the first potential's part of 1 / T
    assert neuron_table([found]).row_count == 1


@pytest.mark.slow
def test_a_network_is_measured() -> None:
    job = TINY | {"kind": "network", "network": "resnet19_snn", "neuron": "snnlab", "batch": 1}
    found = job | worker._network(job)
    assert found["samples_per_second"] > 0
    assert network_table([found]).row_count == 1


def test_the_plan_names_every_surrogate_only_when_asked() -> None:
    quick = plan.jobs(["lif"], ["atan", "tsg"], device="cpu", threads=1, full=False)
    full = plan.jobs(["lif"], ["atan", "tsg"], device="cpu", threads=1, full=True)
    assert {job.get("surrogate") for job in quick} == {"triangle", None}
    assert {"atan", "tsg"} <= {job.get("surrogate") for job in full}
    assert {job.get("network") for job in full} == {"vgg_snn", "resnet19_snn", None}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["lfi"], "'lif'"), (["device=tpu"], "device=cuda"), (["batch=3"], "takes no batch=3")],
)
def test_mistakes(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_job_that_fails_says_why() -> None:
    job = TINY | {"kind": "neuron", "neuron": "nothing", "surrogate": "atan", "shape": (1, 1)}
    assert "nothing" in plan.measure(job)["failed"]
