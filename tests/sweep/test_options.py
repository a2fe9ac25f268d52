"""How many jobs of a sweep run at a time, and on what."""

import pytest
from omegaconf import OmegaConf

from snnlab.errors import ConfigError
from snnlab.runs.load import load
from snnlab.sweep import options
from snnlab.sweep.options import OPTIONS, ProcessOptions, RayOptions, check_options
from snnlab.sweep.ray_cluster import refuse_unreachable
from snnlab.sweep.ray_places import needs


@pytest.mark.parametrize(
    ("given", "slots"),
    [
        ({}, [None]),
        ({"workers": 3}, [None, None, None]),
        ({"gpus": [2, 5]}, [2, 5]),
        ({"gpus": [2, 5], "workers": 1}, [2]),
        ({"gpus": [0, 0], "workers": 2}, [0, 0]),
    ],
)
def test_slots(given, slots):
    assert ProcessOptions(**given).slots == slots


def test_fewer_gpus_than_workers():
    with pytest.raises(ConfigError, match=r"hydra.launcher.gpus: \[0\] is too short for 2 worker"):
        ProcessOptions(gpus=[0], workers=2)


TARGETS = {name: target for target, (name, _) in OPTIONS.items()}


@pytest.mark.parametrize(
    ("launcher", "given", "message"),
    [
        ("process", {"worker": 2}, "hydra.launcher.worker: unknown key. Did you mean 'workers'"),
        ("process", {"workers": 0}, "hydra.launcher.workers: 0 is out of range"),
        ("process", {"gpus": []}, r"hydra.launcher.gpus: \[\] is too short"),
        ("ray", {"cpu": 2}, "hydra.launcher.cpu: unknown key. Did you mean 'cpus'"),
        ("ray", {"cpus": 0.5}, "hydra.launcher.cpus"),
        ("ray", {"cpus": "two"}, "hydra.launcher.cpus"),
        ("ray", {"gpus": -1}, "hydra.launcher.gpus: -1 is out of range"),
        ("ray", {"gpus": 1.5}, "hydra.launcher.gpus: 1.5 GPUs for a job"),
        ("ray", {"on_error": "go"}, "hydra.launcher.on_error"),
        ("ray", {"show_output": True}, "hydra.launcher.show_output: unknown key"),
        ("ray", {"address": "nowhere"}, "hydra.launcher.address: no cluster of Ray at 'nowhere': no address"),
        ("ray", {"address": "ray://127.0.0.1:1"}, "hydra.launcher.address: .* Connection refused"),
    ],
)
def test_what_hydra_composed_is_checked(launcher, given, message, monkeypatch):
    monkeypatch.setattr(options, "need", lambda package, what: None)
    target = {"_target_": TARGETS[launcher]}
    kind = OPTIONS[TARGETS[launcher]][1]
    assert check_options(OmegaConf.create({**target, "workers": 2})) == kind(workers=2)
    with pytest.raises(ConfigError, match=message):
        check_options(OmegaConf.create({**target, **given}))


def test_an_address_of_the_environment_is_tried_too(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"RAY_ADDRESS: no cluster of Ray at '127.0.0.1:1'"):
        refuse_unreachable(None)


MACHINES = [{"CPU": 8.0}, {"CPU": 4.0, "GPU": 2.0}]


@pytest.mark.parametrize(
    ("given", "settings", "machines", "found"),
    [
        ({}, [], MACHINES, (1, 1.0)),
        ({}, ["trainer.device=cpu"], MACHINES, (4, 0.0)),
        ({}, ["trainer.device=cpu", "trainer.threads=2"], MACHINES, (2, 0.0)),
        ({}, [], MACHINES[:1], (8, 0.0)),
        ({"cpus": 3}, [], MACHINES[:1], (3, 0.0)),
        ({"gpus": 0.5}, [], MACHINES, (1, 0.5)),
        ({"gpus": 0}, [], MACHINES, (4, 0.0)),
    ],
)
def test_what_a_job_takes_of_rays_cluster(given, settings, machines, found):
    assert needs(RayOptions(**given), load(settings), {}, machines) == found


def test_threads_of_the_environment_are_cpus():
    assert needs(RayOptions(), load(["trainer.device=cpu"]), {"OMP_NUM_THREADS": "2"}, MACHINES) == (2, 0.0)


@pytest.mark.parametrize("given", [{"cpus": 9}, {"gpus": 3}, {"cpus": 5, "gpus": 1}])
def test_a_job_that_fits_no_machine(given):
    with pytest.raises(ConfigError, match=r"no machine of Ray's cluster has .* CPUs and .* GPUs"):
        needs(RayOptions(**given), load([]), {}, MACHINES)
