"""A run looks at the names and sizes of its data's files once."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from snnlab import registry
from snnlab.config.signature import class_value
from snnlab.datasets import NMNIST
from snnlab.runs.load import load
from snnlab.train import recipe
from tests.datasets import trees

FILES = {name: file for name, (_, file) in registry.component_files("dataset").items()}
READ = [name for name, file in FILES.items() if class_value(file, "reads_files") is not False]


def nmnist(root, digits=10):
    for part in ("Train", "Test"):
        for digit in range(digits):
            rows = trees.random_rows(60, 34, 34, digit)
            trees.write_saccades(root / f"nmnist/NMNIST/{part}/{digit}/00001.bin", rows)


@pytest.mark.parametrize("name", READ)
def test_an_identity_asks_no_second_time(name, tmp_path, monkeypatch):
    cls = registry.load("dataset", name)
    asked = []
    monkeypatch.setattr(cls, "data_files", lambda self: asked.append(1))
    dataset = cls(tmp_path, 5)
    dataset.known_files()
    dataset.known_files()
    assert len(asked) == 1
    dataset.forget_files()
    dataset.known_files()
    assert len(asked) == 2


def test_a_run_asks_for_each_size_once_to_name_its_data(tmp_path, monkeypatch):
    trees.write_tiny_imagenet(tmp_path / "tiny-imagenet-200", ("n01", "n02"), train=4, val=2)
    asked: Counter[str] = Counter()
    stat = Path.stat

    def counting(self, **kwargs):
        if self.suffix == ".JPEG":
            asked[self.name] += 1
        return stat(self, **kwargs)

    monkeypatch.setattr(Path, "stat", counting)
    words = ["+experiment=quickstart", "dataset=tiny_imagenet", "dataset.classes=2", "dataset.image_size=16"]
    words += ["dataset.resize=16", "trainer.epochs=1", "trainer.batch_size=4", "trainer.progress=none"]
    words += ["trainer.plots=false", "num_steps=2", "model.channels=[4,4]", f"paths.runs={tmp_path / 'runs'}"]
    assert recipe.run(load([*words, f"paths.data={tmp_path}"])) == recipe.DONE
    assert set(asked.values()) == {1}
    assert len(asked) == 12


def test_recordings_that_are_unpacked_later_are_counted(tmp_path, monkeypatch):
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    nmnist(tmp_path / "whole")
    expected = NMNIST(tmp_path / "whole", 4).identity()
    nmnist(tmp_path / "part", digits=9)
    dataset = NMNIST(tmp_path / "part", 4)
    assert dataset.known_files().count == 18
    for part in ("Train", "Test"):
        file = f"nmnist/NMNIST/{part}/9"
        shutil.copytree(tmp_path / "whole" / file, tmp_path / "part" / file)
    dataset.prepare()
    assert dataset.identity().hash == expected.hash
    assert os.path.isdir(dataset.cache_folder())
