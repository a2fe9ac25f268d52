"""`snnlab export` on a small trained run."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import nir
import pytest
import torch
from safetensors import safe_open

import snnlab
from snnlab.build import build_model
from snnlab.cli import main
from snnlab.config.schema import InitConfig
from snnlab.errors import ConfigError
from snnlab.runs.load import load
from snnlab.train.initial import start_from
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


def test_an_exported_file_starts_another_run(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "weights.safetensors"
    assert main(["export", f"run={run_dir}", "format=safetensors", f"out={out}"]) == 0
    stored = snnlab.load_run(run_dir)
    network = build_model(stored.config, stored.data)
    cfg = replace(stored.config, init=InitConfig(file=out))
    start_from(cfg, network, stored.data.identity())
    there = stored.model.state_dict()
    assert all(torch.equal(value, there[name]) for name, value in network.state_dict().items())
    other = replace(cfg, model=replace(cfg.model, params={**cfg.model.params, "channels": (4, 6)}))
    with pytest.raises(
        ConfigError, match=r"init\.file: the weights of .* do not fit: .* is 8 .* there and 6"
    ):
        start_from(cfg, build_model(other, stored.data), stored.data.identity())
    assert isinstance(load([f"init.run={out}"]).init.file, Path)
    assert load([f"init.run={out}"]).raw["init"] == load([f"init.file={out}"]).raw["init"]
    # Trained from the file or from the run it is of: the same weights in the end.
    ends = []
    for start in (f"init.run={out}", f"init.run={run_dir}"):
        runs = tmp_path / str(len(ends))
        assert main(["train", *SMALL, "trainer.max_steps=1", start, f"paths.runs={runs}"]) == 0
        (folder,) = runs.glob("*/*/seed0")
        ends.append(snnlab.load_run(folder).model.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    capsys.readouterr()
    (tmp_path / "weights.pt").touch()
    assert main(["check", "+experiment=quickstart", f"init.run={tmp_path / 'weights.pt'}"]) == 2
    streams = capsys.readouterr().err
    assert f"error: init.run: {tmp_path / 'weights.pt'} is a file" in streams
    assert "hint: init.file takes a file" in streams


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664)])
@pytest.mark.parametrize("kind", ["safetensors", "nir"])
def test_an_exported_file_has_the_rights_of_any_other(
    run_dir: Path, tmp_path: Path, umask: int, mode: int, kind: str
) -> None:
    before = os.umask(umask)
    try:
        assert main(["export", f"run={run_dir}", f"format={kind}", f"out={tmp_path / 'file'}"]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


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
