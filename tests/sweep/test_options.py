"""How many processes of a sweep run at a time, and on which GPUs."""

import pytest
from omegaconf import OmegaConf

from snnlab.errors import ConfigError
from snnlab.sweep.options import ProcessOptions, check_options


@pytest.mark.parametrize(
    ("options", "slots"),
    [
        ({}, [None]),
        ({"workers": 3}, [None, None, None]),
        ({"gpus": [2, 5]}, [2, 5]),
        ({"gpus": [2, 5], "workers": 1}, [2]),
        ({"gpus": [0, 0], "workers": 2}, [0, 0]),
    ],
)
def test_slots(options, slots):
    assert ProcessOptions(**options).slots == slots


def test_fewer_gpus_than_workers():
    with pytest.raises(ConfigError, match=r"hydra.launcher.gpus: \[0\] is too short for 2 worker"):
        ProcessOptions(gpus=[0], workers=2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"worker": 2}, "hydra.launcher.worker: unknown key. Did you mean 'workers'"),
        ({"workers": 0}, "hydra.launcher.workers: 0 is out of range"),
        ({"gpus": []}, r"hydra.launcher.gpus: \[\] is too short"),
    ],
)
def test_what_hydra_composed_is_checked(given, message):
    assert check_options(OmegaConf.create({"_target_": "x", "workers": 2})) == ProcessOptions(workers=2)
    with pytest.raises(ConfigError, match=message):
        check_options(OmegaConf.create(given))
