"""Every data set knows its files: another one, or one of another size, is another identity; a newer one is not."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab import registry
from snnlab.config.signature import class_value
from snnlab.datasets import NMNIST, ImageNet
from snnlab.errors import DataError
from tests.datasets import trees
from tests.datasets.test_text_sets import TRAIN, write_tsv
from tests.datasets.test_touch import recording, write_zip

FILES = {name: file for name, (_, file) in registry.component_files("dataset").items()}
READ = [name for name, file in FILES.items() if class_value(file, "reads_files") is not False]
OWN = ("image_folder", "event_folder")


def rows(seed: int, side: int = 34) -> np.ndarray:
    return trees.random_rows(50, side, side, seed)


def make(name: str, root: Path) -> Path:
    """Writes a part of a data set in its published form; returns one of the files that are read."""
    match name:
        case "cifar10" | "cifar100":
            folder = root / name / {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}[name]
            folder.mkdir(parents=True)
            (folder / "test_batch").write_bytes(b"0")
            (folder / "test").write_bytes(b"0")
            return folder / ("test_batch" if name == "cifar10" else "test")
        case "cifar10_dvs":
            for name_of_class in trees.CIFAR10_CLASSES:
                file = root / name / name_of_class / f"cifar10_{name_of_class}_0.npz"
                trees.write_npz(file, rows(0, 128))
        case "dvs_gesture":
            file = root / name / "ibmGestureTrain" / "user01_led" / "0.npy"
            trees.write_xypt(file, rows(0, 128))
        case "imagenet" | "imagenet200":
            for part in ("train", "val"):
                file = root / name / part / "n01" / "1.JPEG"
                file.parent.mkdir(parents=True)
                Image.new("RGB", (8, 8)).save(file)
        case "image_folder":
            for kind in ("cat", "dog"):
                file = root / "own" / kind / "1.png"
                file.parent.mkdir(parents=True)
                Image.new("RGB", (8, 8)).save(file)
        case "event_folder":
            for kind in ("clap", "wave"):
                file = root / "own" / kind / "1.bin"
                trees.write_saccades(file, rows(0))
        case "sl_animals_dvs":
            file = trees.write_sl_animals(root / name, ["user25_imse"])
        case "tiny_imagenet":
            file = trees.write_tiny_imagenet(root / "tiny-imagenet-200", ("n01",))
        case "ncaltech101":
            file = root / name / "Caltech101" / "airplanes" / "image_0001.bin"
            trees.write_saccades(file, rows(0))
        case "nmnist":
            file = root / name / "NMNIST" / "Train" / "0" / "00001.bin"
            trees.write_saccades(file, rows(0))
        case "sst2" | "sst5":
            folder = root / "text" / {"sst2": "SST-2", "sst5": "SST-5"}[name]
            write_tsv(folder / "dev.tsv", TRAIN)
            file = folder / "train.tsv"
            write_tsv(file, TRAIN)
        case "qqp":
            for part in ("dev", "train"):
                file = root / "qqp" / f"{part}.tsv"
                trees.write_pairs(file, [("What is it?", "Is it?", 1), ("Who?", "Where is it?", 0)])
        case "waimai":
            file = root / "text" / "waimai_10k.csv"
            file.parent.mkdir(parents=True)
            file.write_text("label,review\n")
        case "evtouch_objects" | "evtouch_containers":
            file = root / "evtouch" / {"evtouch_objects": "Ev-Objects.zip"}.get(name, "Ev-Containers.zip")
            write_zip(file, [("train", 0, 0, recording(0))])
        case _:
            raise NotImplementedError(f"write a small {name} here")
    return file


def own_folder(name: str, root: Path) -> dict[str, Path | int]:
    """The keys of a data set that has no place below the data folder, but a folder of one's own."""
    sensor = {"width": 34, "height": 34} if name == "event_folder" else {}
    return {"folder": root / "own", **sensor} if name in OWN else {}


@pytest.mark.parametrize("name", READ)
def test_the_files_of_a_data_set_are_its_identity(name, tmp_path):
    root = tmp_path / "data"

    def files(where: Path = root):
        return registry.load("dataset", name)(where, 5, **own_folder(name, where)).data_files()

    with pytest.raises(DataError):
        files()
    file = make(name, root)
    before = files()
    assert before.count >= 1
    shutil.copytree(root, tmp_path / "copy")
    assert files(tmp_path / "copy") == before, "wherever they lie"
    os.utime(file, (0, 0))
    assert files() == before
    with file.open("ab") as end:
        end.write(b"more")
    assert files().hash != before.hash
    assert files().size == before.size + 4


@pytest.mark.parametrize("name", sorted(set(FILES) - set(READ)))
def test_data_of_a_package_have_no_files(name, tmp_path):
    dataset = registry.load("dataset", name)(tmp_path, 4)
    identity = dataset.identity()
    assert (dataset.data_files(), identity.files, identity.hash) == (None, 0, None)
    assert (identity.train, identity.test) == (1437, 360)


def test_frames_know_their_recordings_when_these_are_gone(tmp_path):
    for part in ("Train", "Test"):
        for digit in range(10):
            trees.write_saccades(tmp_path / "nmnist/NMNIST" / part / str(digit) / "00001.bin", rows(digit))
    before = NMNIST(tmp_path, 4).identity()
    assert before.preprocessing.startswith("frames-")
    shutil.rmtree(tmp_path / "nmnist/NMNIST")
    assert NMNIST(tmp_path, 4).identity() == before


def test_the_samples_of_both_parts_count(tmp_path):
    for part in ("train", "val"):
        for name in ("a/1.png", "a/2.png", "b/1.png"):
            file = tmp_path / "imagenet" / part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8)).save(file)

    def identity():
        return ImageNet(tmp_path, image_size=8, resize=8, classes=2).identity()

    before = identity()
    assert (before.files, before.train, before.test) == (6, 3, 3)
    (tmp_path / "imagenet/train/a/2.png").rename(tmp_path / "imagenet/train/b/2.png")
    after = identity()
    assert (after.train, after.bytes) == (before.train, before.bytes)
    assert after.split_hash != before.split_hash
