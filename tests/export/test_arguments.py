"""What `snnlab export` is asked for."""

from pathlib import Path

import pytest

from snnlab.errors import ConfigError
from snnlab.export.arguments import read_export_arguments


def test_defaults(tmp_path):
    asked = read_export_arguments([f"run={tmp_path}", "paths.data=there"])
    assert (asked.format, asked.checkpoint, asked.dt) == ("nir", "last", None)
    assert asked.file == tmp_path / "network.nir"
    assert asked.overrides == ("paths.data=there",)


def test_everything():
    asked = read_export_arguments(["run=r", "format=safetensors", "checkpoint=best", "out=a/b.x", "dt=1e-3"])
    assert (asked.format, asked.checkpoint, asked.dt) == ("safetensors", "best", 0.001)
    assert asked.file == Path("a/b.x")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no run is given"),
        (["run=r", "format=nirr"], "unknown choice 'nirr'. Did you mean 'nir'"),
        (["run=r", "checkpoint=first"], "unknown choice 'first'"),
        (["run=r", "dt=0"], "dt: expected a number > 0, got '0'"),
        (["run=r", "dt=fast"], "dt: expected a number > 0, got 'fast'"),
        (["run=r", "dt=inf"], "dt: expected a number > 0, got 'inf'"),
    ],
)
def test_errors(given, message):
    with pytest.raises(ConfigError, match=message):
        read_export_arguments(given)
