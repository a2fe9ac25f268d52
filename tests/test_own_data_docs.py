"""The commands in docs/own_data.md run as they stand there, on small data, with fewer epochs and channels."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab.cli import main
from snnlab.data.own_recordings import ENDINGS
from tests.datasets.recordings import rows

TEXT = (Path(__file__).parents[1] / "docs/own_data.md").read_text()
SHORT = [
    "trainer.epochs=1",
    "model.channels=[4,4]",
    "num_steps=2",
    "trainer.batch_size=4",
    "trainer.plots=false",
]


def commands(section: str) -> list[list[str]]:
    text = TEXT.partition(f"## {section}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^    snnlab (.*?)(?:  +#.*)?$", text, re.M)
    assert lines
    return [shlex.split(line) for line in lines]


def run(section: str) -> None:
    for command in commands(section):
        assert main([*command, *(SHORT if command[0] == "train" else [])]) == 0, command


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)


def test_own_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for k in range(5):
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{k}.png")
    run("Own pictures")
    (result,) = tmp_path.glob("runs/*/pets-*/seed0/result.json")
    assert '"dataset": "pets"' in result.read_text()
    assert '"split": "stratified80_seed0"' in result.read_text()
    assert "image_folder" not in capsys.readouterr().out


def test_own_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("left", "right"):
        (tmp_path / "moves" / name).mkdir(parents=True)
        for k in range(5):
            np.save(tmp_path / "moves" / name / f"{k}.npy", rows(k)[:, [3, 0, 1, 2]])
    run("Own recordings")
    (result,) = tmp_path.glob("runs/*/moves-*/seed0/result.json")
    assert '"dataset": "moves"' in result.read_text()
    assert main(["report", str(result.parent), "--output", "page.html"]) == 0
    assert "event_folder" not in capsys.readouterr().out
    assert main(["verify", str(result.parent)]) == 0
    assert main(["eval", str(result.parent)]) == 0


def test_every_ending_is_in_the_table() -> None:
    table = re.findall(r"^\| `(\..*?)` \|", TEXT, re.M)
    assert {ending for line in table for ending in line.split()} == set(ENDINGS)
