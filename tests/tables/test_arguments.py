"""What `snnlab table` is asked for."""

import pytest

from snnlab.errors import ConfigError
from snnlab.tables.arguments import read_table_arguments


def test_defaults():
    asked = read_table_arguments(["tmc_1"])
    assert (asked.names, asked.scale, asked.seeds, asked.select) == (("tmc_1",), "full", (), None)


def test_everything():
    given = [
        "a",
        "scale=smoke",
        "seed=0,1",
        "select=best",
        "+hydra.launcher.gpus=[0]",
        "trainer.device=cpu",
        "b",
    ]
    asked = read_table_arguments(given)
    assert (asked.names, asked.scale, asked.seeds, asked.select) == (("a", "b"), "smoke", (0, 1), "best")
    assert (asked.hydra, asked.of_cells) == (("+hydra.launcher.gpus=[0]",), ("trainer.device=cpu",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("scale=shrot", "scale: unknown choice 'shrot'. Did you mean 'short'"),
        ("seeds=a", "seeds: expected integers, got 'a'"),
        ("select=first", "select: unknown choice 'first'"),
        ("sclae=short", "unknown key 'sclae'. Did you mean 'scale'"),
    ],
)
def test_errors(given, message):
    with pytest.raises(ConfigError, match=message):
        read_table_arguments(["tmc_1", given])
