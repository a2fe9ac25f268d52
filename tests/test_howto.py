"""The Python in docs/howto.md does what it says."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab import models, neurons, norms, surrogates
from snnlab.cli import main

TEXT = (Path(__file__).parents[1] / "docs/howto.md").read_text()
SECTION = TEXT.partition("## A trained network in Python")[2].partition("\n## ")[0]


def test_a_trained_network_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        main(["train", "+experiment=quickstart", "debug=smoke", "num_steps=2", "model.channels=[4,4]"]) == 0
    )
    (run,) = tmp_path.glob("runs/*/*/seed0")
    loaded, created = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    names: dict[str, Any] = {}
    exec(loaded.replace("runs/quickstart/<variant>/seed0", str(run)), names)
    assert names["logits_TBK"].shape == (2, 4, 10)
    assert names["target_B"].shape == (4,)
    exec(created, names)
    assert names["network"](torch.zeros(1, 1, 3, 16, 16)).shape == (1, 1, 10)
    assert names["optimizer"].param_groups[0]["lr"] == 0.05


def test_a_network_by_itself() -> None:
    (line,) = re.findall(r"`(VGGSNN\(.*?\))` ", SECTION)
    (maker,) = re.findall(r"`(lambda .*?)`", SECTION.replace("\n", " "))
    known = {"LIF": neurons.LIF, "BN": norms.BN, "ATan": surrogates.ATan}
    for text in (line, line.replace("LIF", f"({maker})", 1)):
        net = eval(text, {"VGGSNN": models.VGGSNN, **known})
        assert net(torch.zeros(3, 1, 2, 16, 16)).shape == (3, 1, 10)


BOARDS = TEXT.partition("## Watch runs on a dashboard")[2].partition("\n## ")[0].replace("\\\n", " ")
COMMANDS = [
    line.partition("#")[0].strip() for line in BOARDS.splitlines() if line.startswith("    snnlab train")
]
BRIEF = "trainer.synthetic=true trainer.epochs=1 trainer.limit_train_batches=1 trainer.limit_test_batches=1 num_steps=2"


@pytest.mark.parametrize("command", COMMANDS)
def test_dashboards(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [key for key in os.environ if key.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    small = "trainer.device=cpu trainer.batch_size=4 trainer.plots=false model.channels=[4,4]"
    assert main([*shlex.split(command)[1:], *BRIEF.split(), *small.split()]) == 0
    (run,) = tmp_path.glob("runs/*/*/seed0")
    made = {name for name in ("wandb", "tensorboard", "metrics.csv") if (run / name).exists()}
    chosen = re.search(r"logger=(\S+)", command)
    named = (
        {"wandb"} if chosen is None else set(re.findall(r"[\w.]+", chosen[1].replace("csv", "metrics.csv")))
    )
    assert made == named - {"none"}
    assert ("wandb sync" in capsys.readouterr().out) == ("wandb" in made)


def test_all_ways_to_watch_are_tried() -> None:
    assert len(COMMANDS) == 6
