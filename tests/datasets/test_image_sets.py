"""CIFAR and ImageNet from small files in the published formats."""

import pickle
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import PILToTensor

from snnlab.data.image_files import ImageFiles
from snnlab.data.loader import loader
from snnlab.datasets import CIFAR10, CIFAR100, ImageNet
from snnlab.errors import DataError


@pytest.fixture
def cifar10(tmp_path, monkeypatch):
    import torchvision

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_load_meta", lambda self: None)
    folder = tmp_path / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        data = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": [3, 1, 4, 1]}))
    return tmp_path


def test_cifar10(cifar10):
    dataset = CIFAR10(cifar10)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (20, 4)
    raw, label = test[2]
    stored = pickle.loads((cifar10 / "cifar10/cifar-10-batches-py/test_batch").read_bytes())
    assert label == 4
    assert (raw.numpy() == stored["data"][2].reshape(3, 32, 32)).all()
    x = dataset.decode(test.batch([2, 0])[0])
    assert x.shape == (2, 1, 3, 32, 32)
    assert torch.equal(x[0, 0], raw.float() / 255)
    assert dataset.status().present


@pytest.mark.parametrize("split", ["first150", "first1000"])
def test_a_part_of_cifar10_has_the_first_images_of_each_class(tmp_path, monkeypatch, split):
    count = int(split.removeprefix("first"))
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), count + 3))
    whole = SimpleNamespace(data=np.zeros((len(labels), 2, 2, 3), np.uint8), targets=labels.tolist())
    whole.data[:, 0, 0, 0] = np.arange(len(labels)) % 256
    monkeypatch.setattr(CIFAR10, "_reader", lambda self: lambda *args, **more: whole)
    (tmp_path / "cifar-10-batches-py").mkdir()
    part, test = CIFAR10(tmp_path, split=split).train_set(), CIFAR10(tmp_path, split=split).test_set()
    assert len(test) == len(labels)
    assert np.bincount(part.labels).tolist() == [count] * 10
    seen = [0] * 10
    expected = []
    for index, label in enumerate(labels):
        seen[label] += 1
        if seen[label] <= count:
            expected.append(index)
    assert part.positions().tolist() == expected
    assert part.labels.tolist() == labels[expected].tolist()
    images, _ = part.batch([0, 5, len(part) - 1])
    assert images[:, 0, 0, 0].tolist() == [expected[n] % 256 for n in (0, 5, len(part) - 1)]


def test_a_part_of_cifar_that_has_too_few_images_is_an_error(cifar10):
    with pytest.raises(
        DataError, match="split first150 takes 150 training images of each class, and one has 0"
    ):
        CIFAR10(cifar10, split="first150").train_set()


def test_cifar_archive_is_unpacked_where_it_lies(cifar10):
    folder = cifar10 / "cifar10"
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(folder / "cifar-10-batches-py", "cifar-10-batches-py")
    (folder / "cifar-10-batches-py").rename(cifar10 / "away")
    assert len(CIFAR10(cifar10).train_set()) == 20


def test_damaged_cifar_is_not_opened(tmp_path):
    folder = tmp_path / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    (folder / "data_batch_1").write_bytes(b"not what was published")
    with pytest.raises(DataError, match="incomplete or damaged"):
        CIFAR10(tmp_path).train_set()
    assert CIFAR10(tmp_path).verify()


def test_normalisation_conventions(tmp_path):
    assert CIFAR10(tmp_path).std == (0.2023, 0.1994, 0.2010)
    assert CIFAR10(tmp_path, normalize="exact").std == (0.2470, 0.2435, 0.2616)
    assert CIFAR10(tmp_path, normalize="none").mean is None
    assert CIFAR10(tmp_path, normalize="cifar100").mean == CIFAR100(tmp_path).mean
    assert CIFAR10(tmp_path, normalize="cifar100").std == CIFAR100(tmp_path).std
    assert CIFAR100(tmp_path).mean == (0.5071, 0.4867, 0.4408)
    assert CIFAR100(tmp_path, normalize="cifar10").mean == CIFAR10(tmp_path).mean


@pytest.fixture
def imagenet(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 3), ("val", 2)):
        for name in ("n02", "n01"):
            folder = tmp_path / "imagenet" / part / name
            folder.mkdir(parents=True)
            for k in range(count):
                Image.fromarray(rng.integers(0, 256, (70, 90, 3), dtype=np.uint8)).save(folder / f"{k}.JPEG")
    Image.fromarray(np.full((50, 40), 100, np.uint8)).save(tmp_path / "imagenet/val/n01/grey.JPEG")
    return tmp_path


def imagenet_set(root, **kwargs):
    return ImageNet(root, **{"classes": 2, "image_size": 32, "resize": 40, **kwargs})


def test_imagenet(imagenet):
    dataset = imagenet_set(imagenet)
    assert dataset.class_names == ("n01", "n02")
    train, test = dataset.train_set(), dataset.test_set()
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    raw, labels = test.batch([0, 2, 4])
    assert raw.shape == (3, 3, 32, 32)
    assert raw.dtype == torch.uint8
    assert labels.tolist() == [0, 0, 1]
    assert (raw[1].int() - 100).abs().max() <= 2
    assert dataset.decode(raw).shape == (3, 1, 3, 32, 32)


def test_imagenet_crops_are_drawn_by_seed_epoch_and_batch(imagenet):
    train = imagenet_set(imagenet).train_set()

    def batches(**kwargs):
        return torch.cat(
            [raw for raw, _ in loader(train, 2, shuffle=False, **{"seed": 0, "epoch": 0, **kwargs})]
        )

    assert torch.equal(batches(), batches())
    assert not torch.equal(batches(), batches(epoch=1))
    assert torch.equal(batches()[2:], batches(start_batch=1))
    flip_only = imagenet_set(imagenet, min_area=1.0, flip=0.0).test_set()
    assert torch.equal(flip_only[0][0], flip_only[0][0])


