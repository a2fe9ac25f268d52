"""Pictures are drawn whatever backend of a notebook the environment names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
import sys
from snnlab.plots.figure import styled
with styled(2, 2) as figure:
    figure.subplots().plot([1, 2])
    figure.savefig(sys.argv[1])
"""


@pytest.mark.parametrize("backend", ["module://not_installed.backend_inline", "module://json", "agg"])
def test_a_backend_that_is_not_installed_is_forgotten(tmp_path: Path, backend: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DRAW, str(tmp_path / "a.png")],
        env={**os.environ, "MPLBACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "a.png").stat().st_size > 0
