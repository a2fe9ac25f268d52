"""The Python in docs/howto.md does what it says."""

import re
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
