"""A data set of somebody's own package that does not name its files: a run still notices other samples."""

import json
import sys
from pathlib import Path

import pytest

from snnlab.cli import main
from snnlab.runs import data_check
from snnlab.runs.load import load
from snnlab.runs.reuse import stored_result

CODE = """
from pathlib import Path
import numpy as np
from snnlab.data.dataset import Status
from snnlab.data.sample_sets import ArraySet
from snnlab.data.image_data import ImageData

class Own(ImageData):
    num_classes, class_names, in_channels, raw_shape = 2, ("a", "b"), 1, (1, 8, 8)

    def __init__(self, root: Path, num_steps: int = 1) -> None:
        super().__init__(root, 8, "own")
        count = int((self.root / "own.txt").read_text())
        self._images = np.random.default_rng(0).integers(0, 256, (count, 1, 8, 8)).astype(np.uint8)
        self._labels = np.arange(count) % 2

    def _train_set(self):
        return ArraySet(self._images, self._labels, np.arange(4, len(self._labels)))

    def _test_set(self):
        return ArraySet(self._images, self._labels, np.arange(4))

    def status(self) -> Status:
        return Status(True, self.root)
"""
ARGUMENTS = [
    "dataset=own",
    "plugins=[own_pkg]",
    "num_steps=1",
    "model.channels=[2,4]",
    "trainer.epochs=1",
    "trainer.batch_size=4",
    "trainer.plots=false",
    "trainer.progress=none",
    "trainer.device=cpu",
]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    (tmp_path / "own_pkg/datasets").mkdir(parents=True)
    for folder in ("own_pkg", "own_pkg/datasets"):
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "own_pkg/datasets/own.py").write_text(CODE)
    (tmp_path / "conf/dataset").mkdir(parents=True)
    (tmp_path / "conf/dataset/own.yaml").write_text("name: own\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/own.txt").write_text("12")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_pkg")]:
        del sys.modules[name]


def test_a_finished_run_is_not_that_of_more_samples(here, capsys):
    train = ["train", *ARGUMENTS, "--config-dir", "conf"]
    assert main(train) == 0
    assert "the data set own does not say which files it reads" in capsys.readouterr().err
    (file,) = here.glob("runs/*/*/seed*/result.json")
    assert json.loads(file.read_text())["num_train"] == 8
    assert main(train) == 0
    assert stored_result(load(ARGUMENTS, ["conf"]), file.parent) is not None
    (here / "data/own.txt").write_text("20")
    capsys.readouterr()
    assert main(train) == 2
    assert "was trained on other data: 8 samples to train, now 16" in capsys.readouterr().err
    cfg = load(ARGUMENTS, ["conf"])
    data_check._IDENTITIES.clear()  # as in another process
    assert stored_result(cfg, file.parent) is None
    assert main(["train", "-m", *ARGUMENTS, "seed=0,1", "hydra/launcher=basic", "--config-dir", "conf"]) == 2
    assert "was trained on other data: 8 samples to train, now 16" in capsys.readouterr().err
    assert main([*train, "trainer.on_existing=restart"]) == 0
    assert json.loads(file.read_text())["num_train"] == 16
