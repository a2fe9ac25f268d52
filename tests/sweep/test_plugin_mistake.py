"""What launchers and sweepers of others raise is an error in their own words; a fault of ours stays one."""

import pytest
from omegaconf import OmegaConf

from snnlab.cli import main
from snnlab.errors import ConfigError
from snnlab.own_code import SHOWN
from snnlab.sweep.plugin_mistake import as_plugin_mistake

OPTUNA = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "hydra.sweeper.n_jobs=1", "seed=choice(1,2)"]
HYDRA = OmegaConf.create(
    {
        "launcher": {"_target_": "hydra_plugins.hydra_a.here.Launcher"},
        "sweeper": {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"},
        "runtime": {"choices": {"hydra/launcher": "a", "hydra/sweeper": "basic"}},
    }
)


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("snnlab.train.rehearsal.refuse_point", lambda cfg, **_: None)
    monkeypatch.setattr("snnlab.train.recipe.run", lambda cfg: pytest.fail("nothing is to start"))
    return lambda *words: main(["train", "-m", "+experiment=quickstart", *words])


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("submitit", ["hydra/launcher=submitit_slurm", "seed=1"], 'Could not detect "srun"'),
        ("joblib", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=0", "seed=1,2"], "n_jobs == 0"),
        (
            "submitit",
            ["hydra/launcher=submitit_local", "hydra.launcher.submitit_folder=/proc/x", "seed=1"],
            "No such file or directory: '/proc/x'",
        ),
        ("optuna", [*OPTUNA, "hydra.sweeper.direction=foo"], "Please set either 'minimize' or 'maximize'"),
        ("optuna", [*OPTUNA, "hydra.sweeper.n_trials=0"], "No trials are completed yet"),
        ("optuna", [*OPTUNA, "hydra/sweeper/sampler=grid", "optimizer.lr=interval(0.1,0.2)"], "GridSampler"),
        ("optuna", [*OPTUNA, "hydra.sweeper.storage=sqlite:////nowhere/x.db"], "unable to open database"),
        ("hydra", ["hydra.sweeper.max_batch_size=0", "seed=1,2"], "max_batch_size > 0"),
    ],
)
def test_what_a_plugin_refuses_is_one_error_in_its_words(module, words, said, sweep, monkeypatch, capsys):
    pytest.importorskip(module)
    monkeypatch.setenv("PATH", "")  # no Slurm
    monkeypatch.setattr("snnlab.sweep.search.version", lambda package: "1.4.54")
    assert sweep(*words) == 2
    error, hint = capsys.readouterr().err.splitlines()
    chosen = next((one for one in words if one.startswith("hydra/")), "hydra/sweeper=basic")
    assert error.startswith(f"error: {chosen}: ")
    assert said in error
    assert hint.startswith("hint: correct hydra.")


def test_a_table_has_the_same_error(tmp_path, monkeypatch):
    pytest.importorskip("joblib")
    from snnlab.runs.load import load
    from snnlab.tables.launch import _launch
    from snnlab.tables.planned import PlannedRun

    monkeypatch.chdir(tmp_path)
    run = PlannedRun(("+experiment=quickstart",), load(["+experiment=quickstart"]))
    with pytest.raises(ConfigError, match="hydra/launcher=joblib: ValueError: n_jobs == 0"):
        _launch([run], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=0"], [], main)


def passing(*modules):
    """The exception that a division raises, after it has passed functions of these modules, the outermost first."""
    call = lambda: 1 / 0  # noqa: E731
    for name in reversed(modules):
        values = {"__name__": name, "call": call}
        exec("def run(): return call()", values)
        call = values["run"]
    with pytest.raises(ZeroDivisionError) as caught:
        call()
    return caught.value


PLUGIN, CORE = "hydra_plugins.hydra_a.there", "hydra._internal.core_plugins.basic_sweeper"


@pytest.mark.parametrize(
    ("modules", "group"),
    [
        ([PLUGIN], "launcher=a"),
        (["snnlab.sweep.run", "hydra.main", CORE, PLUGIN, "joblib.parallel"], "launcher=a"),
        (["snnlab.sweep.run", CORE, "itertools"], "sweeper=basic"),
        (["snnlab.sweep.run", CORE, PLUGIN, "snnlab.sweep.task", "torch.nn"], None),
        (["snnlab.sweep.run", CORE, "hydra_plugins.snnlab_process"], None),
        (["snnlab.sweep.run", "torch.nn"], None),
        (["snnlab.sweep.run", "hydra.core.utils"], None),
    ],
)
def test_whose_fault_an_exception_is(modules, group, monkeypatch):
    found = as_plugin_mistake(passing(*modules), HYDRA)
    if group is None:
        assert found is None
        return
    assert found.message == f"hydra/{group}: ZeroDivisionError: division by zero"
    monkeypatch.setenv(SHOWN, "1")
    assert as_plugin_mistake(passing(*modules), HYDRA) is None, "the traceback is asked for"
