"""Finding runs that were measured."""

import pytest

from snnlab.errors import ConfigError
from snnlab.report.run_data import find_runs, unmeasured


def test_runs_are_found_below_a_folder(run, tmp_path):
    run("loss=sdt")
    run("loss=tmc")
    assert [one.folder.name for one in find_runs(tmp_path)] == ["sdt0", "tmc0"]
    assert unmeasured(tmp_path) == []
    (tmp_path / "half").mkdir()
    (tmp_path / "half/config.yaml").touch()
    assert unmeasured(tmp_path) == [tmp_path / "half"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no run in"):
        find_runs(tmp_path / "empty")
    with pytest.raises(ConfigError, match="no such directory"):
        find_runs(tmp_path / "none")
