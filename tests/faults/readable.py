"""One small whole file for every reader, and what reads it."""

import csv
import io
import tarfile
import zipfile

import numpy as np
from PIL import Image

from snnlab.data.archives import unpack_archives
from snnlab.data.cache import build_cache, cached_steps, check_cache, open_cache
from snnlab.data.files import Recording
from snnlab.data.image_files import ImageFiles
from snnlab.data.own_pictures import read_picture
from snnlab.data.own_recordings import read_own
from snnlab.data.raw_events import Meaning
from snnlab.data.text_tables import read_table
from snnlab.data.touch import TAXELS
from snnlab.data.words import read_vectors, vector_size
from snnlab.datasets import (
    CIFAR10DVS,
    NMNIST,
    QQP,
    SST2,
    DVSGesture,
    EvTouchObjects,
    NCaltech101,
    SLAnimalsDVS,
    TinyImageNet,
)
from tests.datasets import recordings, trees

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "good": 2, "bad": 3, "film": 4}


def events(dataset, write, name):
    def make(folder):
        write(folder / name, trees.random_rows(30, *dataset.sensor, 0))
        return folder / name

    def read(path):
        dataset(path.parent, 4)._integration.frames([Recording(path.name, 0, path)], [0])

    return make, read


def _float_table(path, rows):
    np.save(path, rows.astype(np.float64) / [1, 1, 1, 1000])


def _packed(path, rows):
    np.savez_compressed(path, **dict(zip("xypt", rows.T.astype(float), strict=True)))


def _touch_zip(folder):
    (folder / "Ev-Objects").mkdir()
    path = folder / "Ev-Objects.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in ("train", "test"):
            stream = io.BytesIO()
            np.save(stream, np.ones((TAXELS, 2, 250), np.float32))
            archive.writestr(f"Ev-Objects/{part}/sample_0_label_3.npy", stream.getvalue())
    (folder / "Ev-Objects").rmdir()
    return path


def _touch_folder(folder):
    for part in ("test", "train"):
        path = folder / "Ev-Objects" / part / "sample_0_label_3.npy"
        path.parent.mkdir(parents=True)
        np.save(path, np.ones((TAXELS, 2, 250), np.float32))
    return path


def _read_touch(path):
    root = path.parents[0] if path.suffix == ".zip" else path.parents[2]
    dataset = EvTouchObjects(root, 5)
    dataset.status()
    dataset.verify()
    dataset.train_set()


def _vectors(header):
    def make(folder):
        path = folder / "vectors.txt"
        path.write_text(header + "good 1.0 2.0 3.0\nbad -1 -2 -3\nother 0.5 0 -9\n")
        return path

    return make


def _read_vectors(path):
    vector_size(path)
    assert np.isfinite(read_vectors(path, VOCABULARY).vectors.numpy()).all()


def _sst(folder):
    for name in ("dev.tsv", "train.tsv"):
        path = folder / "sst2" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("sentence\tlabel\n" + "a good film\t1\na bad film\t0\nonce\t0\n" * 2)
    return path


def _pairs(folder):
    for name in ("dev.tsv", "train.tsv"):
        trees.write_pairs(folder / "qqp" / name, [("a film", "a good film", 1), ("a", "b", 0)] * 2)
    return folder / "qqp" / "train.tsv"


def _read_pairs(path):
    dataset = QQP(path.parents[1])
    dataset.status()
    dataset.verify()
    dataset.prepare()
    dataset.train_set()


def _waimai(folder):
    path = folder / "text" / "waimai_10k.csv"
    path.parent.mkdir()
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("label", "review"), (1, 'tasty, "really"'), (0, "slow\nvery")])
    return path


def _read_sst(path):
    dataset = SST2(path.parents[1])
    dataset.status()
    dataset.verify()
    dataset.prepare()
    dataset.train_set()


def _read_waimai(path):
    read_table(path, ",", 1, 2)  # its split asks for all 11,987 rows


def _zip(folder):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("d/3", "z" * 40)
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/1", "x" * 100)
        archive.writestr("d/inner.zip", inner.getvalue())
    return path


def _tar(mode):
    def make(folder):
        path = folder / ("set.tar.gz" if mode else "plain.tar.gz")
        with tarfile.open(path, f"w:{mode}") as archive:
            for name in ("d/1", "d/2"):
                info = tarfile.TarInfo(name)
                info.size = 100
                archive.addfile(info, io.BytesIO(b"x" * 100))
        return path

    return make


def _read_archive(path):
    unpack_archives(path.parent, [path.name])


