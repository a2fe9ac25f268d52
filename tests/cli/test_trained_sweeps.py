"""Sweeps that train networks under each launcher and in a search: the numbers are those of a run alone."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT

pytestmark = pytest.mark.slow
SMALL = [
    *(
        "+experiment=quickstart",
        "model.channels=[8,16]",
        "num_steps=2",
        "trainer.threads=1",
        "trainer.device=cpu",
    ),
    *("trainer.max_steps=1", "trainer.limit_test_batches=1", "trainer.eval_batch_size=32", "logger=csv"),
]
UNDER = {
    "process": ["hydra.launcher.workers=2", "seed=0,1"],
    "basic": ["hydra/launcher=basic", "seed=0,1"],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "seed=0,1"],
    "submitit": ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5", "seed=0,1"],
    "ray": ["hydra/launcher=ray", "hydra.launcher.cpus=1", "seed=0,1"],
    "optuna": [
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.n_jobs=1",
        "seed=choice(0)",
    ],
}


def trained(folder, *words):
    """Runs `snnlab train` in a folder; the last measures of each run by its seed, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "snnlab", "train", *SMALL, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = folder.glob("runs/quickstart/*/seed*/result.json")
    return {file.parent.name: json.loads(file.read_text())["last"] for file in files}, done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("alone"), "seed=0")[0]["seed0"]


@pytest.mark.parametrize("under", UNDER)
def test_what_is_trained_in_a_sweep_has_the_numbers_of_a_run_alone(under, alone, tmp_path):
    pytest.importorskip({"process": "hydra", "basic": "hydra"}.get(under, under))
    found, said = trained(tmp_path, "-m", *UNDER[under])
    assert found["seed0"] == alone
    assert " failed" not in said
    assert "written to " in said
    if under == "optuna":
        assert "best by test/acc: " in said
    else:
        assert found["seed1"] != alone
        assert "| 2 done |" in " ".join(said.split())
