"""What `snnlab analyse` is asked for."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from snnlab.analyse.arguments import read_analyse_arguments
from snnlab.analyse.names import analyses
from snnlab.config.measurements import EnergyConfig, LandscapeConfig
from snnlab.errors import ConfigError
from snnlab.metrics.energy import CONVENTIONS


def test_defaults() -> None:
    asked = read_analyse_arguments(["run=r", "what=tsne", "trainer.device=cpu"])
    assert (asked.what, asked.checkpoint, asked.all) == (("tsne",), "last", False)
    assert asked.run == Path("r").resolve()
    assert asked.overrides == ("trainer.device=cpu",)
    assert asked.landscape == LandscapeConfig()


def test_everything() -> None:
    asked = read_analyse_arguments(
        [
            "run=r",
            "what=[membrane, energy,membrane]",
            "checkpoint=best",
            "landscape.grid=5",
            "analyse.samples=null",
        ]
    )
    assert asked.what == ("membrane", "energy")
    assert asked.checkpoint == "best"
    assert asked.landscape.grid == 5
    assert asked.analyse.samples is None


def test_all() -> None:
    asked = read_analyse_arguments(["run=r", "what=all"])
    assert asked.all
    assert set(asked.names) == set(analyses())
    assert {
        "firing_rates",
        "gradient_support",
        "membrane",
        "thresholds",
        "landscape",
        "tsne",
        "energy",
    } <= set(asked.names)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["what=tsne"], "no run is given"),
        (["run=r"], "nothing is asked for"),
        (["run=r", "what=tsnee"], "unknown choice 'tsnee'. Did you mean 'tsne'"),
        (["run=r", "what=[energy,fire_rates]"], "Did you mean 'firing_rates'"),
        (["run=r", "what=tsne", "checkpoint=first"], "unknown choice 'first'"),
        (["run=r", "what=landscape", "landscape.gird=3"], "landscape.gird: unknown key. Did you mean 'grid'"),
        (["run=r", "what=landscape", "landscape.grid=0"], "landscape.grid: 0 is out of range"),
        (["run=r", "what=landscape", "landscape.grid=3,5"], "landscape.grid: several values"),
        (["run=r", "what=energy", "energy.convention=dsatog"], "Did you mean 'dsatgo'"),
        (["run=r", "what=tsne", "tsne=3"], "cannot read the override 'tsne=3'"),
    ],
)
def test_errors(given: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_analyse_arguments(given)


def test_settings_know_every_convention() -> None:
    assert get_args(get_type_hints(EnergyConfig)["convention"]) == tuple(CONVENTIONS)
