"""`snnlab export` on a small trained run."""

import json
from pathlib import Path

import nir
import pytest
from safetensors import safe_open

from snnlab.cli import main
from tests.evaluate.test_eval import SMALL


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    assert main(["train", *SMALL, "trainer.max_steps=2", f"paths.runs={folder}"]) == 0
    (found,) = folder.glob("*/*/seed0")
    return found


def test_nir(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", f"run={run_dir}", "dt=0.001"]) == 0
    assert f"Written to {run_dir / 'network.nir'}" in capsys.readouterr().out
    graph = nir.read(run_dir / "network.nir")
    assert float(graph.metadata["dt"]) == 0.001
    assert sum(isinstance(node, nir.LIF) for node in graph.nodes.values()) == 2
    assert not list(run_dir.glob(".network*"))


def test_safetensors(run_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "weights.safetensors"
    assert main(["export", f"run={run_dir}", "format=safetensors", f"out={out}", "checkpoint=best"]) == 0
    with safe_open(out, "pt") as file:
        about = json.loads(file.metadata()["snnlab"])
        assert "head.weight" in file.keys()  # noqa: SIM118  # not a mapping
    assert about["checkpoint"] == "best"
    assert about["config"]["model"]["channels"] == [4, 8]


def test_errors(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert main(["export", f"run={run_dir}", f"out={blocked}/network.nir"]) == 2
    assert "error: cannot write" in capsys.readouterr().err
    assert main(["export", f"run={run_dir}", "neuron.reset=soft"]) == 2
    streams = capsys.readouterr().err
    assert "not by subtraction" in streams
    assert "hint: format=safetensors" in streams