def _cache(name):
    def make(folder):
        names = [f"Train/0/{i}.bin" for i in range(3)]
        build_cache(
            folder / "frames-0",
            names,
            names,
            [0, 1, 2],
            (2, 2, 3, 3),
            lambda index: np.ones((len(index), 2, 2, 3, 3), np.uint8),
            {"a": 1},
        )
        return folder / "frames-0" / name

    return make


def _read_cache(path):
    cached_steps(path.parents[1])
    check_cache(path.parent)
    cache = open_cache(path.parent)
    if cache is not None:
        assert cache.labels.tolist() == [0, 1, 2]
        assert cache.names[0] == "Train/0/0.bin"
        assert cache.frames[np.arange(3)].shape == (3, 2, 2, 3, 3)


def _image(ending):
    def make(folder):
        path = folder / f"picture{ending}"
        pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return make


def _read_image(path):
    ImageFiles([(str(path), 0)], lambda picture: np.asarray(picture).shape)[0]


def _aedat3(own):
    def make(folder):
        trees.write_aedat3(folder / "user01_dc.aedat", trees.random_rows(30, 128, 128, 0), own, per_packet=11)
        return folder / "user01_dc.aedat"

    return make


def _read_aedat3(path):
    dataset = SLAnimalsDVS(path.parent, 4)
    dataset._integration.frames([Recording("user01_dc/00-0-30", 0, path)], [0])


def _tags(folder):
    trees.write_sl_animals(folder / "sl_animals_dvs", ["user01_dc", "user14_dc"])
    return folder / "sl_animals_dvs/tags/user01_dc.csv"


def _read_tags(path):
    dataset = SLAnimalsDVS(path.parents[2], 4)
    dataset.status()
    dataset.find()


def _tiny_imagenet(folder):
    trees.write_tiny_imagenet(folder / "tiny-imagenet-200", ("n01", "n02"))
    return folder / "tiny-imagenet-200/val/val_annotations.txt"


def _read_tiny_imagenet(path):
    dataset = TinyImageNet(path.parents[2], classes=2, image_size=8, resize=8)
    dataset.status()
    dataset.verify()
    dataset.test_set()


def _read_own_picture(path):
    read_picture(path, 8, 3)


def own_recording(name):
    def make(folder):
        recordings.WRITERS[name](folder / name, recordings.rows(count=30))
        return folder / name

    def read(path):
        meaning = Meaning(recordings.SENSORS.get(name, (24, 32)), recordings.UNITS.get(name))
        read_own(path, recordings.TABLES.get(name), meaning)

    return make, read


READERS = {
    "N-MNIST": events(NMNIST, trees.write_saccades, "00001.bin"),
    "N-Caltech101": events(NCaltech101, trees.write_saccades, "image_0001.bin"),
    "CIFAR10-DVS": events(CIFAR10DVS, trees.write_aedat2, "cifar10_cat_1.aedat"),
    "CIFAR10-DVS npz": events(CIFAR10DVS, trees.write_npz, "cifar10_cat_1.npz"),
    "SL-Animals 3.1": (_aedat3(True), _read_aedat3),
    "SL-Animals 3.1 of jAER": (_aedat3(False), _read_aedat3),
    "SL-Animals tags": (_tags, _read_tags),
    "Gesture npy": events(DVSGesture, trees.write_xypt, "3.npy"),
    "Gesture float npy": events(DVSGesture, _float_table, "3.npy"),
    "Gesture npz": events(DVSGesture, _packed, "user01_led_0.npz"),
    "EvTouch zip": (_touch_zip, _read_touch),
    "EvTouch folder": (_touch_folder, _read_touch),
    "GloVe": (_vectors(""), _read_vectors),
    "word2vec": (_vectors("3 3\n"), _read_vectors),
    "SST": (_sst, _read_sst),
    "QQP": (_pairs, _read_pairs),
    "Waimai": (_waimai, _read_waimai),
    "zip": (_zip, _read_archive),
    "tar.gz": (_tar("gz"), _read_archive),
    "tar": (_tar(""), _read_archive),
    "cache manifest": (_cache("manifest.json"), _read_cache),
    "cache labels": (_cache("labels.npy"), _read_cache),
    "cache names": (_cache("names.txt"), _read_cache),
    "cache frames": (_cache("frames.npy"), _read_cache),
    "PNG": (_image(".png"), _read_image),
    "JPEG": (_image(".jpeg"), _read_image),
    "TIFF": (_image(".tiff"), _read_image),
    "own PNG": (_image(".png"), _read_own_picture),
    "own JPEG": (_image(".jpeg"), _read_own_picture),
    "WebP": (_image(".webp"), _read_image),
    "Tiny-ImageNet annotations": (_tiny_imagenet, _read_tiny_imagenet),
    **{f"own {name}": own_recording(name) for name in recordings.WRITERS},
}
"""What makes a whole file in an empty folder, and what reads it."""
