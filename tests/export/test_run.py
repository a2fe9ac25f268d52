"""`snnlab export` on a small trained run."""

import json
import re
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
    printed = capsys.readouterr().out
    assert f"Written to {run_dir / 'network.nir'}" in printed
    assert "snntorch takes every step for 0.0001 s, and would read other decays" in printed
    graph = nir.read(run_dir / "network.nir")
    assert float(graph.metadata["dt"]) == 0.001
    assert sum(isinstance(node, nir.LIF) for node in graph.nodes.values()) == 2
    assert not list(run_dir.glob(".network*"))


def test_a_file_for_one_reader(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "n.nir"
    assert main(["export", f"run={run_dir}", "reader=norse", f"out={out}"]) == 0
    assert "norse's own step is 0.001 s" in capsys.readouterr().out
    kinds = {type(node).__name__ for node in nir.read(out).nodes.values()}
    assert "SumPool2d" in kinds
    assert "AvgPool2d" not in kinds
    assert main(["export", f"run={run_dir}", "reader=sinabs", f"out={out}"]) == 2
    assert "sinabs reads no hard reset" in capsys.readouterr().err
    assert main(["export", f"run={run_dir}", "reader=snntorch", "dt=0.001", f"out={out}"]) == 2
    assert "hint: leave dt out" in capsys.readouterr().err


def test_safetensors(run_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "weights.safetensors"
    assert main(["export", f"run={run_dir}", "format=safetensors", f"out={out}", "checkpoint=best"]) == 0
    with safe_open(out, "pt") as file:
        about = json.loads(file.metadata()["snnlab"])
        assert "head.weight" in file.keys()  # noqa: SIM118  # not a mapping
    assert about["checkpoint"] == "best"
    assert about["config"]["model"]["channels"] == [4, 8]


@pytest.mark.parametrize(("kind", "file"), [("onnx", "network.onnx"), ("torch.export", "network.pt2")])
def test_programs(run_dir: Path, kind: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", f"run={run_dir}", f"format={kind}"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (run_dir / file).stat().st_size > 1000
    found = re.search(r"Logits of 8 test samples by .* differ from ours by at most (\S+)\.", printed)
    assert found is not None
    assert float(found[1]) < 1e-4


def test_errors(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert main(["export", f"run={run_dir}", f"out={blocked}/network.nir"]) == 2
    assert f"error: {blocked} is a file, not a folder" in capsys.readouterr().err
    assert main(["export", f"run={run_dir}", "neuron.reset=soft"]) == 2
    streams = capsys.readouterr().err
    assert "not by subtraction" in streams
    assert "hint: format=safetensors" in streams
