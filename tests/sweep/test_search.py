"""Searches: the study that Optuna keeps in a database."""

from importlib.metadata import version

import pytest
from omegaconf import OmegaConf

from snnlab.errors import ConfigError
from snnlab.sweep import search

OPTUNA = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
OTHER = "hydra_plugins.hydra_ax_sweeper.ax_sweeper.AxSweeper"


def refused(monkeypatch, target, storage, installed):
    """What is said about a storage with a version of SQLAlchemy; empty if nothing is."""
    monkeypatch.setattr(search, "version", lambda package: installed)
    master = OmegaConf.create({"hydra": {"sweeper": {"_target_": target, "storage": storage}}})
    try:
        search.refuse_storage(master)
    except ConfigError as error:
        return f"{error.message} {error.hint}"
    return ""


@pytest.mark.parametrize(
    ("target", "storage", "installed", "is_refused"),
    [
        (OPTUNA, "sqlite:///s.db", "2.1.9", True),
        (OPTUNA, "postgresql://a/b", "2.0.0b1", True),
        (OPTUNA, "sqlite:///s.db", "1.4.54", False),
        (OPTUNA, "redis://a", "2.1.9", False),
        (OPTUNA, None, "2.1.9", False),
        (OTHER, "sqlite:///s.db", "2.1.9", False),
    ],
)
def test_a_database_that_optuna_cannot_write_is_refused(target, storage, installed, is_refused, monkeypatch):
    said = refused(monkeypatch, target, storage, installed)
    assert ("the same command goes on" in said) == bool(said) == is_refused


def test_a_study_in_a_database_is_refused_or_kept(tmp_path, monkeypatch):
    """Which of the two is a matter of the installed SQLAlchemy."""
    optuna = pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    installed = version("sqlalchemy")
    if refused(monkeypatch, OPTUNA, "sqlite:///s.db", installed):
        with pytest.raises(AssertionError):
            optuna.create_study(storage="sqlite:///s.db")
        return
    for trials in (1, 2):
        study = optuna.create_study(storage="sqlite:///s.db", study_name="a", load_if_exists=True)
        study.tell(study.ask(), 1.0)
        assert len(study.trials) == trials
