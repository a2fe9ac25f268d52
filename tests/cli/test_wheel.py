"""The built wheel carries conf/ and the Hydra plugin, and works from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from snnlab.config.search import SearchPath

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_works_from_any_folder(tmp_path):
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        assert {"snnlab/py.typed", "snnlab/__init__.pyi", "snnlab/neurons/__init__.pyi"} <= set(
            archive.namelist()
        )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def snnlab(*args):
        command = [sys.executable, "-m", "snnlab", *args]
        return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)

    listed = snnlab("list", "experiment")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == SearchPath().options("experiment")
    shown = snnlab("show", "+experiment=quickstart")
    assert shown.returncode == 0, shown.stderr
    assert "# conf/experiment/quickstart.yaml:" in shown.stdout
    assert snnlab("check", "--all").returncode == 0
    swept = snnlab("train", "-m", "seed=0,-1", f"paths.runs={tmp_path}/runs")
    assert swept.returncode == 2
    assert "point 2 of 2" in swept.stderr
