"""Tiny-ImageNet as published, ImageNet-200, and pictures that cannot be read."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from snnlab.datasets import ImageNet200, TinyImageNet
from snnlab.errors import DataError
from tests.datasets.trees import write_tiny_imagenet

NAMES = ("n02", "n01", "n03")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    write_tiny_imagenet(tmp_path / "tiny-imagenet-200", NAMES, train=3, val=2)
    return tmp_path


def tiny_set(root, **kwargs):
    return TinyImageNet(root, **{"classes": 3, "image_size": 8, "resize": 8, **kwargs})


def test_the_published_layout(tiny):
    dataset = tiny_set(tiny)
    assert dataset.class_names == ("n01", "n02", "n03")
    train, test = dataset.train_set(), dataset.test_set()
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    # n02 was written first: val_0 and val_3 are of class 1.
    raw, label = test[2]
    assert label == 1
    stored = np.asarray(Image.open(tiny / "tiny-imagenet-200/val/images/val_0.JPEG")).transpose(2, 0, 1)
    assert (raw.numpy() == stored).all()
    assert dataset.status().samples == 15
    assert dataset.identity().files == 15
    assert dataset.verify() == []


def test_the_200_classes_of_the_published_set(tmp_path):
    write_tiny_imagenet(tmp_path / "tiny-imagenet-200", [f"n{k:03d}" for k in range(200)], train=1)
    dataset = TinyImageNet(tmp_path, image_size=8, resize=8)
    assert len(dataset.train_set()) == len(dataset.test_set()) == 200
    assert dataset.class_names[199] == "n199"
    assert dataset.std == (0.272, 0.266, 0.274)


def test_val_moved_into_class_folders_is_the_same_set(tiny):
    before = tiny_set(tiny)
    labels, pictures = before.test_set().labels.tolist(), before.test_set().batch(range(6))[0]
    val = tiny / "tiny-imagenet-200/val"
    for line in (val / "val_annotations.txt").read_text().splitlines():
        file, name = line.split("\t")[:2]
        (val / name / "images").mkdir(parents=True, exist_ok=True)
        (val / "images" / file).rename(val / name / "images" / file)
    for leave_the_empty_folder in (True, False):
        if not leave_the_empty_folder:
            (val / "images").rmdir()
        after = tiny_set(tiny)
        assert after.test_set().labels.tolist() == labels
        assert (after.test_set().batch(range(6))[0] == pictures).all()


def test_the_archive_is_unpacked(tiny):
    with zipfile.ZipFile(tiny / "tiny-imagenet-200.zip", "w") as archive:
        for path in sorted((tiny / "tiny-imagenet-200").rglob("*")):
            archive.write(path, path.relative_to(tiny))
    shutil.rmtree(tiny / "tiny-imagenet-200/val")
    dataset = tiny_set(tiny)
    with pytest.raises(DataError, match="dataset tiny_imagenet: no pictures"):
        dataset.data_files()
    dataset.prepare()
    assert dataset.identity().files == 15
    shutil.rmtree(tiny / "tiny-imagenet-200")
    (tiny / ".tiny-imagenet-200.zip.unpacked").unlink()
    fresh = tiny_set(tiny)
    fresh.prepare()
    assert fresh.class_names == ("n01", "n02", "n03")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("n03", "n99"), "class 'n99' has no folder in train"),
        (lambda text: text + "val_0.JPEG\tn01\n", "'val_0.JPEG' is named a second time"),
        (lambda text: text + "val_90.JPEG\tn01\n", "'val_90.JPEG' is named in .*, and not there"),
        (lambda text: text.split("\n", 1)[1], "'val_0.JPEG' is there, and not named in"),
        (lambda text: text.replace("\t", " "), "line 1: expected a file name, a class and a box"),
        (lambda text: "\x00\xff" + text, "line 1|cannot be read|not there"),
        (lambda text: "", "is there, and not named"),
    ],
)
def test_annotations_that_do_not_fit(tiny, change, said):
    file = tiny / "tiny-imagenet-200/val/val_annotations.txt"
    file.write_bytes(change(file.read_text()).encode("latin-1"))
    dataset = tiny_set(tiny)
    with pytest.raises(DataError, match=said):
        dataset.test_set()
    assert dataset.status().damaged
    assert len(dataset.verify()) == 1


def test_a_move_that_stopped_half_way_is_named(tiny):
    val = tiny / "tiny-imagenet-200/val"
    (val / "n01").mkdir()
    (val / "images/val_1.JPEG").rename(val / "n01/val_1.JPEG")
    with pytest.raises(DataError, match="pictures in images/ and class folders, 'n01' for one"):
        tiny_set(tiny).test_set()


def test_no_annotations(tiny):
    (tiny / "tiny-imagenet-200/val/val_annotations.txt").unlink()
    dataset = tiny_set(tiny)
    with pytest.raises(DataError, match=r"no val_annotations\.txt in"):
        dataset.test_set()
    assert not dataset.status().present


def broken_set(root):
    folder = root / "tiny-imagenet-200"
    (folder / "train/n02/images/n02_1.JPEG").write_bytes(b"no picture")
    whole = (folder / "val/images/val_4.JPEG").read_bytes()
    (folder / "val/images/val_4.JPEG").write_bytes(whole[:-100])
    return folder


def test_a_broken_picture_names_itself_and_is_skipped_only_by_option(tiny):
    folder = broken_set(tiny)
    before = tiny_set(tiny)
    assert before.identity().train == 9
    with pytest.raises(DataError, match=r"n02_1\.JPEG cannot be read"):
        before.train_set().batch(range(9))
    dataset = tiny_set(tiny, broken="skip")
    dataset.prepare()
    assert dataset.train_set().labels.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert len(dataset.train_set().batch(range(8))[0]) == 8
    assert len(dataset.test_set()) == 5
    assert dataset.skipped == ("train/n02/images/n02_1.JPEG", "val/images/val_4.JPEG")
    assert (dataset.identity().skipped, dataset.identity().train) == (2, 8)
    assert dataset.identity().split_hash != before.identity().split_hash
    # Found once; a picture that was mended counts again.
    (kept,) = (tiny / "tiny_imagenet").glob("broken-train-*.json")
    kept.write_text("[0]")
    assert tiny_set(tiny, broken="skip").train_set().labels.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    kept.write_text("[99")
    assert len(tiny_set(tiny, broken="skip").train_set()) == 8
    (folder / "train/n02/images/n02_1.JPEG").write_bytes(
        (folder / "train/n02/images/n02_0.JPEG").read_bytes()
    )
    assert len(tiny_set(tiny, broken="skip").train_set()) == 9


def test_a_link_to_a_picture_that_is_gone_is_a_broken_picture(tiny):
    folder = tiny / "tiny-imagenet-200"
    (folder / "train/n02/images/n02_9.JPEG").symlink_to(tiny / "nowhere.JPEG")
    with pytest.raises(DataError, match=r"n02_9\.JPEG"):
        tiny_set(tiny).identity()
    dataset = tiny_set(tiny, broken="skip")
    assert dataset.identity().train == 9
    assert dataset.skipped == ("train/n02/images/n02_9.JPEG",)


def test_imagenet200_is_what_the_folder_holds(tmp_path):
    names = [f"n{k:03d}" for k in range(200)]
    for part in ("train", "val"):
        for name in names:
            file = tmp_path / "ilsvrc" / part / name / "1.JPEG"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"")
        (tmp_path / "imagenet200").mkdir(exist_ok=True)
    (tmp_path / "imagenet200/train").symlink_to(tmp_path / "ilsvrc/train")
    (tmp_path / "imagenet200/val").mkdir()
    for name in names:
        (tmp_path / "imagenet200/val" / name).symlink_to(tmp_path / "ilsvrc/val" / name)
    dataset = ImageNet200(tmp_path)
    assert (dataset.num_classes, dataset.image_size, dataset.resize) == (200, 64, 64)
    assert len(dataset.train_set()) == len(dataset.test_set()) == 200
    (tmp_path / "imagenet200/val/n007").unlink()
    with pytest.raises(DataError, match="dataset imagenet200: 199 class folders"):
        ImageNet200(tmp_path).test_set()
