"""Which keys decide a result, and which differ from their default."""

from pathlib import Path

import pytest

from snnlab.runs.deciding import choices, decides, deviations
from snnlab.runs.load import load
from snnlab.runs.old_identity import LEFT_OUT


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_declarations_leave_out_what_version_0_1_0_left_out() -> None:
    assert [key for key in LEFT_OUT if decides(key)] == ["paths", "logger"]
    assert not any(map(decides, ("paths.runs", "paths.data", "logger.wandb", "logger.tags")))
    assert all(
        map(decides, ("num_steps", "trainer.epochs", "neuron.decay", "augment.flip.p", "distill.identity"))
    )


def test_only_what_differs_from_its_default() -> None:
    assert deviations(load(["trainer.channels_last=false"]).raw) == {}
    given = [
        "neuron.decay=0.25",
        "neuron.threshold=1",
        "+augment.flip.p=0.25",
        "trainer.epochs=100",
        "seed=3",
        "trainer.channels_last=false",
    ]
    assert deviations(load(given).raw) == {"neuron.decay": 0.25, "augment.flip.p": 0.25}


def test_the_residual_neuron_has_the_defaults_of_a_neuron() -> None:
    cfg = load(
        ["model=resnet18_snn", "loss=sdt", "residual_neuron={name:cf,K_P:3}", "trainer.channels_last=false"]
    )
    assert deviations(cfg.raw) == {"residual_neuron.K_P": 3}
    assert choices(cfg.raw)["residual_neuron"] == "cf"