def test_operations_in_the_loader_come_after_the_crop(imagenet):
    shapes = []
    train = imagenet_set(imagenet).train_set([lambda x: (shapes.append(x.shape), 255 - x)[1]])
    assert train[0][0].dtype == torch.uint8
    assert shapes == [torch.Size([3, 32, 32])]
    assert len(train) == 6


def test_imagenet_with_another_number_of_classes(imagenet):
    with pytest.raises(DataError, match="2 class folders") as caught:
        imagenet_set(imagenet, classes=1000).train_set()
    assert "dataset.classes=2" in caught.value.hint


def test_imagenet_sizes(tmp_path):
    with pytest.raises(ValueError, match=r"dataset\.resize=256 is smaller"):
        ImageNet(tmp_path, image_size=288)


def test_a_damaged_picture_is_named(imagenet):
    (imagenet / "imagenet/train/n01/0.JPEG").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0\.JPEG cannot be read"):
        imagenet_set(imagenet).train_set()[0]


def test_folders_that_are_no_class_are_left_out(imagenet):
    for part in ("train", "val"):
        (imagenet / "imagenet" / part / ".ipynb_checkpoints").mkdir()
    (imagenet / "imagenet" / "train" / "__MACOSX").mkdir()
    dataset = imagenet_set(imagenet)
    assert dataset.class_names == ("n01", "n02")
    assert dataset.test_set().labels.max() == 1


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints/0-checkpoint.JPEG",
        "@eaDir/0.JPEG/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/n01/._0.JPEG",
        "__MACOSX/0.JPEG",
        "n01/.thumbnails/0.JPEG",
        "n01/.ipynb_checkpoints/0-checkpoint.JPEG",
        "n01/@eaDir/0.JPEG/SYNOPHOTO_THUMB_M.jpg",
        "n01/._0.JPEG",
        "n01/Thumbs.db",
        "n01/0.JPEG.part",
        "n01/folder.jpg/readme.txt",
        "$RECYCLE.BIN/0.JPEG",
        "lost+found/0.JPEG",
    ],
)
def test_what_is_no_sample_is_left_out_of_both_samples_and_identity(imagenet, name):
    before = imagenet_set(imagenet).identity()
    for part in ("train", "val"):
        file = imagenet / "imagenet" / part / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"no picture")
    assert imagenet_set(imagenet).identity() == before
    assert imagenet_set(imagenet).verify() == []


def test_pictures_below_a_class_and_in_linked_classes_are_samples(imagenet):
    before = imagenet_set(imagenet).identity()
    folder = imagenet / "imagenet/train"
    (folder / "n01/session1").mkdir()
    (folder / "n01/0.JPEG").rename(folder / "n01/session1/0.JPEG")
    (folder / "n02").rename(imagenet / "elsewhere")
    (folder / "n02").symlink_to(imagenet / "elsewhere")
    after = imagenet_set(imagenet).identity()
    assert (after.files, after.train, after.bytes) == (before.files, before.train, before.bytes)


def test_classes_of_train_and_val_have_to_be_the_same(imagenet):
    names = imagenet_set(imagenet).class_names
    folder = imagenet / "imagenet" / "val"
    (folder / names[0]).rename(folder / "zebra")
    with pytest.raises(
        DataError, match=rf"do not hold the same classes: {names[0]}, zebra are in one of them only"
    ):
        imagenet_set(imagenet).test_set()


def test_sixteen_bits_are_scaled_and_floats_are_refused(tmp_path):
    grey = np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / "float.tiff")
    files = ImageFiles([(str(tmp_path / "grey.png"), 0), (str(tmp_path / "float.tiff"), 0)], PILToTensor())
    assert files[0][0][0].tolist() == [[0, 100], [200, 255]]
    with pytest.raises(DataError, match=r"float\.tiff: a picture of the type 'F' has no known range"):
        files[1]


def test_a_picture_of_too_many_pixels_is_not_called_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("L", (30, 30)).save(tmp_path / "wide.png")
    with pytest.raises(DataError, match=r"wide\.png is not read: Image size \(900 pixels\)") as error:
        ImageFiles([(str(tmp_path / "wide.png"), 0)], PILToTensor())[0]
    assert error.value.hint == "make the picture smaller, or remove it"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["grey.jpg", "cmyk.jpg", "palette.png", "clear.png", "bits.png", "one.png"])
def test_every_kind_of_picture_becomes_three_bytes_a_pixel_without_a_warning(tmp_path, kind):
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    made = {
        "grey.jpg": (colours.convert("L"), {}),
        "cmyk.jpg": (colours.convert("CMYK"), {}),
        "palette.png": (colours.quantize(8), {"transparency": b"\x00\x80"}),
        "clear.png": (colours.convert("RGBA"), {}),
        "bits.png": (colours.convert("1"), {}),
        "one.png": (Image.new("RGB", (1, 1), (4, 5, 6)), {}),
    }
    picture, options = made[kind]
    picture.save(tmp_path / kind, **options)
    x = ImageFiles([(str(tmp_path / kind), 0)], PILToTensor())[0][0]
    assert (x.dtype, tuple(x.shape)) == (torch.uint8, (3, picture.height, picture.width))
    if kind == "palette.png":  # transparent pixels keep their colours
        assert x.permute(1, 2, 0).tolist() == np.asarray(picture.convert("RGB")).tolist()
